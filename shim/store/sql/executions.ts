/** Table `executions`: identity and visibility of every retained run. Written by `commit_batch`; sql/visibility.ts has its lists and counts. */
import { epochMs } from './epoch';

/** Over alias e; `buildId`: how the build id is read. */
export const columns = (
  buildId: string,
): string => `e.namespace_id, e.workflow_id, e.run_id, e.first_run_id, e.base_run_id, e.workflow_type, e.task_queue, e.status, e.start_request_id,
  ${epochMs('e.start_time')} AS start_ms, ${epochMs('e.execution_time')} AS execution_ms, coalesce(${epochMs('e.close_time')}, 0) AS close_ms,
  e.history_length::float8 AS history_length, e.history_size_bytes::float8 AS history_size_bytes,
  e.state_transitions::float8 AS state_transitions,
  e.parent_workflow_id, e.parent_run_id, coalesce(e.root_workflow_id, e.workflow_id) AS root_workflow_id, coalesce(e.root_run_id, e.run_id) AS root_run_id,
  e.memo, e.search_attribute_payloads, ${buildId} AS build_id`;

/** Of an open run the row may not know it yet. */
export const buildId = (
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
  deleteExpired: `SELECT deleted, ${epochMs('last_close')} AS last_close_ms
    FROM ${s}.delete_expired($1, to_timestamp($2::float8 / 1000), to_timestamp($3::float8 / 1000), $4, $5)`,
  startedBy: `SELECT run_id FROM ${s}.executions
    WHERE namespace_id = $1 AND workflow_id = $2 AND start_request_id = $3 ORDER BY start_time DESC LIMIT 1`,
  resetOf: `SELECT run_id FROM ${s}.executions
    WHERE namespace_id = $1 AND workflow_id = $2 AND base_run_id = $3 ORDER BY start_time DESC LIMIT 1`,
  chain: `SELECT ${columns(buildId(s))} FROM ${s}.executions e
    WHERE e.namespace_id = $1 AND e.workflow_id = $2 AND e.first_run_id = $3 ORDER BY e.start_time DESC`,
});
