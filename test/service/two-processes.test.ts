import { expect, test } from 'vitest';
import type { temporal } from '@temporalio/proto';
import { int64 } from '../../shim/common/proto-values';
import { createService } from '../../shim/service';
import { openStore } from '../../shim/store/open';
import { afterTest, freshSchema } from '../support/database';
import {
  EventType,
  NO_ANSWER,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  oneActivity,
  payloads,
  scheduleActivity,
  startTimer,
  startWorkflow,
  typesOf,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

const ONE_ACTIVITY = [
  'WORKFLOW_EXECUTION_STARTED',
  'WORKFLOW_TASK_SCHEDULED',
  'WORKFLOW_TASK_STARTED',
  'WORKFLOW_TASK_COMPLETED',
  'ACTIVITY_TASK_SCHEDULED',
  'ACTIVITY_TASK_STARTED',
  'ACTIVITY_TASK_COMPLETED',
  'WORKFLOW_TASK_SCHEDULED',
  'WORKFLOW_TASK_STARTED',
  'WORKFLOW_TASK_COMPLETED',
  'WORKFLOW_EXECUTION_COMPLETED',
];

/** Completes when it has seen as many signals as its input says. */
const countSignals: WorkflowScript = ({ history, count }) => {
  const wanted = valueOf(history[0]!.workflowExecutionStartedEventAttributes!.input) as number;
  return count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) >= wanted ? [completeWorkflow('all')] : [];
};

const signal = (service: Parameters<typeof closeEvent>[0], workflowId: string, requestId: string) =>
  service.call(
    'signalWorkflowExecution',
    {
      namespace: 'default',
      workflowExecution: { workflowId },
      signalName: 's',
      input: payloads(requestId),
      requestId,
      identity: 'c',
    },
    ctx(),
  );

for (const listen of [true, false]) {
  test(`a workflow started in one process runs on a worker of another${listen ? '' : ', without notices'}`, async () => {
    const database = freshSchema();
    const client = await testService(database, { listen });
    const host = await testService(database, { listen });
    testWorker({
      service: host,
      queue: 'q',
      sticky: 'st',
      workflows: { greet: oneActivity('q') },
      activities: { greet: () => 'hi' },
    });
    await startWorkflow(client, 'wf', 'greet', 'q');
    expect(valueOf((await closeEvent(client, 'wf')).workflowExecutionCompletedEventAttributes?.result)).toBe('hi');
    expect(typesOf(await historyOf(client, 'wf'))).toEqual(ONE_ACTIVITY);
  });
}

test('workflow tasks in one process and activities in another', async () => {
  const database = freshSchema();
  const a = await testService(database);
  const b = await testService(database);
  testWorker({ service: a, queue: 'q', sticky: 'st-a', workflows: { greet: oneActivity('q') } });
  testWorker({ service: b, queue: 'q', activities: { greet: () => 'from b' } });
  await Promise.all(Array.from({ length: 20 }, (_, i) => startWorkflow(a, `wf-${i}`, 'greet', 'q')));
  for (let i = 0; i < 20; i++) {
    const close = await closeEvent(b, `wf-${i}`);
    expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe('from b');
    expect(typesOf(await historyOf(b, `wf-${i}`))).toEqual(ONE_ACTIVITY);
  }
});

test('signals from two processes at once are all recorded, once', async () => {
  const database = freshSchema();
  const a = await testService(database);
  const b = await testService(database);
  testWorker({ service: a, queue: 'q', sticky: 'st-a', workflows: { count: countSignals } });
  await startWorkflow(a, 'wf', 'count', 'q', { input: payloads(60) });
  // Each is sent twice with the same request id, through both.
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => [signal(a, 'wf', `r${i}`), signal(b, 'wf', `r${i}`)])
      .flat()
      // The last one to close the run makes late repetitions NOT_FOUND.
      .map((sent) => sent.catch((error: Error) => expect(error.message).toContain('already completed'))),
  );
  await closeEvent(b, 'wf');
  const events = await historyOf(a, 'wf');
  const names = events
    .filter((event) => event.workflowExecutionSignaledEventAttributes)
    .map((event) => valueOf(event.workflowExecutionSignaledEventAttributes!.input));
  expect(new Set(names).size).toBe(60);
  expect(names).toHaveLength(60);
  expect(events.map((event) => int64(event.eventId))).toEqual(events.map((_, i) => i + 1));
});

test('two workers of two processes share one queue, and every run has one gapless history', async () => {
  const database = freshSchema();
  const a = await testService(database);
  const b = await testService(database);
  const workers = [a, b].map((service, i) =>
    testWorker({
      service,
      queue: 'q',
      sticky: `st-${i}`,
      pollers: 3,
      workflows: { greet: oneActivity('q') },
      activities: { greet: () => i },
    }),
  );
  await Promise.all(Array.from({ length: 60 }, (_, i) => startWorkflow(i % 2 ? a : b, `wf-${i}`, 'greet', 'q')));
  for (let i = 0; i < 60; i++) await closeEvent(i % 2 ? b : a, `wf-${i}`);
  for (let i = 0; i < 60; i++) expect(typesOf(await historyOf(a, `wf-${i}`))).toEqual(ONE_ACTIVITY);
  expect(workers.flatMap((worker) => worker.errors)).toEqual([]);
});

