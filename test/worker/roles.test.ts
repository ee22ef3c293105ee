/** A worker and a client as different logins, each in its own group role and nothing else. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { transactional } from '../../shim/activity';
import { type Connection, WorkflowNotFoundError, WorkflowUpdateStage } from '../../shim/client';
import { openStore } from '../../shim/store/open';
import * as activities from '../support/activities';
import { afterTest, freshSchema, sql } from '../support/database';
import { session, testRoles } from '../support/roles';
import { harness } from './harness';

async function separate(more: Record<string, (...args: never[]) => Promise<unknown>> = {}) {
  const database = freshSchema();
  const roles = await testRoles(database);
  const [worker, client] = [await roles.login('worker'), await roles.login('client')];
  const made = await harness({ activities: { ...activities, ...more } }, worker, client);
  return { ...made, database, logins: { worker, client } };
}

describe('a client that is only a client', () => {
  it('starts, signals, queries, updates, cancels, terminates, lists and reads what a worker of another login does', async () => {
    const { run } = await separate();
    await run(async ({ client, taskQueue, execute }) => {
      expect(await execute('hello', 'Ada')).toBe('Hello, Ada!');
      expect(await execute('locals', 1)).toBeDefined();
      expect(await execute('parent', ['a', 'b'])).toHaveLength(2);
      expect(await execute('timers', 2)).toBeDefined();
      expect(await execute('continuing', 2)).toBeDefined();

      const handle = await client.workflow.start('waiting', { taskQueue, workflowId: 'w' });
      expect(await handle.executeUpdate('add', { args: [2] })).toBe(2);
      expect(await handle.query('state')).toBe('waiting');
      const later = await handle.startUpdate('add', { args: [3], waitForStage: WorkflowUpdateStage.ACCEPTED });
      expect(await later.result()).toBe(5);
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.signal('go', 'done');
      await handle.cancel().catch(() => {});
      await handle.result().catch(() => {});

      const doomed = await client.workflow.start('waiting', { taskQueue, workflowId: 'doomed' });
      await doomed.terminate('enough');
      await expect(doomed.signal('go', 'x')).rejects.toThrow(WorkflowNotFoundError);
      expect((await doomed.fetchHistory()).events?.at(-1)?.workflowExecutionTerminatedEventAttributes?.reason).toBe(
        'enough',
      );
      const listed: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = 'waiting'` }))
        listed.push(workflowId);
      expect(listed.sort()).toEqual(['doomed', 'w']);
      expect(await client.workflow.count()).toMatchObject({ count: expect.any(Number) as number });
    });
  }, 60_000);

  it('makes schedules, which start what the worker does', async () => {
    const { run } = await separate();
    await run(async ({ client, taskQueue }) => {
      const action = {
        type: 'startWorkflow' as const,
        workflowType: 'hello',
        taskQueue,
        args: ['Bo'],
        workflowId: 'scheduled',
      };
      const handle = await client.schedule.create({ scheduleId: 's', spec: {}, action });
      await handle.trigger();
      await expect.poll(async () => (await handle.describe()).info.numActionsTaken, { timeout: 20_000 }).toBe(1);
      const started = (await handle.describe()).info.recentActions[0]!.action.workflow.workflowId;
      expect(await client.workflow.getHandle(started).result()).toBe('Hello, Bo!');
      await handle.pause('enough');
      await handle.delete();
    });
  }, 60_000);

  it('starts and signals by SQL, in its transactions too', async () => {
    const { run, database, logins } = await separate();
    const tx = await session(logins.client);
    await run(async ({ client, taskQueue }) => {
      await tx.query(`SELECT ${database.schema}.start_workflow('hello', $1, 'from-sql', '["Cy"]')`, [taskQueue]);
      expect(await client.workflow.getHandle('from-sql').result()).toBe('Hello, Cy!');
      const [row] = (
        await tx.query<{ result: string }>(`SELECT ${database.schema}.workflow_result('from-sql') AS result`)
      ).rows;
      expect(row?.result).toBe('Hello, Cy!');
      await tx.query('BEGIN');
      const handle = await client.withTransaction(tx).workflow.start('waiting', { taskQueue, workflowId: 'joined' });
      await client.withTransaction(tx).workflow.getHandle('joined').signal('go', 'x');
      await tx.query('COMMIT');
      expect(await handle.result()).toBeDefined();
    });
  }, 60_000);

  it('cannot work: its polls are refused, and the worker says so', async () => {
    const { worker } = await harness({}, await (await testRoles(freshSchema())).login('client'));
    await expect(worker.run()).rejects.toMatchObject({
      message: expect.stringContaining('PERMISSION_DENIED') as string,
    });
  }, 60_000);

  it('is refused what is the administrator’s', async () => {
    const { run } = await separate();
    await run(async ({ client }) => {
      const { workflowService, operatorService } = client.connection as Connection;
      const denied = { code: 7, details: expect.stringContaining('permission denied') as string };
      const workflowExecution = { workflowId: 'w' };
      await client.workflow.start('waiting', { taskQueue: 'nobody', workflowId: 'w' });
      await expect(
        workflowService.updateNamespace({ namespace: 'default', updateInfo: { description: 'x' } }),
      ).rejects.toMatchObject(denied);
      await expect(
        operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { X: 2 } }),
      ).rejects.toMatchObject(denied);
      await expect(
        workflowService.startBatchOperation({
          namespace: 'default',
          jobId: 'j',
          reason: 'r',
          executions: [workflowExecution],
          terminationOperation: {},
        }),
      ).rejects.toMatchObject(denied);
      await expect(
        workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution }),
      ).rejects.toMatchObject(denied);
      expect((await client.workflow.getHandle('w').describe()).workflowId).toBe('w');
    });
  }, 60_000);
});

describe('a worker that is only a worker', () => {
  it('commits activities with rows of the application, and keeps heartbeats', async () => {
    const book = transactional(async (tx, account: string) => {
      await tx.query(`INSERT INTO ${table} VALUES ($1)`, [account]);
      return 'booked';
    });
    const { run, database, logins } = await separate({ book: book as never, firstTime: async () => false });
    const table = `"${database.schema}_books"`;
    await sql(`CREATE TABLE ${table} (account text)`);
    afterTest(async () => void (await sql(`DROP TABLE ${table}`)));
    await sql(`GRANT INSERT ON ${table} TO ${new URL(logins.worker.url).username}`);
    await run(async (h) => {
      expect(await h.execute('calling', [['book', 'a']])).toEqual(['booked']);
      expect(await h.execute('callingLocally', 'book', 'b')).toBe('booked');
      expect(await h.execute('heartbeatDetails')).toBeDefined();
    });
    expect(await sql(`SELECT * FROM ${table} ORDER BY 1`)).toEqual([{ account: 'a' }, { account: 'b' }]);
  }, 60_000);
});

describe('what a process leaves behind', () => {
  it.each(['client', 'worker'] as const)('is taken up when it was a %s that died', async (kind) => {
    const database = freshSchema();
    const roles = await testRoles(database);
    const dead = randomUUID();
    await sql(
      `INSERT INTO ${database.schema}.processes VALUES ($1, 'dead', now() - interval '1 minute', now() - interval '1 second', true, '[]', false, false)`,
      [dead],
    );
    await sql(
      `INSERT INTO ${database.schema}.tasks (namespace_id, queue, kind, run_id, scheduled_event_id, attempt, priority, fairness_key, fairness_weight, claimed_by, claim)
       VALUES (1, 'q', 'workflow', gen_random_uuid(), 1, 1, 3, '', 1, $1, 1)`,
      [dead],
    );
    const store = await openStore(await roles.login(kind));
    afterTest(() => store.close());
    expect(await sql(`SELECT claimed_by FROM ${database.schema}.tasks`)).toEqual([{ claimed_by: null }]);
  });

  it('expires by a worker, though a client has the smaller id', async () => {
    const database = freshSchema();
    const roles = await testRoles(database);
    const stores = [await openStore(await roles.login('client')), await openStore(await roles.login('worker'))];
    for (const store of stores) afterTest(() => store.close());
    expect(stores.map(({ rights }) => rights)).toEqual([
      { work: false, expire: false, restricted: false },
      { work: true, expire: true, restricted: false },
    ]);
    await expect.poll(() => stores[1]!.liveProcesses().length, { timeout: 10_000 }).toBe(2);
    expect(
      stores[1]!
        .liveProcesses()
        .filter(({ expires }) => expires)
        .map(({ id }) => id),
    ).toEqual([stores[1]!.processId]);
  });
});
