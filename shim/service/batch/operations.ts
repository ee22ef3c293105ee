/** The operations a batch may carry out, a table: how each is checked, and what it asks of one run. All of them bear being asked twice. */
import { createHash } from 'node:crypto';
import { temporal } from '@temporalio/proto';
import { int64, long } from '../../common/proto-values';
import type { BatchJob, BatchTarget } from '../../store/batch-job-types';
import { durationProblem } from '../engine/durations';
import { invalidArgument } from '../errors';
import { both, is } from '../visibility/filter';
import { printFilter } from '../visibility/printer';
import { readFilter } from '../visibility/query';
import { wireOverride } from '../engine/versioning/override';
import { askedOverride } from '../workflow-options';
import { resetPoint } from './reset-point';

type Request = temporal.api.workflowservice.v1.IStartBatchOperationRequest;
const Type = temporal.api.enums.v1.BatchOperationType;
const ResetType = temporal.api.enums.v1.ResetType;

/** Calls an RPC of this service. */
export type Call = <R extends object>(method: string, request: object) => Promise<R>;

export interface NamedRun extends BatchTarget {
  namespace: string;
}

/** One item of a job. */
export interface Task {
  run: NamedRun;
  job: Pick<BatchJob, 'reason' | 'identity'>;
  /** The same whenever the item is done again. */
  requestId: string;
}

interface Kind<O> {
  type: number;
  /** A closed run cannot take it: the filter is narrowed to open ones. */
  openOnly: boolean;
  /** INVALID_ARGUMENT for an operation that makes no sense or is not honoured; else the plain form that is kept. */
  check(operation: O): object;
  carryOut(call: Call, task: Task, operation: O): Promise<unknown>;
}
type Field = Exclude<keyof Request & `${string}Operation`, 'operation'>;
type Kinds = { [F in Field]?: Kind<NonNullable<Request[F]>> };

const execution = ({ run: { namespace, workflowId, runId } }: Task) => ({
  namespace,
  workflowExecution: { workflowId, runId },
});
const activities = ({ run: { namespace, workflowId, runId }, job }: Task, which: Which) => ({
  namespace,
  execution: { workflowId, runId },
  identity: job.identity,
  ...(which.type ? { type: which.type } : {}),
});

interface Which {
  type?: string | null;
  matchAll?: boolean | null;
}

function checkActivities<O extends Which>(operation: O): O {
  if (!operation.type && !operation.matchAll) {
    throw invalidArgument('Either activity type must be set, or match all should be set to true');
  }
  return operation;
}

function checkJitter<O extends { jitter?: Parameters<typeof durationProblem>[0] }>(operation: O): O {
  const problem = durationProblem(operation.jitter);
  if (problem !== null) throw invalidArgument(`Invalid Jitter: ${problem}`);
  return operation;
}

export const kinds: Kinds = {
  terminationOperation: {
    type: Type.BATCH_OPERATION_TYPE_TERMINATE,
    openOnly: true,
    check: (operation) => operation,
    carryOut: (call, task, { details }) =>
      call('terminateWorkflowExecution', {
        ...execution(task),
        reason: task.job.reason,
        identity: task.job.identity,
        details,
      }),
  },
  cancellationOperation: {
    type: Type.BATCH_OPERATION_TYPE_CANCEL,
    openOnly: true,
    check: (operation) => operation,
    carryOut: (call, task) =>
      call('requestCancelWorkflowExecution', {
        ...execution(task),
        reason: task.job.reason,
        identity: task.job.identity,
        requestId: task.requestId,
      }),
  },
  updateWorkflowOptionsOperation: {
    type: Type.BATCH_OPERATION_TYPE_UPDATE_EXECUTION_OPTIONS,
    openOnly: true,
    check({ identity, workflowExecutionOptions, updateMask }) {
      const override = askedOverride(workflowExecutionOptions, updateMask);
      const versioningOverride = override ? wireOverride(override) : null;
      return {
        identity,
        workflowExecutionOptions: { versioningOverride },
        updateMask: { paths: updateMask?.paths ?? [] },
      };
    },
    carryOut: (call, task, { workflowExecutionOptions, updateMask }) =>
      call('updateWorkflowExecutionOptions', { ...execution(task), workflowExecutionOptions, updateMask }),
  },
  signalOperation: {
    type: Type.BATCH_OPERATION_TYPE_SIGNAL,
    openOnly: true,
    check(operation) {
      if (!operation.signal) throw invalidArgument('must provide signal name');
      return operation;
    },
    carryOut: (call, task, { signal, input, header }) =>
      call('signalWorkflowExecution', {
        ...execution(task),
        signalName: signal,
        input,
        header,
        identity: task.job.identity,
        requestId: task.requestId,
      }),
  },
  deletionOperation: {
    type: Type.BATCH_OPERATION_TYPE_DELETE,
    openOnly: false,
    check: (operation) => operation,
    carryOut: (call, task) => call('deleteWorkflowExecution', execution(task)),
  },
  resetOperation: {
    type: Type.BATCH_OPERATION_TYPE_RESET,
    openOnly: false,
    check: checkReset,
    carryOut: async (call, task, { options }) => {
      const point = await resetPoint(call, task.run, options ?? {});
      await call('resetWorkflowExecution', {
        namespace: task.run.namespace,
        workflowExecution: { workflowId: task.run.workflowId, runId: point.runId },
        workflowTaskFinishEventId: long(point.eventId),
        reason: task.job.reason,
        identity: task.job.identity,
        requestId: task.requestId,
        resetReapplyType: options?.resetReapplyType,
        resetReapplyExcludeTypes: options?.resetReapplyExcludeTypes,
      });
    },
  },
  unpauseActivitiesOperation: {
    type: Type.BATCH_OPERATION_TYPE_UNPAUSE_ACTIVITY,
    openOnly: true,
    check: (operation) => checkJitter(checkActivities(operation)),
    carryOut: (call, task, { resetAttempts, resetHeartbeat, jitter, ...which }) =>
      call('unpauseActivity', {
        ...activities(task, which),
        unpauseAll: !which.type,
        resetAttempts,
        resetHeartbeat,
        jitter,
      }),
  },
  resetActivitiesOperation: {
    type: Type.BATCH_OPERATION_TYPE_RESET_ACTIVITY,
    openOnly: true,
    check(operation) {
      // As ResetActivity, which always does.
      if (operation.resetAttempts === false)
        throw invalidArgument('resetAttempts false is not supported by Branchline.');
      return checkJitter(checkActivities(operation));
    },
    carryOut: (call, task, { resetHeartbeat, keepPaused, jitter, restoreOriginalOptions, ...which }) =>
      call('resetActivity', {
        ...activities(task, which),
        matchAll: !which.type,
        resetHeartbeat,
        keepPaused,
        jitter,
        restoreOriginalOptions,
      }),
  },
  updateActivityOptionsOperation: {
    type: Type.BATCH_OPERATION_TYPE_UPDATE_ACTIVITY_OPTIONS,
    openOnly: true,
    check(operation) {
      if (operation.activityOptions && operation.restoreOriginal) {
        throw invalidArgument('cannot set both activity options and restore original');
      }
      if (!operation.activityOptions && !operation.restoreOriginal) {
        throw invalidArgument('Either activity options must be set, or restore original should be set to true');
      }
      return checkActivities(operation);
    },
    carryOut: (call, task, { activityOptions, updateMask, restoreOriginal, ...which }) =>
      call('updateActivityOptions', {
        ...activities(task, which),
        matchAll: !which.type,
        activityOptions,
        updateMask,
        restoreOriginal,
      }),
  },
};

