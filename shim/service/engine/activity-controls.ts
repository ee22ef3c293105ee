/** What operators do to pending activities (C52): pause, unpause, reset. None of it is in the history. */
import type { ActivitySelector } from './api';
import { originalOptions, setOptions } from './activity-options';
import { beginPause, endPause } from './activity-pause';
import { forgetHeartbeat, waitUntil } from './activity-retry';
import { selectActivities } from './activity-selection';
import { asRun } from './transition';
import type { ActivityState, HistoryEvent, Transition } from './types';

export function pauseActivities(
  t: Transition,
  which: ActivitySelector,
  by: { identity: string; reason: string },
): void {
  for (const activity of selectActivities(t.state, which)) beginPause(t, activity, by);
}

/** Those that wait are dispatched after `delayMs`, with the attempt they had or, reset, with the first. */
export function unpauseActivities(
  t: Transition,
  which: ActivitySelector,
  how: { resetAttempts: boolean; resetHeartbeat: boolean; delayMs: () => number },
): void {
  for (const activity of selectActivities(t.state, which)) {
    if (!activity.paused) continue;
    endPause(t, activity);
    if (how.resetAttempts) activity.attempt = 1;
    if (how.resetHeartbeat) forgetHeartbeat(t, activity);
    else if (how.resetAttempts) forgetRecordedBeat(t, activity);
    if (isWaiting(activity)) dispatchAgain(t, activity, how.delayMs());
  }
}

/**
 * Back to the first attempt. One that waits is dispatched again after `delayMs`, unless it stays paused; a running attempt hears of the
 * reset with its next heartbeat, and what it still reports counts.
 */
export function resetActivities(
  t: Transition,
  which: ActivitySelector,
  how: {
    resetHeartbeat: boolean;
    keepPaused: boolean;
    delayMs: () => number;
    originals: ReadonlyMap<number, HistoryEvent> | null;
  },
): void {
  const { originals } = how;
  const activities = selectActivities(t.state, which);
  const options = originals === null ? [] : activities.map((activity) => originalOptions(activity, originals));
  activities.forEach((activity, i) => {
    if (options[i] !== undefined) setOptions(activity, options[i]);
    activity.attempt = 1;
    if (activity.paused && !how.keepPaused) endPause(t, activity);
    if (activity.startedAtMs !== 0) {
      activity.resetRequested = true;
      activity.resetHeartbeats ||= how.resetHeartbeat;
      forgetRecordedBeat(t, activity);
      return;
    }
    if (how.resetHeartbeat) forgetHeartbeat(t, activity);
    else forgetRecordedBeat(t, activity);
    if (isWaiting(activity)) dispatchAgain(t, activity, how.delayMs());
  });
}

const isWaiting = (activity: ActivityState): boolean => activity.startedAtMs === 0 && !activity.paused;

/** As a new first attempt: the failure of an earlier one is forgotten, as on Temporal's server. */
function dispatchAgain(t: Transition, activity: ActivityState, delayMs: number): void {
  activity.lastFailure = null;
  waitUntil(t, activity, t.ctx.nowMs + delayMs);
}

/** The state keeps the details; the recorded row goes: with its higher attempt it would stand in the way of new ones. */
function forgetRecordedBeat(t: Transition, activity: ActivityState): void {
  asRun(t).effect({ type: 'heartbeatForgotten', scheduledEventId: activity.scheduledEventId });
}
