/** Table `tasks`: work that left the process that made it. Made and ended by `commit_batch`. */
import { epochMs } from './epoch';

const columns = `t.id::text AS id, t.namespace_id, t.queue, t.kind, t.run_id, t.scheduled_event_id, t.attempt, t.priority,
  t.fairness_key, t.fairness_weight, ${epochMs('t.created_at')} AS created_ms`;

/** Rows of the queue that nobody has; $3 namespace, $4 queue, $5 kind. */
const waiting = 'w.namespace_id = $3 AND w.queue = $4 AND w.kind = $5 AND w.claimed_by IS NULL';

export const tasks = (s: string) => ({
  // A claim lost in a crash is no claim, so it need not wait for the disk.
  // `lanes`: the fairness keys of each level, found by jumping through the index. Of each the first rows stand for election (some more than are
  // wanted, as others may be taking them); each has the pass that it would get in a process's backlog (service/matching/backlog.ts).
  // BETWEEN, where an equality would do, and ids by an array, so that no plan reads all rows of the table or of the queue.
  claim: `WITH RECURSIVE quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    lanes(level, fairness_key) AS (
      (SELECT w.priority, w.fairness_key FROM ${s}.tasks w WHERE ${waiting} ORDER BY w.priority, w.fairness_key LIMIT 1)
      UNION ALL
      SELECT n.priority, n.fairness_key FROM lanes l CROSS JOIN LATERAL (
        SELECT w.priority, w.fairness_key FROM ${s}.tasks w
        WHERE ${waiting} AND (w.priority, w.fairness_key) > (l.level, l.fairness_key)
        ORDER BY w.priority, w.fairness_key LIMIT 1) n
    ), candidates AS MATERIALIZED (
      SELECT c.id, l.level, coalesce(k.pass, 0) + c.pass AS pass
      FROM lanes l
      LEFT JOIN unnest($7::smallint[], $8::text[], $9::float8[]) AS k(level, fairness_key, pass)
        ON k.level = l.level AND k.fairness_key = l.fairness_key
      LEFT JOIN json_each_text($10::json) AS o(fairness_key, weight) ON o.fairness_key = l.fairness_key
      CROSS JOIN LATERAL (
        SELECT w.id, (row_number() OVER (ORDER BY w.fairness_key, w.id) - 1) * 1000 / coalesce(o.weight::float8, w.fairness_weight) AS pass
        FROM ${s}.tasks w WHERE ${waiting} AND w.priority = l.level AND w.fairness_key BETWEEN l.fairness_key AND l.fairness_key
        ORDER BY w.fairness_key, w.id LIMIT $6 + (SELECT 50 / count(*) FROM lanes)) c
      WHERE l.fairness_key <> ALL ($11::text[])
    ), elected AS MATERIALIZED (
      SELECT array(SELECT c.id FROM candidates c ORDER BY c.level, c.pass, c.id LIMIT $6 + 50) AS ids
    ), chosen AS MATERIALIZED (
      SELECT w.id, row_number() OVER () AS place FROM (
        SELECT w.id FROM ${s}.tasks w WHERE w.id = ANY ((SELECT ids FROM elected)::bigint[]) AND w.claimed_by IS NULL
        ORDER BY array_position((SELECT ids FROM elected), w.id) LIMIT $6 FOR UPDATE SKIP LOCKED) w
    ), taken AS (
      UPDATE ${s}.tasks t SET claimed_by = $1, claim = $2 FROM quick, chosen
      WHERE t.id = chosen.id RETURNING chosen.place, ${columns}
    )
    SELECT * FROM taken ORDER BY place`,
  claimed: `SELECT ${columns} FROM ${s}.tasks t WHERE t.claimed_by = $1 AND t.claim = $2 ORDER BY t.priority, t.id`,
  release: `UPDATE ${s}.tasks SET claimed_by = NULL, claim = NULL WHERE id = ANY ($2::bigint[]) AND claimed_by = $1`,
  drop: `DELETE FROM ${s}.tasks WHERE id = ANY ($1::bigint[])`,
  backlog: `SELECT priority, count(*)::float8 AS count, ${epochMs('min(created_at)')} AS oldest_ms
    FROM ${s}.tasks WHERE namespace_id = $1 AND queue = $2 AND kind = $3 AND claimed_by IS NULL GROUP BY priority`,
});
