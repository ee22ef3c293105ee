/** A plain reading of list filters, to hold the SQL against: plain values, SQL's three truth values, null where a run has none. */
import type { Comparison, Filter } from '../../shim/service/visibility/filter';

export type PlainRun = Record<string, string | number | boolean | null | string[]>;
type Truth = boolean | null;

const not = (truth: Truth): Truth => (truth === null ? null : !truth);
const all = (truths: Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true);
const any = (truths: Truth[]): Truth => not(all(truths.map(not)));

/** `texts`: the names whose values are split into words. */
export function holds(filter: Filter, run: PlainRun, texts: ReadonlySet<string>): Truth {
  switch (filter.kind) {
    case 'and':
      return all(filter.operands.map((operand) => holds(operand, run, texts)));
    case 'or':
      return any(filter.operands.map((operand) => holds(operand, run, texts)));
    case 'not':
      return not(holds(filter.operand, run, texts));
    default:
      break;
  }
  const value = run[filter.name.name] ?? null;
  if (filter.kind === 'null') return (value === null) !== filter.negated;
  if (value === null) return null;
  const equals = (wanted: string | number | boolean): boolean => {
    if (Array.isArray(value)) return value.includes(String(wanted));
    if (!texts.has(filter.name.name)) return value === wanted;
    return String(wanted)
      .split(/\s+/)
      .some((word) => String(value).split(/\s+/).includes(word));
  };
  switch (filter.kind) {
    case 'in':
      return filter.values.some((one) => equals(one.value)) !== filter.negated;
    case 'between':
      return (order(value, filter.from.value) >= 0 && order(value, filter.to.value) <= 0) !== filter.negated;
    case 'compare':
      return comparisons[filter.operator](value, filter.value.value, equals);
  }
}

const comparisons: Record<
  Comparison,
  (value: unknown, wanted: string | number | boolean, equals: (wanted: string | number | boolean) => boolean) => boolean
> = {
  '=': (_, wanted, equals) => equals(wanted),
  '!=': (_, wanted, equals) => !equals(wanted),
  '<': (value, wanted) => order(value, wanted) < 0,
  '<=': (value, wanted) => order(value, wanted) <= 0,
  '>': (value, wanted) => order(value, wanted) > 0,
  '>=': (value, wanted) => order(value, wanted) >= 0,
  starts_with: (value, wanted) => String(value).startsWith(String(wanted)),
  'not starts_with': (value, wanted) => !String(value).startsWith(String(wanted)),
};

/** Texts byte by byte. */
export function order(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}
