/** Payloads above Temporal's limit of 2 MiB. What the server answers was recorded from a real one (Temporal CLI 1.5.1). */
import { randomUUID } from 'node:crypto';
import { ActivityFailure, ServerFailure, TerminatedFailure } from '@temporalio/common';
import { QueryNotRegisteredError, ServiceError, WorkflowFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { testClient } from '../support/connection';
import { bench, errorOf, make } from './bench';

const large = 'x'.repeat(3 * 1024 * 1024);
const blobTooLarge = { code: 3, details: 'Blob data size exceeds limit.' };

describe('too large', () => {
  it('a start, signal, update or memo is refused, and nothing of it is kept', async () => {
    const { client, queue } = await testClient();
    const start = (workflowId: string, more: object): Promise<unknown> =>
      client.workflow.start('w', { taskQueue: queue, workflowId, ...more });
    const refused = await errorOf(start('a', { args: [large] }));
    expect(refused).toBeInstanceOf(ServiceError);
    expect(refused.cause).toMatchObject(blobTooLarge);
    expect((await errorOf(start('b', { memo: { large } }))).cause).toMatchObject({
      code: 3,
      details: 'Memo size exceeds limit.',
    });
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID() });
    const before = (await handle.describe()).historyLength;
    expect((await errorOf(handle.signal('s', large))).cause).toMatchObject(blobTooLarge);
    expect((await errorOf(handle.executeUpdate('u', { args: [large] }))).cause).toMatchObject(blobTooLarge);
    expect((await handle.describe()).historyLength).toBe(before);
    expect((await client.workflow.count()).count).toBe(1);
  });

  it.each([
    ['a large activity result', 'Complete result exceeds size limit.'],
    ['a large activity failure', 'Failure exceeds size limit.'],
    ['a large heartbeat', 'Heartbeat details exceed size limit.'],
  ])('%s fails the activity for good', async (what, message) => {
    const { run } = await bench();
    await run(async (h) => {
      const error = await errorOf((await make(h, what)).result());
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect(error.cause).toBeInstanceOf(ActivityFailure);
      expect(error.cause).toMatchObject({ retryState: 'NON_RETRYABLE_FAILURE' });
      const cause = (error.cause as Error).cause;
      expect(cause).toBeInstanceOf(ServerFailure);
      expect(cause).toMatchObject({ message, nonRetryable: true });
    });
  });

  it('a failure keeps its type and message', async () => {
    const { run } = await bench();
    await run(async (h) => {
      const error = await errorOf((await make(h, 'a large activity failure')).result());
      expect(error).toMatchObject({ cause: { cause: { cause: { message: 'large', type: 'Large' } } } });
    });
  });

  it('what a workflow task brings terminates the workflow with the reason', async () => {
    const { run } = await bench();
    await run(async (h) => {
      for (const [what, reason] of [
        ['a large result', 'CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.'],
        ['a large local activity result', 'RecordMarkerCommandAttributes.Details exceeds size limit.'],
        ['a large activity argument', 'ScheduleActivityTaskCommandAttributes.Input exceeds size limit.'],
        ['a large child argument', 'StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.'],
        ['a large failure', 'FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.'],
        ['a large memo', 'ModifyWorkflowPropertiesCommandAttributes exceeds size limit.'],
        ['a large next run', 'ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.'],
      ] as const) {
        const error = await errorOf((await make(h, what)).result());
        expect(error.cause, what).toBeInstanceOf(TerminatedFailure);
        expect((error.cause as Error).message).toContain(reason);
      }
    });
  });

  it("a query's argument or answer fails the query alone", async () => {
    const { run } = await bench();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('open', { taskQueue, workflowId: randomUUID() });
      for (const argument of [large, 'large']) {
        const error = await errorOf(handle.query('ask', argument));
        expect(error).toBeInstanceOf(QueryNotRegisteredError);
        expect(error.message).toBe('Blob data size exceeds limit.');
      }
      expect(await handle.query('ask', 'small')).toBe('small');
      await handle.signal('go', 'on');
      expect(await handle.result()).toBe('on');
    });
  });

  it("an update's answer terminates the workflow and tells the caller", async () => {
    const { run } = await bench();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('open', { taskQueue, workflowId: randomUUID() });
      await errorOf(handle.executeUpdate('change', { args: ['large'] }));
      const error = await errorOf(handle.result());
      expect(error.cause).toBeInstanceOf(TerminatedFailure);
      expect((error.cause as Error).message).toContain('temporal.api.update.v1.Response exceeds size limit.');
    });
  });
});
