/** The four timeouts of an activity: when they are due, and what each does (retry or ActivityTaskTimedOut). */
import { temporal } from '@temporalio/proto';
import { closeTimedOut } from './activities';
import { activityRetry, beginNextAttempt } from './activity-retry';
import { timeoutFailure } from './failures';
import { RetryState, timeoutTypeName } from './retry';
import type { ActivityState, Failure, Transition } from './types';

export const TimeoutType = temporal.api.enums.v1.TimeoutType;
export type TimeoutType = temporal.api.enums.v1.TimeoutType;

/** Calls back with each timeout that runs now for the activity; none run while it is paused. */
export function eachActivityDeadline(activity: ActivityState, visit: (atMs: number, type: TimeoutType) => void): void {
  if (activity.paused) return;
  if (activity.scheduleToCloseMs > 0) {
    visit(activity.firstScheduledAtMs + activity.scheduleToCloseMs, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  }
  if (activity.startedAtMs === 0) {
    // In a backoff this counts from the moment the attempt becomes dispatchable.
    if (activity.scheduleToStartMs > 0) {
      visit(activity.scheduledAtMs + activity.scheduleToStartMs, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
    }
    return;
  }
  const startToCloseAtMs = activity.startedAtMs + activity.startToCloseMs;
  const together =
    activity.scheduleToCloseMs > 0 && startToCloseAtMs === activity.firstScheduledAtMs + activity.scheduleToCloseMs;
  // On Temporal's finer clock an attempt never starts at the moment it is scheduled: schedule-to-close is the earlier one.
  if (activity.startToCloseMs > 0 && !together) visit(startToCloseAtMs, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
  if (activity.heartbeatMs > 0) {
    const lastSeenMs = Math.max(activity.startedAtMs, activity.lastHeartbeatAtMs);
    visit(lastSeenMs + activity.heartbeatMs, TimeoutType.TIMEOUT_TYPE_HEARTBEAT);
  }
}

/** The timeout hit: the next attempt if the policy allows one, else the activity closes (true) and the caller schedules the workflow task. */
export function timeOutActivity(t: Transition, activity: ActivityState, type: TimeoutType): boolean {
  const failure = timeoutOf(type);
  const decision = activityRetry(activity, failure, t.ctx.nowMs);
  if (decision.retry) {
    beginNextAttempt(t, activity, failure, decision.backoffMs);
    return false;
  }
  // Whichever timeout fired: when it closes the activity because no further attempt fits, that is schedule-to-close.
  const noTimeLeft = decision.state === RetryState.RETRY_STATE_TIMEOUT;
  closeTimedOut(
    t,
    activity,
    noTimeLeft ? timeoutOf(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE) : failure,
    decision.state,
  );
  return true;
}

const timeoutOf = (type: TimeoutType): Failure => timeoutFailure(`activity ${timeoutTypeName(type)} timeout`, type);
