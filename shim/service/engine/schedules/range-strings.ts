/** Fields of calendar and cron strings as ranges: `*`, `x`, `x-z`, each with `/step`, and lists of them (scheduler/calendar.go). */
import { FIRST_YEAR, LAST_YEAR, type Range, SpecError } from './spec-types';

interface Field {
  name: string;
  fallback: string;
  min: number;
  max: number;
  /** Names in order from `min`; a prefix of so many letters is enough. */
  names?: readonly string[];
  prefix?: number;
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

export const FIELDS = {
  second: { name: 'Second', fallback: '0', min: 0, max: 59 },
  minute: { name: 'Minute', fallback: '0', min: 0, max: 59 },
  hour: { name: 'Hour', fallback: '0', min: 0, max: 23 },
  dayOfWeek: { name: 'DayOfWeek', fallback: '*', min: 0, max: 7, names: DAYS, prefix: 2 },
  dayOfMonth: { name: 'DayOfMonth', fallback: '*', min: 1, max: 31 },
  month: { name: 'Month', fallback: '*', min: 1, max: 12, names: MONTHS, prefix: 3 },
  year: { name: 'Year', fallback: '*', min: FIRST_YEAR, max: LAST_YEAR },
} as const satisfies Record<string, Field>;

/** @throws SpecError */
export function parseRanges(given: string, field: Field): Range[] {
  const text = given.trim() || field.fallback;
  // All years are the empty list.
  if (text === '*' && field === FIELDS.year) return [];
  return text.split(',').flatMap((part) => parsePart(part, field));
}

function parsePart(part: string, field: Field): Range[] {
  const { name } = field;
  const [base = '', stepText, ...moreSlashes] = part.split('/');
  if (moreSlashes.length > 0) throw new SpecError(`${name} has too many slashes`);
  if (stepText === '') throw new SpecError(`${name} missing step value`);
  const step = stepText === undefined ? 1 : integer(stepText);
  if (step < 1) throw new SpecError(`${name} has invalid Step`);
  let { min: start, max: end } = field;
  if (base !== '*') {
    const [from = '', to, ...moreDashes] = base.split('-');
    if (moreDashes.length > 0) throw new SpecError(`${name} has too many dashes`);
    start = value(
      from,
      field,
      field.min,
      `${name} ${to === undefined ? 'is' : 'Start is'} not in range ${bounds(field)}`,
    );
    if (to !== undefined) end = value(to, field, start, `${name} End is before Start or not in range ${bounds(field)}`);
    else if (stepText === undefined) end = start;
  }
  const ranges: Range[] = [];
  if (field === FIELDS.dayOfWeek && end === 7) {
    // Sunday is 0: a 7 that is met needs a range of its own, unless 0 or the whole week is in this one anyway.
    const met = (7 - start) % step === 0 && (step > 1 || start > 1);
    if (met) ranges.push({ start: 0, end: 0, step: 0 });
    if (start === 7) return ranges;
    end = 6;
  }
  // Defaults are written as protobuf's zeros.
  ranges.push({ start, end: start === end ? 0 : end, step: step === 1 ? 0 : step });
  return ranges;
}

const bounds = ({ min, max }: Field): string => `[${min}-${max}]`;

function value(text: string, field: Field, min: number, problem: string): number {
  const { names, prefix = 0 } = field;
  const name = text.length >= prefix ? names?.findIndex((one) => one.startsWith(text.toLowerCase())) : undefined;
  let number: number;
  if (name !== undefined && name >= 0) number = name + field.min;
  else if (/^[+-]?\d+$/.test(text)) number = Number(text);
  else throw new SpecError(problem);
  if (number < min || number > field.max) throw new SpecError(problem);
  return number;
}

function integer(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new SpecError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
