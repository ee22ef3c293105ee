/** The group roles: what is installed, by whom, and what each of them may not do, asked of Postgres as those logins. */
import { describe, expect, it } from 'vitest';
import { printedInstall, RoleAdmin } from '../../shim/store/roles/role-admin';
import { FUNCTIONS, ROLE_KINDS, TABLES, TRIGGER_FUNCTIONS, VIEWS } from '../../shim/store/roles/rights';
import { openStore } from '../../shim/store/open';
import { readMigrations } from '../../shim/store/migrate';
import { freshSchema, sql, testStore } from '../support/database';
import { refusal, session, testLogin, testRoles } from '../support/roles';

const names = async (text: string, values: unknown[]): Promise<string[]> =>
  (await sql<{ name: string }>(text, values)).map(({ name }) => name).sort();

/** All rights that a role has in a schema, in words. */
const rightsOf = (schema: string, role: string): Promise<string[]> =>
  names(
    `SELECT c.relname || ' ' || a.privilege_type AS name FROM pg_class c, aclexplode(c.relacl) a
       WHERE c.relnamespace = $1::regnamespace AND a.grantee = $2::regrole
     UNION ALL SELECT p.oid::regprocedure || ' ' || a.privilege_type FROM pg_proc p, aclexplode(p.proacl) a
       WHERE p.pronamespace = $1::regnamespace AND a.grantee = $2::regrole
     UNION ALL SELECT polrelid::regclass || ': ' || polcmd::text || pg_get_expr(polqual, polrelid) FROM pg_policy
       WHERE polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = $1::regnamespace) AND $2::regrole = ANY (polroles)`,
    [schema, role],
  );

