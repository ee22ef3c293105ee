/** Reset through the client, with a worker that runs workflow code; its histories are replayed by Temporal's worker too (test/support). */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { harness } from '../worker/harness';

const firstTask = async (history: () => Promise<{ events?: unknown[] | null }>): Promise<number> => {
  for (;;) {
    const events = ((await history()).events ?? []) as {
      eventId: unknown;
      workflowTaskCompletedEventAttributes?: unknown;
    }[];
    const completed = events.find((event) => event.workflowTaskCompletedEventAttributes);
    if (completed !== undefined) return Number(completed.eventId);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

it('runs the workflow again from the point, with the updates and signals that came after it', async () => {
  const { run } = await harness();
  await run(async ({ client, taskQueue }) => {
    const handle = await client.workflow.start('waiting', { taskQueue, workflowId: randomUUID() });
    const point = await firstTask(() => handle.fetchHistory());
    expect(await handle.executeUpdate('add', { args: [2], updateId: 'two' })).toBe(2);
    expect(await handle.executeUpdate('add', { args: [3] })).toBe(5);
    const { runId } = await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      workflowTaskFinishEventId: point as never,
      reason: 'again',
      requestId: randomUUID(),
    });
    // Asked again by its id, an update that was taken over is the same update.
    expect(await handle.getUpdateHandle('two').result()).toBe(2);
    expect(await handle.executeUpdate('add', { args: [10] })).toBe(15);
    await handle.signal('go', 'gone');
    const newest = client.workflow.getHandle(handle.workflowId);
    expect(await newest.result()).toBe('gone:15');
    expect((await newest.describe()).runId).toBe(runId);
    // A handle of the start follows its own run.
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  });
});

it('gives the new run randomness of its own', async () => {
  const { run } = await harness();
  await run(async ({ client, taskQueue }) => {
    const handle = await client.workflow.start('deterministic', { taskQueue, workflowId: randomUUID() });
    const [random, uuid] = (await handle.result()) as unknown[];
    const { events } = await handle.fetchHistory();
    const completed = events!.filter((event) => event.workflowTaskCompletedEventAttributes);
    await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      workflowTaskFinishEventId: completed[0]!.eventId,
      reason: 'again',
      requestId: randomUUID(),
    });
    const [randomAgain, uuidAgain] = (await client.workflow.getHandle(handle.workflowId).result()) as unknown[];
    expect(randomAgain).not.toBe(random);
    expect(uuidAgain).not.toBe(uuid);
  });
});
