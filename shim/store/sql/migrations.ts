/** Table `migrations`: which numbered files have been applied. `s` is the quoted schema. */
export const migrations = (s: string) => ({
  isThere: `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = 'migrations') AS there`,
  version: `SELECT coalesce(max(version), 0) AS version FROM ${s}.migrations`,
  lock: `SELECT pg_advisory_xact_lock(hashtextextended('branchline migrations ' || $1, 0))`,
  // CREATE SCHEMA IF NOT EXISTS asks for the right to create one even where it exists.
  schemaIsThere: `SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1`,
  createSchema: `CREATE SCHEMA ${s}`,
  createTable: `CREATE TABLE ${s}.migrations (
    version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
  // New functions may be called by everybody, unless that is taken back.
  nothingToPublic: `REVOKE ALL ON ALL ROUTINES IN SCHEMA ${s} FROM PUBLIC`,
  // Row-level security is that of who asks, not of the owner. CREATE OR REPLACE VIEW forgets it; Postgres 14 does not know it.
  viewsAsCaller: `DO $$ DECLARE v record; BEGIN
    IF current_setting('server_version_num')::integer >= 150000 THEN
      FOR v IN SELECT c.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class c WHERE c.relnamespace = '${s}'::pg_catalog.regnamespace AND c.relkind = 'v' LOOP
        EXECUTE pg_catalog.format('ALTER VIEW %s SET (security_invoker = true)', v.name);
      END LOOP;
    END IF;
  END $$`,
  record: `INSERT INTO ${s}.migrations (version, name) VALUES ($1, $2)`,
});
