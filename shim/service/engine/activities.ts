/** Activities from their workers' side: start, completion, failure, cancellation, heartbeats. */
import type { temporal } from '@temporalio/proto';
import { int64, long } from '../../common/proto-values';
import { invalidArgument, notFound } from '../errors';
import { activityRetry, beginNextAttempt } from './activity-retry';
import type { ActivityStart, ActivityToken, HeartbeatAnswer } from './api';
import { endPause } from './activity-pause';
import { EventType } from './event-fields';
import { serverFailure, truncateFailure } from './failures';
import { blobTooLarge } from './limit-warnings';
import { RetryState } from './retry';
import { messageSize, payloadsSize } from './size';
import { asRun } from './transition';
import { type ActivityState, type Failure, type Payloads, type RunState, Status, type Transition } from './types';
import { scheduleWorkflowTask } from './workflow-task';

type WorkerVersion = temporal.api.common.v1.IWorkerVersionStamp | null;

const ACTIVITY_NOT_FOUND = 'invalid activityID or activity already timed out or invoking workflow is completed';
const WORKFLOW_COMPLETED = 'workflow execution already completed';
const RESULT_TOO_LARGE = 'Complete result exceeds size limit.';
const FAILURE_TOO_LARGE = 'Failure exceeds size limit.';
const CANCEL_DETAILS_TOO_LARGE = 'Cancel details exceed size limit.';
const HEARTBEAT_TOO_LARGE = 'Heartbeat details exceed size limit.';
/** What is kept of a failure that is too large (limit.blobSize.warn). */
const TRUNCATED_FAILURE_SIZE = 512 * 1024;
const CANCEL_NOT_REQUESTED = 'unable to mark activity as canceled without activity being request canceled first';

/**
 * Hands an attempt to a poller. Repeating it with the same request id is fine; NOT_FOUND when the attempt is gone, taken, paused or
 * not due yet. Nothing is written to history: the Started event comes when the activity closes.
 */
export function startActivity(t: Transition, input: ActivityStart): ActivityState {
  const { state, ctx } = t;
  const activity = state.activities[input.scheduledEventId];
  if (state.status !== Status.Running || activity === undefined) throw notFound(ACTIVITY_NOT_FOUND);
  if (activity.startedAtMs !== 0) {
    if (activity.requestId === input.requestId) return activity;
    throw notFound('Activity task already started.');
  }
  if (activity.attempt !== input.attempt || activity.backingOff || activity.paused) throw notFound(ACTIVITY_NOT_FOUND);
  markStarted(activity, input.requestId, input.identity, ctx.nowMs);
  if (input.version) activity.lastVersion = input.version;
  return activity;
}

export function markStarted(activity: ActivityState, requestId: string, identity: string, nowMs: number): void {
  activity.startedAtMs = nowMs;
  activity.requestId = requestId;
  activity.identity = identity;
  activity.lastHeartbeatAtMs = 0;
}

/** By id, an activity may be completed that no worker has started. A result that is too large fails it for good. */
export function completeActivity(
  t: Transition,
  token: ActivityToken,
  input: { result: Payloads | null; identity: string; workerVersion?: WorkerVersion },
): void {
  const byId = token.requestId === '';
  const activity = heldActivity(t.state, token, byId);
  if (blobTooLarge(payloadsSize(input.result), t.ctx, 'RespondActivityTaskCompleted')) {
    closeFailed(
      t,
      activity,
      serverFailure(RESULT_TOO_LARGE, true),
      RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
      input,
    );
    return;
  }
  if (activity.startedAtMs === 0) markStarted(activity, '', input.identity, t.ctx.nowMs);
  const startedEventId = writeStarted(t, activity, input.workerVersion);
  asRun(t).addEvent(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, {
    ...(input.result ? { result: input.result } : {}),
    scheduledEventId: long(activity.scheduledEventId),
    startedEventId: long(startedEventId),
    identity: input.identity,
  });
  scheduleWorkflowTask(asRun(t));
}

/** Retries by the activity's policy, else closes it with ActivityTaskFailed. */
export function failActivity(
  t: Transition,
  token: ActivityToken,
  input: {
    failure: Failure | null;
    lastHeartbeatDetails: Payloads | null;
    identity: string;
    workerVersion?: WorkerVersion;
  },
): void {
  const activity = heldActivity(t.state, token, false);
  const tooBig = (size: number): boolean => blobTooLarge(size, t.ctx, 'RespondActivityTaskFailed');
  const details = input.lastHeartbeatDetails;
  if (details && !tooBig(payloadsSize(details))) saveHeartbeat(activity, details, t.ctx.nowMs);
  const failure = tooBig(messageSize(input.failure)) ? tooLarge(input.failure) : input.failure;
  const decision = activityRetry(activity, failure, t.ctx.nowMs);
  if (decision.retry) beginNextAttempt(t, activity, failure, decision.backoffMs);
  else closeFailed(t, activity, failure, decision.state, input);
}

/** Heartbeat details that are too large fail the activity for good; nothing else is kept of them. */
export function failForHeartbeat(t: Transition, token: ActivityToken, identity: string): void {
  const activity = heldActivity(t.state, token, false);
  const failure = serverFailure(HEARTBEAT_TOO_LARGE, true);
  closeFailed(t, activity, failure, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE, { identity });
}

/** Does not go in whole: what of it is kept is its texts, cut. */
function tooLarge(failure: Failure | null): Failure {
  return {
    ...serverFailure(FAILURE_TOO_LARGE, true),
    ...(failure ? { cause: truncateFailure(failure, TRUNCATED_FAILURE_SIZE) } : {}),
  };
}

