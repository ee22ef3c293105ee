/** Table `tasks`: work that left the process that made it. Made and ended by `commit_batch`. */
const columns =
  't.id::text AS id, t.namespace_id, t.queue, t.kind, t.run_id, t.scheduled_event_id, t.attempt, t.priority';

export const tasks = (s: string) => ({
  // A claim lost in a crash is no claim, so it need not wait for the disk.
  claim: `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    UPDATE ${s}.tasks t SET claimed_by = $1, claim = $2 FROM quick
    WHERE t.id = ANY (ARRAY(
      SELECT w.id FROM ${s}.tasks w
      WHERE w.namespace_id = $3 AND w.queue = $4 AND w.kind = $5 AND w.claimed_by IS NULL
      ORDER BY w.priority, w.id LIMIT $6 FOR UPDATE SKIP LOCKED))
    RETURNING ${columns}`,
  claimed: `SELECT ${columns} FROM ${s}.tasks t WHERE t.claimed_by = $1 AND t.claim = $2`,
  release: `UPDATE ${s}.tasks SET claimed_by = NULL, claim = NULL WHERE id = ANY ($2::bigint[]) AND claimed_by = $1`,
  drop: `DELETE FROM ${s}.tasks WHERE id = ANY ($1::bigint[])`,
  backlog: `SELECT count(*)::float8 AS count, coalesce(extract(epoch FROM min(created_at))::float8 * 1000, 0) AS oldest_ms
    FROM ${s}.tasks WHERE namespace_id = $1 AND queue = $2 AND kind = $3 AND claimed_by IS NULL`,
});
