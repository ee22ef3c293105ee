/** The search attributes that a filter can name: the system's, the predefined and the namespace's own; and where each is kept. */
import { temporal } from '@temporalio/proto';
import { FilterError } from './lexer';

export const ValueType = temporal.api.enums.v1.IndexedValueType;
export type ValueType = temporal.api.enums.v1.IndexedValueType;

const {
  INDEXED_VALUE_TYPE_KEYWORD: KEYWORD,
  INDEXED_VALUE_TYPE_DATETIME: DATETIME,
  INDEXED_VALUE_TYPE_INT: INT,
} = ValueType;
const { INDEXED_VALUE_TYPE_KEYWORD_LIST: KEYWORD_LIST, INDEXED_VALUE_TYPE_BOOL: BOOL } = ValueType;

/** What SQL reads it by, over `executions` alias e. `status`, `uuid` and `duration` have values of their own form, `list` is a jsonb array. */
export interface Attribute {
  name: string;
  type: ValueType;
  sql: string;
  form: 'plain' | 'status' | 'uuid' | 'duration' | 'list' | 'stored';
}

const column = (type: ValueType, sql: string, form: Attribute['form'] = 'plain'): Omit<Attribute, 'name'> => ({
  type,
  sql,
  form,
});
// Temporal fills these when the run closes.
const whenClosed = (sql: string): string => `CASE WHEN e.close_time IS NOT NULL THEN ${sql} END`;

const SYSTEM: Record<string, Omit<Attribute, 'name'>> = {
  WorkflowId: column(KEYWORD, 'e.workflow_id'),
  RunId: column(KEYWORD, 'e.run_id', 'uuid'),
  WorkflowType: column(KEYWORD, 'e.workflow_type'),
  StartTime: column(DATETIME, 'e.start_time'),
  ExecutionTime: column(DATETIME, 'e.execution_time'),
  CloseTime: column(DATETIME, 'e.close_time'),
  ExecutionStatus: column(KEYWORD, 'e.status', 'status'),
  TaskQueue: column(KEYWORD, 'e.task_queue'),
  HistoryLength: column(INT, whenClosed('e.history_length')),
  HistorySizeBytes: column(INT, whenClosed('e.history_size_bytes')),
  StateTransitionCount: column(INT, whenClosed('e.state_transitions')),
  ExecutionDuration: column(INT, 'extract(epoch FROM e.close_time - e.execution_time) * 1000000000', 'duration'),
  ParentWorkflowId: column(KEYWORD, 'e.parent_workflow_id'),
  ParentRunId: column(KEYWORD, 'e.parent_run_id', 'uuid'),
  RootWorkflowId: column(KEYWORD, 'e.root_workflow_id'),
  RootRunId: column(KEYWORD, 'e.root_run_id', 'uuid'),
  // The first build id is not among the search attributes: engine/build-ids.ts.
  BuildIds: column(
    KEYWORD_LIST,
    `coalesce(e.search_attributes -> 'BuildIds', CASE WHEN e.known_build_id IS NOT NULL
    THEN jsonb_build_array('unversioned', 'unversioned:' || e.known_build_id) END)`,
    'list',
  ),
};

/** Kept with the custom ones; the system, the worker or a schedule writes them. */
export const PREDEFINED: Record<string, ValueType> = {
  TemporalChangeVersion: KEYWORD_LIST,
  BinaryChecksums: KEYWORD_LIST,
  BatcherNamespace: KEYWORD,
  BatcherUser: KEYWORD,
  TemporalScheduledStartTime: DATETIME,
  TemporalScheduledById: KEYWORD,
  TemporalSchedulePaused: BOOL,
  TemporalNamespaceDivision: KEYWORD,
  TemporalPauseInfo: KEYWORD_LIST,
  TemporalReportedProblems: KEYWORD_LIST,
  TemporalWorkerDeployment: KEYWORD,
  TemporalWorkerDeploymentVersion: KEYWORD,
  TemporalWorkflowVersioningBehavior: KEYWORD,
  TemporalUsedWorkerDeploymentVersions: KEYWORD_LIST,
};

/** Types of the system attributes, as ListSearchAttributes shows them. */
export const SYSTEM_TYPES: Record<string, ValueType> = {
  ...Object.fromEntries(Object.entries(SYSTEM).map(([name, { type }]) => [name, type])),
  ...PREDEFINED,
};

export const NAMESPACE_DIVISION = 'TemporalNamespaceDivision';

/** A single value may have been given as a list of one, as older clients do. */
function stored(name: string, type: ValueType): Attribute {
  const value = `e.search_attributes ->> ${literal(name)}`;
  const first = `e.search_attributes -> ${literal(name)} ->> 0`;
  return { name, type, sql: type === KEYWORD_LIST ? value : `coalesce(${first}, ${value})`, form: 'stored' };
}

/** Names come from the registry or the lists above, never from a filter's text. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The attribute that a name in a filter means: a custom one first, then the system's, then with or without the prefix `Temporal`;
 * `ScheduleId` is the workflow id of a schedule.
 */
export function resolveAttribute(name: string, custom: Record<string, number>): Attribute {
  const customType = Object.hasOwn(custom, name) ? custom[name] : undefined;
  if (customType !== undefined) return stored(name, customType);
  for (const candidate of candidates(name)) {
    const system = Object.hasOwn(SYSTEM, candidate) ? SYSTEM[candidate] : undefined;
    if (system !== undefined) return { name: candidate, ...system };
    const predefined = Object.hasOwn(PREDEFINED, candidate) ? PREDEFINED[candidate] : undefined;
    if (predefined !== undefined) return stored(candidate, predefined);
  }
  throw new FilterError(`invalid expression: column name '${name}' is not a valid search attribute`);
}

function candidates(name: string): string[] {
  if (name === 'ScheduleId' || name === 'TemporalScheduleId') return [name, 'WorkflowId'];
  return [name, name.startsWith('Temporal') ? name.slice('Temporal'.length) : `Temporal${name}`];
}
