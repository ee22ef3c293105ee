/** Table `worker_deployments`. */
const columns = `d.namespace_id, d.name, d.version::float8 AS version, d.state::text AS state`;

export const deployments = (s: string) => ({
  all: `SELECT ${columns} FROM ${s}.worker_deployments d`,
  load: `SELECT ${columns} FROM ${s}.worker_deployments d WHERE d.namespace_id = $1 AND d.name = $2`,
  create: `INSERT INTO ${s}.worker_deployments (namespace_id, name, version, state) VALUES ($1, $2, 1, $3)
    ON CONFLICT (namespace_id, name) DO NOTHING RETURNING 1`,
  change: `UPDATE ${s}.worker_deployments SET version = version + 1, state = $4
    WHERE namespace_id = $1 AND name = $2 AND version = $3 RETURNING 1`,
  remove: `DELETE FROM ${s}.worker_deployments WHERE namespace_id = $1 AND name = $2 AND version = $3 RETURNING 1`,
  // By the index on search attributes.
  hasPinnedRuns: `SELECT EXISTS (SELECT FROM ${s}.executions e WHERE e.namespace_id = $1 AND e.status = 1
    AND e.search_attributes @> jsonb_build_object('TemporalWorkerDeploymentVersion', $2::text, 'TemporalWorkflowVersioningBehavior', 'Pinned'))
    AS found`,
  waiting: `SELECT t.id::text AS id, t.queue, t.kind, t.run_id, t.scheduled_event_id, t.attempt
    FROM unnest($1::int4[], $2::text[], $3::text[], $4::int8[]) AS q(namespace, queue, kind, after) CROSS JOIN LATERAL (
      SELECT w.* FROM ${s}.tasks w
      WHERE w.namespace_id = q.namespace AND w.queue = q.queue AND w.kind = q.kind AND w.claimed_by IS NULL AND w.id > q.after
      ORDER BY w.id LIMIT $5) t`,
});
