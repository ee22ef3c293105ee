/** Table `payload_parties`. */
import { ago } from './epoch';

const columns = `p.id::text, p.engine, p.namespace, p.task_queue, p.identity, p.canary, p.unreadable`;

export const payloadParties = (s: string) => ({
  // A loss in a crash of Postgres is made up for by the next time.
  show: `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO ${s}.payload_parties AS p (id, engine, namespace, task_queue, identity, canary, unreadable)
    SELECT x.id, x.engine, x.namespace, x.task_queue, x.identity, x.canary, x.unreadable FROM quick, json_to_recordset($1::json)
      AS x(id uuid, engine text, namespace text, task_queue text, identity text, canary json, unreadable json)
    ON CONFLICT (id) DO UPDATE SET unreadable = excluded.unreadable, seen_at = excluded.seen_at
    RETURNING xmax = 0 AS fresh`,
  live: `WITH old AS (DELETE FROM ${s}.payload_parties WHERE seen_at < clock_timestamp() - interval '1 hour')
    SELECT ${columns} FROM ${s}.payload_parties p
    WHERE p.seen_at > ${ago('$1')} ORDER BY p.id`,
  leave: `DELETE FROM ${s}.payload_parties WHERE id = ANY ($1::uuid[])`,
});
