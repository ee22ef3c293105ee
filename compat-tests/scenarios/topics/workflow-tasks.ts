/** Workflow tasks by hand: order and buffering of events, failing attempts, stickiness, stale tokens. */
import { temporal } from '@temporalio/proto';
import {
  cancelTimer,
  cancelWorkflow,
  completeWorkflow,
  continueAsNew,
  failWorkflow,
  recordMarker,
  seconds,
  startTimer,
} from '../harness/commands';
import { payloads } from '../harness/payloads';
import type { WorkflowTask } from '../harness/raw-worker';
import type { Context, Scenario } from '../harness/scenario';

const { WorkflowTaskFailedCause: Cause, EventType } = temporal.api.enums.v1;

/** What a worker reads from a task besides tokens and times. */
export function seenOf(task: WorkflowTask) {
  return {
    events: (task.history?.events ?? []).map(
      ({ eventId, eventType }) => `${Number(eventId)} ${EventType[eventType ?? 0]?.replace('EVENT_TYPE_', '')}`,
    ),
    attempt: task.attempt,
    previousStartedEventId: Number(task.previousStartedEventId),
    startedEventId: Number(task.startedEventId),
    more: (task.nextPageToken?.length ?? 0) > 0,
    queries: Object.keys(task.queries ?? {}).length,
    query: task.query?.queryType ?? null,
    messages: (task.messages ?? []).length,
    workflowType: task.workflowType?.name,
    queue: task.workflowExecutionTaskQueue?.name,
  };
}

const signal = (c: Context, workflowId: string, signalName: string): Promise<unknown> =>
  c.rpc.signalWorkflowExecution({
    namespace: c.namespace,
    workflowExecution: { workflowId },
    signalName,
    input: payloads(signalName),
    requestId: c.uuid(),
    identity: 'client',
  });

const requestCancel = (c: Context, workflowId: string): Promise<unknown> =>
  c.rpc.requestCancelWorkflowExecution({
    namespace: c.namespace,
    workflowExecution: { workflowId },
    requestId: c.uuid(),
    identity: 'client',
    reason: 'by hand',
  });

/** A close command while a signal waits. */
function closeAgainstSignal(name: string, command: () => temporal.api.command.v1.ICommand): Scenario {
  return {
    name: `${name} while a signal waits`,
    covers: ['C16', 'C19', 'C70'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const task = await raw.poll();
      await signal(c, workflowId, 'waiting');
      const error = await c.outcome(raw.complete(task, [recordMarker('dropped'), command()]));
      const again = await raw.poll();
      await raw.complete(again, [completeWorkflow()]);
      return [error instanceof Error ? error : 'no error', seenOf(again)];
    },
  };
}

