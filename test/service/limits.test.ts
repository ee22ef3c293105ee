/** Sizes of payloads and histories: what is refused, what ends a run, and what is only warned of. */
import { expect, it, vi } from 'vitest';
import { serviceOptions } from '../../shim/service/connect-options';
import type { ServiceOptions } from '../../shim/service';
import {
  closeEvent,
  completeWorkflow,
  ctx,
  historyOf,
  payloads,
  startTimer,
  startWorkflow,
  typesOf,
} from '../support/polling-worker';
import { freshSchema } from '../support/database';
import { testService, testWorker } from '../support/service';

const signal = (service: Awaited<ReturnType<typeof testService>>, workflowId: string, input: unknown = null) =>
  service.call(
    'signalWorkflowExecution',
    { namespace: 'default', workflowExecution: { workflowId }, signalName: 's', input: payloads(input), identity: 'c' },
    ctx(),
  );

const limited = (dynamicConfig: Record<string, number>): Promise<Awaited<ReturnType<typeof testService>>> =>
  testService(freshSchema(), {}, serviceOptions({ dynamicConfig }));

it('a signal that would bring one event too many terminates the run, and its sender is told', async () => {
  const service = await limited({ 'limit.historyCount.error': 4 });
  await startWorkflow(service, 'w', 'w', 'nobody');
  await signal(service, 'w');
  await signal(service, 'w');
  await expect(signal(service, 'w')).rejects.toMatchObject({
    code: 3,
    details: 'Workflow history count exceeds limit.',
  });
  expect(typesOf(await historyOf(service, 'w'))).toEqual([
    'WORKFLOW_EXECUTION_STARTED',
    'WORKFLOW_TASK_SCHEDULED',
    'WORKFLOW_EXECUTION_SIGNALED',
    'WORKFLOW_EXECUTION_SIGNALED',
    'WORKFLOW_EXECUTION_TERMINATED',
  ]);
  const closed = await closeEvent(service, 'w');
  expect(closed.workflowExecutionTerminatedEventAttributes).toMatchObject({
    reason: 'Workflow history count exceeds limit.',
    identity: 'history-service',
  });
  await expect(signal(service, 'w')).rejects.toMatchObject({ code: 5 });
});

it('a history that is too large ends with the next signal', async () => {
  const service = await limited({ 'limit.historySize.error': 500 });
  await startWorkflow(service, 'w', 'w', 'nobody');
  await signal(service, 'w', 'x'.repeat(600));
  await expect(signal(service, 'w')).rejects.toMatchObject({ details: 'Workflow history size exceeds limit.' });
  await closeEvent(service, 'w');
});

it('timers that fire count too', async () => {
  const service = await limited({ 'limit.historyCount.error': 7 });
  testWorker({
    service,
    queue: 'q',
    workflows: { w: ({ history }) => (history.length < 5 ? [startTimer('a', 0.05), startTimer('b', 0.1)] : []) },
  });
  await startWorkflow(service, 'w', 'w', 'q');
  expect((await closeEvent(service, 'w')).workflowExecutionTerminatedEventAttributes?.reason).toBe(
    'Workflow history count exceeds limit.',
  );
});

it('a payload above the configured limit is refused', async () => {
  const service = await limited({ 'limit.blobSize.error': 1000 });
  await expect(startWorkflow(service, 'w', 'w', 'q', { input: payloads('x'.repeat(1000)) })).rejects.toThrow(
    'Blob data size exceeds limit.',
  );
});

it("what goes over a warning limit is logged in the server's words, once a minute", async () => {
  const warn = vi.fn<NonNullable<ServiceOptions['warn']>>();
  const options = serviceOptions({
    dynamicConfig: { 'limit.blobSize.warn': 100, 'limit.memoSize.warn': 10, 'limit.historyCount.warn': 3 },
    logger: { warn },
  });
  const service = await testService(freshSchema(), {}, options);
  testWorker({ service, queue: 'q', workflows: { w: () => [completeWorkflow('y'.repeat(200))] } });
  const runId = await startWorkflow(service, 'w', 'w', 'nobody', {
    input: payloads('x'.repeat(200)),
    memo: { fields: { m: payloads('memo').payloads![0] } },
  });
  const about = { 'wf-namespace': 'default', 'wf-id': 'w', 'wf-run-id': runId };
  expect(warn.mock.calls).toEqual([
    [
      'Blob data size exceeds the warning limit.',
      { ...about, 'wf-size': expect.any(Number) as number, 'blob-size-violation-operation': 'StartWorkflowExecution' },
    ],
  ]);
  await signal(service, 'w', 'z'.repeat(150));
  await signal(service, 'w', 'z'.repeat(150));
  expect(warn.mock.calls.slice(1)).toEqual([
    [
      'Blob data size exceeds the warning limit.',
      { ...about, 'wf-size': expect.any(Number) as number, 'blob-size-violation-operation': 'SignalWorkflowExecution' },
    ],
    ['history count exceeds warn limit.', { ...about, 'wf-event-count': 4 }],
  ]);
  await startWorkflow(service, 'done', 'w', 'q');
  await closeEvent(service, 'done');
  expect(warn.mock.calls.map(([, tags]) => tags['blob-size-violation-operation'])).toContain(
    'CompleteWorkflowExecutionCommandAttributes.Result',
  );
});

it('keys that are no limits, and values that are no sizes, are refused', () => {
  expect(() => serviceOptions({ dynamicConfig: { 'limit.blobsize.error': 1 } })).toThrow(
    "'limit.blobsize.error' is not one of",
  );
  expect(() => serviceOptions({ dynamicConfig: { 'limit.blobSize.error': -1 } })).toThrow('must be a whole number');
});
