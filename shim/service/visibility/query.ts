/** A list filter's text as the store runs it; INVALID_ARGUMENT says what is wrong with it and where. */
import type { SortColumn, VisibilityQuery } from '../../store/types';
import { invalidArgument } from '../errors';
import type { NamespaceInfo } from '../types';
import { type Attribute, ValueType, resolveAttribute, sqlType, typeName, valueSql } from './attributes';
import { type Filter, FilterError, type ListQuery, type Name, type SortKey, refusedClause } from './filter';
import { filterSql } from './filter-sql';
import { parseFilter } from './parser';

/** Makes a FilterError of `read` an answer to the caller. */
export function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FilterError) throw invalidArgument(`invalid query: ${error.message}`);
    throw error;
  }
}

/** Of a list. */
export function listQuery(text: string | null | undefined, namespace: NamespaceInfo): VisibilityQuery {
  return refusing(() => {
    const parsed = parseFilter(text ?? '');
    if (parsed.groupBy.length > 0) throw refusedClause('GROUP BY', parsed.groupBy[0]);
    return compiled(parsed, namespace);
  });
}

/** Of a count; `by` is what it is grouped by, none = not at all. */
export function countQuery(
  text: string | null | undefined,
  namespace: NamespaceInfo,
): { query: VisibilityQuery; by: Attribute[] } {
  return refusing(() => {
    const { where, groupBy, orderBy } = parseFilter(text ?? '');
    if (orderBy.length > 0) throw refusedClause('ORDER BY', orderBy[0]);
    const by = groupBy.map((name) => oneValued(name, namespace, "'GROUP BY' clause is not supported for"));
    return { query: compiled({ where, orderBy: [] }, namespace), by };
  });
}

/** A filter alone, as those of schedules, workers and batch operations; null = everything. */
export function readFilter(text: string | null | undefined): Filter | null {
  return refusing(() => {
    const { where, groupBy, orderBy } = parseFilter(text ?? '');
    if (groupBy.length > 0) throw refusedClause('GROUP BY', groupBy[0]);
    if (orderBy.length > 0) throw refusedClause('ORDER BY', orderBy[0]);
    return where;
  });
}

export function compiled(
  { where, orderBy }: Pick<ListQuery, 'where' | 'orderBy'>,
  namespace: NamespaceInfo,
): VisibilityQuery {
  const sql = filterSql(where, namespace.searchAttributeTypes);
  const order = orderBy.map((key) => sortColumn(key, namespace));
  return { namespaceId: namespace.id, ...sql, ...(order.length > 0 ? { order } : {}) };
}

function sortColumn(key: SortKey, namespace: NamespaceInfo): SortColumn {
  return columnOf(oneValued(key, namespace, 'unable to sort by'), key.descending);
}

export const columnOf = (attribute: Attribute, descending = false): SortColumn => ({
  sql: valueSql(attribute),
  type: sqlType(attribute),
  descending,
  ...(attribute.whileOpen === undefined ? {} : { whileOpen: attribute.whileOpen }),
});

/** Texts and lists have no order and no single value. */
function oneValued(name: Name, { searchAttributeTypes }: NamespaceInfo, refusal: string): Attribute {
  const attribute = resolveAttribute(name, searchAttributeTypes);
  const { type } = attribute;
  if (type !== ValueType.INDEXED_VALUE_TYPE_TEXT && type !== ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST)
    return attribute;
  throw new FilterError(
    `operation is not supported: ${refusal} search attribute ${name.name} of type ${typeName(type)}`,
    name.position,
  );
}
