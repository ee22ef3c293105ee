import { expect, test } from 'vitest';
import type { temporal } from '@temporalio/proto';
import { freshSchema } from '../support/database';
import {
  EventType,
  NO_ANSWER,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  payloads,
  scheduleActivity,
  seconds,
  startWorkflow,
  typesOf,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;

const oneOf =
  (more: Parameters<typeof scheduleActivity>[3]): WorkflowScript =>
  ({ history, count }) => {
    if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) return [scheduleActivity('act', 'in', 'q', more)];
    const end = history.find((event) =>
      /ACTIVITY_TASK_(COMPLETED|FAILED|TIMED_OUT|CANCELED)$/.test(typesOf([event])[0]!),
    );
    return end ? [completeWorkflow(typesOf([end])[0])] : [];
  };
const result = async (service: Awaited<ReturnType<typeof testService>>, id = 'wf') =>
  valueOf((await closeEvent(service, id)).workflowExecutionCompletedEventAttributes?.result);

test('a failing activity is retried by its policy, with its heartbeat details, and its history shows one start', async () => {
  const service = await testService();
  const details: unknown[] = [];
  testWorker({
    service,
    queue: 'q',
    workflows: { w: oneOf({ retryPolicy: { initialInterval: seconds(0.05) } }) },
    activities: {
      act: async (_input, task) => {
        details.push(valueOf(task.heartbeatDetails));
        if (task.attempt === 3) return 'ok';
        await service.call(
          'recordActivityTaskHeartbeat',
          { namespace: 'default', taskToken: task.taskToken, details: payloads(`beat ${task.attempt}`) },
          ctx(),
        );
        throw new Error('not yet');
      },
    },
  });
  await startWorkflow(service, 'wf', 'w', 'q');
  expect(await result(service)).toBe('ACTIVITY_TASK_COMPLETED');
  expect(details).toEqual([undefined, 'beat 1', 'beat 2']);
  const events = await historyOf(service, 'wf');
  const started = events.filter((event) => event.activityTaskStartedEventAttributes);
  expect(started).toHaveLength(1);
  expect(started[0]!.activityTaskStartedEventAttributes).toMatchObject({
    attempt: 3,
    lastFailure: { message: 'not yet' },
  });
});

test('an activity that never answers times out, start to close and by heartbeat', async () => {
  const service = await testService();
  testWorker({
    service,
    queue: 'q',
    workflows: {
      slow: oneOf({ startToCloseTimeout: seconds(0.3), retryPolicy: { maximumAttempts: 1 } }),
      silent: oneOf({ heartbeatTimeout: seconds(0.3), retryPolicy: { maximumAttempts: 1 } }),
    },
    activities: { act: () => NO_ANSWER },
  });
  await startWorkflow(service, 'slow', 'slow', 'q');
  await startWorkflow(service, 'silent', 'silent', 'q');
  expect(await result(service, 'slow')).toBe('ACTIVITY_TASK_TIMED_OUT');
  expect(await result(service, 'silent')).toBe('ACTIVITY_TASK_TIMED_OUT');
});

test('heartbeats keep an activity alive, in whichever process they are recorded', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const other = await testService(database);
  testWorker({
    service,
    queue: 'q',
    workflows: { w: oneOf({ heartbeatTimeout: seconds(0.6), retryPolicy: { maximumAttempts: 1 } }) },
    activities: {
      act: async (_input, task) => {
        for (let i = 0; i < 8; i++) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          await other.call('recordActivityTaskHeartbeat', { namespace: 'default', taskToken: task.taskToken }, ctx());
        }
        return 'alive';
      },
    },
  });
  await startWorkflow(service, 'wf', 'w', 'q');
  expect(await result(service)).toBe('ACTIVITY_TASK_COMPLETED');
});

