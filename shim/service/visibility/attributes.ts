/** The search attributes that a filter can name: the server's, the predefined and the namespace's own; and how SQL reads each. */
import { temporal } from '@temporalio/proto';
import { predefinedSearchAttributes, serverSearchAttributes, typeNames } from '../engine/search-attributes';
import { FilterError, type Name } from './filter';

export const ValueType = temporal.api.enums.v1.IndexedValueType;
export type ValueType = temporal.api.enums.v1.IndexedValueType;

/** Types of the attributes that every namespace has, as ListSearchAttributes shows them. */
export const SYSTEM_TYPES: Readonly<Record<string, ValueType>> = {
  ...serverSearchAttributes,
  ...predefinedSearchAttributes,
};

/** Over `executions` alias e. `status`, `uuid` and `duration` have values of their own form, `list` is a jsonb array. */
interface Column {
  sql: string;
  form?: 'status' | 'uuid' | 'duration' | 'list';
  /** IS NULL and IS NOT NULL, where `sql` is never null. */
  nullSql?: { is: string; isNot: string };
  /** The value as long as the run is open, where the close changes it. */
  whileOpen?: string;
  /** No run closes before this time. */
  beforeClose?: true;
}

export interface Attribute extends Omit<Column, 'form'> {
  name: string;
  type: ValueType;
  /** `stored`: in the column search_attributes. */
  form: NonNullable<Column['form']> | 'plain' | 'stored';
}

/** As the list is ordered, and indexed: open runs have no close time and count as the latest, as on Temporal's SQL stores. */
export const CLOSE_ORDER = `coalesce(e.close_time, 'infinity'::timestamptz)`;

// Temporal fills these when the run closes.
const whenClosed = (sql: string): Column => ({
  sql: `CASE WHEN e.close_time IS NOT NULL THEN ${sql} END`,
  whileOpen: 'NULL',
});

/** Attributes in columns of their own; all others are in search_attributes. */
const COLUMNS: Readonly<Record<string, Column>> = {
  WorkflowId: { sql: 'e.workflow_id' },
  RunId: { sql: 'e.run_id', form: 'uuid' },
  WorkflowType: { sql: 'e.workflow_type' },
  StartTime: { sql: 'e.start_time', beforeClose: true },
  ExecutionTime: { sql: 'e.execution_time' },
  CloseTime: {
    sql: CLOSE_ORDER,
    nullSql: { is: `${CLOSE_ORDER} = 'infinity'`, isNot: `${CLOSE_ORDER} < 'infinity'` },
    whileOpen: `'infinity'`,
  },
  ExecutionStatus: { sql: 'e.status', form: 'status', whileOpen: '1' },
  TaskQueue: { sql: 'e.task_queue' },
  HistoryLength: whenClosed('e.history_length'),
  HistorySizeBytes: whenClosed('e.history_size_bytes'),
  StateTransitionCount: whenClosed('e.state_transitions'),
  ExecutionDuration: {
    ...whenClosed('(extract(epoch FROM e.close_time - e.execution_time) * 1000000000)'),
    form: 'duration',
  },
  ParentWorkflowId: { sql: 'e.parent_workflow_id' },
  ParentRunId: { sql: 'e.parent_run_id', form: 'uuid' },
  RootWorkflowId: { sql: 'coalesce(e.root_workflow_id, e.workflow_id)' },
  RootRunId: { sql: 'coalesce(e.root_run_id, e.run_id)', form: 'uuid' },
  // The first build id is not among the search attributes: engine/build-ids.ts.
  BuildIds: {
    sql: `coalesce(e.search_attributes -> 'BuildIds', CASE WHEN e.known_build_id IS NOT NULL
    THEN jsonb_build_array('unversioned', 'unversioned:' || e.known_build_id) END)`,
    form: 'list',
  },
};

export const NAMESPACE_DIVISION = 'TemporalNamespaceDivision';

/** A single value may have been given as a list of one, as older clients do. */
function stored(name: string, type: ValueType): Attribute {
  const value = `e.search_attributes ->> ${literal(name)}`;
  const first = `e.search_attributes -> ${literal(name)} ->> 0`;
  const isList = type === ValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST;
  return { name, type, sql: isList ? `(${value})` : `coalesce(${first}, ${value})`, form: 'stored' };
}

/** Names come from the registry or the lists above, never from a filter's text. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The attribute that a name in a filter means: a custom one first, then the server's, then with or without the prefix `Temporal`;
 * `ScheduleId` is the workflow id of a schedule.
 */
export function resolveAttribute({ name, position }: Name, custom: Record<string, number>): Attribute {
  const customType = Object.hasOwn(custom, name) ? custom[name] : undefined;
  if (customType !== undefined) return stored(name, customType);
  for (const candidate of candidates(name)) {
    const type = Object.hasOwn(SYSTEM_TYPES, candidate) ? SYSTEM_TYPES[candidate] : undefined;
    if (type === undefined) continue;
    const column = Object.hasOwn(COLUMNS, candidate) ? COLUMNS[candidate] : undefined;
    return column === undefined ? stored(candidate, type) : { name: candidate, type, form: 'plain', ...column };
  }
  throw new FilterError(`invalid expression: column name '${name}' is not a valid search attribute`, position);
}

function candidates(name: string): string[] {
  if (name === 'ScheduleId' || name === 'TemporalScheduleId') return [name, 'WorkflowId'];
  return [name, name.startsWith('Temporal') ? name.slice('Temporal'.length) : `Temporal${name}`];
}

/** KeywordList and the like, as Temporal prints types. */
export const typeName = (type: ValueType): string => typeNames[type] ?? 'Unspecified';

/** The type of `valueSql`, and of what it is compared with. */
export function sqlType({ form, type }: Pick<Attribute, 'form' | 'type'>): string {
  if (form === 'status') return 'smallint';
  if (form === 'uuid') return 'uuid';
  switch (type) {
    case ValueType.INDEXED_VALUE_TYPE_DATETIME:
      return 'timestamptz';
    case ValueType.INDEXED_VALUE_TYPE_INT:
    case ValueType.INDEXED_VALUE_TYPE_DOUBLE:
      return 'numeric';
    case ValueType.INDEXED_VALUE_TYPE_BOOL:
      return 'boolean';
    default:
      return 'text';
  }
}

/** What tells a stored text of the type: an attribute may have had another type before. */
const STORED_FORMS: Readonly<Record<string, string>> = {
  timestamptz: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`,
  numeric: String.raw`^-?\d`,
  boolean: '^(true|false)$',
};

/** A value of its type; texts compare byte by byte, as the columns do. Null where a run has none. */
export function valueSql(attribute: Attribute): string {
  const { sql, form } = attribute;
  if (form !== 'stored') return sql;
  const type = sqlType(attribute);
  const pattern = STORED_FORMS[type];
  return pattern === undefined
    ? `(${sql}) COLLATE "C"`
    : `(CASE WHEN ${sql} ~ '${pattern}' THEN (${sql})::${type} END)`;
}
