/** Table `queries`: questions to workers of other processes. */
export const queries = (s: string) => ({
  // Whoever asks also sweeps: nobody waits for a query longer than a minute.
  post: `WITH swept AS (DELETE FROM ${s}.queries WHERE posted_at < clock_timestamp() - interval '2 minutes')
    INSERT INTO ${s}.queries (id, namespace_id, queue, workflow_id, run_id, query) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO NOTHING`,
  claim: `UPDATE ${s}.queries q SET claimed_by = $1
    WHERE q.id = ANY (ARRAY(
      SELECT w.id FROM ${s}.queries w WHERE w.namespace_id = $2 AND w.queue = $3 AND w.claimed_by IS NULL
      ORDER BY w.posted_at FOR UPDATE SKIP LOCKED))
    RETURNING q.id, q.namespace_id, q.queue, q.workflow_id, q.run_id, q.query::text AS query`,
  answer: `UPDATE ${s}.queries SET answer = $2 WHERE id = $1`,
  readAnswer: `SELECT answer::text AS answer FROM ${s}.queries WHERE id = $1 AND answer IS NOT NULL`,
  remove: `DELETE FROM ${s}.queries WHERE id = $1`,
});
