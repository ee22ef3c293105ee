/**
 * Cron schedules of workflows: when the next run begins. As Temporal's server does it (common/backoff/cron.go on robfig/cron):
 * the next match after the scheduled time of the last run, at or after now, in UTC unless the spec names a zone.
 */
import { invalidArgument } from '../errors';
import { parseCron, type CronSpec } from './cron-spec';
import { TimeZone, type LocalTime } from './time-zone';

type Calendar = Extract<CronSpec, { kind: 'calendar' }>;

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Without a match for so long there is none (30 February). */
const SEARCH_YEARS = 5;

/** Throws INVALID_ARGUMENT, worded as the server does; '' means no schedule and is fine. */
export function validateCronSchedule(schedule: string, nowMs: number): void {
  if (schedule === '') return;
  let spec: CronSpec;
  try {
    spec = parseCron(schedule);
  } catch {
    throw invalidArgument('invalid CronSchedule.');
  }
  if (nextTime(spec, nowMs, nowMs) === null) {
    throw invalidArgument('invalid CronSchedule, no time can be found to satisfy the schedule');
  }
}

/**
 * Ms from now to the next run, rounded up to whole seconds; null for no schedule (or one that never matches).
 * `scheduledMs` is when the last run was due: a run that took long is not made up for, and the grid does not drift.
 */
export function cronBackoffMs(schedule: string, scheduledMs: number, nowMs: number): number | null {
  if (schedule === '') return null;
  let spec: CronSpec;
  try {
    spec = parseCron(schedule);
  } catch {
    return null;
  }
  const next = nowMs < scheduledMs ? scheduledMs : nextTime(spec, scheduledMs, nowMs);
  return next === null ? null : Math.ceil((next - nowMs) / 1000) * 1000;
}

/** The first time of the schedule after `afterMs` and not before `notBeforeMs`. */
function nextTime(spec: CronSpec, afterMs: number, notBeforeMs: number): number | null {
  if (spec.kind === 'every') {
    const wholeSecondMs = Math.floor(afterMs / 1000) * 1000;
    const intervals = Math.max(1, Math.ceil((notBeforeMs - wholeSecondMs) / spec.intervalMs));
    return wholeSecondMs + intervals * spec.intervalMs;
  }
  return nextMatch(spec, Math.max(afterMs, Math.ceil(notBeforeMs) - 1));
}

/**
 * The first matching minute after `afterMs`. Walks in local time by month, day, hour and minute, so hours that daylight saving
 * skips do not run and hours that it repeats run twice.
 */
function nextMatch(spec: Calendar, afterMs: number): number | null {
  const zone = new TimeZone(spec.timeZone);
  // Only whole minutes can match; the next one after a time is at least a second later.
  let time = Math.ceil((Math.floor(afterMs / 1000) * 1000 + 1000) / MINUTE_MS) * MINUTE_MS;
  const lastYear = zone.local(time).year + SEARCH_YEARS;
  for (;;) {
    const local = zone.local(time);
    if (local.year > lastYear) return null;
    if (!spec.month.matches.has(local.month)) {
      time = forward(time, zone.epochMs(local.year, local.month + 1, 1, 0));
    } else if (!dayMatches(spec, local)) {
      time = forward(time, zone.epochMs(local.year, local.month, local.day + 1, 0));
    } else if (!spec.hour.matches.has(local.hour)) {
      time += HOUR_MS - (local.minute * MINUTE_MS + local.second * 1000);
    } else if (!spec.minute.matches.has(local.minute)) {
      time += MINUTE_MS - local.second * 1000;
    } else if (local.second !== 0) {
      // Zones of old had offsets of odd seconds.
      time += MINUTE_MS - local.second * 1000;
    } else {
      return time;
    }
  }
}

/** Never stand still, whatever a zone does around midnight. */
function forward(fromMs: number, toMs: number): number {
  return toMs > fromMs ? toMs : fromMs + HOUR_MS;
}

/** With both day fields restricted, either may match (cron's old rule). */
function dayMatches(spec: Calendar, local: LocalTime): boolean {
  const byMonth = spec.dayOfMonth.matches.has(local.day);
  const byWeek = spec.dayOfWeek.matches.has(local.weekday);
  return spec.dayOfMonth.star || spec.dayOfWeek.star ? byMonth && byWeek : byMonth || byWeek;
}
