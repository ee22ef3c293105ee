/** Batch operations over the service. */
import { expect, test } from 'vitest';
import type { temporal } from '@temporalio/proto';
import { int64 } from '../../shim/common/proto-values';
import type { Service } from '../../shim/service/types';
import { freshSchema, sql } from '../support/database';
import { continueAsNew } from '../support/engine-commands';
import {
  EventType,
  ctx,
  eventually,
  historyOf,
  payloads,
  scheduleActivity,
  startWorkflow,
  typesOf,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type Job = temporal.api.workflowservice.v1.IDescribeBatchOperationResponse;
type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const RUNNING = 1;
const COMPLETED = 2;
const STOPPED = 3;
const idle: WorkflowScript = () => [];
const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `wf${i}`);
const startAll = (service: Service, names: string[], type = 'idle') =>
  Promise.all(names.map((id) => startWorkflow(service, id, type, 'q')));

const begin = (service: Service, jobId: string, request: object) =>
  service.call('startBatchOperation', { namespace: 'default', jobId, reason: 'why', ...request }, ctx());
const describe = (service: Service, jobId: string) =>
  service.call('describeBatchOperation', { namespace: 'default', jobId }, ctx()) as Promise<Job>;
const ended = async (service: Service, jobId: string): Promise<Job> => {
  await eventually(async () => (await describe(service, jobId)).state !== RUNNING, 30_000);
  return describe(service, jobId);
};
const execution = async (service: Service, workflowId: string) =>
  (
    (await service.call(
      'describeWorkflowExecution',
      { namespace: 'default', execution: { workflowId } },
      ctx(),
    )) as Description
  ).workflowExecutionInfo!;
const visibilityQuery = "WorkflowType = 'idle'";

test('terminates all that a filter finds, and says how far it has come', async () => {
  const service = await testService();
  await startAll(service, ids(120));
  await startWorkflow(service, 'other', 'other', 'q');
  const details = payloads('d');
  await begin(service, 'job', {
    visibilityQuery,
    maxOperationsPerSecond: 10_000,
    terminationOperation: { identity: 'me', details },
  });
  const job = await ended(service, 'job');
  expect(job).toMatchObject({
    state: COMPLETED,
    operationType: 1,
    jobId: 'job',
    identity: 'me',
    reason: 'why',
    query: visibilityQuery,
  });
  const counts = [job.totalOperationCount, job.completeOperationCount, job.failureOperationCount];
  expect(counts.map(int64)).toEqual([120, 120, 0]);
  const last = (await historyOf(service, 'wf7')).at(-1)!;
  expect(last.workflowExecutionTerminatedEventAttributes).toMatchObject({ reason: 'why', identity: 'me' });
  expect(valueOf(last.workflowExecutionTerminatedEventAttributes!.details)).toBe('d');
  expect((await execution(service, 'other')).status).toBe(1);
  // The id is taken for good.
  await expect(begin(service, 'job', { visibilityQuery, terminationOperation: {} })).rejects.toMatchObject({ code: 6 });
});

test('signals, cancels and deletes; named runs that are not there are no failure', async () => {
  const service = await testService();
  await startAll(service, ids(3));
  await begin(service, 'signal', {
    visibilityQuery,
    signalOperation: { signal: 's', input: payloads(1), identity: 'me' },
  });
  await ended(service, 'signal');
  await begin(service, 'cancel', { visibilityQuery, cancellationOperation: { identity: 'me' } });
  await ended(service, 'cancel');
  for (const id of ids(3)) {
    expect(typesOf(await historyOf(service, id))).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
    ]);
  }
  const executions = [{ workflowId: 'wf0' }, { workflowId: 'nobody' }];
  await begin(service, 'delete', { executions, deletionOperation: {} });
  expect(int64((await ended(service, 'delete')).completeOperationCount)).toBe(2);
  await expect(historyOf(service, 'wf0')).rejects.toMatchObject({ code: 5 });
  const { operationInfo } = (await service.call(
    'listBatchOperations',
    { namespace: 'default', pageSize: 2 },
    ctx(),
  )) as {
    operationInfo: Job[];
  };
  expect(operationInfo.map(({ jobId }) => jobId)).toEqual(['delete', 'cancel']);
});

