/** Environments that skip time, as Temporal's test server does, and for what that one lacks. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { TestWorkflowEnvironment } from '../../shim/testing';
import { Worker } from '../../shim/worker';
import { addUpdate, endSignal, race, slept, updated, yearOfBilling } from './skipping-workflows';

const DAY = 86_400_000;
let env: TestWorkflowEnvironment;
let attempts = 0;
let napMs = 0;
let ids = 0;

beforeAll(async () => {
  env = await TestWorkflowEnvironment.createTimeSkipping();
});
afterAll(() => env.teardown());

const start = () => ({ taskQueue: 'q', workflowId: `w-${++ids}` });

async function withWorker<T>(work: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: 'q',
    workflowsPath: path.join(__dirname, 'skipping-workflows.ts'),
    activities: {
      charge: (month: number) => {
        attempts++;
        if (attempts % 2 === 1) throw new Error('try again in an hour');
        return Promise.resolve(month);
      },
      nap: () => env.sleep(napMs),
    },
  });
  return worker.runUntil(work);
}

describe('while a result is waited for', () => {
  it('a year of billing with an hourly retry each month passes', async () => {
    const before = await env.currentTimeMs();
    expect(await withWorker(() => env.client.workflow.execute(yearOfBilling, start()))).toBe(78);
    const passed = (await env.currentTimeMs()) - before;
    expect(passed).toBeGreaterThanOrEqual(360 * DAY + 12 * 3_600_000);
    expect(passed).toBeLessThan(361 * DAY);
  });

  it('a start delay passes, and workflow time tells of it', async () => {
    const before = await env.currentTimeMs();
    const options = { ...start(), args: [DAY] as [number], startDelay: '2 days' as const };
    const at = await withWorker(() => env.client.workflow.execute(slept, options));
    expect(at).toBeGreaterThanOrEqual(before + 3 * DAY);
  });

  it('a workflow times out, with nobody to run it', async () => {
    const options = { taskQueue: 'nobody', workflowId: 'timeout', workflowExecutionTimeout: '1 year' as const };
    await expect(env.client.workflow.execute('any', options)).rejects.toThrow(WorkflowFailedError);
  });
});

describe('env.sleep', () => {
  it.each([
    ['timer', 1_000_000],
    ['activity', 100_000],
  ])('in an activity lets the %s win', async (winner, ms) => {
    napMs = ms;
    expect(await withWorker(() => env.client.workflow.execute(race, { ...start(), args: [500_000] }))).toBe(winner);
  });

  it('passes exactly that time while nobody waits for a result', async () => {
    await withWorker(async () => {
      const handle = await env.client.workflow.start(slept, { ...start(), args: [10 * DAY] });
      const before = await env.currentTimeMs();
      await env.sleep('3 days');
      const passed = (await env.currentTimeMs()) - before;
      expect(passed).toBeGreaterThanOrEqual(3 * DAY);
      expect(passed).toBeLessThan(4 * DAY);
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.result();
    });
  });

  it('lets an update that sleeps come to its end', async () => {
    await withWorker(async () => {
      const handle = await env.client.workflow.start(updated, start());
      const update = await handle.startUpdate(addUpdate, { args: [5], waitForStage: 'ACCEPTED' });
      await env.sleep('2 days');
      expect(await update.result()).toBe(5);
      await handle.signal(endSignal);
      expect(await handle.result()).toBe(5);
    });
  });
});

it('a schedule starts its workflows on the days that pass', async () => {
  await withWorker(async () => {
    const schedule = await env.client.schedule.create({
      scheduleId: 'daily',
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: slept, taskQueue: 'q', args: [1000] },
    });
    await env.sleep('3 days');
    expect((await schedule.describe()).info.numActionsTaken).toBe(3);
    await schedule.delete();
  });
});

it('another process cannot connect, and is told why', async () => {
  const child = `
    const { Connection } = require(process.argv[1] + '/client');
    const { NativeConnection } = require(process.argv[1] + '/worker');
    const codeOf = (connecting) => connecting.then(() => 'connected', ({ code, cause }) => code ?? cause?.code);
    const options = { address: process.argv[2] };
    void Promise.all([codeOf(Connection.connect(options)), codeOf(NativeConnection.connect(options))])
      .then((codes) => console.log(JSON.stringify(codes)));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    child,
    path.join(__dirname, '../../lib'),
    env.address,
  ]);
  expect(JSON.parse(stdout)).toEqual(['BRANCHLINE_TIME_SKIPPED', 'BRANCHLINE_TIME_SKIPPED']);
});

it('the test service is refused elsewhere', async () => {
  const local = await TestWorkflowEnvironment.createLocal();
  const connection = await Connection.connect({ address: local.address });
  expect(connection.testService).toBeUndefined();
  await connection.close();
  await local.teardown();
});
