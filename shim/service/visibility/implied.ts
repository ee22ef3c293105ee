/** Weaker conditions that follow from a whole filter: those by which a list finds its rows in an index. */
import { type Attribute, CLOSE_ORDER, ValueType, resolveAttribute } from './attributes';
import { type Filter, type Value, conjuncts } from './filter';
import { parameter, textOf } from './values';

/** More values than these are not looked up one by one in the index. */
export const MAX_LOOKUPS = 100;
/** Each makes a part of its own of the statement. */
const MAX_TYPES = 20;

export interface Implied {
  /** The workflow types, each once, that all matches have one of; absent = any, one, or many. */
  types?: string[];
  /** All matches started then or before: RFC 3339. */
  startedBy?: string;
  /** Served by the index of search attributes; absent when there are none, or when a better index is there. */
  byAttributes?: Filter[];
  /** Served by the indexes that have the order of lists. */
  inOrder: Filter[];
}

/** @throws FilterError for unknown names and values of a wrong type */
export function impliedBy(where: Filter, custom: Record<string, number>): Implied {
  const implied: Implied = { inOrder: [] };
  const byAttributes: Filter[] = [];
  let byId = false;
  for (const filter of conjuncts(where)) {
    if (hasAttributes(filter, custom)) byAttributes.push(filter);
    if (filter.kind !== 'compare' && filter.kind !== 'in' && filter.kind !== 'between') continue;
    const attribute = resolveAttribute(filter.name, custom);
    implied.types ??= typesOf(filter, attribute);
    const latest = attribute.sql === 'e.start_time' ? latestOf(filter) : undefined;
    if (latest !== undefined) implied.startedBy ??= String(parameter(attribute, latest));
    if (isInOrder(filter, attribute)) implied.inOrder.push(filter);
    byId ||= attribute.sql === 'e.workflow_id' || attribute.sql === 'e.run_id';
  }
  if (byAttributes.length > 0 && !byId) implied.byAttributes = byAttributes;
  return implied;
}

type Comparing = Extract<Filter, { kind: 'compare' | 'in' | 'between' }>;

/** It holds only for runs that the index has under one of the values. */
function hasAttributes(filter: Filter, custom: Record<string, number>): boolean {
  if (filter.kind === 'or') return filter.operands.every((operand) => hasAttributes(operand, custom));
  if (filter.kind !== 'compare' && filter.kind !== 'in') return false;
  const { form, type } = resolveAttribute(filter.name, custom);
  const isKeyword = type === ValueType.INDEXED_VALUE_TYPE_KEYWORD || type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST;
  if (form !== 'stored' || !isKeyword) return false;
  return filter.kind === 'compare' ? filter.operator === '=' : !filter.negated && filter.values.length <= MAX_LOOKUPS;
}

function typesOf(filter: Comparing, attribute: Attribute): string[] | undefined {
  if (attribute.sql !== 'e.workflow_type' || filter.kind !== 'in' || filter.negated) return undefined;
  const types = [...new Set(filter.values.map((value) => textOf(attribute, value)))];
  return types.length > 1 && types.length <= MAX_TYPES && !types.some((type) => type.includes('\0'))
    ? types
    : undefined;
}

function latestOf(filter: Comparing): Value | undefined {
  if (filter.kind === 'between') return filter.negated ? undefined : filter.to;
  return filter.kind === 'compare' && ['<', '<=', '='].includes(filter.operator) ? filter.value : undefined;
}

function isInOrder(filter: Comparing, { sql }: Attribute): boolean {
  if (sql === 'e.workflow_type') {
    return filter.kind === 'compare' ? filter.operator === '=' : filter.kind === 'in' && !filter.negated;
  }
  return sql === CLOSE_ORDER || sql === 'e.start_time' || sql === 'e.status';
}
