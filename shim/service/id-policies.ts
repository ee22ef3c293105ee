/** What happens when a workflow id is already in use: reuse policies judge a closed run, conflict policies a running one. */
import { temporal } from '@temporalio/proto';
import { Status } from './engine/types';
import { Code, ServiceError, invalidArgument } from './errors';

export const Reuse = temporal.api.enums.v1.WorkflowIdReusePolicy;
export type Reuse = temporal.api.enums.v1.WorkflowIdReusePolicy;
export const Conflict = temporal.api.enums.v1.WorkflowIdConflictPolicy;
export type Conflict = temporal.api.enums.v1.WorkflowIdConflictPolicy;

export interface IdPolicies {
  reuse: 'allowDuplicate' | 'allowDuplicateFailedOnly' | 'rejectDuplicate';
  conflict: 'fail' | 'useExisting' | 'terminateExisting';
}

/** Fills the defaults, translates the legacy TERMINATE_IF_RUNNING, refuses what does not go together. */
export function idPolicies(
  reuse: Reuse | null | undefined,
  conflict: Conflict | null | undefined,
  defaultConflict: IdPolicies['conflict'],
): IdPolicies {
  const terminateIfRunning = Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING;
  if (reuse === terminateIfRunning && conflict) {
    throw invalidArgument(
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
    );
  }
  if (reuse === terminateIfRunning) return { reuse: 'allowDuplicate', conflict: 'terminateExisting' };
  const policies: IdPolicies = { reuse: reuseOf(reuse), conflict: conflictOf(conflict) ?? defaultConflict };
  if (policies.reuse === 'rejectDuplicate' && policies.conflict === 'terminateExisting') {
    throw invalidArgument(
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING',
    );
  }
  return policies;
}

function reuseOf(reuse: Reuse | null | undefined): IdPolicies['reuse'] {
  switch (reuse) {
    case Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
      return 'allowDuplicateFailedOnly';
    case Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
      return 'rejectDuplicate';
    case null:
    case undefined:
    case Reuse.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED:
    case Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE:
      return 'allowDuplicate';
    default:
      throw invalidArgument(`Unknown WorkflowIdReusePolicy: ${reuse}.`);
  }
}

function conflictOf(conflict: Conflict | null | undefined): IdPolicies['conflict'] | undefined {
  switch (conflict) {
    case null:
    case undefined:
    case Conflict.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED:
      return undefined;
    case Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL:
      return 'fail';
    case Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
      return 'useExisting';
    case Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
      return 'terminateExisting';
    default:
      throw invalidArgument(`Unknown WorkflowIdConflictPolicy: ${conflict as number}.`);
  }
}

const FAILED_STATUSES = new Set([Status.Failed, Status.Canceled, Status.Terminated, Status.TimedOut]);

/** May a closed run with that status be followed by a new one? Throws ALREADY_EXISTS when not. */
export function checkReuse(reuse: IdPolicies['reuse'], workflowId: string, current: CurrentRun): void {
  const ids = `WorkflowId: ${workflowId}, RunId: ${current.runId}.`;
  if (reuse === 'rejectDuplicate') {
    throw alreadyStarted(
      `Workflow execution already finished. ${ids} Workflow Id reuse policy: reject duplicate workflow Id.`,
      current,
    );
  }
  if (reuse === 'allowDuplicateFailedOnly' && !FAILED_STATUSES.has(current.status)) {
    throw alreadyStarted(
      `Workflow execution already finished successfully. ${ids} Workflow Id reuse policy: allow duplicate workflow Id if last run failed.`,
      current,
    );
  }
}

export interface CurrentRun {
  runId: string;
  status: Status;
  startRequestId: string;
  firstRunId: string;
}

export const alreadyRunning = (workflowId: string, current: CurrentRun): ServiceError =>
  alreadyStarted(`Workflow execution is already running. WorkflowId: ${workflowId}, RunId: ${current.runId}.`, current);

function alreadyStarted(details: string, current: CurrentRun): ServiceError {
  return new ServiceError(Code.ALREADY_EXISTS, details, [
    {
      type: 'WorkflowExecutionAlreadyStartedFailure',
      value: { startRequestId: current.startRequestId, runId: current.runId, firstExecutionRunId: current.firstRunId },
    },
  ]);
}
