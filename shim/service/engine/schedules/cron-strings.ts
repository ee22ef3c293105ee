/** Calendar and cron strings as structured calendars and intervals, as Temporal's server translates them (scheduler/calendar.go). */
import type { temporal } from '@temporalio/proto';
import { fromMs } from '../../../common/proto-values';
import { descriptors } from '../cron-spec';
import { goDurationMs } from '../go-duration';
import { FIELDS, parseRanges } from './range-strings';
import { type Interval, SpecError, type StructuredCalendar } from './spec-types';

type CalendarStrings = temporal.api.schedule.v1.ICalendarSpec;

export function parseCalendar(strings: CalendarStrings): StructuredCalendar {
  const problems: string[] = [];
  const ranges = (field: keyof typeof FIELDS) => {
    try {
      return parseRanges(strings[field] ?? '', FIELDS[field]);
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      problems.push(error.message);
      return [];
    }
  };
  const calendar: StructuredCalendar = {
    second: ranges('second'),
    minute: ranges('minute'),
    hour: ranges('hour'),
    dayOfWeek: ranges('dayOfWeek'),
    dayOfMonth: ranges('dayOfMonth'),
    month: ranges('month'),
    year: ranges('year'),
    comment: strings.comment ?? '',
  };
  if (problems.length > 0) throw new SpecError(problems.join(', '));
  return calendar;
}

export interface ParsedCron {
  calendar: StructuredCalendar | null;
  interval: Interval | null;
  /** '' when the string names none. */
  timeZone: string;
}

/** `[TZ=zone ]fields[#comment]`: 5 fields, 6 with a year behind, 7 with a second before as well; `@every interval[/phase]`. */
export function parseCronString(text: string): ParsedCron {
  let rest = text.trim();
  let timeZone = '';
  const zone = /^(?:CRON_)?TZ=(\S*?)( |$)/.exec(rest);
  if (zone !== null) {
    if (zone[2] === '') throw new SpecError('CronString has time zone but missing fields');
    timeZone = zone[1]!;
    rest = rest.slice(zone[0].length);
  }
  const hash = rest.indexOf('#');
  const comment = hash < 0 ? '' : rest.slice(hash + 1).trim();
  if (hash >= 0) rest = rest.slice(0, hash);
  rest = rest.trim();
  // The zone of an interval says nothing.
  if (rest.startsWith('@every')) return { calendar: null, interval: everyInterval(rest), timeZone: '' };
  const fields = (descriptors[rest] ?? rest).split(/\s+/).filter((field) => field !== '');
  if (fields.length < 5 || fields.length > 7) throw new SpecError('CronString does not have 5-7 fields');
  const second = fields.length === 7 ? fields.shift() : undefined;
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields;
  const strings = { second, minute, hour, dayOfMonth, month, dayOfWeek, year, comment };
  return { calendar: parseCalendar(strings), interval: null, timeZone };
}

function everyInterval(text: string): Interval {
  const space = text.indexOf(' ');
  if (space < 0) throw new SpecError('CronString does not have interval after @every');
  const [interval = '', ...phase] = text.slice(space + 1).split('/');
  const phaseText = phase.join('/');
  return { interval: duration(interval), phase: phaseText === '' ? null : duration(phaseText) };
}

function duration(text: string): ReturnType<typeof fromMs> {
  const milliseconds = goDurationMs(text);
  if (milliseconds === null) throw new SpecError(`time: invalid duration ${JSON.stringify(text)}`);
  return fromMs(milliseconds);
}
