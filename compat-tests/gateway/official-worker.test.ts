/** The unmodified official worker and client run workflows on our service, over TCP. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bench } from './harness';
import type * as workflows from './workflows';

describe('the official worker', () => {
  it('runs a workflow with an activity', async () => {
    const { client, taskQueue, running } = await bench();
    const result = await running(() =>
      client.workflow.execute<typeof workflows.hello>('hello', { taskQueue, workflowId: randomUUID(), args: ['wire'] }),
    );
    expect(result).toBe('Hello, wire!');
  });
});
