/** Appliers of a run's own life: its start, signals, cancel requests and close. */
import { int64, ms } from '../../common/proto-values';
import type { Applier, Appliers } from './apply';
import { EventType } from './event-fields';
import { mergeFields } from './payload-fields';
import { type HistoryEvent, type RunState, Status } from './types';
import { optionsUpdated, startedVersioned } from './versioning/apply';

function started(state: RunState, event: HistoryEvent): void {
  const a = event.workflowExecutionStartedEventAttributes ?? {};
  const startMs = ms(event.eventTime);
  state.workflowId = a.workflowId || state.workflowId;
  state.originalRunId = a.originalExecutionRunId ?? '';
  // After a reset the run id differs from the original: the caller knows it.
  state.runId ||= state.originalRunId;
  state.firstRunId = a.firstExecutionRunId || state.runId;
  state.workflowType = a.workflowType?.name ?? '';
  state.taskQueue = a.taskQueue?.name ?? '';
  state.attempt = a.attempt || 1;
  state.startedAtMs = startMs;
  state.executionAtMs = startMs + ms(a.firstWorkflowTaskBackoff);
  state.firstTaskAtMs = state.executionAtMs > startMs ? state.executionAtMs : 0;
  state.executionTimeoutMs = ms(a.workflowExecutionTimeout);
  state.runTimeoutMs = ms(a.workflowRunTimeout);
  state.taskTimeoutMs = ms(a.workflowTaskTimeout);
  state.executionExpiresAtMs = ms(a.workflowExecutionExpirationTime);
  state.runExpiresAtMs = runExpiry(state);
  state.retryPolicy = a.retryPolicy ?? null;
  state.cronSchedule = a.cronSchedule ?? '';
  state.parent = a.parentWorkflowExecution
    ? {
        namespace: a.parentWorkflowNamespace || state.namespace,
        workflowId: a.parentWorkflowExecution.workflowId ?? '',
        runId: a.parentWorkflowExecution.runId ?? '',
        initiatedEventId: int64(a.parentInitiatedEventId),
      }
    : null;
  state.root = {
    workflowId: a.rootWorkflowExecution?.workflowId || state.workflowId,
    runId: a.rootWorkflowExecution?.runId || state.runId,
  };
  state.memo = { ...a.memo?.fields };
  state.searchAttributes = mergeFields({}, a.searchAttributes?.indexedFields);
  state.priority = a.priority ?? null;
  if (a.versioningOverride || a.inheritedPinnedVersion || a.inheritedAutoUpgradeInfo) startedVersioned(state, a);
}

/** The run timeout counts from the first workflow task, and never beyond the execution's. */
function runExpiry(state: RunState): number {
  if (state.runTimeoutMs === 0) return 0;
  const expiry = state.executionAtMs + state.runTimeoutMs;
  return state.executionExpiresAtMs > 0 ? Math.min(expiry, state.executionExpiresAtMs) : expiry;
}

const closes =
  (status: Status): Applier =>
  (state, event) => {
    state.status = status;
    state.closedAtMs = ms(event.eventTime);
    state.closeEventId = int64(event.eventId);
    const attributes =
      event.workflowExecutionCompletedEventAttributes ??
      event.workflowExecutionFailedEventAttributes ??
      event.workflowExecutionTimedOutEventAttributes ??
      event.workflowExecutionContinuedAsNewEventAttributes;
    state.newRunId = attributes?.newExecutionRunId ?? '';
    state.workflowTask = null;
    state.sticky = null;
    state.firstTaskAtMs = 0;
    state.closeAttempted = false;
    state.buffered = [];
    state.activities = {};
    state.timers = {};
  };

export const lifecycleAppliers: Appliers = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED]: started,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]: (state) => {
    state.signalCount += 1;
  },
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED]: (state) => {
    state.cancelRequested = true;
  },
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED]: (state, event) => {
    optionsUpdated(state, event.workflowExecutionOptionsUpdatedEventAttributes ?? {});
  },
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]: closes(Status.Completed),
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED]: closes(Status.Failed),
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED]: closes(Status.Canceled),
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]: closes(Status.Terminated),
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW]: closes(Status.ContinuedAsNew),
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT]: closes(Status.TimedOut),
};
