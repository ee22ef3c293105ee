/** Tables `route_versions` and `routed_ids`. */
import { ago, epochMs } from './epoch';

const versionColumns = `version, routes, ${epochMs('changed_at')} AS changed_ms, changed_by, reason, restores`;
const idColumns = `r.namespace, r.kind, r.id, r.engine, r.version::float8 AS version, r.settled, r.past`;

export const routing = (s: string) => ({
  routes: `SELECT ${versionColumns} FROM ${s}.route_versions ORDER BY version DESC LIMIT 1`,
  routeVersions: `SELECT ${versionColumns} FROM ${s}.route_versions ORDER BY version DESC LIMIT $1`,
  routeVersion: `SELECT ${versionColumns} FROM ${s}.route_versions WHERE version = $1`,
  // Gapless: the next number can only be taken by those who have seen the last one.
  addRoutes: `INSERT INTO ${s}.route_versions (version, routes, changed_by, reason, restores)
    SELECT $1::int4 + 1, $2, $3, $4, $5 WHERE (SELECT coalesce(max(version), 0) FROM ${s}.route_versions) = $1::int4
    ON CONFLICT (version) DO NOTHING RETURNING ${versionColumns}`,

  find: `SELECT ${idColumns} FROM json_to_recordset($1::json) AS x(namespace text, kind text, id text)
    JOIN ${s}.routed_ids r ON r.namespace = x.namespace AND r.kind = x.kind AND r.id = x.id`,
  // In the order of keys, so that two batches do not wait for each other.
  begin: `INSERT INTO ${s}.routed_ids AS r (namespace, kind, id, engine, starting)
    SELECT x.namespace, x.kind, x.id, x.engine, x.tokens
    FROM json_to_recordset($1::json) AS x(namespace text, kind text, id text, engine text, tokens text[])
    ORDER BY x.namespace COLLATE "C", x.kind COLLATE "C", x.id COLLATE "C"
    ON CONFLICT (namespace, kind, id) DO UPDATE SET
      starting = r.starting || ARRAY(SELECT t FROM unnest(excluded.starting) AS t WHERE t <> ALL (r.starting)),
      version = r.version + 1, changed_at = excluded.changed_at
    RETURNING ${idColumns}, cardinality(r.starting) AS starts`,
  // A loss in a crash of Postgres is made up for by `abandoned`, as the death of a process is, so it need not wait for the disk.
  end: `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    x AS MATERIALIZED (
      SELECT x.* FROM quick, json_to_recordset($1::json) AS x(namespace text, kind text, id text, tokens text[], settled boolean)),
    held AS MATERIALIZED (
      SELECT r.namespace, r.kind, r.id, r.starting, r.settled, x.tokens, x.settled AS done
      FROM ${s}.routed_ids r JOIN x ON r.namespace = x.namespace AND r.kind = x.kind AND r.id = x.id
      ORDER BY r.namespace, r.kind, r.id FOR UPDATE OF r),
    freed AS (
      DELETE FROM ${s}.routed_ids r USING held h
      WHERE r.namespace = h.namespace AND r.kind = h.kind AND r.id = h.id AND NOT h.settled AND NOT h.done AND h.starting <@ h.tokens)
    UPDATE ${s}.routed_ids r SET
      starting = ARRAY(SELECT t FROM unnest(r.starting) AS t WHERE t <> ALL (h.tokens)), settled = r.settled OR h.done
    FROM held h
    WHERE r.namespace = h.namespace AND r.kind = h.kind AND r.id = h.id AND (h.settled OR h.done OR NOT h.starting <@ h.tokens)`,
  move: `UPDATE ${s}.routed_ids r SET engine = $6, version = r.version + 1, settled = true,
      past = array_remove(array_remove(r.past, r.engine), $6) || r.engine
    WHERE r.namespace = $1 AND r.kind = $2 AND r.id = $3 AND r.version = $4 AND r.starting = ARRAY[$5::text] RETURNING r.id`,
  adopt: `WITH adopted AS (
      UPDATE ${s}.routed_ids r SET engine = $4, version = r.version + 1, settled = true
      WHERE r.namespace = $1 AND r.kind = $2 AND r.id = $3 AND NOT r.settled RETURNING r.engine)
    SELECT engine FROM adopted
    UNION ALL SELECT r.engine FROM ${s}.routed_ids r
      WHERE r.namespace = $1 AND r.kind = $2 AND r.id = $3 AND r.settled AND NOT EXISTS (SELECT FROM adopted)`,
  forget: `DELETE FROM ${s}.routed_ids r
    WHERE r.namespace = $1 AND r.kind = $2 AND r.id = $3 AND r.version = $4 AND r.starting = '{}'`,
  abandoned: `SELECT ${idColumns}, dead.tokens FROM ${s}.routed_ids r
    CROSS JOIN LATERAL (SELECT array_agg(t) AS tokens FROM unnest(r.starting) AS t
      WHERE starts_with(t, $3)
        OR NOT EXISTS (SELECT FROM ${s}.processes p WHERE p.id::text = split_part(t, '/', 1) AND p.lease_until > clock_timestamp())) dead
    WHERE r.starting <> '{}' AND r.changed_at < ${ago('$1')} AND dead.tokens IS NOT NULL
    ORDER BY r.changed_at LIMIT $2`,
  aged: `UPDATE ${s}.routed_ids r SET changed_at = clock_timestamp()
    FROM (SELECT w.namespace, w.kind, w.id FROM ${s}.routed_ids w
      WHERE w.changed_at < ${ago('$1')} AND w.starting = '{}'
      ORDER BY w.changed_at LIMIT $2 FOR UPDATE SKIP LOCKED) old
    WHERE r.namespace = old.namespace AND r.kind = old.kind AND r.id = old.id RETURNING ${idColumns}`,
  underWay: `SELECT count(*)::float8 AS count FROM ${s}.routed_ids WHERE starting <> '{}' AND engine = $1`,
});
