/** Roles for some namespaces, or one tenant in them: what row-level security shows them, and what it keeps from them. */
import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { Client, WorkflowExecutionAlreadyStartedError } from '../../shim/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { Retention } from '../../shim/maintenance/retention';
import { printedInstall, RoleAdmin } from '../../shim/store/roles/role-admin';
import { tablesOf } from '../../shim/store/roles/rights';
import { BELONGING } from '../../shim/store/roles/scope';
import { openStore } from '../../shim/store/open';
import { testClient } from '../support/connection';
import { freshSchema, sql, testStore, type TestSchema } from '../support/database';
import { refusal, session, testRoles, type TestRoles } from '../support/roles';
import { complete, scriptedWorker } from '../support/scripted-worker';

const tenantKey = defineSearchAttributeKey('Tenant', SearchAttributeType.KEYWORD);

/** Namespaces a and b, each with an open run and a closed one by the owner. */
async function twoNamespaces(): Promise<TestSchema> {
  const database = freshSchema();
  await (await openStore(database)).close();
  const s = database.schema;
  for (const name of ['a', 'b']) {
    await sql(
      `INSERT INTO ${s}.namespaces (uuid, name, description, owner_email, retention_ms, state, data) VALUES (gen_random_uuid(), $1, '', '', 86400000, 1, '{}')`,
      [name],
    );
  }
  await sql(`INSERT INTO ${s}.search_attributes SELECT id, 'Tenant', 2 FROM ${s}.namespaces WHERE name IN ('a', 'b')`);
  return database;
}

const start = ({ schema }: TestSchema, namespace: string, id: string): Promise<unknown> =>
  sql(`SELECT ${schema}.start_workflow('w', 'q', $2, namespace => $1)`, [namespace, id]);

const only = async (
  database: TestSchema,
  namespaces: string[],
  suffix = `_${namespaces.join('')}`,
): Promise<TestRoles> => testRoles(database, { namespaces }, suffix);

