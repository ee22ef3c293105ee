/** What is measured of the tables themselves: bounded, as it runs every few seconds. */
export const measures = (s: string) => ({
  // At most so many rows are counted: a longer backlog is as alarming.
  backlog: `SELECT n.name AS namespace, t.queue, t.kind, count(*)::float8 AS count,
      greatest(0, extract(epoch FROM clock_timestamp() - min(t.created_at)))::float8 AS age
    FROM (SELECT namespace_id, queue, kind, created_at FROM ${s}.tasks WHERE claimed_by IS NULL LIMIT 100000) t
    JOIN ${s}.namespaces n ON n.id = t.namespace_id
    GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 200`,
  overdue: `SELECT count(*)::float8 AS count,
      coalesce(extract(epoch FROM clock_timestamp() - min(due_at) FILTER (WHERE isfinite(due_at))), 0)::float8 AS age
    FROM (SELECT due_at FROM ${s}.runs WHERE due_at < clock_timestamp() ORDER BY due_at LIMIT 10000) r`,
  tables: `SELECT c.relname AS name, pg_total_relation_size(c.oid)::float8 AS bytes,
      coalesce(t.n_live_tup, 0)::float8 AS live, coalesce(t.n_dead_tup, 0)::float8 AS dead
    FROM pg_class c LEFT JOIN pg_stat_all_tables t ON t.relid = c.oid
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'`,
});
