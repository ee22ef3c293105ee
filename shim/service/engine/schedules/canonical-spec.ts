/** A spec as it came in, in the form that is kept and shown: checked, with strings translated (scheduler/spec.go). */
import type { google, temporal } from '@temporalio/proto';
import { ms } from '../../../common/proto-values';
import { isTimeZone } from '../time-zone';
import { unsupported } from '../validate';
import { parseCalendar, parseCronString } from './cron-strings';
import { FIELDS } from './range-strings';
import { type Interval, type Range, type Spec, SpecError, type StructuredCalendar } from './spec-types';

type SpecMessage = temporal.api.schedule.v1.IScheduleSpec;
type CalendarMessage = temporal.api.schedule.v1.IStructuredCalendarSpec;
type Duration = google.protobuf.IDuration;

const COMMENT_LENGTH = 200;
const CONFLICTING_ZONES = 'conflicting timezone names';

/** @throws SpecError, worded as the server does */
export function canonicalSpec(given: SpecMessage): Spec {
  if (given.timezoneData && given.timezoneData.byteLength > 0) throw unsupported('timezoneData');
  const structuredCalendar = [
    ...(given.structuredCalendar ?? []).map(plainCalendar),
    ...(given.calendar ?? []).map(parseCalendar),
  ];
  const excludeStructuredCalendar = [
    ...(given.excludeStructuredCalendar ?? []).map(plainCalendar),
    ...(given.excludeCalendar ?? []).map(parseCalendar),
  ];
  const interval: Interval[] = (given.interval ?? []).map((one) => ({
    interval: one.interval ?? {},
    phase: one.phase ?? null,
  }));
  let cronZone: string | undefined;
  for (const text of given.cronString ?? []) {
    const parsed = parseCronString(text);
    if (cronZone !== undefined && parsed.timeZone !== cronZone) throw new SpecError(CONFLICTING_ZONES);
    cronZone = parsed.timeZone;
    if (parsed.calendar !== null) structuredCalendar.push(parsed.calendar);
    if (parsed.interval !== null) interval.push(parsed.interval);
  }
  let timezoneName = given.timezoneName ?? '';
  if (cronZone) {
    if (timezoneName !== '' && timezoneName !== cronZone) throw new SpecError(CONFLICTING_ZONES);
    timezoneName = cronZone;
  }
  structuredCalendar.forEach(checkCalendar);
  // The server does not look at these, and a wrong one stops it.
  excludeStructuredCalendar.forEach(checkCalendar);
  interval.forEach(checkInterval);
  if (timezoneName !== '' && !isTimeZone(timezoneName)) throw new SpecError(`unknown time zone ${timezoneName}`);
  return {
    structuredCalendar,
    interval,
    excludeStructuredCalendar,
    startTime: given.startTime ?? null,
    endTime: given.endTime ?? null,
    jitter: given.jitter ?? null,
    timezoneName,
  };
}

const RANGE_FIELDS = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'year', 'dayOfWeek'] as const;

function plainCalendar(given: CalendarMessage): StructuredCalendar {
  const calendar = { comment: given.comment ?? '' } as StructuredCalendar;
  for (const field of RANGE_FIELDS) {
    calendar[field] = (given[field] ?? []).map(({ start, end, step }) => ({
      start: start ?? 0,
      end: end ?? 0,
      step: step ?? 0,
    }));
  }
  return calendar;
}

function checkCalendar(calendar: StructuredCalendar): void {
  const problems: string[] = [];
  for (const field of RANGE_FIELDS) {
    const { name, min } = FIELDS[field];
    const max = field === 'dayOfWeek' ? 6 : FIELDS[field].max;
    for (const { start, end, step } of calendar[field]) {
      if (start < min || start > max) problems.push(`${name} Start is not in range [${min}-${max}]`);
      if (end !== 0 && (end < start || end > max)) {
        problems.push(`${name} End is before Start or not in range [${min}-${max}]`);
      }
      if (step < 0) problems.push(`${name} has invalid Step`);
    }
  }
  if (Buffer.byteLength(calendar.comment) > COMMENT_LENGTH) problems.push('comment is too long');
  if (problems.length > 0) throw new SpecError(`invalid calendar spec: ${problems.join(', ')}`);
}

function checkInterval({ interval, phase }: Interval): void {
  if (ms(interval) < 1000) throw new SpecError('interval is too small');
  if (ms(phase) < 0) throw new SpecError('phase is negative');
  if (ms(phase) >= ms(interval)) throw new SpecError('phase cannot be greater than Interval');
}

/** As describe and list show it: with ends and steps written out. */
export function shownSpec(spec: Spec): SpecMessage {
  return {
    structuredCalendar: spec.structuredCalendar.map(shownCalendar),
    interval: spec.interval.map(({ interval, phase }) => ({ interval, ...(phase === null ? {} : { phase }) })),
    excludeStructuredCalendar: spec.excludeStructuredCalendar.map(shownCalendar),
    ...given('startTime', spec.startTime),
    ...given('endTime', spec.endTime),
    ...given('jitter', spec.jitter),
    timezoneName: spec.timezoneName,
  };
}

const given = (name: string, value: Duration | null): Record<string, Duration> =>
  value === null ? {} : { [name]: value };

function shownCalendar(calendar: StructuredCalendar): CalendarMessage {
  const shown: CalendarMessage = { comment: calendar.comment };
  for (const field of RANGE_FIELDS) {
    shown[field] = calendar[field].map(({ start, end, step }: Range) => ({
      start,
      end: Math.max(start, end),
      step: step || 1,
    }));
  }
  return shown;
}
