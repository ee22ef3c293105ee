/** Table `processes`: leases, and what each process polls. */
import { epochMs, fromNow } from './epoch';

export const processes = (s: string) => ({
  // Renews ours and reads all in one round trip; losing it in a crash of Postgres is as good as a late renewal, so it need not wait for the disk.
  // One row at least, for the clock.
  renew: `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    renewed AS (
      INSERT INTO ${s}.processes AS p (id, identity, started_at, lease_until, listens, pollers, skips_time, expires, at_fence)
      SELECT $1::uuid, $2, clock_timestamp(), ${fromNow('$3')}, $4::boolean, $5::json, $6::boolean, $7::boolean, $8::boolean
      FROM quick
      ON CONFLICT (id) DO UPDATE SET
        identity = excluded.identity, lease_until = excluded.lease_until, listens = excluded.listens, pollers = excluded.pollers,
        skips_time = excluded.skips_time, expires = excluded.expires, at_fence = excluded.at_fence
      RETURNING p.id, p.xmax = 0 AS fresh
    )
    SELECT o.id, o.identity, o.listens, o.pollers, o.skips_time, o.expires, ${epochMs('o.lease_until')} AS lease_until_ms,
      o.lease_until < clock_timestamp() AS dead, renewed.fresh, ${epochMs('clock_timestamp()')} AS now_ms,
      m.timeline, m.fenced
    FROM renewed CROSS JOIN ${s}.meet_timeline() AS m LEFT JOIN ${s}.processes o ON o.id <> renewed.id`,
  reap: `SELECT ${s}.reap_processes($1) AS done`,
  // For those who leave in order: the next reaper, which is the leaver itself, takes its things apart.
  expire: `UPDATE ${s}.processes SET lease_until = '-infinity' WHERE id = $1`,
});
