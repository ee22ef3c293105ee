/** Client and worker on one schema without sharing a service, as in two processes. */
import { describe, expect, it } from 'vitest';
import { WorkflowNotFoundError, WorkflowUpdateStage } from '../../shim/client';
import { int64 } from '../../shim/common/proto-values';
import { testClient } from '../support/connection';
import { complete, scriptedWorker } from '../support/scripted-worker';

type Test = Awaited<ReturnType<typeof testClient>>;

async function twoProcesses(): Promise<[client: Test, worker: Test]> {
  const first = await testClient();
  const url = new URL(first.database.url);
  url.searchParams.set('keepalives', '1');
  const second = await testClient({}, { ...first.database, url: url.href });
  expect(await first.connection.service()).not.toBe(await second.connection.service());
  return [first, second];
}

describe('a client away from its worker', () => {
  it('gets results, also of runs that the other process closes', async () => {
    const [{ client, queue }, worker] = await twoProcesses();
    const handles = await Promise.all(
      [1, 2, 3].map((n) => client.workflow.start('w', { taskQueue: queue, workflowId: `w${n}` })),
    );
    const results = Promise.all(handles.map((handle) => handle.result()));
    scriptedWorker(worker.connection, queue, () => ({ commands: [complete('there')] }));
    expect(await results).toEqual(['there', 'there', 'there']);
    await expect(handles[0]?.signal('late')).rejects.toThrow(WorkflowNotFoundError);
  });

  it('signals and terminates what the other process holds in memory', async () => {
    const [{ client, queue }, worker] = await twoProcesses();
    // A task that was lost to a signal comes again, with the same events.
    const signals = new Set<string>();
    scriptedWorker(worker.connection, queue, (task) => {
      for (const event of task.history?.events ?? []) {
        if (event.workflowExecutionSignaledEventAttributes) signals.add(String(event.eventId));
      }
      return {};
    });
    const handle = await worker.client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    for (let n = 0; n < 5; n++) await client.workflow.getHandle('w').signal('s', n);
    await expect.poll(() => signals.size, { timeout: 10_000 }).toBe(5);
    await client.workflow.getHandle('w').terminate('over');
    await expect(handle.result()).rejects.toMatchObject({ cause: { message: 'over' } });
    await expect(handle.signal('s')).rejects.toThrow(WorkflowNotFoundError);
  });

  it('queries', async () => {
    const [{ client, queue }, worker] = await twoProcesses();
    /** Up to where the history is replay, as each query's task says. */
    const replayed: number[] = [];
    scriptedWorker(worker.connection, queue, (task) => {
      if (task.query) replayed.push(int64(task.previousStartedEventId));
      return { answer: 42 };
    });
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    await expect.poll(async () => (await handle.describe()).historyLength, { timeout: 10_000 }).toBe(4);
    expect(await client.withDeadline(Date.now() + 10_000, () => handle.query('q'))).toBe(42);
    await handle.terminate();
    expect(await client.withDeadline(Date.now() + 10_000, () => handle.query('q'))).toBe(42);
    expect(replayed).toEqual([3, 3]);
  });

  it('starts the next run of an id that the other process has closed', async () => {
    const [a, b] = await twoProcesses();
    const options = { taskQueue: a.queue, workflowId: 'w' };
    const first = await a.client.workflow.start('w', options);
    await b.client.workflow.getHandle('w').terminate();
    const second = await b.client.workflow.start('w', options);
    // A remembers the first run as the current one.
    await a.client.workflow.getHandle('w').signal('s');
    const { events } = await second.fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(1);
    await expect(first.terminate()).rejects.toThrow(WorkflowNotFoundError);
    expect((await a.client.workflow.getHandle('w').describe()).runId).toBe(second.firstExecutionRunId);
  });

  it('waits for updates', async () => {
    const [{ client, queue }, worker] = await twoProcesses();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const update = handle.startUpdate('u', { waitForStage: WorkflowUpdateStage.ACCEPTED });
    // This worker does not know updates: the service rejects them.
    scriptedWorker(worker.connection, queue, () => ({}));
    const { result } = await update;
    await expect(result()).rejects.toMatchObject({ cause: { type: 'UnprocessedUpdate' } });
  });
});
