import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { freshSchema } from '../support/database';
import { startWorkflow } from '../support/polling-worker';
import { testService } from '../support/service';
import { harness } from './harness';

test('a start that is refused runs no local activity and calls no sink, though its code ran ahead', async () => {
  const database = freshSchema();
  const elsewhere = await testService(database);
  await startWorkflow(elsewhere, 'taken', 'other', 'a-queue-that-nobody-polls');
  const greeted: string[] = [];
  const sunk: string[] = [];
  const { run } = await harness(
    {
      activities: {
        greet: async (name: string) => (greeted.push(name), `Hello, ${name}!`),
        flaky: async () => 'ok',
      },
      sinks: { defaultWorkerLogger: silentLogger((runId) => sunk.push(runId)) },
    },
    database,
  );
  await run(async ({ client, taskQueue }) => {
    const options = { taskQueue, args: [0] };
    const refused = client.workflow.start('locals', { ...options, workflowId: 'taken' });
    await expect(refused).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    const handle = await client.workflow.start('locals', { ...options, workflowId: randomUUID() });
    expect(await handle.result()).toEqual(['Hello, local!', 'ok']);
    expect(greeted).toEqual(['local']);
    expect(new Set(sunk)).toEqual(new Set([handle.firstExecutionRunId]));
  });
});

/** Workflow code logs its start and end by itself. */
function silentLogger(seen: (runId: string) => void) {
  const level = { fn: ({ runId }: { runId: string }) => seen(runId) };
  return { trace: level, debug: level, info: level, warn: level, error: level };
}
