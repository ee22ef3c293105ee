/** Values that no payload converter takes. */
import { randomUUID } from 'node:crypto';
import { ActivityFailure, ApplicationFailure, ValueError } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { testClient } from '../support/connection';
import { bench, errorOf, make, taskFailure } from './bench';

describe('what cannot be serialised', () => {
  it('is refused by the client before anything is sent', async () => {
    const { client, queue } = await testClient();
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const start = (arg: unknown): Promise<unknown> =>
      client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID(), args: [arg] });
    expect(await errorOf(start(1n))).toBeInstanceOf(ValueError);
    expect(await errorOf(start(circular))).toBeInstanceOf(ValueError);
    expect((await client.workflow.count()).count).toBe(0);
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID() });
    expect(await errorOf(handle.signal('s', 1n))).toBeInstanceOf(ValueError);
    expect(await errorOf(handle.query('q', 1n))).toBeInstanceOf(ValueError);
    expect(await errorOf(handle.executeUpdate('u', { args: [1n] }))).toBeInstanceOf(ValueError);
    const activity = { workflowId: handle.workflowId, activityId: '1' };
    expect(await errorOf(client.activity.complete(activity, 1n))).toBeInstanceOf(ValueError);
  });

  it('as the result of an activity fails the activity with a ValueError', async () => {
    const { run } = await bench();
    await run(async (h) => {
      for (const what of ['a bigint activity result', 'a circular activity result']) {
        const error = await errorOf((await make(h, what)).result());
        expect(error.cause).toBeInstanceOf(ActivityFailure);
        const cause = (error.cause as Error).cause;
        expect(cause).toBeInstanceOf(ApplicationFailure);
        expect(cause).toMatchObject({ type: 'ValueError', message: expect.stringContaining('Unable to convert') });
      }
    });
  });

  it('in workflow code fails the workflow task, and the workflow waits for better code', async () => {
    const { run } = await bench();
    await run(async (h) => {
      for (const what of ['a bigint result', 'a circular result', 'a bigint argument']) {
        const handle = await make(h, what);
        expect((await taskFailure(handle)).failure?.message).toContain('Unable to convert');
        expect((await handle.describe()).status.name).toBe('RUNNING');
        await handle.terminate();
      }
    });
  });

  it('a function, which JSON leaves out, fails the task that reads it', async () => {
    const { run } = await bench();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('makes', {
        taskQueue,
        workflowId: randomUUID(),
        args: [() => 1],
      });
      expect((await taskFailure(handle)).failure?.message).toBe('Unexpected end of JSON input');
      await handle.terminate();
    });
  });
});