test.each([
  ['first', { options: { firstWorkflowTask: {} } }, 0],
  ['last', { options: { lastWorkflowTask: {} } }, 1],
  ['last, the old way', { resetType: 2 }, 1],
])('resets to the %s workflow task', async (_what, resetOperation, which) => {
  const service = await testService();
  const worker = testWorker({ service, queue: 'q', workflows: { idle } });
  await startAll(service, ids(3));
  const tasks = async (id: string) =>
    (await historyOf(service, id)).filter((event) => event.workflowTaskCompletedEventAttributes);
  const done = (n: number) =>
    eventually(async () => (await Promise.all(ids(3).map(tasks))).every((all) => all.length === n));
  await done(1);
  for (const id of ids(3)) {
    await service.call(
      'signalWorkflowExecution',
      { namespace: 'default', workflowExecution: { workflowId: id }, signalName: 's' },
      ctx(),
    );
  }
  await done(2);
  await worker.shutdown();
  const points = await Promise.all(ids(3).map(async (id) => (await tasks(id))[which]!.eventId));
  await begin(service, 'job', { visibilityQuery, resetOperation });
  expect(int64((await ended(service, 'job')).completeOperationCount)).toBe(3);
  for (const [i, id] of ids(3).entries()) {
    const failed = (await historyOf(service, id)).find((event) => event.workflowTaskFailedEventAttributes)!;
    expect([failed.eventId, failed.workflowTaskFailedEventAttributes!.cause]).toEqual([points[i], 20]);
    expect(failed.workflowTaskFailedEventAttributes!.failure!.message).toBe('why');
  }
});

test('resets to what a build id did first, in an earlier run of the chain as well unless told not to', async () => {
  const service = await testService();
  // The first run is worked on by b1 and continues as new when it is signalled, the second by b1 and b2.
  const chained: WorkflowScript = ({ history, count }) => {
    const second = Boolean(history[0]!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId);
    const signalled = count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) > 0;
    return {
      commands: signalled && !second ? [continueAsNew()] : [],
      workerVersionStamp: { buildId: signalled && second ? 'b2' : 'b1' },
    };
  };
  testWorker({ service, queue: 'q', workflows: { chained } });
  const first = await startWorkflow(service, 'wf', 'chained', 'q');
  const signal = () =>
    service.call(
      'signalWorkflowExecution',
      { namespace: 'default', workflowExecution: { workflowId: 'wf' }, signalName: 's' },
      ctx(),
    );
  const describe = async () =>
    (
      (await service.call(
        'describeWorkflowExecution',
        { namespace: 'default', execution: { workflowId: 'wf' } },
        ctx(),
      )) as Description
    ).workflowExecutionInfo!;
  const points = async () => (await describe()).autoResetPoints!.points!;
  await eventually(async () => (await points()).length === 1);
  await signal();
  await eventually(async () => (await describe()).execution!.runId !== first && (await points()).length === 1);
  await signal();
  await eventually(async () => (await points()).length === 2);
  const second = (await describe()).execution!.runId!;
  expect((await points()).map(({ buildId, runId, expireTime }) => [buildId, runId, expireTime != null])).toEqual([
    ['b1', first, true],
    ['b2', second, false],
  ]);

  const query = { visibilityQuery: "WorkflowId = 'wf' AND ExecutionStatus = 'Running'" };
  await begin(service, 'here', { ...query, resetOperation: { options: { buildId: 'b1', currentRunOnly: true } } });
  expect(int64((await ended(service, 'here')).failureOperationCount)).toBe(1);
  await begin(service, 'anywhere', { ...query, resetOperation: { options: { buildId: 'b1' } } });
  expect(int64((await ended(service, 'anywhere')).completeOperationCount)).toBe(1);
  const base = (await service.call(
    'describeWorkflowExecution',
    { namespace: 'default', execution: { workflowId: 'wf', runId: first } },
    ctx(),
  )) as Description;
  expect(base.workflowExtendedInfo!.resetRunId).toMatch(/^[0-9a-f-]{36}$/);
});

test('what cannot be done is counted, with its reason kept', async () => {
  const database = freshSchema();
  const service = await testService(database);
  await startAll(service, ids(2));
  // No workflow task was taken yet: event 4 is not there.
  await begin(service, 'job', { visibilityQuery, resetOperation: { options: { workflowTaskId: 4 } } });
  const job = await ended(service, 'job');
  expect([job.state, int64(job.completeOperationCount), int64(job.failureOperationCount)]).toEqual([COMPLETED, 0, 2]);
  const rows = await sql<{ error: string }>(`SELECT error FROM "${database.schema}".batch_items`);
  expect(rows.map(({ error }) => error)).toEqual(Array(2).fill(expect.stringContaining('finish ID must be')));
});

