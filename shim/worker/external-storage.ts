/**
 * External storage around a worker's tasks, as in Temporal's worker: payloads above a size go to the user's drivers and histories carry
 * references; references that come in are resolved. Encoding comes before, decoding after.
 */
import {
  type ExternalStorage,
  ExternalStorageNotConfiguredError,
  type StorageDriverTargetInfo,
} from '@temporalio/common';
import {
  type ContextDeriver,
  extstoreInboundOptions,
  extstoreStoreOptions,
  isReferencePayload,
  visit,
  walkActivityTaskCompletion,
  walkWorkflowActivation,
  walkWorkflowActivationCompletion,
} from '@temporalio/common/lib/internal-non-workflow';
import type { coresdk, temporal } from '@temporalio/proto';
import type { WorkflowInfo } from '@temporalio/workflow';
import type { Activation, ActivationCompletion } from '../core/types';
import type { ActivityResult } from './activity/activity-executor';
import type { ActivityStart } from './activity/activity-start';
import { copyContainers } from './copy-containers';

type Payload = temporal.api.common.v1.IPayload;
type Target = StorageDriverTargetInfo | undefined;
type StartChild = coresdk.workflow_commands.IStartChildWorkflowExecution;
type ContinueAsNew = coresdk.workflow_commands.IContinueAsNewWorkflowExecution;
type ToAnother =
  | coresdk.workflow_commands.ISignalExternalWorkflowExecution
  | coresdk.workflow_commands.IRequestCancelExternalWorkflowExecution;

/** Stands for the promise of a transform: the walkers hang the assignment of its result on it, and nothing is assigned here. */
const unchanged = { then: () => unchanged };
const refuse = (payload: Payload): void => {
  if (isReferencePayload(payload as never)) throw new ExternalStorageNotConfiguredError();
};
/** What Temporal's own pass without storage does, without its dozen promises and abort signal for each activation. */
const refusingReferences = {
  transformPayload: (payload: Payload) => (refuse(payload), unchanged),
  transformPayloads: (payloads: Payload[]) => {
    payloads.forEach(refuse);
    return unchanged;
  },
  skipHeaders: false,
  skipSearchAttributes: true,
};

/** @throws ExternalStorageNotConfiguredError for a reference: nothing can resolve it */
export function refuseReferences(activation: Activation): void {
  void walkWorkflowActivation(activation as never, refusingReferences as never, undefined);
}

/** A copy of the activation with what its references stand for. @throws what a driver threw */
export async function retrieveActivation(storage: ExternalStorage, activation: Activation): Promise<Activation> {
  const own = copyContainers(activation);
  await visit(own as never, walkWorkflowActivation as never, extstoreInboundOptions(storage));
  return own;
}

/** Stores in place what is large. @throws what a driver threw */
export async function storeCompletion(
  storage: ExternalStorage,
  completion: ActivationCompletion,
  namespace: string,
  info: WorkflowInfo,
): Promise<void> {
  const { workflowId: id, runId, workflowType: type } = info;
  await visit<never, Target>(
    completion as never,
    walkWorkflowActivationCompletion as never,
    extstoreStoreOptions(storage, {
      initialTarget: { kind: 'workflow', namespace, id, runId, type },
      deriveContext: targetOfCommand(namespace, info),
    }) as never,
  );
}

/** Payloads belong to the run that reads them: a child's input to the child, its result to the parent. */
function targetOfCommand(namespace: string, info: WorkflowInfo): ContextDeriver<Target> {
  const workflow = (target: Omit<StorageDriverTargetInfo, 'kind' | 'namespace'>, of?: string | null): Target =>
    ({ kind: 'workflow', namespace: of || namespace, ...target }) as Target;
  return (message, typeName, target) => {
    switch (typeName) {
      case 'coresdk.workflow_commands.StartChildWorkflowExecution': {
        const { namespace: of, workflowId, workflowType } = message as StartChild;
        return workflow({ id: workflowId ?? undefined, type: workflowType ?? undefined }, of);
      }
      case 'coresdk.workflow_commands.SignalExternalWorkflowExecution':
      case 'coresdk.workflow_commands.RequestCancelExternalWorkflowExecution': {
        const { workflowExecution, ...other } = message as ToAnother;
        const child = 'childWorkflowId' in other ? other.childWorkflowId : undefined;
        return workflow({ id: workflowExecution?.workflowId ?? child ?? undefined }, workflowExecution?.namespace);
      }
      case 'coresdk.workflow_commands.ContinueAsNewWorkflowExecution': {
        const { workflowType } = message as ContinueAsNew;
        return target && { ...target, runId: undefined, type: workflowType || target.type };
      }
      case 'coresdk.workflow_commands.CompleteWorkflowExecution': {
        const { parent, continuedFromExecutionRunId } = info;
        if (parent === undefined || continuedFromExecutionRunId !== undefined) return target;
        return workflow({ id: parent.workflowId, runId: parent.runId }, parent.namespace);
      }
      default:
        return target;
    }
  };
}

/** @throws ExternalStorageNotConfiguredError for a reference: nothing can resolve it */
export function refuseReferencesOfStart({ headers, input, heartbeatDetails }: ActivityStart): void {
  for (const name in headers) refuse(headers[name]!);
  input.forEach(refuse);
  heartbeatDetails?.forEach(refuse);
}

/** The start of an attempt with what its references stand for. @throws what a driver threw */
export async function retrieveStart(storage: ExternalStorage, start: ActivityStart): Promise<ActivityStart> {
  const { transformPayloads } = extstoreInboundOptions(storage);
  const retrieve = (payloads: Payload[]): Promise<Payload[]> =>
    transformPayloads(payloads as never, undefined) as Promise<Payload[]>;
  const names = Object.keys(start.headers);
  const headers = await retrieve(Object.values(start.headers));
  return {
    ...start,
    input: await retrieve(start.input),
    heartbeatDetails: start.heartbeatDetails && (await retrieve(start.heartbeatDetails)),
    headers: Object.fromEntries(names.map((name, index) => [name, headers[index]!])),
  };
}

/** The result of an attempt with references to what is large. @throws what a driver threw */
export async function storeResult(
  storage: ExternalStorage,
  result: ActivityResult,
  target: StorageDriverTargetInfo,
): Promise<ActivityResult> {
  if (result.status === 'willCompleteAsync' || result.status === 'completedAlready') return result;
  const { status, ...content } = result;
  const completion = { result: { [status]: content } };
  const options = extstoreStoreOptions(storage, { initialTarget: target });
  await visit(completion as never, walkActivityTaskCompletion as never, options as never);
  return { status, ...completion.result[status] } as ActivityResult;
}

/** @throws what a driver threw */
export async function storePayloads(
  storage: ExternalStorage,
  payloads: Payload[],
  target: StorageDriverTargetInfo,
): Promise<Payload[]> {
  const { transformPayloads } = extstoreStoreOptions(storage);
  return transformPayloads(payloads as never, target) as Promise<Payload[]>;
}

/** What an attempt stores belongs to its workflow, that of a standalone activity to the activity. */
export function targetOfActivity(start: ActivityStart, namespace: string): StorageDriverTargetInfo {
  const { workflow } = start;
  return workflow === undefined
    ? { kind: 'activity', namespace, id: start.activityId, type: start.activityType, runId: start.runId }
    : {
        kind: 'workflow',
        namespace: workflow.namespace,
        id: workflow.workflowId,
        runId: workflow.runId,
        type: workflow.type,
      };
}
