/** Starts, signals, cancel requests and terminations that are part of the caller's own transaction. */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '../../shim/client';
import { afterTest, connect, sql } from '../support/database';
import { testClient } from '../support/connection';
import { complete, decoded, scriptedWorker } from '../support/scripted-worker';
import { transactor, within } from '../support/transactor';
import type { temporal } from '@temporalio/proto';

type Task = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
/** Values of the signals in a task's history, in order. */
const signalsOf = (task: Task): unknown[] =>
  (task.history?.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal ? [decoded(signal.input?.payloads?.[0])] : [],
  );

/** Completes with the signals it got when one of them is 'end'. */
function collector(test: Awaited<ReturnType<typeof testClient>>): void {
  scriptedWorker(test.connection, test.queue, (task) => {
    const signals = signalsOf(task);
    return { commands: signals.includes('end') ? [complete(signals)] : [] };
  });
}

describe('a start in a transaction', () => {
  it('is there from the commit on, and only then', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    let seen = 0;
    scriptedWorker(test.connection, test.queue, () => {
      seen++;
      return { commands: [complete('done')] };
    });
    const handle = await within(tx, async () => {
      const started = await client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
      expect(started.firstExecutionRunId).toMatch(/^[0-9a-f-]{36}$/);
      await expect(test.client.workflow.getHandle('w').describe()).rejects.toThrow(WorkflowNotFoundError);
      expect(seen).toBe(0);
      return started;
    });
    expect(await test.client.workflow.getHandle('w', handle.firstExecutionRunId).result()).toBe('done');
    expect(await handle.result()).toBe('done');
  });

  it('leaves nothing after a rollback', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    await within(tx, () => client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' }), 'ROLLBACK');
    await expect(test.client.workflow.getHandle('w').describe()).rejects.toThrow(WorkflowNotFoundError);
    const { schema } = test.database;
    for (const table of ['executions', 'runs', 'history', 'inbox', 'tasks']) {
      expect(await sql(`SELECT FROM ${schema}.${table}`)).toEqual([]);
    }
    scriptedWorker(test.connection, test.queue, () => ({ commands: [complete('second')] }));
    expect(await test.client.workflow.execute('w', { taskQueue: test.queue, workflowId: 'w' })).toBe('second');
  });

  it('carries memo, arguments and timeouts into the run', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    await within(tx, () =>
      client.workflow.start('w', {
        taskQueue: test.queue,
        workflowId: 'w',
        args: [{ plan: 'pro' }],
        memo: { note: 'mine' },
        workflowRunTimeout: '1 hour',
      }),
    );
    const described = await test.client.workflow.getHandle('w').describe();
    expect(described).toMatchObject({ memo: { note: 'mine' }, status: { name: 'RUNNING' }, historyLength: 2 });
    const { events } = await test.client.workflow.getHandle('w').fetchHistory();
    const started = events?.[0]?.workflowExecutionStartedEventAttributes;
    expect(decoded(started?.input?.payloads?.[0])).toEqual({ plan: 'pro' });
    expect(Number(started?.workflowRunTimeout?.seconds)).toBe(3600);
    expect(started?.originalExecutionRunId).toBe(described.runId);
    // Its time is that of the call.
    expect(described.startTime.getTime()).toBe(
      Number(events?.[0]?.eventTime?.seconds) * 1000 + Math.floor(Number(events?.[0]?.eventTime?.nanos ?? 0) / 1e6),
    );
  });

  it('is refused within the transaction when the id is taken, and the transaction goes on', async () => {
    const test = await testClient();
    const { tx, client, orders } = await transactor(test);
    await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await within(tx, async () => {
      await tx.query(`INSERT INTO ${test.database.schema}.orders VALUES ('o')`);
      await expect(client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' })).rejects.toThrow(
        WorkflowExecutionAlreadyStartedError,
      );
      const existing = await client.workflow.start('w', {
        taskQueue: test.queue,
        workflowId: 'w',
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      expect(existing.firstExecutionRunId).toBe((await test.client.workflow.getHandle('w').describe()).runId);
    });
    expect(await orders()).toEqual([{ id: 'o' }]);
  });

  it('makes a second starter of the id wait for the end of the first transaction', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const other = await connect();
    afterTest(() => other.end());
    await tx.query('BEGIN');
    await client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await other.query('BEGIN');
    const second = test.client.withTransaction(other).workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    const outside = test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    second.catch(() => undefined);
    outside.catch(() => undefined);
    await expect
      .poll(() => sql(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`), { timeout: 10_000 })
      .not.toEqual([]);
    await tx.query('COMMIT');
    await expect(second).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    // The refused one keeps the id until its own end.
    await other.query('COMMIT');
    await expect(outside).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  });

  it('validates what a start outside validates', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    await within(tx, async () => {
      await expect(
        client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w', cronSchedule: 'nonsense' }),
      ).rejects.toMatchObject({ cause: { code: 3 } });
      await expect(
        client.workflow.start('w', { taskQueue: test.queue, workflowId: 'x'.repeat(2000) }),
      ).rejects.toMatchObject({ cause: { code: 3 } });
    });
  });
});

describe('signals in a transaction', () => {
  it('arrive once, in their order, after the commit', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    collector(test);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await within(
      tx,
      async () => {
        for (const value of ['lost', 'end']) await client.workflow.getHandle('w').signal('s', value);
      },
      'ROLLBACK',
    );
    await within(tx, async () => {
      for (const value of [1, 2, 3, 4, 5, 'end']) await client.workflow.getHandle('w').signal('s', value);
    });
    expect(await handle.result()).toEqual([1, 2, 3, 4, 5, 'end']);
    expect(await sql(`SELECT FROM ${test.database.schema}.inbox`)).toEqual([]);
  });

  it('reach a run that wants to close while the transaction is open', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await tx.query('BEGIN');
    await client.workflow.getHandle('w').signal('s', 'in time');
    // Would complete at once.
    let tried = 0;
    scriptedWorker(test.connection, test.queue, (task) => {
      tried++;
      return { commands: [complete(signalsOf(task))] };
    });
    await expect.poll(() => tried, { timeout: 10_000 }).toBeGreaterThan(0);
    // Others are not held up by the close that waits.
    const other = `queue-${randomUUID()}`;
    scriptedWorker(test.connection, other, () => ({ commands: [complete('through')] }));
    expect(await test.client.workflow.execute('w', { taskQueue: other, workflowId: 'other' })).toBe('through');
    expect(
      await sql(`SELECT FROM ${test.database.schema}.executions WHERE workflow_id = 'w' AND status = 1`),
    ).toHaveLength(1);
    await tx.query('COMMIT');
    expect(await handle.result()).toEqual(['in time']);
  });

  it('would be lost to the close if commits did not look into the inbox', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    const { schema } = test.database;
    const [{ source } = { source: '' }] = await sql<{ source: string }>(
      `SELECT pg_get_functiondef('${schema}.commit_batch'::regproc) AS source`,
    );
    expect(source).toContain('AND m.error IS NULL AND');
    await sql(source.replace('AND m.error IS NULL AND', 'AND false AND'));
    await tx.query('BEGIN');
    await client.workflow.getHandle('w').signal('s', 'in time');
    let tried = 0;
    scriptedWorker(test.connection, test.queue, (task) => {
      tried++;
      return { commands: [complete(signalsOf(task))] };
    });
    await expect.poll(() => tried, { timeout: 10_000 }).toBeGreaterThan(0);
    await tx.query('COMMIT');
    expect(await handle.result()).toEqual([]);
  });

  it('start a workflow that is not there, with the signal before its first task', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    collector(test);
    const options = { taskQueue: test.queue, workflowId: 'w', signal: 's' };
    await within(tx, async () => {
      await client.workflow.signalWithStart('w', { ...options, signalArgs: ['first'] });
      await client.workflow.signalWithStart('w', { ...options, signalArgs: ['second'] });
      await client.workflow.getHandle('w').signal('s', 'end');
    });
    expect(await test.client.workflow.getHandle('w').result()).toEqual(['first', 'second', 'end']);
    const { events } = await test.client.workflow.getHandle('w').fetchHistory();
    expect(events?.[1]?.workflowExecutionSignaledEventAttributes).toBeTruthy();
  });

  it('are refused for closed and unknown workflows, and the transaction goes on', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, () => ({ commands: [complete('done')] }));
    await test.client.workflow.execute('w', { taskQueue: test.queue, workflowId: 'w' });
    await within(tx, async () => {
      await expect(client.workflow.getHandle('w').signal('s')).rejects.toThrow(WorkflowNotFoundError);
      await expect(client.workflow.getHandle('never').signal('s')).rejects.toThrow(WorkflowNotFoundError);
      await client.workflow.getHandle('w').cancel();
      await tx.query('SELECT 1');
    });
  });
});

describe('other calls in a transaction', () => {
  it('cancels and terminates at the commit', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const start = (workflowId: string) => test.client.workflow.start('w', { taskQueue: test.queue, workflowId });
    const [canceled, terminated] = [await start('c'), await start('t')];
    await within(tx, async () => {
      await client.workflow.getHandle('c').cancel();
      await client.workflow.getHandle('t').terminate('enough');
    });
    await expect(terminated.result()).rejects.toMatchObject({ cause: { message: 'enough' } });
    await expect
      .poll(
        async () => (await canceled.fetchHistory()).events?.at(-1)?.workflowExecutionCancelRequestedEventAttributes,
        { timeout: 10_000 },
      )
      .toBeTruthy();
  });

  it('are refused when they cannot be part of it', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await within(tx, async () => {
      const refused = { cause: { details: expect.stringContaining('cannot be part of your transaction') } };
      await expect(client.workflow.getHandle('w').executeUpdate('u')).rejects.toMatchObject(refused);
      await expect(
        client.workflow.start('w', {
          taskQueue: test.queue,
          workflowId: 'w',
          workflowIdConflictPolicy: 'TERMINATE_EXISTING',
        }),
      ).rejects.toMatchObject(refused);
      expect((await client.workflow.getHandle('w').describe()).status.name).toBe('RUNNING');
    });
  });
});

describe('a connection of another library', () => {
  it('needs to run texts, and may send every parameter as text', async () => {
    const test = await testClient();
    const { tx } = await transactor(test);
    const texts = (values: unknown[]) => values.map((value) => (value === null ? null : String(value)));
    const client = test.client.withTransaction({ query: (text, values) => tx.query(text, texts(values)) });
    collector(test);
    await within(tx, async () => {
      await client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
      await client.workflow.getHandle('w').signal('s', 'end');
    });
    expect(await test.client.workflow.getHandle('w').result()).toEqual(['end']);
  });
});

describe('work that is picked up by another process', () => {
  it('wakes a worker that is not in the process of the caller', async () => {
    const first = await testClient();
    const url = new URL(first.database.url);
    url.searchParams.set('keepalives', '1');
    const second = await testClient({}, { ...first.database, url: url.href });
    const { tx, client } = await transactor(first);
    scriptedWorker(second.connection, first.queue, (task) => {
      const signals = signalsOf(task);
      return { commands: signals.includes('end') ? [complete(signals)] : [] };
    });
    const ids = Array.from({ length: 10 }, (_, i) => `w${i}`);
    await within(tx, async () => {
      for (const workflowId of ids) await client.workflow.start('w', { taskQueue: first.queue, workflowId });
    });
    await within(tx, async () => {
      for (const id of ids) for (const value of [1, 2, 'end']) await client.workflow.getHandle(id).signal('s', value);
    });
    const results = await Promise.all(ids.map((id) => first.client.workflow.getHandle(id).result()));
    expect(results).toEqual(ids.map(() => [1, 2, 'end']));
  });
});

describe('a caller that is killed', () => {
  const die = async (test: Awaited<ReturnType<typeof testClient>>, point: string): Promise<void> => {
    const plan = { ...test.database, queue: test.queue, die: point };
    const child = fork(path.join(__dirname, '../support/processes/transactional-caller.ts'), [JSON.stringify(plan)], {
      execArgv: ['--import', 'tsx'],
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  };

  it('before its commit leaves nothing, and the run that it signaled goes on', async () => {
    const test = await testClient();
    const running = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'running' });
    await die(test, 'before commit');
    await running.signal('s', 'later');
    await running.signal('s', 'end');
    collector(test);
    expect(await running.result()).toEqual(['later', 'end']);
    expect(await sql(`SELECT FROM ${test.database.schema}.inbox`)).toEqual([]);
    expect(await sql(`SELECT FROM ${test.database.schema}.executions`)).toHaveLength(1);
  });

  it.each(['at commit', 'after commit'])('%s has done all of it or nothing, once', async (point) => {
    const test = await testClient();
    const running = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'running' });
    await die(test, point);
    // Its transaction is over, one way or the other.
    await expect
      .poll(
        () =>
          sql(
            `SELECT FROM pg_stat_activity WHERE application_name = '${test.database.schema}' AND state <> 'idle' AND query IN ('BEGIN', 'COMMIT')`,
          ),
        {
          timeout: 10_000,
        },
      )
      .toEqual([]);
    const started = await test.client.workflow
      .getHandle('w')
      .describe()
      .catch((error: unknown) => error);
    if (point === 'after commit') expect(started).not.toBeInstanceOf(Error);
    if (started instanceof Error) await running.signal('s', 'end');
    collector(test);
    expect(await running.result()).toEqual(['end']);
    if (!(started instanceof Error)) expect(await test.client.workflow.getHandle('w').result()).toEqual([1, 2, 'end']);
    expect(await sql(`SELECT FROM ${test.database.schema}.inbox`)).toEqual([]);
  });
});