describe('the lists of rights', () => {
  it('name every table, view and function of the schema, and nothing else', async () => {
    const database = freshSchema();
    await testStore({}, database);
    const relations = (kind: string): Promise<string[]> =>
      names(`SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = $2`, [
        database.schema,
        kind,
      ]);
    expect(Object.keys(TABLES).sort()).toEqual(await relations('r'));
    expect([...VIEWS].sort()).toEqual(await relations('v'));
    const functions = Object.keys(FUNCTIONS).map((name) => name.replace(/\(.*/, ''));
    expect([...functions, ...TRIGGER_FUNCTIONS].sort()).toEqual(
      await names(`SELECT proname AS name FROM pg_proc WHERE pronamespace = $1::regnamespace`, [database.schema]),
    );
  });
});

describe('installing', () => {
  it('makes groups that cannot log in, and changes nothing when it is done again', async () => {
    const database = freshSchema();
    const { installed, prefix } = await testRoles(database);
    expect(installed.map(({ name, kind, members, outdated }) => ({ name, kind, members, outdated }))).toEqual(
      [...ROLE_KINDS].sort().map((kind) => ({ name: `${prefix}_${kind}`, kind, members: [], outdated: false })),
    );
    expect(
      await names(`SELECT rolname AS name FROM pg_roles WHERE rolname LIKE $1 AND rolcanlogin`, [`${prefix}%`]),
    ).toEqual([]);
    const all = () => Promise.all(ROLE_KINDS.map((kind) => rightsOf(database.schema, `${prefix}_${kind}`)));
    const before = await all();
    // A right too many goes.
    await sql(`GRANT TRUNCATE ON ${database.schema}.history TO ${prefix}_client`);
    expect(await all()).not.toEqual(before);
    await RoleAdmin.with(database, (admin) => admin.install({ prefix }));
    expect(await all()).toEqual(before);
  });

  it('does the same by the SQL that it prints', async () => {
    const database = freshSchema();
    const { prefix } = await testRoles(database);
    const installed = await RoleAdmin.with(database, (admin) => admin.installed());
    const before = await rightsOf(database.schema, `${prefix}_worker`);
    await RoleAdmin.with(database, (admin) => admin.uninstall(prefix));
    await sql(printedInstall(database.schema, { prefix }));
    expect(await RoleAdmin.with(database, (admin) => admin.installed())).toEqual(installed);
    expect(await rightsOf(database.schema, `${prefix}_worker`)).toEqual(before);
  });

  it('needs the owner, and CREATEROLE for roles that are not there', async () => {
    const database = freshSchema();
    const owner = await testLogin(database);
    await sql(`CREATE SCHEMA ${database.schema} AUTHORIZATION ${new URL(owner.url).username}`);
    await testStore({}, owner);
    const install = (as: typeof owner, prefix = database.schema) =>
      RoleAdmin.with(as, (admin) => admin.install({ prefix }));
    await expect(install(owner)).rejects.toMatchObject({
      code: 'BRANCHLINE_ROLES_RIGHTS',
      message: expect.stringContaining('CREATEROLE') as string,
    });
    const other = await testLogin(database, [], 'CREATEROLE');
    await sql(`GRANT USAGE ON SCHEMA ${database.schema} TO ${new URL(other.url).username}`);
    await sql(`GRANT SELECT ON ${database.schema}.migrations TO ${new URL(other.url).username}`);
    await expect(install(other)).rejects.toMatchObject({
      code: 'BRANCHLINE_ROLES_RIGHTS',
      message: expect.stringContaining(`do this as "${new URL(owner.url).username}"`) as string,
    });
    // A DBA makes the roles, the owner does the rest.
    for (const kind of ROLE_KINDS) await sql(`CREATE ROLE ${database.schema}_${kind} NOLOGIN`);
    expect(await install(owner)).toHaveLength(4);
    await sql(`ALTER ROLE ${new URL(owner.url).username} CREATEROLE`);
    await sql(
      `GRANT ${ROLE_KINDS.map((kind) => `${database.schema}_${kind}`).join(', ')} TO ${new URL(owner.url).username} WITH ADMIN OPTION`,
    );
    await RoleAdmin.with(owner, (admin) => admin.uninstall(database.schema));
    expect(
      await names(`SELECT rolname AS name FROM pg_roles WHERE rolname LIKE $1`, [`${database.schema}\\_%er`]),
    ).toEqual([]);
  });

  it('takes no login for a group, and no odd names', async () => {
    const database = freshSchema();
    await sql(`CREATE ROLE ${database.schema}_client LOGIN`);
    const install = (prefix: string) => RoleAdmin.with(database, (admin) => admin.install({ prefix }));
    await expect(install(database.schema)).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_TAKEN' });
    await sql(`DROP ROLE ${database.schema}_client`);
    await expect(install('a"; DROP ROLE x; --')).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_OPTION' });
    await expect(RoleAdmin.with({ ...database, schema: 'a"b' }, async () => {})).rejects.toThrow(/Schema name/);
    expect(() => printedInstall('a"b', {})).toThrow(/Schema name/);
  });

  it('is undone whole; members are told', async () => {
    const database = freshSchema();
    const roles = await testRoles(database);
    const login = new URL((await roles.login('client')).url).username;
    const gone = await RoleAdmin.with(database, (admin) => admin.uninstall(roles.prefix));
    expect(gone.find(({ kind }) => kind === 'client')?.members).toEqual([login]);
    expect(
      await names(`SELECT rolname AS name FROM pg_roles WHERE rolname LIKE $1`, [`${roles.prefix}\\_%er`]),
    ).toEqual([]);
    expect(
      await names(
        `SELECT polname AS name FROM pg_policy p JOIN pg_class c ON c.oid = polrelid WHERE relnamespace = $1::regnamespace`,
        [database.schema],
      ),
    ).toEqual([]);
    expect(await RoleAdmin.with(database, (admin) => admin.installed())).toEqual([]);
  });

  it('gives and takes memberships', async () => {
    const database = freshSchema();
    const { prefix } = await testRoles(database);
    const login = new URL((await testLogin(database)).url).username;
    const members = async () =>
      (await RoleAdmin.with(database, (admin) => admin.installed())).find(({ kind }) => kind === 'reader')?.members;
    await RoleAdmin.with(database, (admin) => admin.grant('reader', login, prefix));
    expect(await members()).toEqual([login]);
    await RoleAdmin.with(database, (admin) => admin.revoke('reader', login, prefix));
    expect(await members()).toEqual([]);
    await expect(
      RoleAdmin.with(database, (admin) => admin.grant('reader', 'nobody_there', prefix)),
    ).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_LOGIN' });
    await expect(RoleAdmin.with(database, (admin) => admin.grant('reader', login, 'other'))).rejects.toMatchObject({
      code: 'BRANCHLINE_ROLES_NOT_INSTALLED',
    });
  });
});

describe('a process that does not own the tables', () => {
  it('does not migrate: it says who must, and that its roles are old', async () => {
    const database = freshSchema();
    const roles = await testRoles(database);
    const newest = readMigrations().at(-1)!.version;
    await sql(`DELETE FROM ${database.schema}.migrations WHERE version = $1`, [newest]);
    await expect(openStore(await roles.login('worker'))).rejects.toMatchObject({
      code: 'BRANCHLINE_DATABASE_OLDER',
      message: expect.stringContaining('as the owner') as string,
    });
    await sql(`INSERT INTO ${database.schema}.migrations (version, name) VALUES ($1, 'again')`, [newest]);
    await testStore({}, await roles.login('worker'));
  });

  it('is told which role it lacks', async () => {
    const database = freshSchema();
    const roles = await testRoles(database);
    await expect(openStore(await testLogin(database))).rejects.toMatchObject({ code: 'BRANCHLINE_DATABASE_RIGHTS' });
    await expect(openStore(await roles.login('reader'))).rejects.toMatchObject({ code: 'BRANCHLINE_DATABASE_RIGHTS' });
  });

  it('is told that the tables are not there, when they are not', async () => {
    const database = freshSchema();
    await sql(`CREATE SCHEMA ${database.schema}`);
    await expect(openStore(await testLogin(database))).rejects.toMatchObject({
      code: 'BRANCHLINE_DATABASE_CONNECTION',
      message: expect.stringContaining('can connect once the owner has') as string,
    });
  });
});

/** What each role must not be able to do: statements that the roles before it are refused, down to the one named. */
const forbidden: Record<string, readonly string[]> = {
  reader: [
    `SELECT s.start_workflow('w', 'q', 'id')`,
    `SELECT s.signal_workflow('id', 'go')`,
    `SELECT s.admit_start(1, '{}', 0::smallint, false, 0)`,
    `INSERT INTO s.executions SELECT * FROM s.executions`,
    `UPDATE s.executions SET status = 2`,
    `DELETE FROM s.history`,
    `UPDATE s.runs SET state = '{}'`,
    `INSERT INTO s.inbox (run_id, kind, request_id, request) VALUES (gen_random_uuid(), 'signal', 'r', '{}')`,
    `SELECT * FROM s.processes`,
    `SELECT * FROM s.queries`,
    `SELECT * FROM s.notices`,
    `SELECT * FROM s.signal_requests`,
    `SELECT * FROM s.migrations`,
    `SELECT s.reap_processes(10)`,
  ],
  client: [
    `UPDATE s.tasks SET claimed_by = gen_random_uuid(), claim = 1`,
    `UPDATE s.history SET events = '[]'`,
    `DELETE FROM s.history`,
    `DELETE FROM s.executions`,
    `UPDATE s.queries SET answer = '{}'`,
    `SELECT s.delete_expired(1, '-infinity', 'infinity', 10, 10)`,
    `SELECT s.delete_execution(gen_random_uuid())`,
    `SELECT s.take_starts(1, 'q', 'k', 1, 1)`,
    `SELECT s.admit_activity(1, 'q', 'k', 1, gen_random_uuid(), gen_random_uuid(), 1, 1)`,
    `INSERT INTO s.local_results VALUES (gen_random_uuid(), 'a', '{}')`,
    `DELETE FROM s.processes`,
    `SELECT * FROM s.batch_jobs`,
    `UPDATE s.worker_deployments SET version = 1`,
  ],
  worker: [
    `UPDATE s.history SET events = '[]'`,
    `UPDATE s.namespaces SET retention_ms = 0`,
    `INSERT INTO s.namespaces (uuid, name, description, owner_email, retention_ms, state, data) VALUES (gen_random_uuid(), 'n', '', '', 1, 1, '{}')`,
    `INSERT INTO s.search_attributes VALUES (1, 'x', 2)`,
    `INSERT INTO s.route_versions (version, routes, changed_by, reason) VALUES (1, '{}', 'me', 'why')`,
    `DELETE FROM s.task_queue_limits`,
    `UPDATE s.task_queue_configs SET version = 1`,
    `DELETE FROM s.processes`,
  ],
  admin: [
    `UPDATE s.history SET events = '[]'`,
    `TRUNCATE s.history`,
    `DELETE FROM s.route_versions`,
    `UPDATE s.migrations SET name = ''`,
    `DELETE FROM s.migrations`,
    `DROP TABLE s.history`,
    `ALTER TABLE s.history ADD COLUMN x text`,
    `CREATE TABLE s.x (id integer)`,
    `CREATE FUNCTION s.x() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
    `ALTER TABLE s.executions DISABLE ROW LEVEL SECURITY`,
    `DROP POLICY IF EXISTS x ON s.executions; CREATE POLICY x ON s.executions`,
    `CREATE OR REPLACE FUNCTION s.namespace_id(name text) RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
    `GRANT SELECT ON s.history TO PUBLIC`,
  ],
};

describe.each(ROLE_KINDS.map((kind, i) => [kind, ROLE_KINDS.slice(i)] as const))('a %s', (kind, above) => {
  it('may not do what only others may', async () => {
    const database = freshSchema();
    const roles = await testRoles(database);
    const client = await session(await roles.login(kind));
    for (const statement of above.flatMap((other) => forbidden[other]!)) {
      const text = statement.replaceAll(' s.', ` ${database.schema}.`);
      // A GRANT of what one does not own only warns.
      if (text.startsWith('GRANT')) {
        await client.query(text).catch(() => {});
        expect(
          await names(
            `SELECT c.relname AS name FROM pg_class c, aclexplode(c.relacl) a WHERE relnamespace = $1::regnamespace AND a.grantee = 0`,
            [database.schema],
          ),
        ).toEqual([]);
      } else expect(await refusal(client, text), text).toMatch(/^42501 /);
    }
  });

  it('reads all views, whatever its search_path is', async () => {
    const database = freshSchema();
    const roles = await testRoles(database);
    await sql(`SELECT ${database.schema}.start_workflow('w', 'q', 'id', '[1]')`);
    const client = await session(await roles.login(kind));
    await client.query(`SET search_path TO public`);
    for (const view of VIEWS) expect(await refusal(client, `SELECT * FROM ${database.schema}.${view}`), view).toBe('');
    for (const call of [
      `workflow_status('id')`,
      `workflow_result('id')`,
      `explain('id')`,
      `runs_without_patch('default', 'w', 'p')`,
    ]) {
      expect(await refusal(client, `SELECT ${database.schema}.${call}`), call).toBe('');
    }
  });
});
