/** Official workers that stop, are killed, and lose their gateway: their runs go on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../test/support/database';
import { testService } from '../../test/support/service';
import * as activities from './activities';
import { bench, testGateway } from './harness';
import * as workflows from './workflows';

const start = (taskQueue: string, args: unknown[] = []) => ({
  taskQueue,
  workflowId: randomUUID(),
  args: args as never,
});

async function workerProcess(address: string, taskQueue: string): Promise<ChildProcess> {
  const file = join(__dirname, 'worker-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, address, taskQueue], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  afterTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  return child;
}

describe('a run of the official worker', () => {
  it('goes on with the next worker when its own shuts down', async () => {
    const { client, taskQueue, worker, calls } = await bench();
    const first = await worker();
    const running = first.run();
    const handle = await client.workflow.start(workflows.collecting, start(taskQueue));
    await handle.signal(workflows.nudge, 1);
    expect(await handle.query(workflows.seen)).toEqual([1]);
    first.shutdown();
    await running;
    expect(calls.map(({ method }) => method)).toContain('shutdownWorker');
    // Nobody is there: it waits, on the normal queue.
    await handle.signal(workflows.nudge, 2);
    const second = await worker();
    await second.runUntil(async () => {
      expect(await handle.query(workflows.seen)).toEqual([1, 2]);
      await handle.signal(workflows.finish);
      expect(await handle.result()).toEqual([1, 2]);
    });
  });

  it('goes on elsewhere when its worker is killed', async () => {
    const { client, taskQueue, gateway, running } = await bench();
    const child = await workerProcess(gateway.address, taskQueue);
    const cancellable = await client.workflow.start(workflows.cancelledActivity, start(taskQueue));
    const waiting = await client.workflow.start(workflows.collecting, start(taskQueue));
    await waiting.signal(workflows.nudge, 1);
    expect(await waiting.query(workflows.seen)).toEqual([1]);
    await expect
      .poll(async () => (await cancellable.describe()).raw.pendingActivities?.[0]?.lastStartedTime, { timeout: 20_000 })
      .toBeTruthy();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waiting.signal(workflows.finish);
    await running(async () => {
      // The sticky queue of the dead is left, its activity times out without heartbeats and is tried again.
      expect(await waiting.result()).toEqual([1]);
      await expect
        .poll(async () => (await cancellable.describe()).raw.pendingActivities?.[0]?.attempt, { timeout: 20_000 })
        .toBe(2);
      await cancellable.cancel();
      expect(await cancellable.result()).toBe('Hello, cleanup!');
    });
  });

  it('goes on when the gateway goes and comes back on its port', async () => {
    const { client, taskQueue, gateway, running, service } = await bench();
    await running(async () => {
      const handle = await client.workflow.start(workflows.gated, start(taskQueue, ['gateway']));
      await activities.arrived(handle.workflowId);
      await gateway.close();
      activities.open(handle.workflowId);
      await testGateway(service, [], gateway.port);
      expect(await handle.result()).toEqual(['Hello, gateway before!', 'Hello, gateway after!', 'timer']);
    });
  });

  it('is worked on through one gateway and looked at through another', async () => {
    const { database, taskQueue, running } = await bench();
    const other = await testGateway(await testService(database, { leaseMs: 1500 }));
    const connection = await Connection.connect({ address: other.address });
    afterTest(() => connection.close());
    const client = new Client({ connection });
    await running(async () => {
      const handle = await client.workflow.start(workflows.collecting, start(taskQueue));
      await handle.signal(workflows.nudge, 4);
      expect(await handle.query(workflows.seen)).toEqual([4]);
      expect(await handle.executeUpdate(workflows.submit, { args: ['other'] })).toBe('Hello, other!');
      await handle.signal(workflows.finish);
      expect(await handle.result()).toEqual([4]);
    });
  });

  it('fails its task, and is tried again, when what it says is too big', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      const handle = await client.workflow.start(workflows.tooBig, { ...start(taskQueue), workflowRunTimeout: '20s' });
      await expect
        .poll(
          async () => {
            const { events } = await handle.fetchHistory();
            return events?.find(({ workflowTaskFailedEventAttributes }) => workflowTaskFailedEventAttributes)
              ?.workflowTaskFailedEventAttributes?.cause;
          },
          { timeout: 20_000 },
        )
        // WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE
        .toBe(37);
      await handle.terminate();
    });
  });

  it('is refused a worker in a namespace that is not there', async () => {
    const { gateway, worker } = await bench();
    const connection = await NativeConnection.connect({ address: gateway.address });
    afterTest(() => connection.close());
    await expect(worker({ connection, namespace: 'nowhere' }).then((made) => made.run())).rejects.toThrow(/nowhere/);
  });
});
