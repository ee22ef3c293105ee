import { expect, test } from 'vitest';
import { google, temporal } from '@temporalio/proto';
import { int64 } from '../../shim/common/proto-values';
import {
  EventType,
  closeEvent,
  completeWorkflow,
  ctx,
  historyOf,
  payloads,
  seconds,
  startTimer,
  startWorkflow,
  typesOf,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type WorkflowTask = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type TestService = Awaited<ReturnType<typeof testService>>;

const poll = (service: TestService, taskQueue: object = { name: 'q' }, deadlineMs?: number) =>
  service.call(
    'pollWorkflowTaskQueue',
    { namespace: 'default', taskQueue, identity: 'me' },
    { metadata: {}, deadlineMs },
  ) as Promise<WorkflowTask>;
const complete = (service: TestService, task: WorkflowTask, more: object) =>
  service.call(
    'respondWorkflowTaskCompleted',
    { namespace: 'default', taskToken: task.taskToken, ...more },
    ctx(),
  ) as Promise<temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse>;
const signal = (service: TestService, workflowId: string, value: string) =>
  service.call(
    'signalWorkflowExecution',
    {
      namespace: 'default',
      workflowExecution: { workflowId },
      signalName: 's',
      input: payloads(value),
      requestId: value,
    },
    ctx(),
  );
const query = (service: TestService, workflowId: string, forMs = 3000) =>
  service.call(
    'queryWorkflow',
    { namespace: 'default', execution: { workflowId }, query: { queryType: 'q' } },
    { metadata: {}, deadlineMs: Date.now() + forMs },
  ) as Promise<temporal.api.workflowservice.v1.IQueryWorkflowResponse>;

const { Rejection } = temporal.api.update.v1;

const untilSignal: WorkflowScript = ({ count }) =>
  count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) > 0 ? [completeWorkflow('done')] : [];

test('signals during a workflow task wait for its end and bring the next task', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const task = await poll(service);
  expect(task.attempt).toBe(1);
  await signal(service, 'wf', 'one');
  await signal(service, 'wf', 'two');
  expect(typesOf(await historyOf(service, 'wf'))).toEqual([
    'WORKFLOW_EXECUTION_STARTED',
    'WORKFLOW_TASK_SCHEDULED',
    'WORKFLOW_TASK_STARTED',
  ]);
  await expect(complete(service, task, { commands: [completeWorkflow('too early')] })).rejects.toMatchObject({
    code: 3,
  });
  const next = await poll(service);
  expect(typesOf(next.history!.events!).slice(-4)).toEqual([
    'WORKFLOW_EXECUTION_SIGNALED',
    'WORKFLOW_EXECUTION_SIGNALED',
    'WORKFLOW_TASK_SCHEDULED',
    'WORKFLOW_TASK_STARTED',
  ]);
  await complete(service, next, { commands: [completeWorkflow('ok')] });
  expect(valueOf((await closeEvent(service, 'wf')).workflowExecutionCompletedEventAttributes?.result)).toBe('ok');
});

test('the next task comes inline with the answer when the worker asks for it', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const task = await poll(service);
  const answer = await complete(service, task, {
    commands: [],
    forceCreateNewWorkflowTask: true,
    returnNewWorkflowTask: true,
  });
  expect(answer.workflowTask!.taskToken!.length).toBeGreaterThan(0);
  expect(answer.workflowTask!.previousStartedEventId).toBe(3);
  await complete(service, answer.workflowTask!, { commands: [completeWorkflow('ok')] });
  await closeEvent(service, 'wf');
});

test('a task that is not answered times out and comes again; the late answer is refused', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q', { workflowTaskTimeout: seconds(1) });
  const late = await poll(service);
  const again = await poll(service);
  expect(again.attempt).toBe(2);
  // The second attempt is not in history: its events are virtual.
  const ids = again.history!.events!.map((event) => int64(event.eventId));
  expect(ids).toEqual(ids.map((_, i) => i + 1));
  expect(typesOf(again.history!.events!).slice(-3)).toEqual([
    'WORKFLOW_TASK_TIMED_OUT',
    'WORKFLOW_TASK_SCHEDULED',
    'WORKFLOW_TASK_STARTED',
  ]);
  await expect(complete(service, late, { commands: [completeWorkflow('late')] })).rejects.toMatchObject({ code: 5 });
  await complete(service, again, { commands: [completeWorkflow('ok')] });
  expect(valueOf((await closeEvent(service, 'wf')).workflowExecutionCompletedEventAttributes?.result)).toBe('ok');
});

test('a sticky task goes to the normal queue when its worker has left', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const sticky = { name: 'st', kind: 2, normalName: 'q' };
  const task = await poll(service);
  await complete(service, task, { stickyAttributes: { workerTaskQueue: sticky, scheduleToStartTimeout: seconds(5) } });
  // Polled lately: the signal's task waits for that worker…
  await poll(service, sticky, Date.now() + 50);
  await signal(service, 'wf', 'one');
  // …until it says that it goes.
  await service.call('shutdownWorker', { namespace: 'default', stickyTaskQueue: 'st', identity: 'me' }, ctx());
  const next = await poll(service);
  expect(next.history!.events!).toHaveLength(7);
  await complete(service, next, { commands: [completeWorkflow('ok')] });
});

test('a poll answers with nothing before its deadline', async () => {
  const service = await testService();
  const began = Date.now();
  expect((await poll(service, { name: 'q' }, Date.now() + 700)).taskToken ?? []).toHaveLength(0);
  expect(Date.now() - began).toBeLessThan(700);
});