test('an activity is completed by id and by token from elsewhere; a second completion is not found', async () => {
  const service = await testService();
  const worker = testWorker({
    service,
    queue: 'q',
    workflows: { w: oneOf({ activityId: 'a1' }) },
    activities: { act: () => NO_ANSWER },
  });
  await startWorkflow(service, 'by-id', 'w', 'q');
  await startWorkflow(service, 'by-token', 'w', 'q');
  await eventually(() => worker.activityTasks.length === 2);
  const tasks = worker.activityTasks;
  await service.call(
    'respondActivityTaskCompletedById',
    { namespace: 'default', workflowId: 'by-id', activityId: 'a1', result: payloads('x') },
    ctx(),
  );
  const task = tasks.find((each) => each.workflowExecution!.workflowId === 'by-token')!;
  const completion = { namespace: 'default', taskToken: task.taskToken, result: payloads('y') };
  await service.call('respondActivityTaskCompleted', completion, ctx());
  expect(await result(service, 'by-id')).toBe('ACTIVITY_TASK_COMPLETED');
  expect(await result(service, 'by-token')).toBe('ACTIVITY_TASK_COMPLETED');
  await expect(service.call('respondActivityTaskCompleted', completion, ctx())).rejects.toMatchObject({ code: 5 });
  await expect(
    service.call('respondActivityTaskCompleted', { taskToken: Buffer.from('nonsense') }, ctx()),
  ).rejects.toMatchObject({ code: 3 });
});

test('eager activities come with the answer to the workflow task', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const task = (await service.call(
    'pollWorkflowTaskQueue',
    { namespace: 'default', taskQueue: { name: 'q' } },
    ctx(),
  )) as temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
  const answer = (await service.call(
    'respondWorkflowTaskCompleted',
    {
      namespace: 'default',
      taskToken: task.taskToken,
      identity: 'me',
      commands: [scheduleActivity('act', 'in', 'q', { requestEagerExecution: true })],
    },
    ctx(),
  )) as temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse;
  expect(answer.activityTasks).toHaveLength(1);
  const [activity] = answer.activityTasks as [ActivityTask];
  expect(valueOf(activity.input)).toBe('in');
  await service.call('respondActivityTaskCompleted', { namespace: 'default', taskToken: activity.taskToken }, ctx());
  testWorker({ service, queue: 'q', workflows: { w: oneOf({}) } });
  expect(await result(service)).toBe('ACTIVITY_TASK_COMPLETED');
});

test('work handed to a poll that has gone is handed to the next', async () => {
  const service = await testService();
  const poll = (signal?: AbortSignal) =>
    service.call(
      'pollActivityTaskQueue',
      { namespace: 'default', taskQueue: { name: 'q' } },
      { metadata: {}, signal },
    ) as Promise<ActivityTask>;
  const gone = new AbortController();
  const lost = poll(gone.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  testWorker({ service, queue: 'q', workflows: { w: oneOf({}) } });
  // It goes at the very time when the task is scheduled for it.
  void startWorkflow(service, 'wf', 'w', 'q');
  for (let i = 0; i < 30 && !gone.signal.aborted; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (i === 12) gone.abort();
  }
  const first = await lost;
  const task = first.taskToken?.length ? first : await poll();
  expect(valueOf(task.input)).toBe('in');
  await service.call('respondActivityTaskCompleted', { namespace: 'default', taskToken: task.taskToken }, ctx());
  expect(await result(service)).toBe('ACTIVITY_TASK_COMPLETED');
});

test('500 activities at once', async () => {
  const service = await testService();
  const fan: WorkflowScript = ({ count }) => {
    if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) {
      return Array.from({ length: 500 }, (_, i) => scheduleActivity('act', i, 'q'));
    }
    return count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) === 500 ? [completeWorkflow('all')] : [];
  };
  const worker = testWorker({
    service,
    queue: 'q',
    sticky: 'st',
    pollers: 20,
    workflows: { fan },
    activities: { act: (i) => i },
  });
  const began = performance.now();
  await startWorkflow(service, 'wf', 'fan', 'q');
  expect(await result(service)).toBe('all');
  console.log(`500 activities in ${Math.round(performance.now() - began)} ms`);
  expect(worker.errors).toEqual([]);
});
