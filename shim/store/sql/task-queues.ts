/** Tables `task_queue_configs`, `task_queue_limits`, `task_queue_rates` and `limited_activities`: what limits task queues. */
// A place counts only once the activity has started, and that commit brings what was written before it to the disk.
const quick = `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))`;
const isQueue = 'q.namespace_id = $1 AND q.queue = $2';

export const taskQueues = (s: string) => ({
  configs: `SELECT q.namespace_id, q.queue, q.kind, q.config::text AS config, q.version::float8 AS version FROM ${s}.task_queue_configs q`,
  limits: `SELECT q.namespace_id, q.queue, q.fairness_key, q.max_concurrent, q.max_per_second FROM ${s}.task_queue_limits q`,
  config: `SELECT q.namespace_id, q.queue, q.kind, q.config::text AS config, q.version::float8 AS version
    FROM ${s}.task_queue_configs q WHERE ${isQueue} AND q.kind = $3`,
  setConfig: `INSERT INTO ${s}.task_queue_configs AS q (namespace_id, queue, kind, version, config) VALUES ($1, $2, $3, $4::bigint + 1, $5::json)
    ON CONFLICT (namespace_id, queue, kind) DO UPDATE SET version = excluded.version, config = excluded.config WHERE q.version = $4
    RETURNING q.version`,
  setLimit: `INSERT INTO ${s}.task_queue_limits (namespace_id, queue, fairness_key, max_concurrent, max_per_second) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (namespace_id, queue, fairness_key) DO UPDATE SET max_concurrent = excluded.max_concurrent, max_per_second = excluded.max_per_second`,
  removeLimit: `DELETE FROM ${s}.task_queue_limits q WHERE ${isQueue} AND q.fairness_key = $3`,
  limitsOf: `SELECT q.namespace_id, q.queue, q.fairness_key, q.max_concurrent, q.max_per_second,
      (SELECT count(*)::integer FROM ${s}.limited_activities a
        WHERE a.namespace_id = q.namespace_id AND a.queue = q.queue AND a.fairness_key = q.fairness_key) AS running
    FROM ${s}.task_queue_limits q WHERE ${isQueue} ORDER BY q.fairness_key`,
  takeStarts: `SELECT granted, wait_ms FROM ${s}.take_starts($1, $2, $3, $4, $5)`,
  admit: `${quick} SELECT ${s}.admit_activity($1, $2, $3, $4, $5, $6, $7, $8) AS admitted FROM quick`,
  leave: `${quick} DELETE FROM ${s}.limited_activities a USING quick, unnest($1::uuid[], $2::integer[], $3::integer[]) AS l(run_id, event, attempt)
    WHERE a.process_id = $4 AND a.run_id = l.run_id AND a.scheduled_event_id = l.event AND a.attempt = l.attempt`,
});