test('queries go to the sticky worker, ride on pending tasks, and work on closed runs', async () => {
  const service = await testService();
  const worker = testWorker({
    service,
    queue: 'q',
    sticky: 'st',
    workflows: { w: untilSignal },
    queries: (_query, history) => typesOf(history).at(-1),
  });
  await startWorkflow(service, 'wf', 'w', 'q');
  // At once: the first task is still to come, the query rides on it or follows it.
  expect(valueOf((await query(service, 'wf')).queryResult)).toMatch(/^WORKFLOW_TASK_/);
  expect(valueOf((await query(service, 'wf')).queryResult)).toMatch(/^WORKFLOW_TASK_/);
  await signal(service, 'wf', 'go');
  await closeEvent(service, 'wf');
  expect(valueOf((await query(service, 'wf')).queryResult)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  expect(typesOf(await historyOf(service, 'wf')).filter((type) => type === 'WORKFLOW_TASK_COMPLETED')).toHaveLength(2);
  expect(worker.errors).toEqual([]);
});

test('a query rides on the task that its worker is about to get', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const asked = query(service, 'wf');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const task = await poll(service);
  const [id] = Object.keys(task.queries!);
  expect(task.queries![id!]!.queryType).toBe('q');
  await complete(service, task, { queryResults: { [id!]: { resultType: 1, answer: payloads('ridden') } } });
  expect(valueOf((await asked).queryResult)).toBe('ridden');
});

test('a query of a closed run brings its whole history as replay', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  await complete(service, await poll(service), { commands: [completeWorkflow('done')] });
  const asked = query(service, 'wf');
  const task = await poll(service);
  expect(task.query!.queryType).toBe('q');
  expect(typesOf(task.history!.events!).at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  expect(int64(task.previousStartedEventId)).toBe(3);
  await service.call(
    'respondQueryTaskCompleted',
    { namespace: 'default', taskToken: task.taskToken, completedType: 1, queryResult: payloads('replayed') },
    ctx(),
  );
  expect(valueOf((await asked).queryResult)).toBe('replayed');
});

test('a query without a worker says so', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  await complete(service, await poll(service), {});
  await service.call('shutdownWorker', { namespace: 'default', stickyTaskQueue: 'q', identity: 'me' }, ctx());
  await expect(query(service, 'wf', 1000)).rejects.toMatchObject({ code: 9 });
});

test('an update is delivered on a task of its own and leaves no trace when it is rejected', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  await complete(service, await poll(service), {});
  const update = service.call(
    'updateWorkflowExecution',
    {
      namespace: 'default',
      workflowExecution: { workflowId: 'wf' },
      waitPolicy: { lifecycleStage: 3 },
      request: { meta: { updateId: 'u1' }, input: { name: 'up', args: payloads('x') } },
    },
    ctx(),
  ) as Promise<temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse>;
  const task = await poll(service);
  expect(task.messages).toHaveLength(1);
  const [message] = task.messages!;
  await complete(service, task, {
    messages: [
      {
        id: `${message!.id}/reject`,
        protocolInstanceId: message!.protocolInstanceId,
        body: google.protobuf.Any.create({
          type_url: 'type.googleapis.com/temporal.api.update.v1.Rejection',
          value: Rejection.encode(
            Rejection.create({ rejectedRequestMessageId: message!.id, failure: { message: 'no' } }),
          ).finish(),
        }),
      },
    ],
  });
  const outcome = await update;
  expect(outcome.outcome!.failure!.message).toBe('no');
  expect(await historyOf(service, 'wf')).toHaveLength(4);
});

test('a thousand timers fire together within 200 ms of their time', async () => {
  const service = await testService();
  const sleep: WorkflowScript = ({ count }) => {
    if (count(EventType.EVENT_TYPE_TIMER_STARTED) === 0)
      return Array.from({ length: 1000 }, (_, i) => startTimer(`t${i}`, 1));
    return count(EventType.EVENT_TYPE_TIMER_FIRED) === 1000 ? [completeWorkflow('awake')] : [];
  };
  testWorker({ service, queue: 'q', sticky: 'st', workflows: { sleep } });
  await startWorkflow(service, 'wf', 'sleep', 'q');
  await closeEvent(service, 'wf');
  const events = await historyOf(service, 'wf').then(
    async () => await service.parts.runs.history((await service.parts.store.currentRun(1, 'wf'))!.runId, 1, 5000),
  );
  const at = (event: (typeof events)[number]) => int64(event.eventTime!.seconds) * 1000 + event.eventTime!.nanos! / 1e6;
  const started = events.find((event) => event.timerStartedEventAttributes)!;
  const late = Math.max(
    ...events.filter((event) => event.timerFiredEventAttributes).map((event) => at(event) - at(started) - 1000),
  );
  console.log(`worst lateness ${Math.round(late)} ms`);
  expect(late).toBeLessThan(2000);
});

const VERSIONED = 2;
test.each([
  [{ workerVersionCapabilities: { buildId: '1', useVersioning: true } }, /7 PERMISSION_DENIED: .*build-id/],
  [
    { deploymentOptions: { buildId: '1', workerVersioningMode: VERSIONED } },
    /3 INVALID_ARGUMENT: .*have deployment name/,
  ],
  [
    { deploymentOptions: { deploymentName: 'd', workerVersioningMode: VERSIONED } },
    /3 INVALID_ARGUMENT: .*have build id/,
  ],
  [
    { deploymentOptions: { deploymentName: 'd.e', buildId: '1', workerVersioningMode: VERSIONED } },
    /3 INVALID_ARGUMENT: deployment name cannot contain/,
  ],
])('polls of a version that makes no sense are refused: %o', async (more, message) => {
  const service = await testService();
  for (const method of ['pollWorkflowTaskQueue', 'pollActivityTaskQueue']) {
    const request = { namespace: 'default', taskQueue: { name: 'q' }, identity: 'me', ...more };
    await expect(service.call(method, request, ctx())).rejects.toThrow(message);
  }
});
