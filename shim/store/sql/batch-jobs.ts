/** Tables `batch_jobs` and `batch_items`. */
import { epochMs } from './epoch';

const columns = `j.namespace_id, j.job_id, j.state, j.type, j.operation::text AS operation, j.query, j.reason, j.identity, j.operations_per_second,
  ${epochMs('j.started_at')} AS started_ms, coalesce(${epochMs('j.closed_at')}, 0) AS closed_ms,
  j.page_token, j.listed, j.total, j.completed, j.failed`;

const isJob = 'j.namespace_id = $1 AND j.job_id = $2';
const isItem = 'i.namespace_id = $1 AND i.job_id = $2';

export const batchJobs = (s: string) => ({
  start: `WITH job AS (
      INSERT INTO ${s}.batch_jobs (namespace_id, job_id, type, operation, query, reason, identity, operations_per_second, listed, total)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[] IS NOT NULL, coalesce(cardinality($9::text[]), 0))
      ON CONFLICT DO NOTHING RETURNING job_id
    ), items AS (
      INSERT INTO ${s}.batch_items (namespace_id, job_id, position, workflow_id, run_id)
      SELECT $1, job.job_id, t.n, t.workflow_id, t.run_id
      FROM job CROSS JOIN unnest($9::text[], $10::text[]) WITH ORDINALITY AS t(workflow_id, run_id, n)
    )
    SELECT EXISTS (SELECT FROM job) AS started,
      EXISTS (SELECT FROM ${s}.batch_jobs j WHERE ${isJob}) AS there`,
  load: `SELECT ${columns} FROM ${s}.batch_jobs j WHERE ${isJob}`,
  list: `SELECT ${columns} FROM ${s}.batch_jobs j
    WHERE j.namespace_id = $1 AND ($3::float8 IS NULL OR (${epochMs('j.started_at')}, j.job_id) < ($3, $4))
    ORDER BY j.started_at DESC, j.job_id DESC LIMIT $2`,
  claim: `UPDATE ${s}.batch_jobs j SET owner = $1
    FROM (
      SELECT w.namespace_id, w.job_id FROM ${s}.batch_jobs w
      WHERE w.state = 1 AND (w.owner IS NULL OR w.owner = $1 OR NOT EXISTS (
        SELECT FROM ${s}.processes p WHERE p.id = w.owner AND p.lease_until > clock_timestamp()))
        AND NOT EXISTS (
          SELECT FROM unnest($2::int4[], $3::text[]) AS k(namespace_id, job_id)
          WHERE k.namespace_id = w.namespace_id AND k.job_id = w.job_id)
      ORDER BY w.started_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) free
    WHERE j.namespace_id = free.namespace_id AND j.job_id = free.job_id RETURNING ${columns}`,
  release: `UPDATE ${s}.batch_jobs j SET owner = NULL WHERE ${isJob} AND j.owner = $3`,
  addItems: `WITH job AS (
      UPDATE ${s}.batch_jobs j SET total = j.total + cardinality($4::text[]), page_token = $6, listed = $6::bytea IS NULL
      WHERE ${isJob} AND j.owner = $3 AND j.state = 1 AND NOT j.listed RETURNING j.total
    ), items AS (
      INSERT INTO ${s}.batch_items (namespace_id, job_id, position, workflow_id, run_id)
      SELECT $1, $2, job.total - cardinality($4::text[]) + t.n, t.workflow_id, t.run_id
      FROM job CROSS JOIN unnest($4::text[], $5::text[]) WITH ORDINALITY AS t(workflow_id, run_id, n)
    )
    SELECT FROM job`,
  items: `SELECT i.position, i.workflow_id, i.run_id FROM ${s}.batch_items i
    WHERE ${isItem} AND i.position > $3 AND i.error IS NULL ORDER BY i.position LIMIT $4`,
  finish: `WITH mine AS (
      SELECT FROM ${s}.batch_jobs j WHERE ${isJob} AND j.owner = $3 AND j.state = 1 FOR NO KEY UPDATE
    ), done AS (
      DELETE FROM ${s}.batch_items i USING unnest($4::int4[]) AS d(position)
      WHERE ${isItem} AND i.position = d.position AND i.error IS NULL AND EXISTS (SELECT FROM mine) RETURNING 1
    ), bad AS (
      UPDATE ${s}.batch_items i SET error = b.error FROM unnest($5::int4[], $6::text[]) AS b(position, error)
      WHERE ${isItem} AND i.position = b.position AND i.error IS NULL AND EXISTS (SELECT FROM mine) RETURNING 1
    )
    UPDATE ${s}.batch_jobs j SET completed = j.completed + (SELECT count(*) FROM done), failed = j.failed + (SELECT count(*) FROM bad)
    WHERE ${isJob} AND EXISTS (SELECT FROM mine) RETURNING 1`,
  complete: `UPDATE ${s}.batch_jobs j SET state = 2, closed_at = clock_timestamp(), owner = NULL
    WHERE ${isJob} AND j.owner = $3 AND j.state = 1 AND j.listed`,
  stop: `WITH job AS (
      UPDATE ${s}.batch_jobs j SET state = 3, closed_at = clock_timestamp(), owner = NULL WHERE ${isJob} AND j.state = 1 RETURNING 1
    ), items AS (
      DELETE FROM ${s}.batch_items i WHERE ${isItem} AND i.error IS NULL AND EXISTS (SELECT FROM job)
    )
    SELECT FROM job`,
  deleteClosed: `DELETE FROM ${s}.batch_jobs j
    WHERE j.namespace_id = $1 AND j.job_id IN (
      SELECT w.job_id FROM ${s}.batch_jobs w
      WHERE w.namespace_id = $1 AND w.state <> 1 AND w.closed_at < to_timestamp($2::float8 / 1000) LIMIT 100
    ) RETURNING 1`,
});
