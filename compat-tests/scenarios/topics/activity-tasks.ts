/** Activity tasks by hand and completion from outside: tokens, ids, heartbeats, pending activities. */
import type { ActivityTask } from '../harness/raw-worker';
import { cancelActivity, completeWorkflow, recordMarker, seconds } from '../harness/commands';
import { payloads } from '../harness/payloads';
import type { RawWorker } from '../harness/raw-worker';
import type { Context, Scenario } from '../harness/scenario';
import { activity } from '../workflows';

const once = { startToCloseTimeout: '20s', retry: { maximumAttempts: 1 } };

function seenOf(task: ActivityTask) {
  return {
    activityId: task.activityId,
    type: task.activityType?.name,
    attempt: task.attempt,
    input: task.input,
    heartbeatDetails: task.heartbeatDetails,
    startToCloseTimeout: task.startToCloseTimeout,
    scheduleToCloseTimeout: task.scheduleToCloseTimeout,
    heartbeatTimeout: task.heartbeatTimeout,
    retryPolicy: task.retryPolicy,
    workflowType: task.workflowType?.name,
    workflowId: task.workflowExecution?.workflowId,
    workflowNamespace: task.workflowNamespace,
    priority: task.priority,
  };
}

/** A raw workflow with one activity in hand. */
async function inHand(
  c: Context,
  more: Parameters<RawWorker['scheduleActivity']>[1] = {},
): Promise<{ raw: RawWorker; task: ActivityTask; workflowId: string; runId: string }> {
  const { workflowId, runId } = await c.startRaw();
  const raw = c.raw();
  await raw.step([raw.scheduleActivity('a', more)]);
  return { raw, task: await raw.pollActivity(), workflowId, runId };
}

