/** A worker's states, its shutdown, and what it makes of a bad start. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import { NativeConnection } from '../../shim/worker/connection';
import {
  CombinedWorkerRunError,
  GracefulShutdownPeriodExpiredError,
  PromiseCompletionTimeoutError,
  TransportError,
  UnexpectedError,
} from '../../shim/worker/errors';
import { Runtime } from '../../shim/worker/runtime';
import { Worker } from '../../shim/worker/worker';
import { bundleOf } from '../support/activations';
import { cancellations } from '../support/activities';
import { afterTest, freshSchema } from '../support/database';
import { FlakyLink } from '../support/flaky-link';
import { harness, logged } from './harness';

describe('the life of a worker', () => {
  afterEach(() => void logged.splice(0));

  it('goes through the states of Temporal and can run only once', async () => {
    const { worker, connection } = await harness();
    expect(worker.getState()).toBe('INITIALIZED');
    expect(() => worker.shutdown()).toThrow('Not running. Current state: INITIALIZED');
    const running = worker.run();
    expect(worker.getState()).toBe('RUNNING');
    expect(worker.getStatus()).toMatchObject({ workflowPollerState: 'POLLING', hasOutstandingWorkflowPoll: true });
    await expect(worker.run()).rejects.toThrow('Poller was already started');
    await expect(connection.close()).rejects.toThrow('Cannot close connection while Workers hold a reference to it');
    worker.shutdown();
    expect(worker.getState()).toBe('DRAINING');
    await running;
    expect(worker.getState()).toBe('STOPPED');
    expect(worker.getStatus()).toMatchObject({ workflowPollerState: 'SHUTDOWN', activityPollerState: 'SHUTDOWN' });
    const states = logged
      .filter(({ message }) => message === 'Worker state changed')
      .map(({ meta }) => meta!.state as string);
    expect(states).toEqual(['RUNNING', 'STOPPING', 'DRAINING', 'DRAINED', 'STOPPED']);
  });

  it('shuts down when the process is told to', async () => {
    const { worker } = await harness();
    const running = worker.run();
    const runtime = Runtime.instance() as unknown as { startShutdownSequence: () => void; state: string };
    runtime.startShutdownSequence();
    await running;
    expect(worker.getState()).toBe('STOPPED');
    runtime.state = 'RUNNING';
  });

  it('cancels activities after the grace time and has them retried elsewhere', async () => {
    const database = freshSchema();
    const first = await harness({ shutdownGraceTime: '100ms' }, database);
    const handle = await first.run(async ({ client, taskQueue }) => {
      const started = await client.workflow.start('cancelledActivity', { taskQueue, workflowId: randomUUID() });
      await sleep(500);
      return started;
    });
    expect(cancellations.at(-1)).toMatchObject({ reason: 'WORKER_SHUTDOWN', details: { workerShutdown: true } });
    const { pendingActivities } = (await handle.describe()).raw;
    expect(pendingActivities).toHaveLength(1);
    expect(pendingActivities![0]!.lastFailure).toMatchObject({
      message: 'Worker is shutting down and this activity did not complete in time',
      applicationFailureInfo: { type: 'WorkerShutdown' },
    });
  });

  it('gives up on activities that do not end within the force time', async () => {
    let release!: () => void;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    const { worker, run } = await harness({ shutdownForceTime: '200ms', activities: { slow: () => stuck } });
    const ended = run(async ({ client, taskQueue }) => {
      await client.workflow.start('blocked', { taskQueue, workflowId: randomUUID(), args: [1] });
      await sleep(500);
    });
    await expect(ended).rejects.toThrow(GracefulShutdownPeriodExpiredError);
    expect(worker.getState()).toBe('FAILED');
    release();
    await sleep(100);
  });

  it('fails when a promise is rejected unheard that is not of workflow code', async () => {
    const source = `export async function rejectsOutside() {
      (URL as any).constructor('return Promise')().reject(new Error('of the thread'));
    }`;
    const { worker, client, taskQueue } = await harness({ workflowBundle: await bundleOf(source) });
    await client.workflow.start('rejectsOutside', { taskQueue, workflowId: randomUUID() });
    const failure = (await worker.run().catch((error: unknown) => error)) as Error;
    expect(failure).toBeInstanceOf(UnexpectedError);
    expect(failure.message).toBe(
      'Workflow Worker Thread exited prematurely: UnhandledRejectionError: ' +
        "Unhandled Promise rejection for unknown Workflow Run id='undefined': Error: of the thread",
    );
    expect(worker.getState()).toBe('FAILED');
  });

  it('tells of the inner error, of a worker that stopped first, and of both', async () => {
    const inner = await harness();
    await expect(inner.worker.runUntil(() => Promise.reject(new Error('inner')))).rejects.toThrow('inner');

    const early = await harness();
    const never = early.worker.runUntil(new Promise(() => undefined));
    early.worker.shutdown();
    await expect(never).rejects.toThrow(PromiseCompletionTimeoutError);

    const both = await harness();
    const combined = both.worker.runUntil(() => Promise.reject(new Error('inner')));
    (both.worker as unknown as { fail: (error: unknown) => void }).fail(new Error('worker'));
    await expect(combined).rejects.toThrow(CombinedWorkerRunError);
  });

  it('lets plugins change options and wrap the run', async () => {
    const seen: string[] = [];
    const { worker, run } = await harness({
      plugins: [
        {
          name: 'test',
          configureWorker: (options) => ({ ...options, identity: 'set by the plugin' }),
          runWorker: async (w, next) => {
            seen.push('before');
            await next(w);
            seen.push('after');
          },
        },
      ],
    });
    await run(() => Promise.resolve());
    expect(worker.options.identity).toBe('set by the plugin');
    expect(seen).toEqual(['before', 'after']);
  });
});

describe('a bad start', () => {
  it('names the namespace that does not exist', async () => {
    await expect(harness({ namespace: 'nowhere' })).rejects.toThrow(
      /^Namespace nowhere was not found or otherwise could not be described: .*Namespace nowhere is not found/,
    );
  });

  it('is a transport error when there is no database', async () => {
    const connecting = NativeConnection.connect({ url: 'postgres://127.0.0.1:1/none', connectTimeout: 500 } as never);
    await expect(connecting).rejects.toThrow(TransportError);
    await expect(NativeConnection.connect({ address: 'localhost:7233' })).rejects.toMatchObject({
      code: 'BRANCHLINE_UNSUPPORTED_OPTION',
      option: 'address',
    });
    await expect(NativeConnection.connect({ ...freshSchema(), apiKey: 'key' })).rejects.toMatchObject({
      option: 'apiKey',
    });
  });

  it('needs a task queue whose name is not reserved', async () => {
    await expect(Worker.create({ taskQueue: '' })).rejects.toThrow('Task queue name is required');
    await expect(Worker.create({ taskQueue: '__temporal_x' })).rejects.toThrow(/__temporal_/);
  });

  it('is told of workflow code that cannot be loaded', async () => {
    const workflows = (name: string): Promise<unknown> =>
      harness({ workflowsPath: join(__dirname, '../workflows', name), workflowBundle: undefined });
    await expect(workflows('throws-on-load.ts')).rejects.toThrow(/this module throws on load/);
    await expect(workflows('forbidden-import.ts')).rejects.toMatchObject({ code: 'BRANCHLINE_FORBIDDEN_IMPORT' });
    await expect(workflows('nonexistent.ts')).rejects.toMatchObject({ code: 'BRANCHLINE_BUNDLE_FAILED' });
  });
});

describe('a database that goes away', () => {
  it('is waited for: runs go on when it is back', async () => {
    const database = freshSchema();
    const link = await FlakyLink.to(database.url);
    afterTest(() => link.close());
    const { run } = await harness({}, { ...database, url: link.url });
    const result = await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('blocked', { taskQueue, workflowId: randomUUID(), args: [1500] });
      await sleep(500);
      link.cut();
      await sleep(2000);
      link.mend();
      for (;;) {
        try {
          return await handle.result();
        } catch (error) {
          if ((error as { code?: unknown }).code === undefined && !(error instanceof ApplicationFailure)) throw error;
          await sleep(200);
        }
      }
    });
    expect(result).toBe('slow');
  });

  it('for good hangs neither callers nor the shutdown', async () => {
    const database = freshSchema();
    const link = await FlakyLink.to(database.url);
    afterTest(() => link.close());
    const { worker, client, taskQueue } = await harness({}, { ...database, url: link.url });
    const running = worker.run();
    await client.workflow.start('blocked', { taskQueue, workflowId: randomUUID(), args: [1000] });
    await sleep(300);
    link.cut();
    await expect(
      client.workflow
        .getHandle('any')
        .query('any')
        .catch((error: Error) => Promise.reject(error.cause as Error)),
    ).rejects.toMatchObject({ code: 14, details: expect.stringContaining('out of reach') as unknown });
    worker.shutdown();
    await running;
    expect(worker.getState()).toBe('STOPPED');
    expect(logged.some(({ message }) => message === 'Failed to complete a workflow task')).toBe(true);
  }, 90_000);
});