describe('a role of one namespace', async () => {
  const version = await (async () => {
    const { Client: Pg } = await import('pg');
    const client = new Pg(inject('databaseUrl'));
    await client.connect();
    const { rows } = await client.query<{ v: number }>(`SELECT current_setting('server_version_num')::int AS v`);
    await client.end();
    return rows[0]!.v;
  })();
  const restricted = version >= 150_000 ? it : it.skip;

  it.runIf(version < 150_000)('is refused on Postgres 14, where views read as their owner', async () => {
    const database = await twoNamespaces();
    await expect(only(database, ['a'])).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_POSTGRES' });
    await expect(
      sql(printedInstall(database.schema, { prefix: `${database.schema}_a`, namespaces: ['a'] })),
    ).rejects.toThrow(/need Postgres 15/);
  });

  restricted('reads what is in it, by views and tables, and nothing else', async () => {
    const database = await twoNamespaces();
    // As after an upgrade from 14.
    await sql(`ALTER VIEW ${database.schema}.workflows RESET (security_invoker)`);
    const roles = await only(database, ['a']);
    const all = await testRoles(database);
    for (const namespace of ['a', 'b']) await start(database, namespace, `in-${namespace}`);
    const seen = async (login: TestSchema, text: string): Promise<unknown[]> => {
      const client = await session(login);
      return (await client.query<{ x: unknown }>(text.replaceAll('s.', `${database.schema}.`))).rows.map(({ x }) => x);
    };
    const texts = [
      `SELECT workflow_id AS x FROM s.workflows ORDER BY 1`,
      `SELECT workflow_id AS x FROM s.waiting_on ORDER BY 1`,
      `SELECT workflow_id AS x FROM s.executions ORDER BY 1`,
      `SELECT state -> 'seed' -> 'request' ->> 'workflowId' AS x FROM s.runs ORDER BY 1`,
    ];
    const [ofA, ofAll] = [await roles.login('reader'), await all.login('reader')];
    for (const text of texts) {
      expect(await seen(ofA, text), text).toEqual(['in-a']);
      expect(await seen(ofAll, text), text).toEqual(['in-a', 'in-b']);
      expect((await sql<{ x: unknown }>(text.replaceAll('s.', `${database.schema}.`))).map(({ x }) => x)).toEqual([
        'in-a',
        'in-b',
      ]);
    }
    expect(await seen(ofA, `SELECT name AS x FROM s.namespaces`)).toEqual(['a']);
    expect(await seen(ofA, `SELECT s.workflow_status('in-b', namespace => 'b') AS x`)).toEqual([null]);
    const client = await session(ofA);
    expect(await refusal(client, `SELECT ${database.schema}.workflow_result('in-b', namespace => 'b')`)).toMatch(
      /^BL404/,
    );
    expect(await refusal(client, `SELECT ${database.schema}.explain('in-b', namespace => 'b')`)).toMatch(/^BL404/);
    // Nor by taking on the group itself, nor by asking for no policies.
    await client.query(`SET ROLE ${roles.prefix}_reader`);
    expect((await client.query(`SELECT FROM ${database.schema}.workflows`)).rowCount).toBe(1);
    await client.query('SET row_security = off');
    expect(await refusal(client, `SELECT FROM ${database.schema}.workflows`)).toMatch(/^42501/);
  });

  restricted('starts, signals, cancels and terminates by SQL there only', async () => {
    const database = await twoNamespaces();
    const roles = await only(database, ['a']);
    await start(database, 'b', 'in-b');
    const s = database.schema;
    const client = await session(await roles.login('client'));
    const calls = (namespace: string, id: string): string[] => [
      `SELECT ${s}.start_workflow('w', 'q', '${id}', namespace => '${namespace}', use_existing => true)`,
      `SELECT ${s}.signal_workflow('${id}', 'go', namespace => '${namespace}')`,
      `SELECT ${s}.cancel_workflow('${id}', namespace => '${namespace}')`,
      `SELECT ${s}.terminate_workflow('${id}', namespace => '${namespace}')`,
    ];
    await start(database, 'a', 'in-a');
    for (const call of calls('a', 'in-a')) expect(await refusal(client, call), call).toBe('');
    for (const call of calls('b', 'in-b'))
      expect(await refusal(client, call), call).toMatch(/^BL404 Namespace b is not found/);
    // Past the functions: the ids are known, the rows are not there.
    const [b] = await sql<{ id: number; run: string }>(
      `SELECT n.id, e.run_id AS run FROM ${s}.namespaces n JOIN ${s}.executions e ON e.namespace_id = n.id WHERE n.name = 'b'`,
    );
    const { id, run } = b!;
    const admitted = await client.query<{ admission: string }>(
      `SELECT admission FROM ${s}.admit_message($1, 'in-b', NULL, NULL, 'signal', 'r', '{}')`,
      [id],
    );
    expect(admitted.rows).toEqual([{ admission: 'unknownWorkflow' }]);
    const written = [
      `SELECT ${s}.admit_start(${id}, '{"workflowId": "x", "workflowType": {"name": "w"}, "taskQueue": {"name": "q"}, "requestId": "r"}', 0::smallint, false, 0)`,
      `INSERT INTO ${s}.runs VALUES (gen_random_uuid(), ${id}, 1, NULL, now(), '{}')`,
      `INSERT INTO ${s}.inbox (run_id, kind, request_id, request) VALUES ('${run}', 'terminate', 'r', '{}')`,
      `INSERT INTO ${s}.history VALUES ('${run}', 2, 2, '[]')`,
      `INSERT INTO ${s}.signal_requests VALUES ('${run}', 'r')`,
      `INSERT INTO ${s}.heartbeats VALUES ('${run}', 1, 1, now())`,
      `INSERT INTO ${s}.tasks (namespace_id, queue, kind, run_id, scheduled_event_id, attempt, priority, fairness_key, fairness_weight) VALUES (${id}, 'q', 'workflow', '${run}', 1, 1, 3, '', 1)`,
      `INSERT INTO ${s}.queries (id, namespace_id, queue, workflow_id, run_id, query) VALUES ('x', ${id}, 'q', 'in-b', '${run}', '{}')`,
      `INSERT INTO ${s}.schedules VALUES (${id}, 's', gen_random_uuid(), 1, 'r', now(), now(), '{}', '{}')`,
      `INSERT INTO ${s}.routed_ids (namespace, kind, id, engine, starting) VALUES ('b', 'workflow', 'x', 'postgres', '{}')`,
      // A run of one's own cannot be moved there either.
      `UPDATE ${s}.runs SET namespace_id = ${id}`,
    ];
    for (const text of written)
      expect(await refusal(client, text), text).toMatch(/^42501 new row violates row-level security/);
    const unseen = [
      `UPDATE ${s}.runs SET due_at = NULL WHERE run_id = '${run}'`,
      `DELETE FROM ${s}.runs WHERE run_id = '${run}'`,
      `DELETE FROM ${s}.inbox`,
    ];
    for (const text of unseen) expect((await client.query(text)).rowCount, text).toBe(0);
  });

  restricted('cannot commit to a run elsewhere, though it has its id and version', async () => {
    const database = await twoNamespaces();
    const roles = await only(database, ['a']);
    await start(database, 'b', 'in-b');
    const owner = await testStore({}, database);
    const [{ run_id: runId }] = (await sql<{ run_id: string }>(`SELECT run_id FROM ${database.schema}.runs`)) as [
      { run_id: string },
    ];
    const namespaceId = (await owner.namespaces.all()).find(({ name }) => name === 'b')!.id;
    const store = await testStore({}, await roles.login('worker'));
    expect(await store.loadState(runId)).toBeNull();
    const before = await sql(`SELECT version, state::text FROM ${database.schema}.runs`);
    const commit = {
      ...{
        namespaceId,
        workflowId: 'in-b',
        runId,
        expectedVersion: 1,
        create: null,
        events: [],
        state: null,
        owner: null,
        dueAtMs: 0,
      },
      ...{ execution: null, newTasks: [], doneTasks: [], signalRequestIds: [], closedActivities: [], inbox: [] },
    };
    expect(await store.commit([commit])).toEqual({ kind: 'conflict' });
    expect(await sql(`SELECT version, state::text FROM ${database.schema}.runs`)).toEqual(before);
  });

  restricted('works and starts there, as processes of their own logins, beside those of all namespaces', async () => {
    const database = await twoNamespaces();
    const roles = await only(database, ['a']);
    const [worker, client] = [
      await testClient({}, await roles.login('worker')),
      await testClient({}, await roles.login('client')),
    ];
    const everywhere = await testClient({}, await (await testRoles(database)).login('worker'));
    const script = () => ({ commands: [complete('done')] });
    scriptedWorker(worker.connection, 'q', script, 'a');
    scriptedWorker(everywhere.connection, 'q', script, 'b');
    const own = new Client({ connection: client.connection, namespace: 'a' });
    const ids = Array.from({ length: 5 }, () => randomUUID());
    expect(
      await Promise.all(ids.map((workflowId) => own.workflow.execute('w', { taskQueue: 'q', workflowId }))),
    ).toEqual(ids.map(() => 'done'));
    expect((await own.workflow.count()).count).toBe(5);
    await expect(
      new Client({ connection: client.connection, namespace: 'b' }).workflow.start('w', {
        taskQueue: 'q',
        workflowId: 'x',
      }),
    ).rejects.toThrow(/Namespace not found/);
    const other = new Client({ connection: everywhere.connection, namespace: 'b' });
    expect(await other.workflow.execute('w', { taskQueue: 'q', workflowId: ids[0]! })).toBe('done');
    expect((await own.workflow.count()).count).toBe(5);
    // What is started for both while nobody is told is found by each in its own.
    for (const namespace of ['a', 'b']) await start(database, namespace, 'by-sql');
    expect(await own.workflow.getHandle('by-sql').result()).toBe('done');
    expect(await other.workflow.getHandle('by-sql').result()).toBe('done');
  });

  restricted('frees what a dead process had in other namespaces, and expires what is in its own', async () => {
    const database = await twoNamespaces();
    const s = database.schema;
    const dead = randomUUID();
    await sql(
      `INSERT INTO ${s}.processes VALUES ($1, 'dead', now() - interval '1 minute', now() - interval '1 second', true, '[]', false, false)`,
      [dead],
    );
    await start(database, 'b', 'in-b');
    await sql(`UPDATE ${s}.runs SET owner = $1`, [dead]);
    const client = await testClient({}, database);
    for (const namespace of ['a', 'b']) {
      const own = new Client({ connection: client.connection, namespace });
      await (await own.workflow.start('w', { taskQueue: 'q', workflowId: 'old' })).terminate();
    }
    await sql(
      `UPDATE ${s}.executions SET start_time = start_time - interval '3 days', close_time = close_time - interval '3 days' WHERE close_time IS NOT NULL`,
    );
    const roles = await only(database, ['a']);
    const store = await testStore({}, await roles.login('worker'));
    expect(store.rights).toEqual({ work: true, expire: true, restricted: true });
    expect(await sql(`SELECT id FROM ${s}.processes WHERE id = $1`, [dead])).toEqual([]);
    expect(await new Retention(store).sweep()).toBe(1);
    expect(
      await sql(
        `SELECT n.name FROM ${s}.executions e JOIN ${s}.namespaces n ON n.id = e.namespace_id WHERE workflow_id = 'old'`,
      ),
    ).toEqual([{ name: 'b' }]);
    expect(
      await sql(
        `SELECT DISTINCT run_id FROM ${s}.history h WHERE NOT EXISTS (SELECT FROM ${s}.executions e WHERE e.run_id = h.run_id)`,
      ),
    ).toEqual([]);
  });

  restricted('is no more than each of two roles is, when a login has both', async () => {
    const database = await twoNamespaces();
    const [ofA, ofB] = [await only(database, ['a']), await only(database, ['b'])];
    for (const namespace of ['a', 'b']) await start(database, namespace, `in-${namespace}`);
    const login = await ofA.login('client');
    await sql(`GRANT ${ofB.prefix}_reader TO ${new URL(login.url).username}`);
    const client = await session(login);
    expect((await client.query(`SELECT FROM ${database.schema}.workflows`)).rowCount).toBe(2);
    expect(await refusal(client, `SELECT ${database.schema}.signal_workflow('in-a', 'go', namespace => 'a')`)).toBe('');
    expect(await refusal(client, `SELECT ${database.schema}.start_workflow('w', 'q', 'x', namespace => 'b')`)).toMatch(
      /^42501 new row violates/,
    );
  });

  restricted('costs the owner and the roles for all namespaces no condition on rows', async () => {
    const database = await twoNamespaces();
    await only(database, ['a']);
    const worker = await session(await (await testRoles(database)).login('worker'));
    const text = `EXPLAIN (COSTS off) SELECT FROM ${database.schema}.history WHERE run_id = gen_random_uuid()`;
    const plan = async (rows: { 'QUERY PLAN': string }[]): Promise<string> =>
      rows.map((row) => row['QUERY PLAN']).join('\n');
    const owners = await plan(await sql(text));
    expect(owners).not.toContain('executions');
    expect(await plan((await worker.query<{ 'QUERY PLAN': string }>(text)).rows)).toBe(owners);
    const [owner] = await sql<{ active: boolean }>(
      `SELECT row_security_active('${database.schema}.executions') AS active`,
    );
    expect(owner!.active).toBe(false);
  });

  restricted('leaves no table open that belongs to namespaces, until the last of them is uninstalled', async () => {
    const database = await twoNamespaces();
    const { prefix } = await only(database, ['a']);
    await testRoles(database);
    const secured = async () =>
      (
        await sql<{ name: string }>(
          `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relrowsecurity ORDER BY 1`,
          [database.schema],
        )
      ).map(({ name }) => name);
    expect(await secured()).toEqual(Object.keys(BELONGING).sort());
    const columns = await sql<{ name: string }>(
      `SELECT DISTINCT table_name AS name FROM information_schema.columns JOIN pg_class ON relname = table_name AND relkind = 'r' AND relnamespace = $1::regnamespace
       WHERE table_schema = $2 AND column_name IN ('namespace', 'namespace_id', 'run_id', 'workflow_id') ORDER BY 1`,
      [database.schema, database.schema],
    );
    const reached = tablesOf('admin', true).map(([table]) => table);
    expect(columns.map(({ name }) => name).filter((name) => !(name in BELONGING) && reached.includes(name))).toEqual(
      [],
    );
    await RoleAdmin.with(database, (admin) => admin.uninstall(prefix));
    expect(await secured()).toEqual([]);
  });

  restricted('is one of a namespace that is there', async () => {
    const database = await twoNamespaces();
    await expect(only(database, ['a', 'nowhere'])).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_NAMESPACE' });
    await expect(
      testRoles(database, { namespaces: ['default'], tenant: { attribute: 'Tenant', value: 'x' } }),
    ).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_TENANT' });
    for (const options of [
      { namespaces: [] },
      { tenant: { attribute: 'T', value: 'x' } },
      { namespaces: ['a'], prefix: 'branchline' },
    ]) {
      await expect(testRoles(database, options)).rejects.toMatchObject({ code: 'BRANCHLINE_ROLES_OPTION' });
    }
    // A name is a name, whatever is in it.
    const odd = `a'); DROP TABLE x; --`;
    await sql(`UPDATE ${database.schema}.namespaces SET name = $1 WHERE name = 'b'`, [odd]);
    const roles = await only(database, [odd], '_odd');
    const client = await session(await roles.login('reader'));
    expect((await client.query<{ name: string }>(`SELECT name FROM ${database.schema}.namespaces`)).rows).toEqual([
      { name: odd },
    ]);
    expect(roles.installed.map(({ namespaces }) => namespaces)).toEqual([[odd], [odd], [odd], [odd]]);
  });

  restricted('of one tenant sees and starts only what carries its search attribute', async () => {
    const database = await twoNamespaces();
    const roles = await testRoles(
      database,
      { namespaces: ['a'], tenant: { attribute: 'Tenant', value: 'acme' } },
      '_acme',
    );
    expect(roles.installed.map(({ kind }) => kind).sort()).toEqual(['client', 'reader']);
    const everywhere = await testClient({}, database);
    scriptedWorker(everywhere.connection, 'q', () => ({ commands: [complete('done')] }), 'a');
    const owner = new Client({ connection: everywhere.connection, namespace: 'a' });
    const tenant = (value: string) => [{ key: tenantKey, value }];
    await owner.workflow.start('w', {
      taskQueue: 'nobody',
      workflowId: 'other',
      typedSearchAttributes: tenant('globex'),
    });
    await owner.workflow.start('w', { taskQueue: 'nobody', workflowId: 'none' });

    const login = await roles.login('client');
    const { connection } = await testClient({}, login);
    const client = new Client({ connection, namespace: 'a' });
    const options = { taskQueue: 'q', typedSearchAttributes: tenant('acme') };
    expect(await client.workflow.execute('w', { ...options, workflowId: 'mine' })).toBe('done');
    await client.workflow.start('w', { ...options, taskQueue: 'nobody', workflowId: 'open' });
    for (const typedSearchAttributes of [tenant('globex'), []]) {
      await expect(
        client.workflow.start('w', { ...options, workflowId: randomUUID(), typedSearchAttributes }),
      ).rejects.toMatchObject({
        cause: { code: 7 },
      });
    }
    // Others in the same batch come through.
    const mixed = await Promise.allSettled(
      ['acme', 'globex', 'acme', 'globex', 'acme'].map((name, n) =>
        client.workflow.start('w', {
          taskQueue: 'nobody',
          workflowId: `mixed-${n}`,
          typedSearchAttributes: tenant(name),
        }),
      ),
    );
    expect(mixed.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    // Ids are one space: that another tenant has it can be told, and no more.
    await expect(client.workflow.start('w', { ...options, workflowId: 'other' })).rejects.toThrow(
      WorkflowExecutionAlreadyStartedError,
    );
    await expect(client.workflow.getHandle('other').describe()).rejects.toThrow(/not found/);
    await expect(client.workflow.getHandle('other').signal('go')).rejects.toThrow(/not found/);
    await expect(client.workflow.getHandle('none').terminate()).rejects.toThrow(/not found/);
    await client.workflow.getHandle('open').terminate();
    expect((await client.workflow.count()).count).toBe(5);

    const s = database.schema;
    const plain = await session(login);
    expect((await plain.query(`SELECT FROM ${s}.workflows`)).rowCount).toBe(5);
    expect(
      (
        await plain.query(
          `SELECT FROM ${s}.history h WHERE NOT EXISTS (SELECT FROM ${s}.executions e WHERE e.run_id = h.run_id)`,
        )
      ).rowCount,
    ).toBe(0);
    expect(await refusal(plain, `SELECT ${s}.signal_workflow('mixed-0', 'go', namespace => 'a')`)).toBe('');
    expect(await refusal(plain, `SELECT ${s}.signal_workflow('other', 'go', namespace => 'a')`)).toMatch(/^BL404/);
    expect(await refusal(plain, `UPDATE ${s}.executions SET search_attributes = '{"Tenant": "globex"}'`)).toMatch(
      /^42501/,
    );
  });
});
