/** ResetWorkflowExecution over the service and Postgres. */
import { expect, test } from 'vitest';
import { temporal } from '@temporalio/proto';
import { int64 } from '../../shim/common/proto-values';
import type { Service } from '../../shim/service/types';
import { freshSchema } from '../support/database';
import {
  EventType,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  scheduleActivity,
  startTimer,
  startWorkflow,
  typesOf,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
const SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED;

/** Ends with the names of its signals once `end` is among them. */
const collecting: WorkflowScript = ({ history }) => {
  const signals = history.filter((event) => event.eventType === SIGNALED);
  const got = signals.map((event) => event.workflowExecutionSignaledEventAttributes!.signalName);
  return got.includes('end') ? [completeWorkflow(got)] : [];
};

const at = (workflowId: string, runId = '') => ({ namespace: 'default', workflowExecution: { workflowId, runId } });
const signal = (service: Service, workflowId: string, signalName: string) =>
  service.call('signalWorkflowExecution', { ...at(workflowId), signalName, requestId: signalName }, ctx());
const describe = (service: Service, workflowId: string, runId = '') =>
  service.call(
    'describeWorkflowExecution',
    { namespace: 'default', execution: { workflowId, runId } },
    ctx(),
  ) as Promise<Description>;

async function reset(service: Service, workflowId: string, finishEventId: number, more: object = {}): Promise<string> {
  const answer = (await service.call(
    'resetWorkflowExecution',
    {
      ...at(workflowId),
      workflowTaskFinishEventId: finishEventId,
      reason: 'r',
      requestId: `reset-${finishEventId}`,
      ...more,
    },
    ctx(),
  )) as { runId: string };
  return answer.runId;
}

const completedTasks = async (service: Service, workflowId: string, runId = ''): Promise<number[]> =>
  (await historyOf(service, workflowId, runId))
    .filter((event) => event.eventType === COMPLETED)
    .map((event) => int64(event.eventId));
const resultOf = async (service: Service, workflowId: string) =>
  valueOf((await closeEvent(service, workflowId)).workflowExecutionCompletedEventAttributes?.result);

test('an open run is replaced in one commit: signals from after the point come again, the old one is terminated', async () => {
  const service = await testService();
  testWorker({ service, queue: 'q', sticky: 'st', workflows: { w: collecting } });
  const oldRun = await startWorkflow(service, 'wf', 'w', 'q');
  await signal(service, 'wf', 'a');
  await eventually(async () => (await completedTasks(service, 'wf')).length >= 1);
  await signal(service, 'wf', 'b');
  const [first] = await completedTasks(service, 'wf');
  const newRun = await reset(service, 'wf', first!);
  expect(newRun).not.toBe(oldRun);
  // The same request again is the same reset.
  expect(await reset(service, 'wf', first!)).toBe(newRun);
  const old = await historyOf(service, 'wf', oldRun);
  expect(old.at(-1)!.workflowExecutionTerminatedEventAttributes).toMatchObject({
    reason: 'r',
    identity: 'history-resetter',
  });
  await signal(service, 'wf', 'end');
  expect(await resultOf(service, 'wf')).toEqual(['a', 'b', 'end']);
  const failed = (await historyOf(service, 'wf', newRun)).find((event) => event.workflowTaskFailedEventAttributes)!;
  expect(failed.workflowTaskFailedEventAttributes).toMatchObject({ baseRunId: oldRun, newRunId: newRun });
  expect((await describe(service, 'wf', oldRun)).workflowExtendedInfo).toMatchObject({ resetRunId: newRun });
  const { workflowExecutionInfo: info, workflowExtendedInfo: extended } = await describe(service, 'wf', newRun);
  expect(info).toMatchObject({ firstRunId: oldRun, rootExecution: { workflowId: 'wf', runId: newRun } });
  expect(extended!.lastResetTime).toEqual(info!.startTime);
});

test('a signal that waits for the end of a workflow task comes along', async () => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const poll = () => service.call('pollWorkflowTaskQueue', { namespace: 'default', taskQueue: { name: 'q' } }, ctx());
  await poll();
  await signal(service, 'wf', 'buffered');
  await reset(service, 'wf', 3);
  expect(typesOf(await historyOf(service, 'wf')).slice(3)).toContain('WORKFLOW_EXECUTION_SIGNALED');
});

test('a closed run goes on in a new one, with activities and timers of the prefix', async () => {
  const service = await testService();
  const script: WorkflowScript = ({ history, count }) => {
    if (count(EventType.EVENT_TYPE_TIMER_STARTED) === 0) return [startTimer('t', 0.3), scheduleActivity('act', 1, 'q')];
    const done = count(EventType.EVENT_TYPE_TIMER_FIRED) + count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    return done === 2 ? [completeWorkflow(history.length)] : [];
  };
  let calls = 0;
  testWorker({ service, queue: 'q', workflows: { w: script }, activities: { act: () => ++calls } });
  const oldRun = await startWorkflow(service, 'wf', 'w', 'q');
  await closeEvent(service, 'wf');
  const [first, second] = await completedTasks(service, 'wf', oldRun);
  // Between the commands and their results: the activity begins again, the timer is overdue.
  const newRun = await reset(service, 'wf', second! - 1);
  await closeEvent(service, 'wf', newRun);
  expect(calls).toBe(1);
  await reset(service, 'wf', first!, { workflowExecution: { workflowId: 'wf', runId: oldRun } });
  await closeEvent(service, 'wf');
  expect(calls).toBe(2);
});

