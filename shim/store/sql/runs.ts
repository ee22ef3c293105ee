/** Table `runs`: the mutable state of open (or owing) runs. Writes go through `commit_batch`. */
import { epochMs } from './epoch';

export const runs = (s: string) => ({
  load: `SELECT state::text AS state, version::float8 AS version, owner, namespace_id, coalesce(held, false) AS held FROM ${s}.runs WHERE run_id = $1`,
  // Ours, nobody's, or a dead process's.
  due: `SELECT r.run_id, ${epochMs('r.due_at')} AS due_at_ms, r.owner
    FROM ${s}.runs r
    WHERE r.due_at <= to_timestamp($1::float8 / 1000) AND (r.owner IS NULL OR r.owner = $2 OR NOT EXISTS (
      SELECT FROM ${s}.processes p WHERE p.id = r.owner AND p.lease_until > clock_timestamp()))
    ORDER BY r.due_at LIMIT $3`,
  commitBatch: `SELECT verdicts, now_ms FROM ${s}.commit_batch(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)`,
  settleBatch: `SELECT committed, verdicts FROM ${s}.settle_batch($1, $2)`,
  delete: `SELECT ${s}.delete_execution($1)`,
});
