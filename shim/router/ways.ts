/** How each RPC finds its engine. What is not here is refused. */
import type { temporal } from '@temporalio/proto';
import type { StartRequest } from './routes/facts';

type Execution = temporal.api.common.v1.IWorkflowExecution;

/** `runId` '' = the current run. */
export interface Target {
  id: string;
  runId: string;
}

export type Way =
  /** Starts a workflow: the owner of its id, else where the routes say. */
  | { way: 'start'; start(request: object): StartPart; defaultConflict: 'fail' | 'useExisting' }
  | { way: 'createSchedule' }
  /** About one workflow. `pages`: the answer's page token belongs to its engine. */
  | { way: 'workflow'; target(request: object): Target; pages?: true }
  | { way: 'schedule'; changes?: true; forgets?: true }
  /** A task token says which engine gave it. */
  | { way: 'token' }
  | { way: 'list'; items: 'executions' | 'schedules' }
  | { way: 'count' }
  /** A question that the connection's own Postgres answers for all. */
  | { way: 'home' }
  | { way: 'taskQueue' };

/** What a request that starts a workflow says about it. */
export type StartPart = StartRequest &
  Pick<
    temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest,
    'workflowIdReusePolicy' | 'workflowIdConflictPolicy'
  >;

const at =
  (field: string): ((request: object) => Target) =>
  (request) =>
    targetOf((request as Record<string, Execution | null | undefined>)[field]);

const targetOf = (execution: Execution | null | undefined): Target => ({
  id: execution?.workflowId ?? '',
  runId: execution?.runId ?? '',
});

/** `workflowId` and `runId` in the request itself. */
const flat = (request: object): Target => targetOf(request as Execution);

const ofUpdate = (request: object): Target =>
  targetOf(
    (request as temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateRequest).updateRef?.workflowExecution,
  );

function startOfMultiOperation(request: object): StartPart {
  const { operations } = request as temporal.api.workflowservice.v1.IExecuteMultiOperationRequest;
  return (operations?.find(({ startWorkflow }) => startWorkflow)?.startWorkflow ?? {}) as StartPart;
}

const itself = (request: object): StartPart => request as StartPart;
const workflow = (field: string): Way => ({ way: 'workflow', target: at(field) });
const byId: Way = { way: 'workflow', target: flat };

/** WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE and ..._TERMINATE_IF_RUNNING */
const ALLOW_DUPLICATE = 1;
const TERMINATE_IF_RUNNING = 4;

/** The same start when its reuse policy has been held against a run that its engine does not know. */
export function withoutReusePolicy<R extends object>(request: R): R {
  const { operations, workflowIdReusePolicy } = request as {
    operations?: { startWorkflow?: StartPart | null }[] | null;
    workflowIdReusePolicy?: number | null;
  };
  if (operations) {
    const judged = operations.map((operation) =>
      operation.startWorkflow
        ? { ...operation, startWorkflow: withoutReusePolicy(operation.startWorkflow) }
        : operation,
    );
    return { ...request, operations: judged };
  }
  return workflowIdReusePolicy === TERMINATE_IF_RUNNING
    ? request
    : { ...request, workflowIdReusePolicy: ALLOW_DUPLICATE };
}

export const ways: Record<string, Way> = {
  startWorkflowExecution: { way: 'start', start: itself, defaultConflict: 'fail' },
  signalWithStartWorkflowExecution: { way: 'start', start: itself, defaultConflict: 'useExisting' },
  executeMultiOperation: { way: 'start', start: startOfMultiOperation, defaultConflict: 'fail' },

  describeWorkflowExecution: workflow('execution'),
  getWorkflowExecutionHistory: { way: 'workflow', target: at('execution'), pages: true },
  getWorkflowExecutionHistoryReverse: { way: 'workflow', target: at('execution'), pages: true },
  queryWorkflow: workflow('execution'),
  signalWorkflowExecution: workflow('workflowExecution'),
  requestCancelWorkflowExecution: workflow('workflowExecution'),
  terminateWorkflowExecution: workflow('workflowExecution'),
  deleteWorkflowExecution: workflow('workflowExecution'),
  resetWorkflowExecution: workflow('workflowExecution'),
  updateWorkflowExecution: workflow('workflowExecution'),
  updateWorkflowExecutionOptions: workflow('workflowExecution'),
  pollWorkflowExecutionUpdate: { way: 'workflow', target: ofUpdate },
  resetStickyTaskQueue: workflow('execution'),
  pauseWorkflowExecution: byId,
  unpauseWorkflowExecution: byId,
  updateActivityOptions: workflow('execution'),
  pauseActivity: workflow('execution'),
  unpauseActivity: workflow('execution'),
  resetActivity: workflow('execution'),
  recordActivityTaskHeartbeatById: byId,
  respondActivityTaskCompletedById: byId,
  respondActivityTaskFailedById: byId,
  respondActivityTaskCanceledById: byId,

  recordActivityTaskHeartbeat: { way: 'token' },
  respondActivityTaskCompleted: { way: 'token' },
  respondActivityTaskFailed: { way: 'token' },
  respondActivityTaskCanceled: { way: 'token' },

  createSchedule: { way: 'createSchedule' },
  describeSchedule: { way: 'schedule' },
  updateSchedule: { way: 'schedule', changes: true },
  patchSchedule: { way: 'schedule', changes: true },
  deleteSchedule: { way: 'schedule', changes: true, forgets: true },
  listScheduleMatchingTimes: { way: 'schedule' },

  listWorkflowExecutions: { way: 'list', items: 'executions' },
  scanWorkflowExecutions: { way: 'list', items: 'executions' },
  listSchedules: { way: 'list', items: 'schedules' },
  countWorkflowExecutions: { way: 'count' },

  describeTaskQueue: { way: 'taskQueue' },
  getSystemInfo: { way: 'home' },
  getClusterInfo: { way: 'home' },
  getSearchAttributes: { way: 'home' },
  listSearchAttributes: { way: 'home' },
  describeNamespace: { way: 'home' },
  listNamespaces: { way: 'home' },
};
