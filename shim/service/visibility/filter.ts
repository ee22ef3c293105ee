/** Temporal's list filter as a tree. */

export interface Name {
  name: string;
  /** Of the first character, from 1. */
  position: number;
}
/** A number keeps its text: nanoseconds do not fit in a double. */
export interface Value {
  value: string | number | boolean;
  text: string;
  position: number;
}
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'starts_with' | 'not starts_with';

export type Filter =
  | { kind: 'and' | 'or'; operands: Filter[] }
  | { kind: 'not'; operand: Filter }
  | { kind: 'compare'; name: Name; operator: Comparison; value: Value }
  | { kind: 'in'; name: Name; negated: boolean; values: Value[] }
  | { kind: 'between'; name: Name; negated: boolean; from: Value; to: Value }
  | { kind: 'null'; name: Name; negated: boolean };

export interface SortKey extends Name {
  descending: boolean;
}

export interface ListQuery {
  /** null = everything. */
  where: Filter | null;
  groupBy: Name[];
  orderBy: SortKey[];
}

/** A filter that cannot be read or is not supported. The caller makes it INVALID_ARGUMENT `invalid query: …`. */
export class FilterError extends Error {
  /** `position` counts characters of the filter from 1. */
  constructor(
    sentence: string,
    readonly position?: number,
  ) {
    super(position === undefined ? sentence : `${sentence} at position ${position}`);
  }
}

export const refusedClause = (clause: string, at: Name | undefined): FilterError =>
  new FilterError(`operation is not supported: '${clause}' clause`, at?.position);

export function* namesIn(filter: Filter): Generator<Name> {
  if ('name' in filter) yield filter.name;
  else if (filter.kind === 'not') yield* namesIn(filter.operand);
  else for (const operand of filter.operands) yield* namesIn(operand);
}

/** What must hold, each by itself. */
export const conjuncts = (filter: Filter): Filter[] =>
  filter.kind === 'and' ? filter.operands.flatMap(conjuncts) : [filter];

export const both = (left: Filter | null, right: Filter): Filter =>
  left === null ? right : { kind: 'and', operands: [left, right] };

/** A condition that nobody wrote. */
export const is = (name: string, operator: Comparison, value: string): Filter => ({
  kind: 'compare',
  name: { name, position: 0 },
  operator,
  value: { value, text: value, position: 0 },
});
