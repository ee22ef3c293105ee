/** The next attempt of an activity: whether there is one (C39–C43 of the semantics), and the state it waits in. */
import { messageSize } from './size';
import { isRetryableFailure, nextBackoff, requestedRetryDelayMs, RetryState, type RetryDecision } from './retry';
import { truncateFailure } from './failures';
import { asRun } from './transition';
import type { ActivityState, Failure, Transition } from './types';

/** Larger failures of attempts are cut before they are kept in the state (the last one goes into the event unchanged). */
const LAST_FAILURE_SIZE_LIMIT = 4 * 1024;

const stop = (state: RetryState): RetryDecision => ({ retry: false, state });

/** Is there another attempt after one that ended with `failure`? A paused activity always gets one: it waits for the unpause. */
export function activityRetry(activity: ActivityState, failure: Failure | null, nowMs: number): RetryDecision {
  if (activity.cancelRequested) return stop(RetryState.RETRY_STATE_CANCEL_REQUESTED);
  if (!isRetryableFailure(failure, activity.retryPolicy)) return stop(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE);
  if (activity.paused) return { retry: true, backoffMs: 0 };
  // A delay the application asks for is not capped by the policy's maximum interval.
  const requestedDelayMs = requestedRetryDelayMs(failure);
  return nextBackoff({
    nowMs,
    attempt: activity.attempt,
    policy: activity.retryPolicy,
    expiresAtMs: activity.scheduleToCloseMs > 0 ? activity.firstScheduledAtMs + activity.scheduleToCloseMs : 0,
    requestedDelayMs,
    maximumIntervalMs: requestedDelayMs,
  });
}

/** Moves the activity to its next attempt, which becomes dispatchable after the backoff; a paused one waits for its unpause. */
export function beginNextAttempt(
  t: Transition,
  activity: ActivityState,
  failure: Failure | null,
  backoffMs: number,
): void {
  const { nowMs } = t.ctx;
  activity.attempt += 1;
  activity.lastAttemptEndedAtMs = nowMs;
  activity.lastFailure = keptFailure(failure);
  if (activity.paused) {
    leaveStarted(t, activity);
    return;
  }
  waitUntil(t, activity, nowMs + backoffMs);
}

/** The attempt becomes dispatchable at that time, at once when it has come; it is not started any more. */
export function waitUntil(t: Transition, activity: ActivityState, atMs: number): void {
  activity.scheduledAtMs = atMs;
  leaveStarted(t, activity);
  activity.backingOff = atMs > t.ctx.nowMs;
  if (activity.backingOff || activity.paused) return;
  asRun(t).effect({ type: 'activityScheduled', scheduledEventId: activity.scheduledEventId, eager: false });
}

function leaveStarted(t: Transition, activity: ActivityState): void {
  activity.startedAtMs = 0;
  activity.requestId = '';
  activity.lastWorkerIdentity = activity.identity || activity.lastWorkerIdentity;
  if (activity.resetHeartbeats) forgetHeartbeat(t, activity);
  activity.resetRequested = false;
  activity.resetHeartbeats = false;
}

/** The next attempt is not given what the last one reported. */
export function forgetHeartbeat(t: Transition, activity: ActivityState): void {
  activity.heartbeatDetails = null;
  activity.lastHeartbeatAtMs = 0;
  asRun(t).effect({ type: 'heartbeatForgotten', scheduledEventId: activity.scheduledEventId });
}

function keptFailure(failure: Failure | null): Failure | null {
  if (failure === null || messageSize(failure) <= LAST_FAILURE_SIZE_LIMIT) return failure;
  return {
    message: 'Failure exceeds size limit.',
    serverFailureInfo: {},
    cause: truncateFailure(failure, LAST_FAILURE_SIZE_LIMIT),
  };
}
