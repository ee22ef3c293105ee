/** Children: start, end, cancellation, parent close policies; signals and cancels to others. */
import type { temporal } from '@temporalio/proto';
import type { ChildWorkflowOptions } from '@temporalio/workflow';
import {
  cancelExternal,
  completeWorkflow,
  failWorkflow,
  cancelWorkflow,
  continueAsNew,
  recordMarker,
  seconds,
  signalExternal,
  startChild,
} from '../harness/commands';
import type { Context, Scenario } from '../harness/scenario';
import * as w from '../workflows';

function child(
  name: string,
  kind: Parameters<typeof w.parent>[0],
  options: (c: Context) => ChildWorkflowOptions,
  args: unknown[] = [],
  covers: Scenario['covers'] = ['C61', 'C62'],
): Scenario {
  return {
    name: `a child that ${name}`,
    covers,
    run: async (c) =>
      (await c.start(w.parent, { args: [kind, { workflowId: c.id('child'), ...options(c) }, ...args] })).result(),
  };
}

function cancelled(cancellationType: NonNullable<ChildWorkflowOptions['cancellationType']>, answer: string): Scenario {
  return {
    name: `child cancellation ${cancellationType}, the child answers with ${answer}`,
    covers: ['C55', 'C57', 'C62'],
    async run(c) {
      const workflowId = c.id('child');
      const options: ChildWorkflowOptions = { workflowId, cancellationType, parentClosePolicy: 'ABANDON' };
      const handle = await c.start(w.cancellingParent, { args: [options, answer] });
      await c.waitForEvent(handle, 'CHILD_WORKFLOW_EXECUTION_STARTED');
      await c.waitForEvent({ workflowId }, 'TIMER_STARTED');
      await handle.signal(w.cancelChild);
      const result = await handle.result();
      // The request of a parent that is over is not sent.
      if (['ABANDON', 'TRY_CANCEL'].includes(cancellationType))
        await c.client.workflow.getHandle(workflowId).terminate();
      return [result, await c.closed({ workflowId })];
    },
  };
}

/** The parent closes in some way while three children run, one per policy. */
function leaves(
  how: string,
  close: (c: Context, run: { workflowId: string; runId: string }) => Promise<void>,
  more: object = {},
): Scenario {
  return {
    name: `parent close policies when the parent ${how}`,
    covers: ['C63', 'C64'],
    async run(c) {
      const run = await c.startRaw(more);
      const raw = c.raw();
      const policies = [
        ['terminate', 1],
        ['abandon', 2],
        ['cancel', 3],
        ['closed-before', 1],
      ] as const;
      for (const [i, [part, parentClosePolicy]] of policies.entries()) {
        await raw.step([
          startChild(c.id(part), {
            parentClosePolicy,
            workflowType: { name: 'raw' },
            taskQueue: { name: c.ownQueue('children') },
          }),
        ]);
        await c.waitForEvent(run, 'CHILD_WORKFLOW_EXECUTION_STARTED', i + 1);
      }
      await raw.step();
      // The children have their first task behind them; one is closed already.
      const children = c.raw(c.ownQueue('children'));
      for (let i = 0; i < policies.length; i++) {
        const task = await children.poll();
        const closes = task.workflowExecution?.workflowId === c.id('closed-before');
        await children.complete(task, closes ? [completeWorkflow('before')] : [recordMarker('m')]);
      }
      await c.waitForEvent(run, 'CHILD_WORKFLOW_EXECUTION_COMPLETED');
      await close(c, run);
      const ends = [await c.closed({ workflowId: c.id('terminate') })];
      await children.step([cancelWorkflow('as told')]);
      ends.push(await c.closed({ workflowId: c.id('cancel') }));
      const { workflowExecutionInfo } = await c.rpc.describeWorkflowExecution({
        namespace: c.namespace,
        execution: { workflowId: c.id('abandon') },
      });
      ends.push(`abandoned: ${workflowExecutionInfo?.status}`);
      await c.client.workflow.getHandle(c.id('abandon')).terminate('cleaning up');
      return ends;
    },
  };
}

const closing =
  (...commands: temporal.api.command.v1.ICommand[]) =>
  async (c: Context): Promise<void> => {
    await c.raw().step(commands);
  };

