/** What operators do to pending activities, over the service. */
import { expect, test } from 'vitest';
import type { temporal } from '@temporalio/proto';
import { ms } from '../../shim/common/proto-values';
import type { Service } from '../../shim/service/types';
import { freshSchema } from '../support/database';
import {
  EventType,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  payloads,
  scheduleActivity,
  seconds,
  startWorkflow,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
type Heartbeat = temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatResponse;
type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const one: WorkflowScript = ({ history, count }) => {
  if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) {
    const retryPolicy = { initialInterval: seconds(0.05), backoffCoefficient: 1 };
    return [scheduleActivity('act', 'in', 'q', { activityId: 'a1', heartbeatTimeout: seconds(20), retryPolicy })];
  }
  const completed = history.find((event) => event.activityTaskCompletedEventAttributes);
  return completed ? [completeWorkflow(valueOf(completed.activityTaskCompletedEventAttributes!.result))] : [];
};

const at = (workflowId: string) => ({ namespace: 'default', execution: { workflowId }, identity: 'op' });
const pending = async (service: Service, workflowId: string) => {
  const answer = (await service.call('describeWorkflowExecution', at(workflowId), ctx())) as Description;
  return { activity: answer.pendingActivities?.[0], info: answer.workflowExecutionInfo! };
};
const poll = (service: Service, name = 'q'): Promise<ActivityTask> =>
  service.call('pollActivityTaskQueue', { namespace: 'default', taskQueue: { name }, identity: 'w' }, ctx());
const complete = (service: Service, task: ActivityTask, result: unknown) =>
  service.call('respondActivityTaskCompleted', { taskToken: task.taskToken, result: payloads(result) }, ctx());
const fail = (service: Service, task: ActivityTask) =>
  service.call('respondActivityTaskFailed', { taskToken: task.taskToken, failure: { message: 'boom' } }, ctx());
const beat = (service: Service, task: ActivityTask, details: unknown): Promise<Heartbeat> =>
  service.call('recordActivityTaskHeartbeat', { taskToken: task.taskToken, details: payloads(details) }, ctx());
const result = async (service: Service, workflowId: string) =>
  valueOf((await closeEvent(service, workflowId)).workflowExecutionCompletedEventAttributes?.result);

async function scheduled(workflowId = 'wf'): Promise<Service> {
  const service = await testService();
  testWorker({ service, queue: 'q', workflows: { w: one } });
  await startWorkflow(service, workflowId, 'w', 'q');
  await eventually(async () => (await pending(service, workflowId)).activity !== undefined);
  return service;
}

test('a paused activity is shown with who paused it, is not handed out, and is after its unpause', async () => {
  const service = await scheduled();
  await service.call('pauseActivity', { ...at('wf'), id: 'a1', reason: 'why' }, ctx());
  const { activity, info } = await pending(service, 'wf');
  // PENDING_ACTIVITY_STATE_PAUSED
  expect(activity).toMatchObject({ state: 4, paused: true, pauseInfo: { manual: { identity: 'op', reason: 'why' } } });
  const { data } = info.searchAttributes?.indexedFields?.TemporalPauseInfo ?? {};
  expect(Buffer.from(data ?? []).toString()).toContain('activityType=act');
  const query = `TemporalPauseInfo = 'property:activityType=act'`;
  const list = (await service.call('listWorkflowExecutions', { namespace: 'default', query }, ctx())) as {
    executions: unknown[];
  };
  expect(list.executions).toHaveLength(1);

  const waiting = poll(service);
  // An activity of another workflow overtakes the paused one, which has been in the queue for longer.
  await startWorkflow(service, 'other', 'w', 'q');
  const task = await waiting;
  expect(task.workflowExecution!.workflowId).toBe('other');
  await complete(service, task, 'x');

  await service.call('unpauseActivity', { ...at('wf'), type: 'act' }, ctx());
  await complete(service, await poll(service), 'resumed');
  expect(await result(service, 'wf')).toBe('resumed');
});

test('a running attempt learns of pause and reset by its heartbeat, in another process too', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const other = await testService(database);
  testWorker({ service, queue: 'q', workflows: { w: one } });
  await startWorkflow(service, 'wf', 'w', 'q');
  const first = await poll(service);
  await beat(service, first, 1);
  await other.call('pauseActivity', { ...at('wf'), id: 'a1' }, ctx());
  expect(await beat(service, first, 2)).toMatchObject({ activityPaused: true, activityReset: false });
  // PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
  expect((await pending(service, 'wf')).activity).toMatchObject({ state: 5, attempt: 1 });
  await fail(service, first);
  expect((await pending(service, 'wf')).activity).toMatchObject({ state: 4, attempt: 2 });

  await other.call('unpauseActivity', { ...at('wf'), unpauseAll: true }, ctx());
  const second = await poll(service);
  expect([second.attempt, valueOf(second.heartbeatDetails)]).toEqual([2, 2]);
  await other.call('resetActivity', { ...at('wf'), matchAll: true, resetHeartbeat: true }, ctx());
  expect(await beat(service, second, 3)).toMatchObject({ activityPaused: false, activityReset: true });
  expect((await pending(other, 'wf')).activity).toMatchObject({ attempt: 1 });
  await fail(service, second);
  const third = await poll(service);
  expect([third.attempt, valueOf(third.heartbeatDetails)]).toEqual([2, undefined]);
  await beat(service, third, 4);
  expect(valueOf((await pending(other, 'wf')).activity!.heartbeatDetails)).toBe(4);
  await complete(service, third, 'done');
  expect(await result(service, 'wf')).toBe('done');
});

test('patched options count for the attempt that waits, in its new queue, and can be restored', async () => {
  const service = await scheduled();
  const update = (more: object) =>
    service.call('updateActivityOptions', { ...at('wf'), id: 'a1', ...more }, ctx()) as Promise<{
      activityOptions: temporal.api.activity.v1.IActivityOptions;
    }>;
  const { activityOptions } = await update({
    activityOptions: { taskQueue: { name: 'elsewhere' }, startToCloseTimeout: seconds(7) },
    updateMask: { paths: ['task_queue.name', 'startToCloseTimeout'] },
  });
  expect(activityOptions.taskQueue?.name).toBe('elsewhere');
  const task = await poll(service, 'elsewhere');
  expect(ms(task.startToCloseTimeout)).toBe(7000);
  // The task that still lies in the old queue leads to nothing.
  const nothing = poll(service);
  await update({ restoreOriginal: true });
  expect((await pending(service, 'wf')).activity?.activityOptions?.taskQueue?.name).toBe('q');
  await fail(service, task);
  await complete(service, await nothing, 'restored');
  expect(await result(service, 'wf')).toBe('restored');
});

test.each([
  ['pauseActivity', {}, 3, /Either Activity.Id or Activity.Type/],
  ['pauseActivity', { id: 'nope' }, 5, /Can't find pending activity/],
  ['updateActivityOptions', { id: 'a1', activityOptions: {} }, 3, /UpdateMask is not provided/],
  ['updateActivityOptions', { id: 'a1', updateMask: { paths: [] } }, 3, /ActivityOptions are not provided/],
  [
    'updateActivityOptions',
    { id: 'a1', restoreOriginal: true, updateMask: { paths: ['priority'] } },
    3,
    /Both UpdateMask and RestoreOriginal/,
  ],
])('%s refuses %j', async (method, more, code, details) => {
  const service = await scheduled();
  await expect(service.call(method, { ...at('wf'), ...more }, ctx())).rejects.toMatchObject({
    code,
    details: expect.stringMatching(details) as string,
  });
});
