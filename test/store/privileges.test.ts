/** What the schema lets others do, asked of Postgres's catalogue. */
import { describe, expect, it } from 'vitest';
import { freshSchema, sql, testStore } from '../support/database';

const found = async (schema: string, text: string): Promise<string[]> =>
  (await sql<{ name: string }>(text, [schema])).map(({ name }) => name);

describe('the schema', () => {
  it('grants nothing to PUBLIC', async () => {
    const database = freshSchema();
    await testStore({}, database);
    const { schema } = database;
    const granted = `
      SELECT p.oid::regprocedure::text AS name FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace = $1::regnamespace AND a.grantee = 0
      UNION ALL SELECT c.oid::regclass::text FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'v', 'S') AND a.grantee = 0
      UNION ALL SELECT n.nspname FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        WHERE n.oid = $1::regnamespace AND a.grantee = 0`;
    expect(await found(schema, granted)).toEqual([]);
    await sql(`GRANT EXECUTE ON FUNCTION "${schema}".delete_execution TO PUBLIC`);
    expect(await found(schema, granted)).toEqual([expect.stringContaining('delete_execution')]);
  });

  it('has functions that look names up in it alone, whatever the search_path of the caller', async () => {
    const database = freshSchema();
    await testStore({}, database);
    const { schema } = database;
    // SQL functions that name nothing are inlined into plans, which a setting would forbid; commit_batch names the schema itself.
    const free = `SELECT p.proname AS name FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
      AND NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%' AND setting NOT LIKE '%public%')`;
    expect((await found(schema, free)).sort()).toEqual(['commit_batch', 'ms_to_timestamp', 'patch_ids']);
    const unnamed = `SELECT m[1] AS name FROM pg_proc p, regexp_matches(p.prosrc, '(?:FROM|JOIN|INTO|UPDATE)\\s+([a-z_]+)\\s', 'g') m
      WHERE p.pronamespace = $1::regnamespace AND p.proname = 'commit_batch' AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relname = m[1])`;
    expect(await found(schema, unnamed)).toEqual([]);
  });

  it('has views that read with the rights of who asks, from Postgres 15 on', async () => {
    const database = freshSchema();
    await testStore({}, database);
    const [version] = await sql<{ old: boolean }>(`SELECT current_setting('server_version_num')::int < 150000 AS old`);
    const asOwner = `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'v'
      AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)`;
    if (version!.old) expect(await found(database.schema, asOwner)).toContain('workflows');
    else expect(await found(database.schema, asOwner)).toEqual([]);
  });

  it('has functions that run with the rights of their callers, but for those that free what dead processes had, and know a restored database', async () => {
    const database = freshSchema();
    await testStore({}, database);
    const { schema } = database;
    const definers =
      'SELECT proname AS name FROM pg_proc WHERE pronamespace = $1::regnamespace AND prosecdef ORDER BY 1';
    expect(await found(schema, definers)).toEqual(['meet_timeline', 'reap_processes']);
  });
});