test('unpauses, resets and patches activities', async () => {
  const service = await testService();
  const one: WorkflowScript = ({ count }) =>
    count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0 ? [scheduleActivity('act', 1, 'nowhere')] : [];
  testWorker({ service, queue: 'q', workflows: { one } });
  await startWorkflow(service, 'wf', 'one', 'q');
  const pending = async () =>
    (
      (await service.call(
        'describeWorkflowExecution',
        { namespace: 'default', execution: { workflowId: 'wf' } },
        ctx(),
      )) as Description
    ).pendingActivities![0];
  await eventually(pending);
  await service.call('pauseActivity', { namespace: 'default', execution: { workflowId: 'wf' }, type: 'act' }, ctx());
  const query = { visibilityQuery: "TemporalPauseInfo = 'property:activityType=act'" };
  await begin(service, 'patch', {
    ...query,
    updateActivityOptionsOperation: {
      type: 'act',
      activityOptions: { taskQueue: { name: 'elsewhere' } },
      updateMask: { paths: ['task_queue.name'] },
    },
  });
  await ended(service, 'patch');
  expect(await pending()).toMatchObject({ paused: true, activityOptions: { taskQueue: { name: 'elsewhere' } } });
  await begin(service, 'reset', { ...query, resetActivitiesOperation: { matchAll: true, keepPaused: true } });
  await ended(service, 'reset');
  expect(await pending()).toMatchObject({ paused: true });
  await begin(service, 'unpause', { ...query, unpauseActivitiesOperation: { matchAll: true } });
  await ended(service, 'unpause');
  expect(await pending()).toMatchObject({ paused: false });
});

test('one job at a time in a namespace, at its rate, until it is stopped', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const other = await testService(database);
  await startAll(service, ids(30));
  await begin(service, 'slow', { visibilityQuery, maxOperationsPerSecond: 1, terminationOperation: {} });
  await expect(begin(other, 'second', { visibilityQuery, terminationOperation: {} })).rejects.toMatchObject({
    code: 8,
    details: 'Max concurrent batch operations is reached',
  });
  await eventually(async () => int64((await describe(other, 'slow')).completeOperationCount) >= 2);
  const stop = () => other.call('stopBatchOperation', { namespace: 'default', jobId: 'slow', reason: 'enough' }, ctx());
  await stop();
  const { state, completeOperationCount, closeTime } = await describe(service, 'slow');
  expect(state).toBe(STOPPED);
  expect(closeTime).not.toBeNull();
  expect(int64(completeOperationCount)).toBeLessThan(30);
  await expect(stop()).rejects.toMatchObject({ code: 5 });
  await begin(other, 'second', { visibilityQuery, maxOperationsPerSecond: 1000, terminationOperation: {} });
  await ended(service, 'second');
  expect(await sql(`SELECT FROM "${database.schema}".batch_items`)).toEqual([]);
});

test('a process that closes leaves its job to another one', async () => {
  const database = freshSchema();
  const service = await testService(database);
  await startAll(service, ids(40));
  await begin(service, 'job', { visibilityQuery, maxOperationsPerSecond: 20, signalOperation: { signal: 's' } });
  await eventually(async () => int64((await describe(service, 'job')).completeOperationCount) > 0);
  await service.close();
  const other = await testService(database);
  const job = await ended(other, 'job');
  expect([int64(job.totalOperationCount), int64(job.completeOperationCount)]).toEqual([40, 40]);
  for (const id of ids(40)) {
    const signals = typesOf(await historyOf(other, id)).filter((type) => type === 'WORKFLOW_EXECUTION_SIGNALED');
    expect([id, signals.length]).toEqual([id, 1]);
  }
});

test.each([
  [{ visibilityQuery }, /must provide required parameters/],
  [{ terminationOperation: {} }, /must provide required parameters/],
  [{ visibilityQuery, reason: '', terminationOperation: {} }, /must provide required parameters/],
  [{ visibilityQuery, jobId: '', terminationOperation: {} }, /JobId is not set/],
  [{ visibilityQuery, executions: [{ workflowId: 'x' }], terminationOperation: {} }, /mutually exclusive/],
  [{ visibilityQuery: 'Foo Bar', terminationOperation: {} }, /invalid query/],
  [{ visibilityQuery, signalOperation: {} }, /must provide signal name/],
  [{ visibilityQuery, resetOperation: {} }, /unknown batch reset type/],
  [{ visibilityQuery, resetOperation: { options: {} } }, /batch reset missing target/],
  [{ visibilityQuery, resetActivitiesOperation: {} }, /Either activity type must be set/],
  [{ visibilityQuery, updateWorkflowOptionsOperation: {} }, /UpdateMask is required/],
  [{ visibilityQuery, terminateActivitiesOperation: {} }, /no standalone activities/],
])('%j is refused', async (request, details) => {
  const service = await testService();
  await expect(begin(service, 'job', request)).rejects.toMatchObject({
    code: 3,
    details: expect.stringMatching(details) as string,
  });
});
