/**
 * Reset (C78, C79): a new run goes on from a prefix of another run's history. Pending timers, children and requests of the prefix stay pending;
 * signals and updates that came after it are taken over. The server's own is service/history/ndc/workflow_resetter.go.
 */
import { temporal } from '@temporalio/proto';
import { int64, long } from '../../common/proto-values';
import { invalidArgument } from '../errors';
import type { ReapplyExclusions, ResetInput } from './api';
import { terminate } from './close';
import { type AttributesOf, EventType, attributesField, type KnownEventType } from './event-fields';
import { replay } from './replay';
import { RetryState } from './retry';
import { RunTransition, taskStartedAttributes } from './transition';
import type { EngineContext, Failure, HistoryEvent, RunState } from './types';
import { updateOverride } from './versioning/options';
import { overrideOf } from './versioning/override';
import { SERVER_IDENTITY, scheduleWorkflowTask } from './workflow-task';

const Cause = temporal.api.enums.v1.WorkflowTaskFailedCause;
const Origin = temporal.api.enums.v1.UpdateAdmittedEventOrigin;

/** What the server writes into the Started event of a task that no worker ever saw. */
const NO_REQUEST = 'emptyUuid';
/** Identity in the Terminated event of a run that was replaced. */
const RESETTER = 'history-resetter';

const resetFailure = (reason: string): Failure => ({
  ...(reason ? { message: reason } : {}),
  resetWorkflowFailureInfo: {},
});

export function beginReset(input: ResetInput, ctx: EngineContext): RunTransition {
  const { prefix, baseRunId, requestId, reason } = input;
  const state = replay(prefix, input.namespace, input.runId);
  const task = state.workflowTask;
  if (task === null) {
    throw invalidArgument(
      `Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: ${state.nextEventId}`,
    );
  }
  state.baseRunId = baseRunId;
  state.startRequestId = requestId;
  beginAnew(state, ctx.nowMs);
  const t = new RunTransition(state, ctx);
  t.events.push(...prefix);
  if (task.startedEventId === 0) {
    task.identity = SERVER_IDENTITY;
    task.requestId = NO_REQUEST;
    task.historySizeBytes = state.historySizeBytes;
    t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, taskStartedAttributes(task));
  }
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, {
    scheduledEventId: long(task.scheduledEventId),
    startedEventId: long(task.startedEventId),
    cause: Cause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    failure: resetFailure(reason),
    identity: SERVER_IDENTITY,
    baseRunId,
    newRunId: input.runId,
  });
  carryOver(t, input);
  return t;
}

/** Times of the run count from the reset, not from the start that its history begins with. */
function beginAnew(state: RunState, nowMs: number): void {
  state.startedAtMs = nowMs;
  state.executionAtMs = nowMs;
  if (state.executionTimeoutMs > 0) state.executionExpiresAtMs = nowMs + state.executionTimeoutMs;
  if (state.runTimeoutMs > 0) {
    state.runExpiresAtMs = nowMs + state.runTimeoutMs;
    if (state.executionTimeoutMs > 0) state.runExpiresAtMs = Math.min(state.runExpiresAtMs, state.executionExpiresAtMs);
  }
}

/** Activities begin again; those that had started in the prefix fail. What the base run may have done for others already is asked for in its name. */
function carryOver(t: RunTransition, { prefix, baseRunId, reason }: ResetInput): void {
  const { state } = t;
  const started = new Map<number, HistoryEvent>();
  for (const event of prefix) {
    if (event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED) {
      started.set(int64(event.activityTaskStartedEventAttributes?.scheduledEventId), event);
    }
  }
  for (const activity of Object.values(state.activities)) {
    const { scheduledEventId } = activity;
    const event = started.get(scheduledEventId);
    if (event !== undefined) {
      t.addEvent(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, {
        failure: resetFailure(reason),
        scheduledEventId: long(scheduledEventId),
        startedEventId: event.eventId,
        identity: event.activityTaskStartedEventAttributes?.identity,
        retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
      });
      continue;
    }
    activity.scheduledAtMs = activity.firstScheduledAtMs = t.ctx.nowMs;
    t.effect({ type: 'activityScheduled', scheduledEventId, eager: false });
  }
  // With the base run's request ids a start or signal that it has carried out is not carried out twice.
  for (const child of Object.values(state.children)) {
    if (child.startedEventId !== 0) continue;
    child.requestId = `${baseRunId}:${child.initiatedEventId}`;
    t.effect({ type: 'startChild', initiatedEventId: child.initiatedEventId });
  }
  for (const external of Object.values(state.externals)) {
    external.requestId = `${baseRunId}:${external.initiatedEventId}`;
    t.effect({ type: 'callExternal', initiatedEventId: external.initiatedEventId });
  }
}

export function reapply(t: RunTransition, events: HistoryEvent[], exclude: ReapplyExclusions): void {
  for (const event of events) {
    switch (event.eventType as EventType) {
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        if (!exclude.signals) reapplySignal(t, event);
        break;
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        if (!exclude.updates) reapplyUpdate(t, event);
        break;
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
        reapplyOptions(t, event);
        break;
      default:
        reapplyChildEvent(t, event);
    }
  }
  scheduleWorkflowTask(t);
}

function reapplySignal(t: RunTransition, event: HistoryEvent): void {
  const { signalName, input, identity, header } = event.workflowExecutionSignaledEventAttributes!;
  t.addEvent(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    { signalName, ...(input ? { input } : {}), identity, ...(header ? { header } : {}) },
    { links: event.links ?? [] },
  );
}

/** An Accepted event without a request follows an Admitted one, which has it. */
function reapplyUpdate(t: RunTransition, event: HistoryEvent): void {
  const admitted = event.workflowExecutionUpdateAdmittedEventAttributes;
  const request = admitted?.request ?? event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
  if (!request) return;
  const origin = admitted?.origin ?? Origin.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY;
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED, { request, origin });
}

function reapplyOptions(t: RunTransition, event: HistoryEvent): void {
  const { versioningOverride, unsetVersioningOverride } = event.workflowExecutionOptionsUpdatedEventAttributes!;
  if (versioningOverride || unsetVersioningOverride) updateOverride(t, overrideOf(versioningOverride));
}

/** News of a child that was begun before the reset point; the ids of later children would mean others here. */
function reapplyChildEvent(t: RunTransition, event: HistoryEvent): void {
  const type = event.eventType as KnownEventType;
  if (!childNews.has(type)) return;
  const attributes = event[attributesField[type]] as ChildNews;
  const child = t.state.children[int64(attributes.initiatedEventId)];
  if (child === undefined) return;
  if (type === EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
    if (child.startedEventId !== 0) return;
    t.addEvent(type, attributes as AttributesOf<typeof type>);
    return;
  }
  const startedEventId = child.startedEventId === 0 ? {} : { startedEventId: long(child.startedEventId) };
  t.addEvent(type, { ...attributes, ...startedEventId } as AttributesOf<typeof type>);
}

type ChildNews = NonNullable<HistoryEvent['childWorkflowExecutionStartedEventAttributes']>;

const childNews = new Set<EventType>([
  EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
]);

export function terminateForReset(t: RunTransition, reason: string): void {
  terminate(t, { reason, details: null, identity: RESETTER });
  t.state.obligations = t.state.obligations.filter(({ kind }) => kind !== 'notifyParent' && kind !== 'parentClose');
}
