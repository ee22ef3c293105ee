/** Table `executions`: identity and visibility of every retained run. Written by `commit_batch`. */
const ms = (column: string): string => `extract(epoch FROM ${column})::float8 * 1000`;

const columns = (
  buildId: string,
): string => `e.namespace_id, e.workflow_id, e.run_id, e.first_run_id, e.base_run_id, e.workflow_type, e.task_queue, e.status, e.start_request_id,
  ${ms('e.start_time')} AS start_ms, ${ms('e.execution_time')} AS execution_ms, coalesce(${ms('e.close_time')}, 0) AS close_ms,
  e.history_length::float8 AS history_length, e.history_size_bytes::float8 AS history_size_bytes,
  e.state_transitions::float8 AS state_transitions,
  e.parent_workflow_id, e.parent_run_id, e.root_workflow_id, e.root_run_id,
  e.memo, e.search_attribute_payloads, ${buildId} AS build_id`;

/** Of an open run the row may not know it yet. */
const buildId = (
  s: string,
): string => `coalesce(e.build_id, CASE WHEN e.status = 1 AND NOT coalesce(e.search_attributes ? 'BuildIds', false)
  THEN (SELECT r.state -> 'versioning' ->> 'buildId' FROM ${s}.runs r WHERE r.run_id = e.run_id) END)`;

const identity = 'run_id, status, start_request_id, first_run_id';

export const executions = (s: string) => ({
  load: `SELECT ${columns(buildId(s))} FROM ${s}.executions e WHERE e.run_id = $1 AND e.namespace_id = $2`,
  current: `(SELECT ${identity} FROM ${s}.executions WHERE namespace_id = $1 AND workflow_id = $2 AND status = 1)
    UNION ALL
    (SELECT ${identity} FROM ${s}.executions WHERE namespace_id = $1 AND workflow_id = $2 ORDER BY start_time DESC LIMIT 1)
    LIMIT 1`,
  deleteExpired: `SELECT deleted, extract(epoch FROM last_close)::float8 * 1000 AS last_close_ms
    FROM ${s}.delete_expired($1, to_timestamp($2::float8 / 1000), to_timestamp($3::float8 / 1000), $4, $5)`,
  startedBy: `SELECT run_id FROM ${s}.executions
    WHERE namespace_id = $1 AND workflow_id = $2 AND start_request_id = $3 ORDER BY start_time DESC LIMIT 1`,
  resetOf: `SELECT run_id FROM ${s}.executions
    WHERE namespace_id = $1 AND workflow_id = $2 AND base_run_id = $3 ORDER BY start_time DESC LIMIT 1`,
  chain: `SELECT ${columns(buildId(s))} FROM ${s}.executions e
    WHERE e.namespace_id = $1 AND e.workflow_id = $2 AND e.first_run_id = $3 ORDER BY e.start_time DESC`,
});

const listOrder = `coalesce(e.close_time, 'infinity'::timestamptz)`;

/** On Temporal each schedule is a workflow of another division; this is what can be seen of it. */
const withSchedules = (s: string): string => `(
  SELECT * FROM ${s}.executions
  UNION ALL SELECT r.* FROM ${s}.schedules x CROSS JOIN LATERAL jsonb_populate_record(NULL::${s}.executions, jsonb_build_object(
    'run_id', x.uuid, 'first_run_id', x.uuid, 'root_run_id', x.uuid, 'namespace_id', x.namespace_id, 'status', 1,
    'workflow_id', 'temporal-sys-scheduler:' || x.schedule_id, 'root_workflow_id', 'temporal-sys-scheduler:' || x.schedule_id,
    'workflow_type', 'temporal-sys-scheduler-workflow', 'task_queue', 'temporal-sys-per-ns-tq', 'start_request_id', x.create_request_id,
    'start_time', x.created_at, 'execution_time', x.created_at, 'history_length', 0, 'history_size_bytes', 0, 'state_transitions', x.version,
    'search_attributes', x.search_attributes || '{"TemporalNamespaceDivision": "TemporalScheduler"}')) r)`;

/**
 * Statements around a condition of service/visibility: its placeholders begin at $2, ours follow them. `allDivisions`: schedules are looked
 * through as well.
 */
export const filtered = (
  s: string,
  condition: string,
  valueCount: number,
  { after = false, allDivisions = false }: { after?: boolean; allDivisions?: boolean },
) => {
  const relation = `(SELECT e.*, ${buildId(s)} AS known_build_id FROM ${allDivisions ? withSchedules(s) : `${s}.executions`} e)`;
  const next = valueCount + 2;
  const where = `e.namespace_id = $1${condition === '' ? '' : ` AND (${condition})`}`;
  const close = `coalesce(to_timestamp($${next + 1}::float8 / 1000), 'infinity')`;
  const start = `to_timestamp($${next + 2}::float8 / 1000)`;
  const page = !after
    ? ''
    : `AND ${listOrder} <= ${close} AND (${listOrder} < ${close} OR e.start_time < ${start}
        OR (e.start_time = ${start} AND e.run_id > $${next + 3}))`;
  return {
    list: `SELECT ${columns('e.known_build_id')} FROM ${relation} e WHERE ${where} ${page}
      ORDER BY ${listOrder} DESC, e.start_time DESC, e.run_id LIMIT $${next}`,
    count: `SELECT count(*)::float8 AS count FROM ${relation} e WHERE ${where}`,
    countByStatus: `SELECT e.status, count(*)::float8 AS count FROM ${relation} e WHERE ${where} GROUP BY e.status ORDER BY e.status`,
  };
};