export const children: Scenario[] = [
  child('completes', 'echo', () => ({}), [{ a: 1 }], ['C61', 'C62', 'C63']),
  child('fails', 'failing', () => ({}), ['child'], ['C62']),
  child(
    'fails and is retried',
    'retrying',
    () => ({ retry: { initialInterval: '100ms', maximumAttempts: 3 } }),
    [2],
    ['C62', 'C71'],
  ),
  child(
    'fails for good after retries',
    'retrying',
    () => ({ retry: { initialInterval: '100ms', maximumAttempts: 2 } }),
    [5],
    ['C62', 'C71'],
  ),
  child('continues as new twice', 'continuing', () => ({}), [2], ['C62', 'C67']),
  child('times out', 'untilFinished', () => ({ workflowRunTimeout: '1s' }), [], ['C62', 'C75']),
  child(
    'times out by its execution timeout',
    'untilFinished',
    () => ({ workflowExecutionTimeout: '1s' }),
    [],
    ['C62', 'C75'],
  ),
  child(
    'has all options',
    'echo',
    () => ({
      workflowExecutionTimeout: '1 hour',
      workflowRunTimeout: '30 minutes',
      workflowTaskTimeout: '20s',
      memo: { note: 'child' },
      retry: { maximumAttempts: 2 },
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: 'REQUEST_CANCEL',
      staticSummary: 'a child',
      priority: { priorityKey: 4 },
    }),
    ['options'],
  ),
  {
    name: 'a child is terminated',
    covers: ['C62', 'C77'],
    async run(c) {
      const workflowId = c.id('child');
      const handle = await c.start(w.parent, { args: ['untilFinished', { workflowId }] });
      await c.waitForEvent({ workflowId: c.id() }, 'CHILD_WORKFLOW_EXECUTION_STARTED');
      await c.waitForEvent({ workflowId }, 'WORKFLOW_TASK_COMPLETED');
      await c.client.workflow.getHandle(workflowId).terminate('by somebody');
      return handle.result();
    },
  },
  {
    name: 'a child is cancelled from outside',
    covers: ['C62', 'C55'],
    async run(c) {
      const workflowId = c.id('child');
      const handle = await c.start(w.parent, { args: ['untilCancelled', { workflowId }, 'throw'] });
      await c.waitForEvent({ workflowId: c.id() }, 'CHILD_WORKFLOW_EXECUTION_STARTED');
      await c.waitForEvent({ workflowId }, 'TIMER_STARTED');
      await c.client.workflow.getHandle(workflowId).cancel();
      return handle.result();
    },
  },
  {
    name: 'a failing child fails its parent',
    covers: ['C62'],
    run: async (c) =>
      c.error((await c.start(w.failingParent, { args: ['failing', { workflowId: c.id('child') }, 'twice'] })).result()),
  },
  {
    name: 'a child whose id is taken',
    covers: ['C61'],
    async run(c) {
      const other = await c.start(w.untilFinished, { workflowId: c.id('child') });
      await c.waitForEvent(other, 'WORKFLOW_TASK_COMPLETED');
      const result = await (await c.start(w.parent, { args: ['echo', { workflowId: c.id('child') }, 1] })).result();
      await other.signal(w.finish, 'free again');
      await other.result();
      return result;
    },
  },
  {
    name: 'a child whose id was used before and must not be',
    covers: ['C61'],
    async run(c) {
      await (await c.start(w.echo, { workflowId: c.id('child'), args: ['first'] })).result();
      const options: ChildWorkflowOptions = { workflowId: c.id('child'), workflowIdReusePolicy: 'REJECT_DUPLICATE' };
      return (await c.start(w.parent, { args: ['echo', options, 1] })).result();
    },
  },
  {
    name: 'a child cancelled before it was sent',
    covers: ['C61'],
    run: async (c) => (await c.start(w.cancelledBeforeStart, { args: [{ workflowId: c.id('child') }] })).result(),
  },
  cancelled('WAIT_CANCELLATION_COMPLETED', 'throw'),
  cancelled('WAIT_CANCELLATION_COMPLETED', 'result'),
  cancelled('WAIT_CANCELLATION_COMPLETED', 'fail'),
  cancelled('WAIT_CANCELLATION_REQUESTED', 'throw'),
  cancelled('TRY_CANCEL', 'throw'),
  cancelled('ABANDON', 'throw'),
  leaves('completes', closing(completeWorkflow())),
  leaves('fails', closing(failWorkflow())),
  leaves('continues as new', async (c) => {
    await c.raw().step([continueAsNew()]);
    await c.raw().step([completeWorkflow()]);
  }),
  leaves('is terminated', async (c, { workflowId }) => {
    await c.client.workflow.getHandle(workflowId).terminate('parent');
  }),
  leaves(
    'is retried',
    async (c) => {
      await c.raw().step([failWorkflow()]);
      await c.raw().step([completeWorkflow()]);
    },
    { retryPolicy: { maximumAttempts: 2, initialInterval: seconds(0.1) } },
  ),
  {
    name: 'a parent that closes in the task that starts a child',
    covers: ['C65'],
    async run(c) {
      const options = { workflowType: { name: 'raw' }, taskQueue: { name: c.ownQueue('children') } };
      await c.startRaw();
      await c
        .raw()
        .step([
          startChild(c.id('never'), { ...options, parentClosePolicy: 1 }),
          startChild(c.id('abandoned'), { ...options, parentClosePolicy: 2 }),
          completeWorkflow(),
        ]);
      await c.pause(3000);
      const described = (part: string) => c.outcome(c.client.workflow.getHandle(c.id(part)).describe());
      const abandoned = await described('abandoned');
      if (abandoned instanceof Error) return ['not started', await described('never')];
      await c.client.workflow.getHandle(c.id('abandoned')).terminate();
      return ['started', await described('never')];
    },
  },
  {
    name: 'a grandchild knows parent and root',
    covers: ['C61'],
    run: async (c) => (await c.start(w.family, { args: [2] })).result(),
  },
  {
    name: 'a parent signals its child',
    covers: ['C57', 'C60'],
    run: async (c) => (await c.start(w.signalsChild, { args: [{ workflowId: c.id('child') }] })).result(),
  },
  {
    name: 'a signal to another workflow',
    covers: ['C57', 'C59'],
    async run(c) {
      const other = await c.start(w.untilFinished, { workflowId: c.id('other') });
      await c.waitForEvent(other, 'WORKFLOW_TASK_COMPLETED');
      return [await (await c.start(w.signaller, { args: [other.workflowId] })).result(), await other.result()];
    },
  },
  {
    name: 'a signal to a certain run of another workflow',
    covers: ['C57'],
    async run(c) {
      const other = await c.start(w.untilFinished, { workflowId: c.id('other') });
      await c.waitForEvent(other, 'WORKFLOW_TASK_COMPLETED');
      const args: [string, string] = [other.workflowId, other.firstExecutionRunId];
      return [await (await c.start(w.signaller, { args })).result(), await other.result()];
    },
  },
  {
    name: 'a signal to nobody, and to a closed workflow',
    covers: ['C57'],
    async run(c) {
      const closed = await c.start(w.echo, { workflowId: c.id('closed') });
      await closed.result();
      return [
        await (await c.start(w.signaller, { args: [c.id('nobody')] })).result(),
        await (await c.start(w.signaller, { workflowId: c.id('second'), args: [closed.workflowId] })).result(),
      ];
    },
  },
  {
    name: 'a cancel request to another workflow, to nobody and to a closed one',
    covers: ['C57', 'C59'],
    async run(c) {
      const other = await c.start(w.untilCancelled, { workflowId: c.id('other') });
      await c.waitForEvent(other, 'TIMER_STARTED');
      const results = [await (await c.start(w.canceller, { args: [other.workflowId] })).result()];
      await c.error(other.result());
      results.push(await (await c.start(w.canceller, { workflowId: c.id('second'), args: [c.id('nobody')] })).result());
      results.push(
        await (await c.start(w.canceller, { workflowId: c.id('third'), args: [other.workflowId] })).result(),
      );
      return results;
    },
  },
  {
    name: 'a signal that is taken back before it was sent',
    covers: ['C57'],
    run: async (c) => (await c.start(w.cancelledSignal, { args: [c.id('nobody')] })).result(),
  },
  {
    name: 'a workflow signals and cancels itself',
    covers: ['C58'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      await c.raw().step([signalExternal(workflowId), cancelExternal(workflowId)]);
      await c.waitForEvent({ workflowId }, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED');
      await c.waitForEvent({ workflowId }, 'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED');
      await c.raw().step([completeWorkflow()]);
      c.untrack(workflowId);
      return (await c.events({ workflowId })).map(({ eventType }) => eventType).sort();
    },
  },
  {
    name: 'childWorkflowOnly to somebody who is no child',
    covers: ['C60'],
    async run(c) {
      const other = await c.start(w.untilFinished, { workflowId: c.id('other') });
      await c.waitForEvent(other, 'WORKFLOW_TASK_COMPLETED');
      const { workflowId } = await c.startRaw();
      await c.raw().step([signalExternal(other.workflowId, { childWorkflowOnly: true })]);
      await c.waitForEvent({ workflowId }, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED');
      await c.raw().step([cancelExternal(other.workflowId, { childWorkflowOnly: true })]);
      await c.waitForEvent({ workflowId }, 'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED');
      await c.raw().step([completeWorkflow()]);
      await other.terminate();
    },
  },
  {
    name: 'signal, cancel and child in another namespace that does not exist',
    covers: ['C57', 'C61'],
    async run(c) {
      const answers: unknown[] = [];
      for (const [part, command] of [
        ['signal', signalExternal('other', { namespace: 'nowhere' })],
        ['cancel', cancelExternal('other', { namespace: 'nowhere' })],
        ['child', startChild('other', { namespace: 'nowhere' })],
      ] as const) {
        const workflowId = c.id(part);
        const queue = c.ownQueue(part);
        await c.startRaw({ workflowId, taskQueue: { name: queue }, workflowTaskTimeout: seconds(1) });
        const raw = c.raw(queue);
        answers.push(await c.outcome(raw.complete(await raw.poll(), [command])));
        await raw.step([completeWorkflow()]);
      }
      return answers;
    },
  },
  {
    name: 'external calls carry what they are given',
    covers: ['C57'],
    async run(c) {
      const other = await c.start(w.untilCancelled, { workflowId: c.id('other'), args: ['result'] });
      await c.waitForEvent(other, 'TIMER_STARTED');
      const run = await c.startRaw();
      await c.raw().step([signalExternal(other.workflowId, { control: 'c', header: { fields: {} } })]);
      await c.waitForEvent(run, 'EXTERNAL_WORKFLOW_EXECUTION_SIGNALED');
      await c.raw().step([cancelExternal(other.workflowId, { control: 'd', reason: 'because' })]);
      await c.waitForEvent(run, 'EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED');
      await c.raw().step([completeWorkflow()]);
      return other.result();
    },
  },
];
