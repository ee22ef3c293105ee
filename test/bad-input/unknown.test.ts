/** Workflow types, activity types, handlers and namespaces that are not there. */
import { randomUUID } from 'node:crypto';
import { ActivityFailure, ApplicationFailure, NamespaceNotFoundError, WorkflowNotFoundError } from '@temporalio/common';
import { Client, QueryNotRegisteredError, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../shim/worker/errors';
import { freshSchema } from '../support/database';
import { testClient } from '../support/connection';
import { workflowBundle } from '../worker/harness';
import { badActivities } from './activities';
import { bench, errorOf, make, taskFailure } from './bench';

describe('unknown', () => {
  it('workflow type: its task fails, and it runs as soon as a worker has it', async () => {
    const database = freshSchema();
    const without = await bench({ workflowBundle: await workflowBundle() }, database);
    const handle = await without.run(async ({ client, taskQueue }) => {
      const started = await client.workflow.start('makes', { taskQueue, workflowId: randomUUID(), args: ['it'] });
      const { cause, failure } = await taskFailure(started);
      expect(cause).toBe(14);
      expect(failure?.message).toBe(
        "Failed to initialize workflow of type 'makes': no such function is exported by the workflow bundle",
      );
      expect((await started.describe()).status.name).toBe('RUNNING');
      return started;
    });
    const withIt = await bench({ taskQueue: without.taskQueue }, database);
    expect(await withIt.run(() => handle.result())).toBe('it');
  });

  it('activity type: fails the activity, naming those that are there', async () => {
    const { run } = await bench();
    await run(async (h) => {
      const error = await errorOf((await make(h, 'an activity that nobody has')).result());
      expect(error.cause).toBeInstanceOf(ActivityFailure);
      const cause = (error.cause as Error).cause;
      expect(cause).toBeInstanceOf(ApplicationFailure);
      expect(cause).toMatchObject({
        type: 'NotFoundError',
        nonRetryable: false,
        message: expect.stringMatching(
          /^Activity function missing is not registered on this Worker, available activities: \[.*"take"/,
        ),
      });
    });
  });

  it('activity type: is retried until a worker has it', async () => {
    const database = freshSchema();
    const { take, ...others } = badActivities();
    const without = await bench({ activities: others }, database);
    const handle = await without.run(async ({ client, taskQueue }) => {
      const started = await client.workflow.start('insists', { taskQueue, workflowId: randomUUID() });
      let attempt = 0;
      for (let i = 0; attempt < 2 && i < 200; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        attempt = (await started.describe()).raw.pendingActivities?.[0]?.attempt ?? 0;
      }
      expect(attempt).toBeGreaterThan(1);
      return started;
    });
    const withIt = await bench({ taskQueue: without.taskQueue, activities: { ...others, take } }, database);
    expect(await withIt.run(() => handle.result())).toBe('there at last');
  });

  it('local activity type: fails the workflow task', async () => {
    const { run } = await bench();
    await run(async (h) => {
      const handle = await make(h, 'a local activity that nobody has');
      const { failure } = await taskFailure(handle);
      expect(failure?.message).toBe("Local activity of type 'missing' not registered on worker");
      await handle.terminate();
    });
  });

  it('query, update: refused; signal: kept', async () => {
    const { run } = await bench();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('open', { taskQueue, workflowId: randomUUID() });
      const query = await errorOf(handle.query('nope'));
      expect(query).toBeInstanceOf(QueryNotRegisteredError);
      expect(query.message).toMatch(/^Workflow did not register a handler for nope\. Registered queries: \[.*ask/);
      const update = await errorOf(handle.executeUpdate('nope'));
      expect(update).toBeInstanceOf(WorkflowUpdateFailedError);
      await handle.signal('nope');
      await handle.signal('go', 'on');
      expect(await handle.result()).toBe('on');
    });
  });

  it('namespace: every call of a client says so', async () => {
    const { connection } = await testClient();
    const client = new Client({ connection, namespace: 'nowhere' });
    const handle = client.workflow.getHandle('w');
    for (const call of [
      () => client.workflow.start('w', { taskQueue: 'q', workflowId: 'w' }),
      () => handle.describe(),
      () => handle.result(),
      () => handle.signal('s'),
      () => handle.query('q'),
      () => handle.executeUpdate('u'),
      () => handle.cancel(),
      () => handle.terminate(),
      () => client.workflow.count(),
      () => client.activity.complete({ workflowId: 'w', activityId: '1' }, 1),
    ]) {
      const error = await errorOf(call());
      expect(error, String(call)).toBeInstanceOf(NamespaceNotFoundError);
      expect(error.message).toBe("Namespace not found: 'nowhere'");
    }
  });

  it('namespace: a worker is not made', async () => {
    const error = await errorOf(bench({ namespace: 'nowhere' }));
    expect(error).toBeInstanceOf(TransportError);
    expect(error.message).toContain('Namespace nowhere was not found');
  });

  it('workflow id: every call says so', async () => {
    const { client } = await testClient();
    const handle = client.workflow.getHandle('missing');
    for (const call of [
      () => handle.describe(),
      () => handle.signal('s'),
      () => handle.query('q'),
      () => handle.executeUpdate('u'),
      () => handle.cancel(),
      () => handle.terminate(),
    ]) {
      expect(await errorOf(call()), String(call)).toBeInstanceOf(WorkflowNotFoundError);
    }
    // The client gives this one as it came from the server.
    expect(await errorOf(handle.fetchHistory())).toMatchObject({ code: 5 });
  });
});
