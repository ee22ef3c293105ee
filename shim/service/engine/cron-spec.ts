/** Reading cron specs: five fields, `@` names and `@every`, with an optional `TZ=`/`CRON_TZ=` zone (robfig's standard syntax). */

import { goDurationMs } from './go-duration';
import { isTimeZone } from './time-zone';

/** Which values of one field match. `star` says that the field did not restrict (`*`, `?`). */
export interface CronField {
  matches: ReadonlySet<number>;
  star: boolean;
}

export type CronSpec =
  | {
      kind: 'calendar';
      minute: CronField;
      hour: CronField;
      dayOfMonth: CronField;
      month: CronField;
      dayOfWeek: CronField;
      /** IANA name; 'UTC' when the spec names none. */
      timeZone: string;
    }
  | { kind: 'every'; intervalMs: number };

interface Bounds {
  min: number;
  max: number;
  names?: Record<string, number>;
}

const named = (names: string, first: number): Record<string, number> =>
  Object.fromEntries(names.split(' ').map((name, index) => [name, first + index]));

const bounds = {
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  dayOfMonth: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: named('jan feb mar apr may jun jul aug sep oct nov dec', 1) },
  dayOfWeek: { min: 0, max: 6, names: named('sun mon tue wed thu fri sat', 0) },
} satisfies Record<string, Bounds>;

/** Names that stand for five fields. */
export const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Throws an Error saying what is wrong. */
export function parseCron(text: string): CronSpec {
  let spec = text;
  let timeZone = 'UTC';
  const zone = /^(?:CRON_)?TZ=(\S*)\s+/.exec(spec);
  if (zone) {
    timeZone = checkedTimeZone(zone[1]!);
    spec = spec.slice(zone[0].length).trim();
  } else if (/^(CRON_)?TZ=/.test(spec)) {
    throw new Error(`no schedule after the time zone: ${text}`);
  }
  if (spec.startsWith('@every ')) return { kind: 'every', intervalMs: everyInterval(spec.slice('@every '.length)) };
  if (spec.startsWith('@')) {
    const fields = descriptors[spec];
    if (fields === undefined) throw new Error(`unrecognized descriptor: ${spec}`);
    spec = fields;
  }
  const fields = spec.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5) throw new Error(`expected exactly 5 fields, found ${fields.length}: ${spec}`);
  return {
    kind: 'calendar',
    minute: parseField(fields[0]!, bounds.minute),
    hour: parseField(fields[1]!, bounds.hour),
    dayOfMonth: parseField(fields[2]!, bounds.dayOfMonth),
    month: parseField(fields[3]!, bounds.month),
    dayOfWeek: parseField(fields[4]!, bounds.dayOfWeek),
    timeZone,
  };
}

function parseField(text: string, range: Bounds): CronField {
  const matches = new Set<number>();
  let star = false;
  for (const part of text.split(',')) {
    if (part !== '') star = addPart(part, range, matches) || star;
  }
  return { matches, star };
}

/** Adds the values of `a`, `a-b`, `*`, each with an optional `/step`; true for an unrestricted star. */
function addPart(part: string, range: Bounds, matches: Set<number>): boolean {
  const [base = '', stepText, ...tooManySlashes] = part.split('/');
  if (tooManySlashes.length > 0) throw new Error(`too many slashes: ${part}`);
  const [low = '', high, ...tooManyHyphens] = base.split('-');
  if (tooManyHyphens.length > 0) throw new Error(`too many hyphens: ${part}`);
  const everything = low === '*' || low === '?';
  const start = everything ? range.min : parseNumber(low, range);
  let end = everything ? range.max : high === undefined ? start : parseNumber(high, range);
  let step = 1;
  if (stepText !== undefined) {
    step = parseNumber(stepText);
    // `N/step` runs from N to the field's maximum.
    if (high === undefined) end = range.max;
  }
  if (start < range.min) throw new Error(`beginning of range (${start}) below minimum (${range.min}): ${part}`);
  if (end > range.max) throw new Error(`end of range (${end}) above maximum (${range.max}): ${part}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${part}`);
  if (step === 0) throw new Error(`step of range should be a positive number: ${part}`);
  for (let value = start; value <= end; value += step) matches.add(value);
  return everything && step === 1;
}

function parseNumber(text: string, range?: Bounds): number {
  const name = range?.names?.[text.toLowerCase()];
  if (name !== undefined) return name;
  if (!/^\+?\d+$/.test(text)) throw new Error(`failed to parse int from ${text}`);
  return Number(text);
}

/** At least one second, and whole ones. */
function everyInterval(text: string): number {
  const milliseconds = text.includes('d') ? null : goDurationMs(text);
  if (milliseconds === null) throw new Error(`failed to parse duration ${text}`);
  return Math.max(1000, Math.floor(milliseconds / 1000) * 1000);
}

function checkedTimeZone(name: string): string {
  // Go reads 'Local' as the server's zone, which is UTC.
  if (name === '' || name === 'Local') return 'UTC';
  if (!isTimeZone(name)) throw new Error(`provided bad location ${name}`);
  return name;
}
