/** How far an update has come, read from the run's state while there is one and from its history after. */
import { temporal } from '@temporalio/proto';
import { MAX_EVENT_ID, isCloseEvent } from './close-event';
import { type Failure, type HistoryEvent, type RunState, Status } from './engine/types';
import { notFound } from './errors';
import type { ServiceParts } from './types';

export const Stage = temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage;
export type Stage = temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage;
type Outcome = temporal.api.update.v1.IOutcome;

export interface UpdateProgress {
  stage: Stage;
  outcome: Outcome | null;
  /** The run closed without having accepted it; `continued`: the chain goes on, where the update can be sent again. */
  aborted?: { continued: boolean };
}

/** What an accepted update that its workflow did not finish ends with. */
const ACCEPTED_UPDATE_COMPLETED_WORKFLOW: Failure = {
  message: 'Workflow Update failed because the Workflow completed before the Update completed.',
  source: 'Server',
  applicationFailureInfo: { type: 'AcceptedUpdateCompletedWorkflow', nonRetryable: true },
};

const completed = (outcome: Outcome): UpdateProgress => ({
  stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
  outcome,
});

/** Undefined = nobody knows of this update. */
export async function updateProgress(
  parts: ServiceParts,
  runId: string,
  updateId: string,
): Promise<UpdateProgress | undefined> {
  const progress = await progressInRun(parts, runId, updateId);
  if (progress) return progress;
  const waiting = await parts.store.inbox.find(runId, 'update', updateId);
  if (waiting === null) {
    // It may just have been taken from there, but not by a run that had closed before.
    return progress === null ? undefined : ((await progressInRun(parts, runId, updateId)) ?? undefined);
  }
  if (waiting.error !== null) return completed({ failure: { message: waiting.error, source: 'Server' } });
  return { stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED, outcome: null };
}

/** Undefined = the run does not know this update; null = and as it is closed, never will. */
async function progressInRun(
  parts: ServiceParts,
  runId: string,
  updateId: string,
): Promise<UpdateProgress | null | undefined> {
  const state = await parts.runs.read(runId);
  const update = state?.updates[updateId];
  if (state === null || (state.status !== Status.Running && update === undefined)) {
    return progressOfClosed(parts, runId, updateId);
  }
  if (update === undefined) return undefined;
  switch (update.stage) {
    case 'rejected':
      return completed({ failure: update.failure });
    case 'completed': {
      const [event] = await parts.runs.history(runId, update.completedEventId, update.completedEventId);
      const attributes = event?.workflowExecutionUpdateCompletedEventAttributes;
      return completed(attributes?.outcome ?? {});
    }
    case 'accepted':
      return state.status === Status.Running
        ? { stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED, outcome: null }
        : completed({ failure: ACCEPTED_UPDATE_COMPLETED_WORKFLOW });
    default:
      return state.status === Status.Running
        ? { stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED, outcome: null }
        : abortedBy(state);
  }
}

function abortedBy(state: RunState): UpdateProgress {
  return {
    stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED,
    outcome: null,
    aborted: { continued: state.newRunId !== '' },
  };
}

async function progressOfClosed(parts: ServiceParts, runId: string, updateId: string): Promise<UpdateProgress | null> {
  const events = await parts.runs.history(runId, 1, MAX_EVENT_ID);
  const accepted = events.find(
    (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId === updateId,
  );
  const done = events.find(
    (event) => event.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId === updateId,
  )?.workflowExecutionUpdateCompletedEventAttributes;
  if (done) return completed(done.outcome ?? {});
  return accepted ? completed({ failure: ACCEPTED_UPDATE_COMPLETED_WORKFLOW }) : null;
}

/** Did the chain go on after this closed run (continue-as-new, retry, cron)? */
export async function hasSuccessor(parts: ServiceParts, runId: string): Promise<boolean> {
  const [last] = await parts.store.readLastEvents(runId, 1);
  return isCloseEvent(last) && successorOf(last) !== '';
}

function successorOf(event: HistoryEvent): string {
  return (
    event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ||
    event.workflowExecutionCompletedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionFailedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionTimedOutEventAttributes?.newExecutionRunId ||
    ''
  );
}

export const abortedByClosing = (): Error => notFound('workflow update was aborted by closing workflow');
