/**
 * Which times of a schedule are whose. Pure. Both engines read the same spec, so that a time (whole seconds, UTC) means the same to both, and a
 * clock is only ever compared with itself: the old engine's for what it may have fired before it knew of its end, the new one's for what it had not begun to fire.
 */
import { temporal } from '@temporalio/proto';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;

const SECOND = 1000;
/**
 * The old engine should know of its end that long before its next time: then nothing of it runs when the new one begins. Times that are closer together
 * than the second leave no such room (Temporal acts up to a second late); the new engine then waits for what the last ones started.
 */
const ROOM_MS = 250;
const CLOSE_MS = 5000;
/** With jitter no gap between times is known: the end is that far ahead. */
const AHEAD_MS = 5000;

const floor = (ms: number): number => Math.floor(ms / SECOND) * SECOND;

/** A schedule as its engine shows it. Times are epoch ms. */
export interface Shown {
  policy: temporal.api.enums.v1.ScheduleOverlapPolicy;
  jittered: boolean;
  /** Of the spec; undefined = without end. */
  endMs: number | undefined;
  /** When it acts next; undefined = not any more. */
  nextMs: number | undefined;
  /** From then to the time after that; Infinity = there is none. */
  gapMs: number;
  buffered: number;
  running: number;
}

export const isConcurrent = (policy: Shown['policy']): boolean => policy === Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;

/** Nothing of it is under way that its overlap policy would have to respect. */
export const isQuiet = ({ policy, buffered, running }: Shown): boolean =>
  buffered === 0 && (isConcurrent(policy) || running === 0);

/** It has started all that it is to start, and nothing has to be respected any more. */
export const isOver = (shown: Shown): boolean => isQuiet(shown) && shown.nextMs === undefined;

/**
 * The end to give to the spec on the old engine now, epoch ms; null = this is no good moment. `mark` (1 to 999) makes it known again: times are whole
 * seconds, so that a fraction changes nothing.
 */
export function endFor(shown: Shown, nowMs: number, mark: number): number | null {
  const { policy, jittered, endMs, nextMs, gapMs } = shown;
  const last = endMs === undefined ? Infinity : floor(endMs);
  if (jittered) return Math.min(floor(nowMs) + AHEAD_MS, last) + mark;
  if (!isQuiet(shown)) return null;
  const now = Math.min(floor(nowMs), last) + mark;
  if (isConcurrent(policy) || nextMs === undefined || gapMs < CLOSE_MS) return now;
  return nextMs - nowMs < ROOM_MS ? null : Math.min(now, nextMs - SECOND + mark);
}

/**
 * The last time that is the old engine's. `updatedMs`: when it learnt of its end, by its own clock. Up to then it has fired all times by the spec
 * that it had, after that none behind the end.
 */
export const cutOf = (endMs: number, updatedMs: number): number => Math.max(floor(endMs), floor(updatedMs));

/** A stretch of times to be made up for, ends included, epoch ms. */
export interface Stretch {
  fromMs: number;
  toMs: number;
}

/**
 * Of the times that came after the cut and before the new engine began to fire (in order), those that its overlap policy lets through: until `busyMs`
 * workflows of the old engine ran (0 = none did).
 */
export function madeUp(policy: Shown['policy'], times: number[], busyMs: number): number[] {
  const during = times.filter((time) => time <= busyMs);
  const after = times.filter((time) => time > busyMs);
  switch (policy) {
    case Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL:
    case Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL:
      return times;
    case Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE:
      return [...during.slice(0, 1), ...after];
    case Policy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER:
    case Policy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER:
      return [...during.slice(-1), ...after];
    default:
      return after;
  }
}

/** `some` of `times` (both in order) as stretches in which all of `times` are meant. */
export function stretches(times: number[], some: number[]): Stretch[] {
  const wanted = new Set(some);
  const found: Stretch[] = [];
  let open: Stretch | undefined;
  for (const time of times) {
    if (!wanted.has(time)) open = undefined;
    else if (open === undefined) found.push((open = { fromMs: time, toMs: time }));
    else open.toMs = time;
  }
  return found;
}
