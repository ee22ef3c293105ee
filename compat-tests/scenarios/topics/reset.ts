/** Reset: what the new run has of the old one, and what becomes of that. */
import { completeWorkflow, seconds, startChild, startTimer } from '../harness/commands';
import type { Context, Scenario } from '../harness/scenario';
import { add, finish, untilFinished } from '../workflows';

type Request = Parameters<Context['rpc']['resetWorkflowExecution']>[0];

async function reset(c: Context, finishEventId: number, more: Partial<Request> = {}): Promise<string> {
  const { runId } = await c.rpc.resetWorkflowExecution({
    namespace: c.namespace,
    workflowExecution: { workflowId: c.id() },
    workflowTaskFinishEventId: finishEventId as never,
    reason: 'because',
    requestId: c.uuid(),
    ...more,
  });
  c.track({ workflowId: c.id(), runId });
  return runId;
}

const signal = (c: Context, signalName: string) =>
  c.rpc.signalWorkflowExecution({
    namespace: c.namespace,
    workflowExecution: { workflowId: c.id() },
    signalName,
    identity: 'signaler',
  });

const terminate = (c: Context) => c.client.workflow.getHandle(c.id()).terminate('over');

async function about(c: Context, runId: string) {
  const { raw } = await c.client.workflow.getHandle(c.id(), runId).describe();
  const { status, firstRunId, rootExecution } = raw.workflowExecutionInfo!;
  const { resetRunId, lastResetTime } = raw.workflowExtendedInfo!;
  return { status, firstRunId, rootExecution, resetRunId, wasReset: lastResetTime != null };
}

/** What a run goes on with. A real server still shows it of runs that are closed. */
async function pending(c: Context, runId: string) {
  const { raw } = await c.client.workflow.getHandle(c.id(), runId).describe();
  const activities = (raw.pendingActivities ?? []).map(({ activityId, state, attempt }) => [
    activityId,
    state,
    attempt,
  ]);
  return { activities: activities.sort(), children: raw.pendingChildren?.length };
}

export const resets: Scenario[] = [
  {
    name: 'an open run is reset: signals come again, cancel requests do not, activities begin again',
    covers: ['C78'],
    async run(c) {
      const { runId } = await c.startRaw({ workflowRunTimeout: seconds(1000) });
      const raw = c.raw();
      await raw.step([
        raw.scheduleActivity('a'),
        raw.scheduleActivity('b', { taskQueue: { name: 'nobody' } }),
        startTimer('t', 600),
      ]);
      await signal(c, 'one');
      await raw.poll();
      await raw.completeActivity(await raw.pollActivity());
      await signal(c, 'waits for the end of the task');
      await c.client.workflow.getHandle(c.id()).cancel();
      // The first workflow task, before it was completed.
      const newRun = await reset(c, 4);
      const [old, fresh, goesOn] = [await about(c, runId), await about(c, newRun), await pending(c, newRun)];
      await terminate(c);
      return { old, fresh, goesOn };
    },
  },
  {
    name: 'a reset behind commands keeps what they began',
    covers: ['C78'],
    async run(c) {
      const { runId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([
        raw.scheduleActivity('a'),
        startTimer('t', 600),
        startChild(c.id('child'), { taskQueue: { name: c.ownQueue('child') } }),
      ]);
      await c.waitForEvent({ workflowId: c.id() }, 'CHILD_WORKFLOW_EXECUTION_STARTED');
      const task = await raw.step();
      const newRun = await reset(c, Number(task.startedEventId) + 1);
      const [old, fresh, goesOn] = [await about(c, runId), await about(c, newRun), await pending(c, newRun)];
      const child = c.raw(c.ownQueue('child'));
      await child.step([completeWorkflow('of the child')]);
      await c.waitForEvent({ workflowId: c.id(), runId: newRun }, 'CHILD_WORKFLOW_EXECUTION_COMPLETED');
      await raw.completeActivity(await raw.pollActivity());
      await raw.step([completeWorkflow()]);
      return { old, fresh, goesOn };
    },
  },
  {
    name: 'a reset to the moment before a workflow task was taken',
    covers: ['C78'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      await raw.step([completeWorkflow()]);
      await reset(c, 3);
      await raw.step([completeWorkflow('again')]);
    },
  },
  {
    name: 'a closed run goes on with its updates and signals',
    covers: ['C78'],
    async run(c) {
      const handle = await c.start(untilFinished);
      const first = await handle.executeUpdate(add, { args: [1], updateId: 'one' });
      const second = await handle.executeUpdate(add, { args: [2], updateId: 'two' });
      await handle.signal(finish, 'end');
      const result = await handle.result();
      const task = await c.waitForEvent(handle, 'WORKFLOW_TASK_COMPLETED');
      await reset(c, Number(task.eventId), {
        workflowExecution: { workflowId: c.id(), runId: handle.firstExecutionRunId },
      });
      const again = await c.client.workflow.getHandle(c.id()).result();
      // How its events fall into workflow tasks is a race.
      c.untrack(c.id());
      return { first, second, result, again };
    },
  },
  {
    name: 'signals can be left out, and a repeated request is the same reset',
    covers: ['C78'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      await raw.step();
      await signal(c, 'left out');
      const requestId = c.uuid();
      const once = await reset(c, 4, { requestId, resetReapplyExcludeTypes: [1] });
      const { runId: twice } = await c.rpc.resetWorkflowExecution({
        namespace: c.namespace,
        workflowExecution: { workflowId: c.id() },
        workflowTaskFinishEventId: 4 as never,
        requestId,
      });
      await terminate(c);
      return once === twice;
    },
  },
  {
    name: 'a run made by a reset is reset again',
    covers: ['C78'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      await raw.step();
      await signal(c, 'one');
      await reset(c, 4);
      await signal(c, 'two');
      const task = await raw.step();
      const newRun = await reset(c, Number(task.startedEventId) + 1);
      const fresh = await about(c, newRun);
      await raw.step([completeWorkflow()]);
      return { fresh };
    },
  },
  {
    name: 'what cannot be reset',
    covers: ['C78'],
    async run(c) {
      await c.startRaw();
      const raw = c.raw();
      await raw.step();
      const workflowExecution = { workflowId: c.id('nobody') };
      const errors = [
        await c.error(reset(c, 1)),
        await c.error(reset(c, 99)),
        await c.error(reset(c, 4, { requestId: '' })),
        await c.error(reset(c, 4, { workflowExecution })),
      ];
      await terminate(c);
      return errors;
    },
  },
];