export const workflowTasks: Scenario[] = [
  {
    name: 'signals during a started task wait for its end',
    covers: ['C16', 'C17'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const task = await raw.poll();
      await signal(c, workflowId, 'one');
      await signal(c, workflowId, 'two');
      await requestCancel(c, workflowId);
      const during = (await c.events({ workflowId })).length;
      await raw.complete(task, [startTimer('t', 3600), recordMarker('m')]);
      const next = await raw.poll();
      await raw.complete(next, [cancelTimer('t'), completeWorkflow()]);
      return [during, seenOf(next)];
    },
  },
  {
    name: 'waiting results come behind waiting signals',
    covers: ['C18'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([raw.scheduleActivity('a'), raw.scheduleActivity('b')]);
      const polled = [await raw.pollActivity(), await raw.pollActivity()];
      const [a, b] = ['a', 'b'].map((id) => polled.find(({ activityId }) => activityId === id));
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      await raw.completeActivity(a!, 'a');
      await signal(c, workflowId, 'between');
      await raw.failActivity(b!);
      await signal(c, workflowId, 'last');
      await raw.complete(task);
      const next = await raw.poll();
      await raw.complete(next, [completeWorkflow()]);
      return seenOf(next);
    },
  },
  {
    name: 'a timer that fires during a task comes in its place among signals',
    covers: ['C16', 'C18'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([startTimer('t', 1)]);
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      await signal(c, workflowId, 'before');
      await c.pause(1500);
      await signal(c, workflowId, 'after');
      await raw.complete(task);
      const next = await raw.poll();
      await raw.complete(next, [completeWorkflow()]);
      return seenOf(next);
    },
  },
  closeAgainstSignal('completing', () => completeWorkflow()),
  closeAgainstSignal('failing', () => failWorkflow()),
  closeAgainstSignal('cancelling', () => cancelWorkflow()),
  closeAgainstSignal('continuing as new', () => continueAsNew()),
  {
    name: 'completing while an activity result waits',
    covers: ['C19'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([raw.scheduleActivity('a')]);
      const activity = await raw.pollActivity();
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      await raw.completeActivity(activity);
      await c.outcome(raw.complete(task, [completeWorkflow('too early')]));
      await raw.step([completeWorkflow('in time')]);
    },
  },
  {
    name: 'a signal after UNHANDLED_COMMAND is in the next task',
    covers: ['C19', 'C26'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      for (const name of ['one', 'two']) {
        const task = await raw.poll();
        await signal(c, workflowId, name);
        await c.outcome(raw.complete(task, [completeWorkflow()]));
      }
      const last = await raw.poll();
      await raw.complete(last, [completeWorkflow()]);
      return seenOf(last);
    },
  },
  {
    name: 'cancelling a timer whose firing waits removes the waiting event',
    covers: ['C20'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([startTimer('t', 3)]);
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      await c.pause(4000);
      await raw.complete(task, [cancelTimer('t'), completeWorkflow()]);
    },
  },
  {
    name: 'a completion after the task timed out',
    covers: ['C21', 'C33'],
    async run(c) {
      const { workflowId } = await c.startRaw({ workflowTaskTimeout: seconds(1) });
      const raw = c.raw();
      const task = await raw.poll();
      await c.waitForEvent({ workflowId }, 'WORKFLOW_TASK_TIMED_OUT');
      const error = await c.error(raw.complete(task, [completeWorkflow()]));
      const again = await raw.poll();
      await raw.complete(again, [completeWorkflow()]);
      return [error, seenOf(again)];
    },
  },
  {
    name: 'a task is completed twice, and failed after it was completed',
    covers: ['C21'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      const task = await raw.step([startTimer('t', 3600)]);
      const errors = [await c.error(raw.complete(task)), await c.error(raw.fail(task))];
      await c.client.workflow.getHandle(c.id()).terminate();
      return errors;
    },
  },
  {
    name: 'a completion after the run was terminated',
    covers: ['C21', 'C77'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const task = await c.raw().poll();
      await c.client.workflow.getHandle(workflowId).terminate('gone');
      return c.error(c.raw().complete(task, [completeWorkflow()]));
    },
  },
  {
    name: 'a token of nonsense',
    covers: ['C21'],
    async run(c) {
      return [
        await c.error(c.rpc.respondWorkflowTaskCompleted({ namespace: c.namespace, taskToken: new Uint8Array() })),
        await c.error(c.rpc.respondActivityTaskCompleted({ namespace: c.namespace, taskToken: new Uint8Array() })),
      ];
    },
  },
  {
    name: 'a failed task is tried again, further failures leave no trace',
    covers: ['C26', 'C31'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.fail(await raw.poll());
      const second = await raw.poll();
      await raw.fail(second);
      const third = await raw.poll();
      const between = (await c.events({ workflowId })).length;
      await raw.complete(third, [completeWorkflow()]);
      return [seenOf(second), between, seenOf(third)];
    },
  },
  {
    name: 'a signal during a failing attempt makes the next one real',
    covers: ['C26'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.fail(await raw.poll());
      const second = await raw.poll();
      await signal(c, workflowId, 'news');
      await raw.fail(second);
      const third = await raw.poll();
      await raw.complete(third, [completeWorkflow()]);
      return [seenOf(second), seenOf(third)];
    },
  },
  {
    name: 'a task that times out twice is in history once',
    covers: ['C26', 'C33'],
    async run(c) {
      const { workflowId } = await c.startRaw({ workflowTaskTimeout: seconds(1) });
      const raw = c.raw();
      await raw.poll();
      const second = await raw.poll();
      const third = await raw.poll();
      const between = (await c.events({ workflowId })).length;
      await raw.complete(third, [completeWorkflow()]);
      return [seenOf(second), between, seenOf(third)];
    },
  },
  {
    name: 'causes with which a worker fails a task',
    covers: ['C26'],
    async run(c) {
      for (const cause of [
        Cause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
        Cause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        Cause.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE,
      ]) {
        const workflowId = c.id(`cause-${cause}`);
        await c.startRaw({ workflowId, taskQueue: { name: c.ownQueue(String(cause)) } });
        const raw = c.raw(c.ownQueue(String(cause)));
        await raw.fail(await raw.poll(), { message: 'why', stackTrace: 'where' }, cause);
        await raw.step([completeWorkflow()]);
      }
    },
  },
  {
    name: 'a sticky task carries only what is new',
    covers: ['C31'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const sticky = c.ownQueue('sticky');
      const first = await raw.step([recordMarker('m')], raw.sticky(sticky));
      const polling = raw.poll(sticky);
      await c.pause(300);
      await signal(c, workflowId, 'wake');
      const second = await polling;
      await raw.complete(second, [completeWorkflow()], raw.sticky(sticky));
      return [seenOf(first), seenOf(second)];
    },
  },
  {
    name: 'without a sticky poller for a while the task goes to the normal queue',
    covers: ['C30', 'C31'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('m')], raw.sticky(c.ownQueue('sticky')));
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      await raw.complete(task, [completeWorkflow()]);
      return seenOf(task);
    },
  },
  {
    name: 'a sticky task that nobody takes times out and goes to the normal queue',
    covers: ['C29'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const sticky = c.ownQueue('sticky');
      await raw.step([recordMarker('m')], raw.sticky(sticky));
      const polling = raw.poll(sticky);
      await c.pause(300);
      await signal(c, workflowId, 'first');
      // The worker has polled a moment ago, but does not poll again.
      await raw.complete(await polling, [], raw.sticky(sticky, 1));
      await signal(c, workflowId, 'second');
      const task = await raw.poll();
      await raw.complete(task, [completeWorkflow()]);
      return seenOf(task);
    },
  },
  {
    name: 'a failure on the sticky queue gives up stickiness without counting an attempt',
    covers: ['C27'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const sticky = c.ownQueue('sticky');
      await raw.step([recordMarker('m')], raw.sticky(sticky));
      const polling = raw.poll(sticky);
      await c.pause(300);
      await signal(c, workflowId, 'wake');
      await raw.fail(await polling);
      const task = await raw.poll();
      await raw.complete(task, [completeWorkflow()]);
      return seenOf(task);
    },
  },
  {
    name: 'a sticky queue is reset',
    covers: ['C31'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const sticky = c.ownQueue('sticky');
      await raw.step([recordMarker('m')], raw.sticky(sticky));
      await raw.tryPoll(300, sticky);
      await c.rpc.resetStickyTaskQueue({ namespace: c.namespace, execution: { workflowId } });
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      await raw.complete(task, [completeWorkflow()]);
      return seenOf(task);
    },
  },
  {
    name: 'a new task inline with the answer',
    covers: ['C32'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      const first = await raw.poll();
      const { workflowTask } = await raw.complete(first, [recordMarker('heartbeat')], {
        returnNewWorkflowTask: true,
        forceCreateNewWorkflowTask: true,
      });
      await raw.complete(workflowTask as WorkflowTask, [completeWorkflow()]);
      return seenOf(workflowTask as WorkflowTask);
    },
  },
  {
    name: 'a forced new task through the queue',
    covers: ['C32'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      const first = await raw.poll();
      const answer = await raw.complete(first, [], { forceCreateNewWorkflowTask: true });
      const second = await raw.poll();
      await raw.complete(second, [completeWorkflow()]);
      return [answer.workflowTask ?? 'no task inline', seenOf(second)];
    },
  },
  {
    name: 'an answer that asks for a task when there is nothing to do',
    covers: ['C32'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      const answer = await raw.complete(await raw.poll(), [startTimer('t', 3600)], { returnNewWorkflowTask: true });
      await c.client.workflow.getHandle(c.id()).terminate();
      return answer.workflowTask ?? 'no task inline';
    },
  },
  {
    name: 'what WorkflowTaskCompleted keeps of the answer',
    covers: ['C34', 'C133'],
    async run(c) {
      await c.startRaw();
      await c.raw().step([completeWorkflow()], {
        sdkMetadata: { coreUsedFlags: [1, 2], langUsedFlags: [3], sdkName: 'by-hand', sdkVersion: '1.2.3' },
        binaryChecksum: 'sum',
        identity: 'somebody else',
        meteringMetadata: { nonfirstLocalActivityExecutionAttempts: 2 },
      });
    },
  },
  {
    name: 'a page of the history of a task',
    covers: ['C31', 'C107'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step(Array.from({ length: 300 }, (_, i) => recordMarker(`m${i}`)));
      await signal(c, workflowId, 'wake');
      const task = await raw.poll();
      let count = task.history?.events?.length ?? 0;
      for (let { nextPageToken } = task; nextPageToken?.length;) {
        const page = await c.rpc.getWorkflowExecutionHistory({
          namespace: c.namespace,
          execution: task.workflowExecution,
          nextPageToken,
        });
        count += page.history?.events?.length ?? 0;
        nextPageToken = page.nextPageToken;
      }
      await raw.complete(task, [completeWorkflow()]);
      return { count, startedEventId: seenOf(task).startedEventId };
    },
  },
  {
    name: 'continue-as-new is suggested after 4096 events',
    covers: ['C35'],
    async run(c) {
      const { workflowId } = await c.startRaw({ workflowTaskTimeout: seconds(60) });
      const raw = c.raw();
      const first = await raw.step(Array.from({ length: 4100 }, (_, i) => recordMarker(`m${i}`)));
      await signal(c, workflowId, 'wake');
      await raw.step([completeWorkflow()]);
      c.untrack(workflowId);
      const events = await c.events({ workflowId });
      return [
        first.attempt,
        events.flatMap(({ workflowTaskStartedEventAttributes: started }) =>
          started ? [started.suggestContinueAsNew] : [],
        ),
      ];
    },
  },
  {
    name: 'the next task while the first is not answered',
    covers: ['C16', 'C122'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const first = await raw.poll();
      await signal(c, workflowId, 'one');
      const none = await raw.tryPoll(1500);
      await raw.complete(first);
      await raw.step([completeWorkflow()]);
      return none === undefined ? 'none' : seenOf(none);
    },
  },
  {
    name: 'each task of a queue is given once',
    covers: ['C122'],
    async run(c) {
      const raw = c.raw();
      for (const part of ['a', 'b', 'c']) await c.startRaw({ workflowId: c.id(part) });
      const order: string[] = [];
      for (let i = 0; i < 3; i++) {
        const task = await raw.step([completeWorkflow()]);
        order.push(task.workflowExecution?.workflowId ?? '');
      }
      return order.sort();
    },
  },
  {
    name: 'capabilities of the system',
    covers: ['C132', 'C133'],
    async run(c) {
      const { capabilities } = await c.rpc.getSystemInfo({});
      const must = [
        'signalAndQueryHeader',
        'internalErrorDifferentiation',
        'activityFailureIncludeHeartbeat',
        'supportsSchedules',
        'encodedFailureAttributes',
        'upsertMemo',
        'sdkMetadata',
        'countGroupByExecutionStatus',
      ] as const;
      return must.map((name) => [name, capabilities?.[name]]);
    },
  },
  {
    name: 'polls without queue or namespace',
    covers: ['C134'],
    async run(c) {
      const { namespace } = c;
      const taskQueue = { name: c.ownQueue() };
      const polls: (() => Promise<unknown>)[] = [
        () => c.rpc.pollWorkflowTaskQueue({ namespace }),
        () => c.rpc.pollActivityTaskQueue({ namespace }),
        () => c.rpc.pollWorkflowTaskQueue({ namespace: 'nowhere', taskQueue }),
        () => c.rpc.pollActivityTaskQueue({ namespace: 'nowhere', taskQueue }),
      ];
      const errors: Error[] = [];
      for (const poll of polls) errors.push(await c.error(c.connection.withDeadline(Date.now() + 70_000, poll)));
      return errors;
    },
  },
];
