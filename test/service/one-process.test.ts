import { expect, test } from 'vitest';
import {
  EventType,
  closeEvent,
  completeWorkflow,
  historyOf,
  oneActivity,
  startTimer,
  startWorkflow,
  typesOf,
  valueOf,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

test('a workflow with one activity runs to its end with the history of Temporal', async () => {
  const service = await testService();
  testWorker({
    service,
    queue: 'q',
    workflows: { greet: oneActivity('q') },
    activities: { greet: (who) => `hello ${String(who)}` },
  });
  await startWorkflow(service, 'wf', 'greet', 'q');
  const close = await closeEvent(service, 'wf');
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe('hello you');
  expect(typesOf(await historyOf(service, 'wf'))).toEqual([
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
  ]);
});

test('sticky tasks bring only what is new', async () => {
  const service = await testService();
  const worker = testWorker({
    service,
    queue: 'q',
    sticky: 'sticky-1',
    workflows: { greet: oneActivity('q') },
    activities: { greet: () => 'hi' },
  });
  await startWorkflow(service, 'wf', 'greet', 'q');
  await closeEvent(service, 'wf');
  expect(worker.errors).toEqual([]);
  expect(worker.tasks).toHaveLength(2);
  expect(worker.tasks.map((task) => task.history!.events!.length)).toEqual([3, 6]);
  expect(worker.tasks[1]!.previousStartedEventId).toBe(3);
});

test('work that was scheduled before any poller came is done by the first', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'greet', 'q');
  await new Promise((resolve) => setTimeout(resolve, 50));
  testWorker({ service, queue: 'q', workflows: { greet: oneActivity('q') }, activities: { greet: () => 'hi' } });
  expect(valueOf((await closeEvent(service, 'wf')).workflowExecutionCompletedEventAttributes?.result)).toBe('hi');
});

test('hundreds of workflows started at once all finish', async () => {
  const service = await testService();
  const worker = testWorker({
    service,
    queue: 'q',
    pollers: 5,
    sticky: 'sticky-1',
    workflows: { greet: oneActivity('q') },
    activities: { greet: () => 'hi' },
  });
  const ids = Array.from({ length: 300 }, (_, i) => `wf-${i}`);
  const began = performance.now();
  await Promise.all(ids.map((id) => startWorkflow(service, id, 'greet', 'q')));
  const ends = await Promise.all(ids.map((id) => closeEvent(service, id)));
  console.log(`300 workflows in ${Math.round(performance.now() - began)} ms`);
  expect(ends.every((event) => event.workflowExecutionCompletedEventAttributes)).toBe(true);
  expect(worker.errors).toEqual([]);
});

test('timers fire on time', async () => {
  const service = await testService();
  testWorker({
    service,
    queue: 'q',
    workflows: {
      sleep: ({ count }) => {
        if (count(EventType.EVENT_TYPE_TIMER_STARTED) === 0) return [startTimer('t', 0.2)];
        return count(EventType.EVENT_TYPE_TIMER_FIRED) === 1 ? [completeWorkflow('awake')] : [];
      },
    },
  });
  const began = Date.now();
  await startWorkflow(service, 'wf', 'sleep', 'q');
  await closeEvent(service, 'wf');
  const took = Date.now() - began;
  expect(took).toBeGreaterThanOrEqual(200);
  expect(took).toBeLessThan(1500);
});
