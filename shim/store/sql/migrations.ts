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
  record: `INSERT INTO ${s}.migrations (version, name) VALUES ($1, $2)`,
});
