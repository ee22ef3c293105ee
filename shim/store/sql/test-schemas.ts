/** Schemas of test environments: each has a session that holds a lock while the environment lives. `s` is the quoted schema. */
export const testSchemaPattern = '^branchline_test_[0-9a-f]{16}$';

export const testSchemas = (s: string) => ({
  hold: `SELECT pg_advisory_lock(hashtextextended('branchline test ' || $1, 0))`,
  // Without a holder: their processes were killed.
  abandoned: `SELECT nspname AS name FROM pg_catalog.pg_namespace
    WHERE nspname ~ '${testSchemaPattern}' AND pg_catalog.pg_get_userbyid(nspowner) = current_user
      AND pg_try_advisory_xact_lock(hashtextextended('branchline test ' || nspname, 0))
    LIMIT 5`,
  create: `CREATE SCHEMA ${s}`,
  drop: `DROP SCHEMA IF EXISTS ${s} CASCADE`,
});