/** The deprecated `resetType` becomes options. */
function checkReset(operation: temporal.api.batch.v1.IBatchOperationReset): object {
  if (operation.postResetOperations?.length) {
    throw invalidArgument('postResetOperations is not supported by Branchline.');
  }
  const { options } = operation;
  if (options) {
    const { firstWorkflowTask, lastWorkflowTask, buildId } = options;
    if (!firstWorkflowTask && !lastWorkflowTask && !buildId && int64(options.workflowTaskId) === 0) {
      throw invalidArgument('batch reset missing target');
    }
    return { options };
  }
  const { resetType, resetReapplyType } = operation;
  switch (resetType) {
    case ResetType.RESET_TYPE_FIRST_WORKFLOW_TASK:
      return { options: { firstWorkflowTask: {}, resetReapplyType } };
    case ResetType.RESET_TYPE_LAST_WORKFLOW_TASK:
      return { options: { lastWorkflowTask: {}, resetReapplyType } };
    default:
      throw invalidArgument(`unknown batch reset type ${ResetType[resetType ?? 0] ?? String(resetType)}`);
  }
}

/** Operations of Temporal's that are not done here, with what the caller is told. */
const refused: Partial<Record<Field, string>> = {
  cancelActivitiesOperation: 'Branchline has no standalone activities: start them from a workflow.',
  terminateActivitiesOperation: 'Branchline has no standalone activities: start them from a workflow.',
  deleteActivitiesOperation: 'Branchline has no standalone activities: start them from a workflow.',
};

/** The operation of a request: its kind, who asked, and what is kept of it. Undefined when there is none. */
export function operationOf(
  request: Request,
): { kind: Kind<never>; operation: { field: Field; value: object }; identity: string } | undefined {
  for (const field in refused) if (request[field as Field]) throw invalidArgument(refused[field as Field] as string);
  for (const field in kinds) {
    const given = request[field as Field];
    if (!given) continue;
    const kind = kinds[field as Field] as Kind<object>;
    const identity = (given as { identity?: string | null }).identity ?? '';
    return {
      kind: kind as Kind<never>,
      operation: { field: field as Field, value: kind.check(given) },
      identity,
    };
  }
  return undefined;
}

/** The runs that a filter means to the operation. INVALID_ARGUMENT for what is no filter of runs. */
export function filterOf({ openOnly }: Pick<Kind<never>, 'openOnly'>, query: string): string {
  const where = readFilter(query);
  const filter = openOnly ? both(where, is('ExecutionStatus', '=', 'Running')) : where;
  return filter === null ? '' : printFilter(filter);
}

const kindOf = (job: BatchJob): Kind<object> => kinds[(job.operation as { field: Field }).field] as Kind<object>;

/** The filter that lists what a job is for. */
export const jobFilter = (job: BatchJob): string => filterOf(kindOf(job), job.query);

/** Does one item. */
export function carryOut(call: Call, job: BatchJob, run: NamedRun): Promise<unknown> {
  const { value } = job.operation as { value: object };
  return kindOf(job).carryOut(call, { run, job, requestId: requestIdOf(job, run) }, value);
}

function requestIdOf({ namespaceId, jobId }: BatchJob, { workflowId, runId }: BatchTarget): string {
  const text = JSON.stringify([namespaceId, jobId, workflowId, runId]);
  return `batch-${createHash('sha256').update(text).digest('hex')}`;
}
