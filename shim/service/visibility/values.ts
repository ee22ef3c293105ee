/** Values of a list filter, checked against the type of their search attribute. */
import { type Attribute, ValueType } from './attributes';
import { FilterError } from './lexer';
import type { Value } from './parser';

const STATUS_NAMES = ['Running', 'Completed', 'Failed', 'Canceled', 'Terminated', 'ContinuedAsNew', 'TimedOut'];

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The value as a parameter for Postgres; null = matches nothing (a run id that is no UUID). */
export function parameter(attribute: Attribute, value: Value): string | number | boolean | null {
  if (attribute.form === 'status') return statusOf(value);
  if (attribute.form === 'duration') return durationNs(value);
  switch (attribute.type) {
    case ValueType.INDEXED_VALUE_TYPE_INT:
    case ValueType.INDEXED_VALUE_TYPE_DOUBLE:
      return typeof value.value === 'number' ? value.text : fail(attribute, value);
    case ValueType.INDEXED_VALUE_TYPE_BOOL:
      return typeof value.value === 'boolean' ? value.value : fail(attribute, value);
    case ValueType.INDEXED_VALUE_TYPE_DATETIME:
      return datetime(attribute, value);
    default:
      if (typeof value.value !== 'string') throw wrongType(attribute, value);
      if (attribute.form === 'uuid') return UUID.test(value.value) ? value.value : null;
      return value.value;
  }
}

export function wrongType(attribute: Attribute, value: Value): FilterError {
  return new FilterError(
    `invalid expression: invalid value type for search attribute ${attribute.name} of type ${typeName(attribute.type)}: ${JSON.stringify(value.value)} at position ${value.position}`,
  );
}

const fail = (attribute: Attribute, value: Value): never => {
  throw wrongType(attribute, value);
};

/** KeywordList and the like, as Temporal prints types. */
export function typeName(type: ValueType): string {
  const name = ValueType[type].replace('INDEXED_VALUE_TYPE_', '').toLowerCase();
  return name.replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase());
}

function statusOf(value: Value): number {
  const index = typeof value.value === 'number' ? value.value - 1 : STATUS_NAMES.indexOf(statusName(value.value));
  if (Number.isInteger(index) && index >= 0 && index < STATUS_NAMES.length) return index + 1;
  const shown = typeof value.value === 'number' ? value.text : `'${String(value.value)}'`;
  throw new FilterError(`invalid expression: invalid ExecutionStatus value ${shown}`);
}

/** Both `TimedOut` and `WORKFLOW_EXECUTION_STATUS_TIMED_OUT` are taken. */
function statusName(value: string | boolean): string {
  const text = String(value);
  const prefix = 'WORKFLOW_EXECUTION_STATUS_';
  if (!text.startsWith(prefix)) return text;
  const words = text.slice(prefix.length).toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** RFC 3339 text, or nanoseconds since the epoch. */
function datetime(attribute: Attribute, value: Value): string {
  if (typeof value.value === 'number' && /^-?\d+$/.test(value.text)) {
    const micros = BigInt(value.text) / 1000n;
    const epochMs = Number(micros / 1000n);
    const rest = String(micros % 1000n).padStart(3, '0');
    const date = new Date(epochMs);
    if (!Number.isNaN(date.getTime()) && micros >= 0n) return date.toISOString().replace('Z', `${rest}Z`);
  }
  if (typeof value.value !== 'string') throw wrongType(attribute, value);
  if (!RFC3339.test(value.value) || Number.isNaN(Date.parse(value.value))) {
    throw new FilterError(`invalid expression: unable to parse datetime '${value.value}'`);
  }
  return value.value;
}

const UNIT_NS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86400e9 };

/** Nanoseconds from a number, Go's `1h30m`, or `hh:mm:ss`. */
function durationNs(value: Value): string {
  if (typeof value.value === 'number' && /^-?\d+$/.test(value.text)) return value.text;
  const text = String(value.value);
  const clock = /^(\d+):([0-5]\d):([0-5]\d)$/.exec(text);
  if (clock !== null) return String((Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1e9);
  if (/^-?\d+$/.test(text)) return text;
  const sign = text.startsWith('-') ? -1 : 1;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)/g)];
  const read = parts.map(([part]) => part).join('');
  if (parts.length === 0 || read !== text.replace(/^[+-]/, '')) {
    throw new FilterError(`invalid expression: invalid duration value for search attribute ExecutionDuration: ${text}`);
  }
  return String(sign * parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_NS[unit ?? ''] ?? 0), 0));
}
