/** Group roles, their rights and their policies. `s` is the quoted schema, `r` a quoted role. Also printed, for those who run SQL themselves. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const roles = (s: string) => ({
  /** Of who asks: the owners of the schema and its tables, and what he may do. $1 the schema, $2 names of roles. */
  standing: `SELECT current_setting('server_version_num')::integer AS server, current_user AS login,
      (SELECT max(version) FROM ${s}.migrations) AS migration,
      pg_get_userbyid(n.nspowner) AS schema_owner, pg_has_role(n.nspowner, 'USAGE') AS owns_schema,
      pg_get_userbyid(c.relowner) AS table_owner, pg_has_role(c.relowner, 'USAGE') AS owns_tables,
      (SELECT u.rolsuper OR u.rolcreaterole FROM pg_roles u WHERE u.rolname = current_user) AS creates_roles,
      ARRAY(SELECT g.rolname::text FROM pg_roles g WHERE g.rolname = ANY ($2::text[])) AS there,
      ARRAY(SELECT g.rolname::text FROM pg_roles g
        WHERE g.rolname = ANY ($2::text[]) AND (g.rolcanlogin OR g.rolsuper OR g.rolbypassrls OR g.rolcreaterole)) AS taken,
      EXISTS (SELECT FROM pg_namespace p, aclexplode(p.nspacl) a
        WHERE p.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE') AS public_is_open
    FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'migrations' WHERE n.nspname = $1`,
  namespaces: `SELECT n.name FROM ${s}.namespaces n WHERE n.name = ANY ($1::text[])`,
  /** Of which of these namespaces the attribute is a Keyword (2). */
  keywords: `SELECT n.name FROM ${s}.namespaces n JOIN ${s}.search_attributes a ON a.namespace_id = n.id
    WHERE n.name = ANY ($1::text[]) AND a.name = $2 AND a.type = 2`,
  /** The roles of this schema, by their policies on executions; $1 is that table. */
  installed: `SELECT p.polname::text AS name, obj_description(p.oid, 'pg_policy') AS remark,
      ARRAY(SELECT m.rolname::text FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member WHERE a.roleid = g.oid ORDER BY 1) AS members
    FROM pg_policy p JOIN pg_roles g ON g.oid = ANY (p.polroles)
    WHERE p.polrelid = to_regclass($1) AND p.polname = g.rolname AND obj_description(p.oid, 'pg_policy') LIKE '{"role":%' ORDER BY 1`,
});

export const schemaRights = (s: string) => ({
  // Policies keep the operators and functions that are found now.
  names: `SET LOCAL search_path TO pg_catalog, pg_temp`,
  // On 14 views read as their owner, whatever the policies say.
  atLeast15: `DO $$ BEGIN
  IF pg_catalog.current_setting('server_version_num')::integer < 150000 THEN
    RAISE EXCEPTION 'Roles for some namespaces need Postgres 15' USING ERRCODE = 'feature_not_supported';
  END IF;
END $$`,
  // Views that were made on Postgres 14, before an upgrade.
  asCaller: (view: string) => `ALTER VIEW ${s}.${view} SET (security_invoker = true)`,
  // Locks of the kind that policies need are waited for while everybody else waits behind them.
  waitShortly: `SET LOCAL lock_timeout = '2s'`,
  takeShort: `SET LOCAL statement_timeout = '10s'`,
  create: (name: string) => `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal(name)}) THEN
    CREATE ROLE ${quoted(name)} NOLOGIN;
  END IF;
END $$`,
  drop: (name: string) => `DROP ROLE IF EXISTS ${quoted(name)}`,
  nothing: (r: string) => [
    `REVOKE ALL ON ALL TABLES IN SCHEMA ${s} FROM ${r}`,
    `REVOKE ALL ON ALL ROUTINES IN SCHEMA ${s} FROM ${r}`,
    `REVOKE ALL ON SCHEMA ${s} FROM ${r}`,
  ],
  use: (r: string) => `GRANT USAGE ON SCHEMA ${s} TO ${r}`,
  tables: (privileges: string, names: readonly string[], r: string) =>
    `GRANT ${privileges} ON ${names.map((name) => `${s}.${name}`).join(', ')} TO ${r}`,
  functions: (names: readonly string[], r: string) =>
    `GRANT EXECUTE ON FUNCTION ${names.map((name) => `${s}.${name}`).join(', ')} TO ${r}`,

  dropPolicy: (table: string, r: string) => `DROP POLICY IF EXISTS ${r} ON ${s}.${table}`,
  readPolicy: (table: string, r: string, using: string) =>
    `CREATE POLICY ${r} ON ${s}.${table} FOR SELECT TO ${r} USING (${using})`,
  policy: (table: string, r: string, using: string, check: string) =>
    `CREATE POLICY ${r} ON ${s}.${table} TO ${r} USING (${using}) WITH CHECK (${check})`,
  remark: (table: string, r: string, remark: string) => `COMMENT ON POLICY ${r} ON ${s}.${table} IS ${literal(remark)}`,
  // Not for the owner: the engine's own way stays as it is.
  enable: (table: string) => `ALTER TABLE ${s}.${table} ENABLE ROW LEVEL SECURITY`,
  disable: (table: string) => `ALTER TABLE ${s}.${table} DISABLE ROW LEVEL SECURITY`,

  join: (r: string, login: string) => `GRANT ${r} TO ${quoted(login)}`,
  leave: (r: string, login: string) => `REVOKE ${r} FROM ${quoted(login)}`,
});