test('a completion is accepted by another process than the one that handed the task out', async () => {
  const database = freshSchema();
  const a = await testService(database);
  const b = await testService(database);
  await startWorkflow(a, 'wf', 'w', 'q');
  // Both have the run in memory.
  await b.call(
    'signalWorkflowExecution',
    { namespace: 'default', workflowExecution: { workflowId: 'wf' }, signalName: 's', requestId: 'x' },
    ctx(),
  );
  const task = await eventually(async () => {
    const polled = (await a.call(
      'pollWorkflowTaskQueue',
      { namespace: 'default', taskQueue: { name: 'q' }, identity: 'w' },
      ctx(),
    )) as temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
    expect(polled.taskToken!.length).toBeGreaterThan(0);
    // Its start is durable after the hold at the latest; or it was lost, when the signal was not known in this process yet, and is polled again.
    const started = async (): Promise<boolean> =>
      (await historyOf(b, 'wf')).some((event) => event.workflowTaskStartedEventAttributes);
    return eventually(started, 1000).then(
      () => polled,
      () => null,
    );
  });
  await b.call(
    'respondWorkflowTaskCompleted',
    { namespace: 'default', taskToken: task.taskToken, commands: [completeWorkflow('ok')] },
    ctx(),
  );
  expect((await closeEvent(a, 'wf')).workflowExecutionCompletedEventAttributes).toBeTruthy();
});

test('a query asked in one process is answered by the worker of another', async () => {
  const database = freshSchema();
  const a = await testService(database);
  const b = await testService(database);
  testWorker({
    service: b,
    queue: 'q',
    sticky: 'st',
    workflows: { count: countSignals },
    queries: (_query, history) => history.length,
  });
  await startWorkflow(a, 'wf', 'count', 'q', { input: payloads(5) });
  await eventually(async () => (await historyOf(a, 'wf')).length === 4);
  const answer = (await a.call(
    'queryWorkflow',
    { namespace: 'default', execution: { workflowId: 'wf' }, query: { queryType: 'events' } },
    { metadata: {}, deadlineMs: Date.now() + 8000 },
  )) as temporal.api.workflowservice.v1.IQueryWorkflowResponse;
  expect(valueOf(answer.queryResult)).toBeGreaterThanOrEqual(3);
});

test('what a dead process had is taken over: workflow tasks, activities and timers', async () => {
  const database = freshSchema();
  const doomedStore = await openStore({ ...database, leaseMs: 900, listen: false });
  const doomed = createService({ store: doomedStore });
  let release: () => void = () => undefined;
  const stuck = testWorker({
    service: doomed,
    queue: 'q',
    sticky: 'st-doomed',
    pollers: 1,
    workflows: {
      greet: ({ history, count }) => {
        if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) {
          return [
            scheduleActivity('greet', 1, 'q', { startToCloseTimeout: { seconds: 2 as never } }),
            scheduleActivity('greet', 2, 'q'),
            startTimer('t', 1),
          ];
        }
        const done = history.filter((event) => event.activityTaskCompletedEventAttributes);
        return done.length === 2 && count(EventType.EVENT_TYPE_TIMER_FIRED) === 1 ? [completeWorkflow('done')] : [];
      },
    },
    activities: { greet: () => new Promise((resolve) => (release = () => resolve(NO_ANSWER))) },
  });
  afterTest(async () => release());
  await startWorkflow(doomed, 'wf', 'greet', 'q');
  // One activity runs in the doomed process for ever, the other waits in its memory for the only poller.
  await eventually(() => stuck.activityTasks.length === 1);

  const heir = await testService(database, { leaseMs: 900 });
  testWorker({
    service: heir,
    queue: 'q',
    sticky: 'st-heir',
    workflows: stuckWorkflows(stuck),
    activities: { greet: () => 'hi' },
  });
  // Death: nothing is given back in order, the lease runs out.
  await kill(doomed, doomedStore);
  const close = await closeEvent(heir, 'wf', '', 25_000);
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe('done');
  const events = await historyOf(heir, 'wf');
  expect(events.map((event) => int64(event.eventId))).toEqual(events.map((_, i) => i + 1));
}, 40_000);

function stuckWorkflows(worker: unknown): Record<string, WorkflowScript> {
  return (worker as { options: { workflows: Record<string, WorkflowScript> } }).options.workflows;
}

async function kill(service: Awaited<ReturnType<typeof testService>>, store: unknown): Promise<void> {
  const parts = service.parts as unknown as { runs: { stopNotices(): void }; matching: { claims: { close(): void } } };
  // Its loops end, but nothing is written; its connections break.
  parts.matching.claims.close();
  parts.runs.stopNotices();
  await (store as { connections: { close(): Promise<void> }; leases: { stop(): void } }).connections.close();
}

test('work that waits in a process that closes in order goes to others at once', async () => {
  const database = freshSchema();
  const first = await testService(database);
  const worker = testWorker({
    service: first,
    queue: 'q',
    pollers: 1,
    workflows: { greet: oneActivity('q') },
    activities: { greet: () => NO_ANSWER },
  });
  await startWorkflow(first, 'wf', 'greet', 'q');
  await eventually(() => worker.activityTasks.length === 1);
  await signal(first, 'wf', 'x');
  await worker.shutdown();
  const second = await testService(database);
  await startWorkflow(first, 'wf2', 'greet', 'q');
  await first.close();
  testWorker({
    service: second,
    queue: 'q',
    workflows: { greet: oneActivity('q') },
    activities: { greet: () => 'second' },
  });
  const close = await closeEvent(second, 'wf2', '', 5000);
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe('second');
});