test('a long history is copied whole', async () => {
  const service = await testService();
  testWorker({ service, queue: 'q', sticky: 'st', workflows: { w: collecting } });
  await startWorkflow(service, 'wf', 'w', 'q');
  const names = Array.from({ length: 700 }, (_, i) => `s${i}`);
  await Promise.all(names.map((name) => signal(service, 'wf', name)));
  await eventually(async () => !(await describe(service, 'wf')).pendingWorkflowTask);
  const oldRun = (await describe(service, 'wf')).workflowExecutionInfo!.execution!.runId!;
  const before = await service.parts.runs.history(oldRun, 1, 100_000);
  const last = before.filter((event) => event.eventType === COMPLETED).at(-1)!;
  const newRun = await reset(service, 'wf', int64(last.eventId));
  const after = await service.parts.runs.history(newRun, 1, 100_000);
  expect(after.map(({ eventId }) => int64(eventId))).toEqual(after.map((_, i) => i + 1));
  const signals = after.filter((event) => event.eventType === SIGNALED);
  expect(signals.map((event) => event.workflowExecutionSignaledEventAttributes!.signalName).sort()).toEqual(
    names.sort(),
  );
});

test('signals sent all the while, from another process, are in the runs that follow, none twice', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const other = await testService(database);
  testWorker({ service, queue: 'q', sticky: 'st', workflows: { w: collecting } });
  await startWorkflow(service, 'wf', 'w', 'q');
  await eventually(async () => (await completedTasks(service, 'wf')).length >= 1);
  const sent: string[] = [];
  const sending = (async () => {
    for (let i = 0; i < 40; i++) {
      await signal(i % 2 ? service : other, 'wf', `n${i}`);
      sent.push(`n${i}`);
    }
  })();
  for (let i = 0; i < 5; i++) {
    await eventually(async () => (await completedTasks(service, 'wf')).length > 0);
    const [first] = await completedTasks(service, 'wf');
    await reset(i % 2 ? service : other, 'wf', first!, { requestId: `again-${i}` });
  }
  await sending;
  await signal(service, 'wf', 'end');
  const got = (await resultOf(service, 'wf')) as string[];
  expect([...got].sort()).toEqual([...sent, 'end'].sort());
});

test('children begun before the point belong to the new run: it hears of their ends, and closes them with itself', async () => {
  const service = await testService();
  const parent: WorkflowScript = ({ history, count }) => {
    if (count(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED) === 0) {
      return ['c1', 'c2'].map((workflowId) => ({
        commandType: 11,
        startChildWorkflowExecutionCommandAttributes: {
          workflowId,
          workflowType: { name: 'w' },
          taskQueue: { name: 'q' },
        },
      }));
    }
    const child = history.find((event) => event.childWorkflowExecutionCompletedEventAttributes);
    return child ? [completeWorkflow('heard')] : [];
  };
  testWorker({ service, queue: 'q', workflows: { p: parent, w: collecting } });
  const oldRun = await startWorkflow(service, 'parent', 'p', 'q');
  await eventually(async () => (await completedTasks(service, 'parent')).length >= 2);
  await eventually(async () => (await describe(service, 'parent')).pendingWorkflowTask == null);
  const tasks = await completedTasks(service, 'parent', oldRun);
  await reset(service, 'parent', tasks.at(-1)!);
  expect((await describe(service, 'c1')).workflowExecutionInfo!.status).toBe(1);
  await signal(service, 'c1', 'end');
  expect(await resultOf(service, 'parent')).toBe('heard');
  expect((await closeEvent(service, 'c2')).workflowExecutionTerminatedEventAttributes).toMatchObject({
    reason: 'by parent close policy',
  });
});

test('describe shows the points a build id can be reset to', async () => {
  const service = await testService();
  const stamped: WorkflowScript = (view) => ({
    commands: collecting(view) as never,
    workerVersionStamp: { buildId: view.count(SIGNALED) === 0 ? 'b1' : 'b2' },
  });
  testWorker({ service, queue: 'q', workflows: { w: stamped } });
  await startWorkflow(service, 'wf', 'w', 'q');
  await eventually(async () => (await completedTasks(service, 'wf')).length === 1);
  await signal(service, 'wf', 'end');
  await closeEvent(service, 'wf');
  const { points } = (await describe(service, 'wf')).workflowExecutionInfo!.autoResetPoints!;
  const tasks = await completedTasks(service, 'wf');
  expect(points!.map(({ buildId, firstWorkflowTaskCompletedId }) => [buildId, firstWorkflowTaskCompletedId])).toEqual([
    ['b1', tasks[0]],
    ['b2', tasks[1]],
  ]);
});

test.each([
  [{ requestId: '' }, 3, /RequestId is not set/],
  [{ workflowTaskFinishEventId: 1 }, 3, /finish ID must be > 1/],
  [{ workflowTaskFinishEventId: 99 }, 3, /finish ID must be > 1/],
  [{ workflowTaskFinishEventId: 2 }, 3, /Can only reset workflow to event ID in range/],
  [{ postResetOperations: [{ signalWorkflow: {} }] }, 3, /postResetOperations/],
  [{ workflowExecution: { workflowId: 'nope' } }, 5, /workflow not found for ID: nope/],
])('%j is refused', async (more, code, details) => {
  const service = await testService();
  await startWorkflow(service, 'wf', 'w', 'q');
  const request = { ...at('wf'), workflowTaskFinishEventId: 3, reason: 'r', requestId: 'x', ...more };
  await expect(service.call('resetWorkflowExecution', request, ctx())).rejects.toMatchObject({
    code,
    details: expect.stringMatching(details) as string,
  });
  expect((await describe(service, 'wf')).workflowExecutionInfo!.status).toBe(1);
});
