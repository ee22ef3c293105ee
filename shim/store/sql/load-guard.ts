/** Tables `load_guard` and `load_events`, and what is measured for them. */
import { ago, epochMs, fromNow } from './epoch';

export const loadGuard = (s: string) => ({
  claim: `INSERT INTO ${s}.load_guard AS g (sampler, lease_until)
    VALUES ($1::uuid, ${fromNow('$2')})
    ON CONFLICT (only_one) DO UPDATE SET sampler = excluded.sampler, lease_until = excluded.lease_until
      WHERE (g.sampler = excluded.sampler OR g.lease_until < clock_timestamp())
        AND (g.sampled_at IS NULL OR g.sampled_at < ${ago('$3')})
    RETURNING true AS mine`,
  release: `UPDATE ${s}.load_guard SET lease_until = '-infinity' WHERE sampler = $1::uuid`,
  // The next transaction id moves with each transaction that writes; looking at it takes none.
  counters: `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::float8 AS connections,
      pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS writes,
      (SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_all_tables WHERE schemaname = $1)::float8 AS dead_tuples`,
  // Without pg_monitor the rows are there and say nothing.
  replicationLag: `SELECT CASE WHEN count(*) = 0 THEN 0 WHEN count(state) = 0 THEN NULL
      ELSE coalesce(extract(epoch FROM max(replay_lag)), 0) END::float8 AS lag FROM pg_stat_replication`,
  write: `WITH written AS (
      UPDATE ${s}.load_guard SET phase = $2, since = to_timestamp($3::float8 / 1000), load = $4::json, reasons = $5::json, sampled_at = clock_timestamp()
      WHERE sampler = $1::uuid AND lease_until > clock_timestamp() RETURNING sampler),
    logged AS (
      INSERT INTO ${s}.load_events (mode, diverting, reasons, load)
      SELECT e.mode, e.diverting, e.reasons, e.load FROM written, json_to_record($6::json) AS e(mode text, diverting boolean, reasons json, load json)
      WHERE $6::json IS NOT NULL)
    SELECT true AS written FROM written`,
  read: `SELECT phase, ${epochMs('since')} AS since_ms, load, reasons, sampler::text,
      ${epochMs('clock_timestamp() - sampled_at')} AS age_ms
    FROM ${s}.load_guard WHERE sampled_at IS NOT NULL`,
  events: `SELECT mode, diverting, reasons, load, ${epochMs('at')} AS at_ms
    FROM ${s}.load_events ORDER BY at DESC, id DESC LIMIT $1`,
});
