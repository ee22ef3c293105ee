/** One application on both engines: the same code, clients and calls, whoever has the id. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  AsyncCompletionClient,
  type Client,
  ScheduleOverlapPolicy,
  WithStartWorkflowOperation,
  WorkflowFailedError,
} from '@temporalio/client';
import { NativeConnection as TemporalNativeConnection } from '@temporalio/worker';
import Long from 'long';
import { expect, it } from 'vitest';
import { NativeConnection } from '../../shim/worker';
import { createWorkers } from '../../shim/router';
import { describeWithTemporal } from '../support/temporal';
import { byIdRoutes, routed, type Routed } from './harness';
import * as activities from './activities';

const workflowsPath = join(__dirname, 'workflows.ts');

async function withWorkers(address: string, body: (r: Routed) => Promise<void>): Promise<void> {
  const r = await routed(address, { routes: byIdRoutes });
  const workers = await createWorkers({
    temporal: { address },
    postgres: { ...r.database },
    taskQueue: r.queue,
    workflowsPath,
    activities,
  });
  await workers.runUntil(() => body(r));
  expect(workers.states).toEqual({ temporal: 'STOPPED', postgres: 'STOPPED' });
}

const eachEngine = async (body: (prefix: string, engine: 'postgres' | 'temporal') => Promise<void>): Promise<void> => {
  await body('pg-', 'postgres');
  await body('t-', 'temporal');
};

describeWithTemporal('Both engines through one client', (server) => {
  it('do the same for every verb', async () => {
    await withWorkers(server().address, async ({ client, queue: taskQueue, plain }) => {
      await eachEngine(async (prefix, engine) => {
        const workflowId = `${prefix}${randomUUID()}`;
        const handle = await client.workflow.start('counter', { workflowId, taskQueue, args: [1] });
        expect(await handle.query('value')).toBe(1);
        await handle.signal('add', 2);
        expect(await handle.executeUpdate('addAndGet', { args: [3] })).toBe(6);
        await client.workflow.signalWithStart('counter', { workflowId, taskQueue, signal: 'add', signalArgs: [4] });
        const startWorkflowOperation = new WithStartWorkflowOperation('counter', {
          workflowId,
          taskQueue,
          workflowIdConflictPolicy: 'USE_EXISTING',
        });
        expect(await client.workflow.executeUpdateWithStart('addAndGet', { args: [5], startWorkflowOperation })).toBe(
          15,
        );
        // The same update again, by its id.
        const update = { args: [6] as [number], updateId: 'once' };
        expect(await handle.executeUpdate('addAndGet', update)).toBe(21);
        expect(await handle.executeUpdate('addAndGet', update)).toBe(21);
        await handle.signal('finish');
        expect(await handle.result()).toBe(21);
        expect(await client.workflow.getHandle(workflowId).query('value')).toBe(21);
        expect((await plain[engine].workflow.getHandle(workflowId).describe()).status.name).toBe('COMPLETED');

        const failing = await client.workflow.start('counter', { workflowId: `${workflowId}-2`, taskQueue, args: [1] });
        await failing.cancel();
        await expect(failing.result()).rejects.toBeInstanceOf(WorkflowFailedError);
      });
    });
  });

  it('keep an id through continue-as-new and reset', async () => {
    await withWorkers(server().address, async ({ client, queue: taskQueue, connection }) => {
      await eachEngine(async (prefix, engine) => {
        const workflowId = `${prefix}${randomUUID()}`;
        const handle = await client.workflow.start('chain', { workflowId, taskQueue, args: [3] });
        expect(await handle.result()).toBe('end of chain');
        expect(await connection.engineOf('default', workflowId)).toBe(engine);
        const counter = await client.workflow.start('counter', { workflowId: `${workflowId}-r`, taskQueue, args: [1] });
        await counter.signal('finish');
        expect(await counter.result()).toBe(1);
        const { runId } = await client.workflowService.resetWorkflowExecution({
          namespace: 'default',
          workflowExecution: { workflowId: counter.workflowId },
          workflowTaskFinishEventId: Long.fromNumber(4),
          requestId: randomUUID(),
        });
        expect((await client.workflow.getHandle(counter.workflowId).describe()).runId).toBe(runId);
        await client.workflow.getHandle(counter.workflowId).result();
      });
    });
  });

  it('complete activities from outside, by token and by id', async () => {
    await withWorkers(server().address, async ({ client, connection, queue: taskQueue }) => {
      const completion = new AsyncCompletionClient({ connection });
      await eachEngine(async (prefix) => {
        for (const by of ['token', 'id'] as const) {
          const workflowId = `${prefix}${randomUUID()}`;
          const handle = await client.workflow.start('outside', { workflowId, taskQueue });
          await expect.poll(() => activities.waiting.has(workflowId), { timeout: 20_000 }).toBe(true);
          const { taskToken, activityId } = activities.waiting.get(workflowId)!;
          if (by === 'token') await completion.complete(taskToken, by);
          else await completion.complete({ workflowId, activityId }, by);
          expect(await handle.result()).toBe(by);
        }
      });
    });
  });

  it('have schedules, each on the engine that the routes say', async () => {
    await withWorkers(server().address, async ({ client, queue: taskQueue, plain, connection }) => {
      await eachEngine(async (prefix, engine) => {
        const scheduleId = `${prefix}${randomUUID()}`;
        const handle = await client.schedule.create({
          scheduleId,
          spec: { intervals: [{ every: '1h' }] },
          action: { type: 'startWorkflow', workflowType: 'chain', args: [1], taskQueue },
          policies: { overlap: ScheduleOverlapPolicy.SKIP },
        });
        expect((await plain[engine].schedule.getHandle(scheduleId).describe()).scheduleId).toBe(scheduleId);
        await handle.pause('for a test');
        expect((await handle.describe()).state.paused).toBe(true);
        await handle.trigger();
        await expect.poll(async () => (await handle.describe()).info.recentActions.length, { timeout: 20_000 }).toBe(1);
        const listed: string[] = [];
        for await (const schedule of client.schedule.list()) listed.push(schedule.scheduleId);
        if (engine === 'postgres') expect(listed).toContain(scheduleId);
        await handle.delete();
        await expect(handle.describe()).rejects.toThrow();
        expect(await connection.engineOf('default', scheduleId, 'schedule')).toBeUndefined();
      });
    });
  });

  it('work for connections that the caller made, and say what is missing', async () => {
    const { database, queue, client } = await routed(server().address, { routes: byIdRoutes });
    await expect(createWorkers({ taskQueue: queue })).rejects.toMatchObject({ code: 'BRANCHLINE_ROUTER_ENGINES' });
    const theirs = await TemporalNativeConnection.connect({ address: server().address });
    const ours = await NativeConnection.connect({ ...database });
    const workers = await createWorkers({
      temporal: theirs,
      postgres: ours,
      taskQueue: queue,
      workflowsPath,
      activities,
    });
    await workers.runUntil(async () => {
      expect(await execute(client, queue, 't-')).toBe('end of chain');
      expect(await execute(client, queue, 'pg-')).toBe('end of chain');
    });
    await theirs.close();
    await ours.close();
  });
});

const execute = (client: Client, taskQueue: string, prefix: string): Promise<unknown> =>
  client.workflow.execute('chain', { workflowId: `${prefix}${randomUUID()}`, taskQueue, args: [1] });
