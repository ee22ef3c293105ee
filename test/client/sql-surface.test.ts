/** The functions and views for SQL, from plain psql, from triggers, and beside TypeScript callers. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { openStore } from '../../shim/store/open';
import { connect, freshSchema, sql } from '../support/database';
import { testClient } from '../support/connection';
import { complete, decoded, fail, scriptedWorker } from '../support/scripted-worker';

const psqlIsThere = spawnSync('psql', ['--version']).status === 0;

/** Runs a script in one session: by psql where it is installed, else by the simple protocol, as psql would. */
async function psql(script: string): Promise<string[]> {
  if (psqlIsThere) {
    const run = promisify(execFile)('psql', [
      inject('databaseUrl'),
      '-X',
      '-q',
      '-A',
      '-t',
      '-v',
      'ON_ERROR_STOP=1',
      '-c',
      script,
    ]);
    return (await run).stdout.split('\n').filter((line) => line !== '');
  }
  const client = await connect();
  try {
    const results = [await client.query<Record<string, unknown>>(script)].flat();
    return results.flatMap(({ rows }) => rows.map((row) => Object.values(row).join('|')));
  } finally {
    await client.end();
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('workflows from psql', () => {
  it('are started, signaled and read', async () => {
    const { connection, queue, database } = await testClient();
    const s = database.schema;
    scriptedWorker(connection, queue, (task) => {
      const [started, ...others] = task.history?.events ?? [];
      const signal = others.find((event) => event.workflowExecutionSignaledEventAttributes);
      const args = started?.workflowExecutionStartedEventAttributes?.input?.payloads?.map(decoded);
      const sent = signal?.workflowExecutionSignaledEventAttributes?.input?.payloads?.map(decoded);
      return { commands: sent === undefined ? [] : [complete({ args, sent })] };
    });
    const [runId] = await psql(`SELECT ${s}.start_workflow('greet', '${queue}', 'w', '["Ada", {"plan": "pro"}]')`);
    expect(runId).toMatch(UUID);
    expect(await psql(`SELECT ${s}.workflow_status('w'), ${s}.workflow_result('w')`)).toEqual(['Running|']);
    expect(await psql(`SELECT ${s}.signal_workflow('w', 'go', '[1, null]')`)).toEqual([runId]);
    await expect.poll(() => psql(`SELECT ${s}.workflow_status('w')`), { timeout: 10_000 }).toEqual(['Completed']);
    const [result] = await psql(`SELECT ${s}.workflow_result('w')`);
    expect(JSON.parse(result ?? '')).toEqual({ args: ['Ada', { plan: 'pro' }], sent: [1, null] });
    const lines = await psql(`SELECT ${s}.explain('w')`);
    expect(lines[0]).toBe('greet w: Completed');
    expect(lines.at(-1)).toContain('WorkflowExecutionCompleted');
  });

  it('wait for a process when none is alive', async () => {
    const database = freshSchema();
    await (await openStore(database)).close();
    const s = database.schema;
    await psql(
      `SELECT ${s}.start_workflow('greet', 'later', 'w'); SELECT ${s}.signal_workflow('w', 's', '["one"]'), ${s}.signal_workflow('w', 's', '["two"]')`,
    );
    expect(await psql(`SELECT kind, name FROM ${s}.waiting_on ORDER BY since`)).toEqual([
      'start|later',
      'signal|s',
      'signal|s',
    ]);
    await psql(`SELECT ${s}.start_workflow('alone', 'later', 'v')`);
    const { connection, client } = await testClient({}, database);
    scriptedWorker(connection, 'later', (task) => {
      if (task.workflowType?.name === 'alone') return { commands: [complete('v')] };
      const signals = (task.history?.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
        signal ? [decoded(signal.input?.payloads?.[0])] : [],
      );
      return { commands: signals.length < 2 ? [] : [complete(signals)] };
    });
    expect(await client.workflow.getHandle('w').result()).toEqual(['one', 'two']);
    await expect.poll(() => psql(`SELECT ${s}.workflow_result('v')`), { timeout: 20_000 }).toEqual(['"v"']);
  });

  it('do each request once', async () => {
    const { database, client, connection, queue } = await testClient();
    const s = database.schema;
    const start = `SELECT ${s}.start_workflow('greet', '${queue}', 'w', request_id => 'r1')`;
    const [first] = await psql(start);
    expect(await psql(start)).toEqual([first]);
    const signal = `SELECT ${s}.signal_workflow('w', 's', '[1]', request_id => 'r2')`;
    await psql(`${signal}; ${signal}`);
    let signals = 0;
    scriptedWorker(connection, queue, (task) => {
      signals = (task.history?.events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
      return {};
    });
    await expect.poll(() => signals, { timeout: 10_000 }).toBe(1);
    await psql(signal);
    await psql(`SELECT ${s}.terminate_workflow('w', 'enough')`);
    await expect(client.workflow.getHandle('w').result()).rejects.toMatchObject({ cause: { message: 'enough' } });
    expect(signals).toBe(1);
    // The same request, when its run has closed: still that run.
    expect(await psql(start)).toEqual([first]);
    await expect(psql(`SELECT ${s}.workflow_result('w')`)).rejects.toThrow('Workflow Terminated: enough');
  });

  it('raise what cannot be', async () => {
    const { database, queue } = await testClient();
    const s = database.schema;
    const raised = (text: string) =>
      sql(text).then(
        () => '',
        (error: { code?: string }) => error.code,
      );
    await sql(`SELECT ${s}.start_workflow('greet', '${queue}', 'w')`);
    expect(await raised(`SELECT ${s}.start_workflow('greet', '${queue}', 'w')`)).toBe('BL409');
    expect(await raised(`SELECT ${s}.start_workflow('greet', '', 'v')`)).toBe('22023');
    expect(await raised(`SELECT ${s}.start_workflow('greet', 'q', 'v', '{}')`)).toBe('22023');
    expect(await raised(`SELECT ${s}.start_workflow('greet', 'q', 'v', id_reuse => 'often')`)).toBe('22023');
    expect(await raised(`SELECT ${s}.start_workflow('greet', 'q', 'v', namespace => 'nowhere')`)).toBe('BL404');
    expect(await raised(`SELECT ${s}.signal_workflow('never', 's')`)).toBe('BL404');
    expect(await raised(`SELECT ${s}.cancel_workflow('never')`)).toBe('BL404');
    expect(await raised(`SELECT ${s}.terminate_workflow('never')`)).toBe('BL404');
    expect(await raised(`SELECT ${s}.workflow_result('never')`)).toBe('BL404');
    expect(await sql(`SELECT ${s}.workflow_status('never') AS status`)).toEqual([{ status: null }]);
    expect(
      await sql(
        `SELECT ${s}.start_workflow('greet', '${queue}', 'w', use_existing => true) = run_id AS same FROM ${s}.workflows`,
      ),
    ).toEqual([{ same: true }]);
  });

  it('tell why a workflow failed', async () => {
    const { connection, queue, database } = await testClient();
    const s = database.schema;
    scriptedWorker(connection, queue, () => ({ commands: [fail('no stock')] }));
    await psql(`SELECT ${s}.start_workflow('order', '${queue}', 'w')`);
    await expect.poll(() => psql(`SELECT ${s}.workflow_status('w')`), { timeout: 10_000 }).toEqual(['Failed']);
    await expect(psql(`SELECT ${s}.workflow_result('w')`)).rejects.toThrow('Workflow Failed: no stock');
  });
});

describe('a trigger on a business table', () => {
  it('starts a workflow per row that is committed, and none for those that are rolled back', async () => {
    const { connection, client, queue, database } = await testClient();
    const s = database.schema;
    scriptedWorker(connection, queue, (task) => ({
      commands: [
        complete(decoded(task.history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0])),
      ],
    }));
    await psql(`
      CREATE TABLE ${s}.orders (id integer PRIMARY KEY, item text);
      CREATE FUNCTION ${s}.order_placed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM ${s}.start_workflow('fulfil', '${queue}', 'order-' || NEW.id, jsonb_build_array(to_jsonb(NEW)));
        RETURN NEW;
      END $$;
      CREATE TRIGGER order_placed AFTER INSERT ON ${s}.orders FOR EACH ROW EXECUTE FUNCTION ${s}.order_placed();`);
    await psql(`BEGIN; INSERT INTO ${s}.orders VALUES (1, 'book'); ROLLBACK`);
    await psql(`INSERT INTO ${s}.orders VALUES (2, 'pen'), (3, 'ink')`);
    expect(await client.workflow.getHandle('order-2').result()).toEqual({ id: 2, item: 'pen' });
    expect(await client.workflow.getHandle('order-3').result()).toEqual({ id: 3, item: 'ink' });
    expect(await sql(`SELECT FROM ${s}.executions`)).toHaveLength(2);
  });
});

describe('psql and TypeScript callers of one id', () => {
  it('start one run between them, and all their signals arrive', async () => {
    const { connection, client, queue, database } = await testClient();
    const s = database.schema;
    const all = Array.from({ length: 10 }, (_, n) => n);
    scriptedWorker(connection, queue, (task) => {
      const signals = (task.history?.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
        signal ? [decoded(signal.input?.payloads?.[0])] : [],
      );
      return { commands: signals.length < 3 * all.length ? [] : [complete(signals)] };
    });
    /** In a transaction of its own; what is refused is rolled back. */
    const joined = async (call: (workflow: typeof client.workflow) => Promise<unknown>): Promise<void> => {
      const tx = await connect();
      try {
        await tx.query('BEGIN');
        await call(client.withTransaction(tx).workflow);
        await tx.query('COMMIT');
      } finally {
        await tx.end();
      }
    };
    const options = { taskQueue: queue, workflowId: 'w' };
    const starts = await Promise.allSettled(
      all
        .slice(0, 4)
        .flatMap(() => [
          psql(`SELECT ${s}.start_workflow('w', '${queue}', 'w')`),
          client.workflow.start('w', options),
          joined((workflow) => workflow.start('w', options)),
        ]),
    );
    expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await Promise.all(
      all.flatMap((n) => [
        psql(`SELECT ${s}.signal_workflow('w', 's', '[${n}]')`),
        client.workflow.getHandle('w').signal('s', n + 100),
        joined((workflow) => workflow.getHandle('w').signal('s', n + 200)),
      ]),
    );
    const result = (await client.workflow.getHandle('w').result()) as number[];
    expect([...result].sort((a, b) => a - b)).toEqual([0, 100, 200].flatMap((base) => all.map((n) => base + n)));
    expect(await sql(`SELECT FROM ${s}.executions`)).toHaveLength(1);
  });
});

describe('the views', () => {
  it('show what is waited for and what waits for workers', async () => {
    const { client, database } = await testClient();
    const s = database.schema;
    await sql(`SELECT ${s}.start_workflow('w', 'nobody', 'w')`);
    await expect
      .poll(() => sql(`SELECT task_queue, kind, waiting::int, claimed::int FROM ${s}.task_queue_backlog`), {
        timeout: 10_000,
      })
      .toEqual([{ task_queue: 'nobody', kind: 'workflow', waiting: 1, claimed: 0 }]);
    expect(await sql(`SELECT kind, name, state FROM ${s}.waiting_on`)).toEqual([
      { kind: 'workflow task', name: 'nobody', state: 'Scheduled' },
    ]);
    expect((await client.workflow.getHandle('w').describe()).status.name).toBe('RUNNING');
    const lines = await psql(`SELECT ${s}.explain('w')`);
    expect(lines).toContain('├─ waits for workflow task nobody: Scheduled');
  });
});