function closeFailed(
  t: Transition,
  activity: ActivityState,
  failure: Failure | null,
  retryState: RetryState,
  by: { identity: string; workerVersion?: WorkerVersion },
): void {
  const startedEventId = writeStarted(t, activity, by.workerVersion);
  asRun(t).addEvent(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, {
    ...(failure ? { failure } : {}),
    scheduledEventId: long(activity.scheduledEventId),
    startedEventId: long(startedEventId),
    identity: by.identity,
    retryState,
  });
  scheduleWorkflowTask(asRun(t));
}

/** INVALID_ARGUMENT when nobody asked the activity to cancel. */
export function cancelActivity(
  t: Transition,
  token: ActivityToken,
  input: { details: Payloads | null; identity: string },
): void {
  const activity = heldActivity(t.state, token, false);
  if (blobTooLarge(payloadsSize(input.details), t.ctx, 'RespondActivityTaskCanceled')) {
    const failure = serverFailure(CANCEL_DETAILS_TOO_LARGE, true);
    closeFailed(t, activity, failure, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE, input);
    return;
  }
  if (!activity.cancelRequested) throw invalidArgument(CANCEL_NOT_REQUESTED);
  closeCanceled(t, activity, input.details, input.identity);
  scheduleWorkflowTask(asRun(t));
}

/** Stores the details for the next attempt and moves the heartbeat timeout. */
export function recordHeartbeat(t: Transition, token: ActivityToken, details: Payloads | null): HeartbeatAnswer {
  const activity = heldActivity(t.state, token, false);
  saveHeartbeat(activity, details, t.ctx.nowMs);
  const { cancelRequested, paused, resetRequested } = activity;
  return { cancelRequested, paused, reset: resetRequested };
}

/** The pending activity with that id; NOT_FOUND, or INVALID_ARGUMENT for an empty id. */
export function activityById(state: RunState, activityId: string): ActivityToken {
  if (activityId === '') throw invalidArgument('activityID cannot be empty');
  if (state.status !== Status.Running) throw notFound(WORKFLOW_COMPLETED);
  const activity = findByActivityId(state, activityId);
  if (activity === undefined) {
    throw notFound(
      `cannot find pending activity with ActivityID ${activityId}, check workflow execution history for more details`,
    );
  }
  return { scheduledEventId: activity.scheduledEventId, attempt: activity.attempt, requestId: '' };
}

export function findByActivityId(state: RunState, activityId: string): ActivityState | undefined {
  for (const key in state.activities) {
    if (state.activities[key]!.activityId === activityId) return state.activities[key];
  }
  return undefined;
}

/** Writes ActivityTaskCanceled (and Started before it). The caller schedules the workflow task. */
export function closeCanceled(
  t: Transition,
  activity: ActivityState,
  details: Payloads | null,
  identity: string,
): void {
  const startedEventId = writeStarted(t, activity);
  asRun(t).addEvent(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, {
    ...(details ? { details } : {}),
    latestCancelRequestedEventId: long(activity.cancelRequestedEventId),
    scheduledEventId: long(activity.scheduledEventId),
    startedEventId: long(startedEventId),
    identity,
  });
}

/** Writes ActivityTaskTimedOut with what the last attempts left behind. The caller schedules the workflow task. */
export function closeTimedOut(t: Transition, activity: ActivityState, failure: Failure, retryState: RetryState): void {
  const startedEventId = writeStarted(t, activity);
  const timeout = { ...failure.timeoutFailureInfo };
  if (activity.heartbeatDetails) timeout.lastHeartbeatDetails = activity.heartbeatDetails;
  const full: Failure = { ...failure, timeoutFailureInfo: timeout };
  if (activity.lastFailure) full.cause = activity.lastFailure;
  asRun(t).addEvent(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, {
    failure: full,
    scheduledEventId: long(activity.scheduledEventId),
    startedEventId: long(startedEventId),
    retryState,
  });
}

function heldActivity(state: RunState, token: ActivityToken, unstartedToo: boolean): ActivityState {
  if (state.status !== Status.Running) throw notFound(WORKFLOW_COMPLETED);
  const activity = state.activities[token.scheduledEventId];
  const held =
    activity !== undefined &&
    (activity.startedAtMs !== 0 || unstartedToo) &&
    // A reset begins to count anew while the attempt runs: the request id of its start is what tells it apart.
    (token.requestId === '' ? activity.attempt === token.attempt : activity.requestId === token.requestId);
  if (!held) throw notFound(ACTIVITY_NOT_FOUND);
  return activity;
}

function saveHeartbeat(activity: ActivityState, details: Payloads | null, nowMs: number): void {
  activity.heartbeatDetails = details;
  activity.lastHeartbeatAtMs = nowMs;
}

/** The Started event of the last attempt, with the time it really began; 0 when it never did. */
function writeStarted(t: Transition, activity: ActivityState, workerVersion?: WorkerVersion): number {
  if (activity.paused) endPause(t, activity);
  if (activity.startedAtMs === 0) return 0;
  const event = asRun(t).addEvent(
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    {
      scheduledEventId: long(activity.scheduledEventId),
      identity: activity.identity,
      requestId: activity.requestId,
      attempt: activity.attempt,
      ...(activity.lastFailure ? { lastFailure: activity.lastFailure } : {}),
      ...(workerVersion ? { workerVersion } : {}),
    },
    { atMs: activity.startedAtMs },
  );
  return int64(event.eventId);
}