export const activityTasks: Scenario[] = [
  {
    name: 'what an activity task carries',
    covers: ['C37', 'C38', 'C50'],
    async run(c) {
      const { raw, task } = await inHand(c, { input: payloads('in', 1), header: { fields: {} } });
      await raw.completeActivity(task, { out: true });
      await raw.step([completeWorkflow()]);
      return seenOf(task);
    },
  },
  {
    name: 'answers to an activity that is closed',
    covers: ['C47'],
    async run(c) {
      const { raw, task } = await inHand(c);
      await raw.completeActivity(task);
      const errors = [
        await c.error(raw.completeActivity(task)),
        await c.error(raw.failActivity(task)),
        await c.error(raw.cancelActivity(task)),
        await c.error(raw.heartbeat(task)),
      ];
      await raw.step([completeWorkflow()]);
      return [errors, await c.error(raw.completeActivity(task)), await c.error(raw.heartbeat(task))];
    },
  },
  {
    name: 'answers with the token of an earlier attempt',
    covers: ['C47', 'C39'],
    async run(c) {
      const { raw, task } = await inHand(c, { retryPolicy: { initialInterval: seconds(0.05), maximumAttempts: 3 } });
      await raw.failActivity(task);
      const second = await raw.pollActivity();
      const errors = [await c.error(raw.completeActivity(task)), await c.error(raw.heartbeat(task))];
      await raw.completeActivity(second);
      await raw.step([completeWorkflow()]);
      return [errors, seenOf(second)];
    },
  },
  {
    name: 'answers after the activity timed out',
    covers: ['C47', 'C42'],
    async run(c) {
      const { raw, task } = await inHand(c, { startToCloseTimeout: seconds(0.5), retryPolicy: { maximumAttempts: 1 } });
      await c.waitForEvent({ workflowId: c.id() }, 'ACTIVITY_TASK_TIMED_OUT');
      const errors = [await c.error(raw.completeActivity(task)), await c.error(raw.heartbeat(task))];
      await raw.step([completeWorkflow()]);
      return errors;
    },
  },
  {
    name: 'cancelled without a request',
    covers: ['C47'],
    async run(c) {
      const { raw, task } = await inHand(c);
      const error = await c.error(raw.cancelActivity(task, 'why'));
      await raw.completeActivity(task);
      await raw.step([completeWorkflow()]);
      return error;
    },
  },
  {
    name: 'a heartbeat tells of the cancel request',
    covers: ['C44', 'C46'],
    async run(c) {
      const { raw, task, workflowId } = await inHand(c);
      const before = await raw.heartbeat(task, 'one');
      await c.client.workflow.getHandle(workflowId).signal('wake');
      await raw.step([cancelActivity(5)]);
      const after = await raw.heartbeat(task, 'two');
      await raw.cancelActivity(task, 'stopped', 2);
      await raw.step([completeWorkflow()]);
      return [before, after];
    },
  },
  {
    name: 'a failure after a cancel request is not retried',
    covers: ['C39', 'C46'],
    async run(c) {
      const { raw, task, workflowId } = await inHand(c);
      await c.client.workflow.getHandle(workflowId).signal('wake');
      await raw.step([cancelActivity(5)]);
      await raw.failActivity(task);
      await raw.step([completeWorkflow()]);
    },
  },
  {
    name: 'a completion after a cancel request',
    covers: ['C46'],
    async run(c) {
      const { raw, task, workflowId } = await inHand(c);
      await c.client.workflow.getHandle(workflowId).signal('wake');
      await raw.step([cancelActivity(5), recordMarker('after')]);
      await raw.completeActivity(task, 'finished first');
      await raw.step([completeWorkflow()]);
    },
  },
  {
    name: 'an activity is cancelled in the task that schedules it',
    covers: ['C46'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      await raw.step([raw.scheduleActivity('a'), cancelActivity(5)]);
      await raw.step([completeWorkflow()]);
    },
  },
  {
    name: 'a cancel request twice in one task',
    covers: ['C46'],
    async run(c) {
      const { raw, task, workflowId } = await inHand(c);
      await c.client.workflow.getHandle(workflowId).signal('wake');
      const error = await c.error(raw.step([cancelActivity(5), cancelActivity(5)]));
      await raw.step([cancelActivity(5)]);
      await raw.cancelActivity(task);
      await raw.step([completeWorkflow()]);
      return error;
    },
  },
  {
    name: 'heartbeat details with the failure go to the next attempt',
    covers: ['C45', 'C44'],
    async run(c) {
      const { raw, task } = await inHand(c, { retryPolicy: { initialInterval: seconds(0.05), maximumAttempts: 2 } });
      await raw.heartbeat(task, 'early');
      await raw.failActivity(task, undefined, payloads('late', 2));
      const second = await raw.pollActivity();
      await raw.failActivity(second);
      await raw.step([completeWorkflow()]);
      return seenOf(second);
    },
  },
  {
    name: 'completion by workflow id and activity id',
    covers: ['C48'],
    async run(c) {
      const { raw, workflowId, runId } = await inHand(c);
      const ids = { namespace: c.namespace, workflowId, activityId: 'a', identity: 'elsewhere' };
      const beat = await c.rpc.recordActivityTaskHeartbeatById({ ...ids, runId, details: payloads('by id') });
      await c.rpc.respondActivityTaskCompletedById({ ...ids, result: payloads('by id') });
      const again = await c.error(c.rpc.respondActivityTaskCompletedById({ ...ids, result: payloads('again') }));
      await raw.step([completeWorkflow()]);
      return [beat, again];
    },
  },
  {
    name: 'failure and cancellation by id',
    covers: ['C48', 'C47'],
    async run(c) {
      const { raw, workflowId } = await inHand(c, { retryPolicy: { maximumAttempts: 1 } });
      const ids = { namespace: c.namespace, workflowId, activityId: 'a', identity: 'elsewhere' };
      const errors = [
        await c.error(c.rpc.respondActivityTaskCanceledById(ids)),
        await c.error(c.rpc.respondActivityTaskFailedById({ ...ids, activityId: 'unknown' })),
        await c.error(c.rpc.respondActivityTaskFailedById({ ...ids, workflowId: 'unknown' })),
      ];
      await c.rpc.respondActivityTaskFailedById({ ...ids, failure: { message: 'by id', applicationFailureInfo: {} } });
      await raw.step([completeWorkflow()]);
      return errors;
    },
  },
  {
    name: 'completion by id of an activity that nobody has taken',
    covers: ['C48'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([raw.scheduleActivity('a')]);
      const ids = { namespace: c.namespace, workflowId, activityId: 'a', identity: 'elsewhere' };
      const outcome = await c.outcome(c.rpc.respondActivityTaskCompletedById({ ...ids, result: payloads('unasked') }));
      await c.client.workflow.getHandle(workflowId).terminate();
      return outcome;
    },
  },
  ...(['complete', 'fail', 'reportCancellation', 'heartbeat'] as const).map((how): Scenario => ({
    name: `the async completion client: ${how}`,
    covers: ['C48', 'C47'],
    async run(c) {
      const handle = await c.start(activity, { args: [{ ...once, activityId: 'outside' }, 'completedElsewhere'] });
      const id = { workflowId: handle.workflowId, activityId: 'outside' };
      await c.until(async () => (await handle.describe()).raw.pendingActivities?.some(({ state }) => state === 2));
      const client = c.client.activity;
      const outcome = await c.outcome(
        how === 'complete'
          ? client.complete(id, 'from outside')
          : how === 'fail'
            ? client.fail(id, new Error('from outside'))
            : how === 'heartbeat'
              ? client.heartbeat(id, 'beat')
              : client.reportCancellation(id),
      );
      if (how === 'heartbeat' || how === 'reportCancellation') await client.complete(id, 'after that');
      return [outcome, await c.outcome(handle.result()), await c.error(client.complete(id, 'late'))];
    },
  })),
  {
    name: 'pending activities in a description',
    covers: ['C106', 'C44'],
    async run(c) {
      const { raw, task, workflowId } = await inHand(c, { heartbeatTimeout: seconds(30) });
      const described = async () =>
        [...((await c.client.workflow.getHandle(workflowId).describe()).raw.pendingActivities ?? [])].sort(
          (one, other) => String(one.activityId).localeCompare(String(other.activityId)),
        );
      const started = await described();
      await c.client.workflow.getHandle(workflowId).signal('wake');
      await raw.step([raw.scheduleActivity('waiting')]);
      const waiting = await described();
      await raw.heartbeat(task, 'beat');
      const beaten = await c.until(async () => {
        const pending = await described();
        return pending[0]?.heartbeatDetails != null && pending;
      });
      await raw.failActivity(task);
      const failed = await described();
      await c.client.workflow.getHandle(workflowId).terminate();
      return { started, waiting, beaten, failed };
    },
  },
  {
    name: 'an activity poll with nothing to do',
    covers: ['C50'],
    async run(c) {
      return (await c.raw().tryPollActivity(1000)) ?? 'nothing';
    },
  },
  {
    name: 'an activity of a worker that died is given out again',
    covers: ['C50', 'C42'],
    async run(c) {
      const { raw, task } = await inHand(c, {
        startToCloseTimeout: seconds(1),
        retryPolicy: { initialInterval: seconds(0.05) },
      });
      const second = await raw.pollActivity();
      await raw.completeActivity(second);
      await raw.step([completeWorkflow()]);
      return [task.attempt, second.attempt];
    },
  },
];
