/** Values of a list filter, checked against the type of their search attribute. */
import { temporal } from '@temporalio/proto';
import { type Attribute, ValueType, typeName } from './attributes';
import { FilterError, type Value } from './filter';

const { WorkflowExecutionStatus } = temporal.api.enums.v1;

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:[.,]\d+)?(?:Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const MAX_INT64 = 2n ** 63n;

/** The value as a parameter for Postgres; null = no run has such a value. */
export function parameter(attribute: Attribute, value: Value): string | boolean | null {
  if (attribute.form === 'duration') return durationNs(value);
  switch (attribute.type) {
    case ValueType.INDEXED_VALUE_TYPE_INT:
    case ValueType.INDEXED_VALUE_TYPE_DOUBLE:
      return number(attribute, value);
    case ValueType.INDEXED_VALUE_TYPE_BOOL:
      return typeof value.value === 'boolean' ? value.value : fail(attribute, value);
    case ValueType.INDEXED_VALUE_TYPE_DATETIME:
      return datetime(attribute, value);
    default: {
      const text = textOf(attribute, value);
      if (attribute.form === 'uuid') return UUID.test(text) ? text : null;
      return text.includes('\0') ? null : text;
    }
  }
}

/** The value of an attribute whose values are texts. */
export const textOf = (attribute: Attribute, value: Value): string =>
  typeof value.value === 'string' ? value.value : fail(attribute, value);

function fail({ name, type }: Attribute, { value, position }: Value): never {
  throw new FilterError(
    `invalid expression: invalid value type for search attribute ${name} of type ${typeName(type)}: ${JSON.stringify(value)}`,
    position,
  );
}

/** A number, or its digits as a text. */
function number(attribute: Attribute, value: Value): string {
  const isNumber = typeof value.value === 'number' || (typeof value.value === 'string' && NUMBER.test(value.text));
  return isNumber && Number.isFinite(Number(value.text)) ? value.text : fail(attribute, value);
}

/** temporal.api.enums.v1.WorkflowExecutionStatus as a number, from a number, `TimedOut` or `WORKFLOW_EXECUTION_STATUS_TIMED_OUT`. */
export function statusOf(value: Value): number {
  if (Number.isInteger(value.value)) return Number(value.value);
  const known = typeof value.value === 'string' ? statusNames.get(value.value) : undefined;
  if (known !== undefined) return known;
  const shown = typeof value.value === 'string' ? `'${value.value}'` : value.text;
  throw new FilterError(`invalid expression: invalid ExecutionStatus value ${shown}`, value.position);
}

const PREFIX = 'WORKFLOW_EXECUTION_STATUS_';
/** Both ways to write each. */
const statusNames = new Map<string, number>(
  Object.entries(WorkflowExecutionStatus).flatMap(([name, status]): [string, number][] => {
    if (typeof status !== 'number') return [];
    return [
      [name, status],
      [statusName(status), status],
    ];
  }),
);

/** `TimedOut`, as Temporal's visibility names a status. */
export function statusName(status: number): string {
  const words = (WorkflowExecutionStatus[status] ?? '').slice(PREFIX.length).toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** RFC 3339 text, or nanoseconds since the epoch; to the microsecond, as Postgres keeps times. */
function datetime(attribute: Attribute, value: Value): string {
  if (typeof value.value === 'number') {
    const ns = /^-?\d+$/.test(value.text) ? BigInt(value.text) : fail(attribute, value);
    if (ns >= MAX_INT64 || ns < -MAX_INT64) fail(attribute, value);
    const micros = (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
    const rest = ((micros % 1000n) + 1000n) % 1000n;
    return new Date(Number((micros - rest) / 1000n)).toISOString().replace('Z', `${String(rest).padStart(3, '0')}Z`);
  }
  const text = textOf(attribute, value);
  if (!isDatetime(text)) {
    throw new FilterError(`invalid expression: unable to parse datetime '${text}'`, value.position);
  }
  // Postgres has no year 0.
  if (text.startsWith('0000')) return '-infinity';
  return text.replace(/([.,]\d{6})\d+/, '$1').replace(',', '.');
}

/** RFC 3339 with a day that the month has. */
export function isDatetime(text: string): boolean {
  const [, year, month, day] = RFC3339.exec(text) ?? [];
  // Leap years come back every 400 years; Date takes those before 100 for others.
  const days = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= days;
}

const UNIT_NS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86400e9,
};

/** Nanoseconds from a number, Go's `1h30m` (with `d` for days), or `hh:mm:ss`. */
function durationNs(value: Value): string {
  const text = String(value.value);
  if (typeof value.value === 'number' || /^[+-]?\d+$/.test(text)) return value.text;
  const clock = /^(\d+):([0-5]\d):([0-5]\d)$/.exec(text);
  if (clock !== null) return String((Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1e9);
  const sign = text.startsWith('-') ? -1 : 1;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g)];
  const read = parts.map(([part]) => part).join('');
  if (parts.length === 0 || read !== text.replace(/^[+-]/, '')) {
    throw new FilterError(
      `invalid expression: invalid duration value for search attribute ExecutionDuration: ${text}`,
      value.position,
    );
  }
  const sum = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_NS[unit ?? ''] ?? 0), 0);
  return String(sign * Math.round(sum));
}
