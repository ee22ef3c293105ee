import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatabaseNewerError, DatabaseOlderError } from '../../shim/store/errors';
import { migrate, readMigrations } from '../../shim/store/migrate';
import { openStore } from '../../shim/store/open';
import { afterTest, connect, freshSchema, sql, testStore } from '../support/database';

const newest = readMigrations().at(-1)!.version;

describe('migrations', () => {
  it('are applied once by twenty that start at once', async () => {
    const { schema } = freshSchema();
    const clients = await Promise.all(Array.from({ length: 20 }, connect));
    clients.forEach((client) => afterTest(() => client.end()));
    await Promise.all(clients.map((client) => migrate(client, schema, true)));
    const rows = await sql<{ version: number }>(`SELECT version FROM ${schema}.migrations ORDER BY version`);
    expect(rows.map(({ version }) => version)).toEqual(readMigrations().map(({ version }) => version));
  });

  it('are applied once by processes that start at once', async () => {
    const { url, schema } = freshSchema();
    const script = `
      const { openStore } = require('./shim/store/open');
      openStore({ url: process.argv[1], schema: process.argv[2], maxConnections: 3 })
        .then((store) => store.close())
        .catch((error) => { console.error(error); process.exit(1); });`;
    const root = path.resolve(__dirname, '../..');
    const codes = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', script, url, schema], {
          cwd: root,
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        return new Promise((resolve) => child.once('exit', resolve));
      }),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(await sql(`SELECT version FROM ${schema}.migrations`)).toHaveLength(newest);
  });

  it('change nothing when they are applied already', async () => {
    const { schema } = freshSchema();
    const client = await connect();
    afterTest(() => client.end());
    await migrate(client, schema, true);
    const before = await sql(`SELECT * FROM ${schema}.migrations`);
    await migrate(client, schema, true);
    await migrate(client, schema, false);
    expect(await sql(`SELECT * FROM ${schema}.migrations`)).toEqual(before);
  });

  it('of a newer version are refused with their own exit code and what to do', async () => {
    const database = freshSchema();
    await testStore({}, database);
    await sql(`INSERT INTO ${database.schema}.migrations (version, name) VALUES ($1, 'future')`, [newest + 1]);
    const error = (await openStore(database).catch((thrown: unknown) => thrown)) as DatabaseNewerError;
    expect(error).toBeInstanceOf(DatabaseNewerError);
    expect(error).toMatchObject({ code: 'BRANCHLINE_DATABASE_NEWER', exitCode: 57 });
    expect(error.message).toMatch(/Install the version of branchline that migrated it/);
  });

  it('are not applied when that is switched off', async () => {
    const error: unknown = await openStore({ ...freshSchema(), migrate: false }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseOlderError);
  });

  it('go on from an older version, and leave nothing behind when one fails', async () => {
    const { schema } = freshSchema();
    const client = await connect();
    afterTest(() => client.end());
    const known = readMigrations();
    const next = { version: newest + 1, name: 'next', sql: 'CREATE TABLE :"schema".extra (id integer); SELECT 1/0' };
    await migrate(client, schema, true, known);
    await expect(migrate(client, schema, true, [...known, next])).rejects.toThrow(/division by zero/);
    expect(await sql(`SELECT to_regclass('${schema}.extra') AS extra`)).toEqual([{ extra: null }]);
    await migrate(client, schema, true, [...known, { ...next, sql: 'CREATE TABLE :"schema".extra (id integer)' }]);
    expect(await sql(`SELECT name FROM ${schema}.migrations WHERE version = ${newest + 1}`)).toEqual([
      { name: 'next' },
    ]);
  });

  it('need no superuser, and in a schema made for them no right to create one', async () => {
    const { url, schema } = freshSchema();
    const role = `role_${schema}`;
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    afterTest(() => sql(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`).then(() => {}));
    await sql(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
    const asRole = new URL(url);
    asRole.username = role;
    asRole.password = 'pw';
    const store = await testStore({}, { url: asRole.href, schema });
    expect(await store.namespaces.all()).toHaveLength(1);
  });

  it.each(['1abc', 'a-b', 'a"; DROP SCHEMA public; --', '', 'x'.repeat(41)])(
    'refuse the schema name %j',
    async (schema) => {
      await expect(openStore({ url: freshSchema().url, schema })).rejects.toThrow(/Schema name/);
    },
  );

  it('name their schema everywhere: two schemas of one database know nothing of each other', async () => {
    const [one, two] = [freshSchema(), freshSchema()];
    await testStore({}, one);
    await testStore({}, two);
    const strays = await sql(
      `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'public' UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'`,
    );
    expect(strays).toEqual([]);
  });
});
