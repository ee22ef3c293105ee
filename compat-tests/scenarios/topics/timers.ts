/** Timers, signals and cancellation of workflows, alone and against each other. */
import { completeWorkflow, seconds, startTimer } from '../harness/commands';
import type { Scenario } from '../harness/scenario';
import * as w from '../workflows';

export const timers: Scenario[] = [
  {
    name: 'a timer fires',
    covers: ['C54', 'C15'],
    run: async (c) => (await c.start(w.sleeping, { args: [100] })).result(),
  },
  {
    name: 'a timer of no time',
    covers: ['C54'],
    run: async (c) => (await c.start(w.sleeping, { args: [0] })).result(),
  },
  {
    name: 'a timer is cancelled in its own task',
    covers: ['C54'],
    run: async (c) => (await c.start(w.cancelledTimer, { args: [true] })).result(),
  },
  {
    name: 'a timer is cancelled in a later task',
    covers: ['C54'],
    run: async (c) => (await c.start(w.cancelledTimer, { args: [false] })).result(),
  },
  {
    name: 'timers fire in the order of their times',
    covers: ['C54'],
    async run(c) {
      const handle = await c.start(w.timersAtOnce, { args: [900, 300, 600] });
      // Whether two of them share a workflow task is a matter of load.
      c.untrack(handle.workflowId);
      return handle.result();
    },
  },
  {
    name: 'a timer of a thousand years is capped',
    covers: ['C54'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      await c.raw().step([startTimer('long', 1000 * 365 * 24 * 3600)]);
      await c.client.workflow.getHandle(workflowId).terminate();
    },
  },
  {
    name: 'two timers are due at the same moment',
    covers: ['C54', 'C16'],
    async run(c) {
      await c.startRaw();
      await c.raw().step([startTimer('b', 1), startTimer('a', 1)]);
      await c.pause(1500);
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'a condition that times out',
    covers: ['C54'],
    run: async (c) => (await c.start(w.conditionTimeout, { args: [200] })).result(),
  },
  {
    name: 'a condition that is met in time',
    covers: ['C54'],
    async run(c) {
      const handle = await c.start(w.conditionTimeout, { args: [600_000] });
      await c.waitForEvent(handle, 'TIMER_STARTED');
      await handle.signal(w.go);
      return handle.result();
    },
  },
  {
    name: 'a scope that times out',
    covers: ['C54'],
    run: async (c) => (await c.start(w.scopeTimeout, { args: [200] })).result(),
  },
  {
    name: 'a signal against a timer: one of them wins and nothing is lost',
    covers: ['C16', 'C54'],
    async run(c) {
      const handle = await c.start(w.signalOrTimer, { args: [300] });
      await c.waitForEvent(handle, 'TIMER_STARTED');
      await c.pause(200);
      await c.outcome(handle.signal(w.go));
      const result = await handle.result();
      c.untrack(handle.workflowId);
      return ['signal', 'timer'].includes(result);
    },
  },
  ...(['throw', 'result', 'fail', 'sleep then throw'] as const).map((answer): Scenario => ({
    name: `a cancelled workflow answers with: ${answer}`,
    covers: ['C55'],
    async run(c) {
      const handle = await c.start(w.untilCancelled, { args: [answer] });
      await c.waitForEvent(handle, 'TIMER_STARTED');
      await handle.cancel();
      return [await c.outcome(handle.result()), (await handle.describe()).status.name];
    },
  })),
  {
    name: 'a workflow is cancelled before its first task',
    covers: ['C55', 'C16'],
    async run(c) {
      const handle = await c.start(w.untilCancelled, { taskQueue: c.ownQueue() });
      await handle.cancel();
      await c.worker();
      return c.error(handle.result());
    },
  },
  {
    name: 'a cancel against a timer',
    covers: ['C55', 'C54'],
    async run(c) {
      const handle = await c.start(w.sleeping, { args: [300] });
      await c.waitForEvent(handle, 'TIMER_STARTED');
      await c.pause(250);
      await c.outcome(handle.cancel());
      await c.outcome(handle.result());
      c.untrack(handle.workflowId);
      return ['COMPLETED', 'CANCELLED'].includes((await handle.describe()).status.name);
    },
  },
  {
    name: 'signals arrive in order',
    covers: ['C16', 'C7'],
    async run(c) {
      const handle = await c.start(w.collecting, { taskQueue: c.ownQueue() });
      for (const value of [1, 2, 3, -1]) await handle.signal(w.more, value);
      await c.worker();
      return handle.result();
    },
  },
  {
    name: 'signals before there is a handler',
    covers: ['C16'],
    async run(c) {
      const handle = await c.start(w.lateHandler, { taskQueue: c.ownQueue() });
      for (const value of [1, 2]) await handle.signal(w.more, value);
      await c.worker();
      return handle.result();
    },
  },
  {
    name: 'many signals at once are all delivered',
    covers: ['C16', 'C19'],
    async run(c) {
      const handle = await c.start(w.collecting);
      const values = Array.from({ length: 40 }, (_, i) => i);
      await Promise.all(values.map((value) => handle.signal(w.more, value)));
      await handle.signal(w.more, -1);
      const got = await handle.result();
      c.untrack(handle.workflowId);
      return got.sort((a, b) => a - b);
    },
  },
  {
    name: 'a signal against a completion is either in the run or refused',
    covers: ['C16', 'C19', 'C7'],
    async run(c) {
      const outcomes: boolean[] = [];
      for (let i = 0; i < 5; i++) {
        const workflowId = c.id(`race-${i}`);
        const handle = await c.start(w.sleeping, { workflowId, args: [50] });
        await c.pause(40 + i * 10);
        const signalled = await handle.signal('anything').then(
          () => true,
          () => false,
        );
        await handle.result();
        const inHistory = (await c.events(handle)).some((event) => event.workflowExecutionSignaledEventAttributes);
        outcomes.push(signalled === inHistory);
        c.untrack(workflowId);
      }
      return outcomes;
    },
  },
  {
    name: 'a signal larger than two mebibytes',
    covers: ['C56'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const error = await c.error(c.client.workflow.getHandle(workflowId).signal('big', 'x'.repeat(2.1 * 1024 * 1024)));
      await c.raw().step([completeWorkflow()]);
      return error;
    },
  },
  {
    name: 'signals without name or execution',
    covers: ['C56', 'C7'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const { namespace } = c;
      const errors = [
        await c.error(c.rpc.signalWorkflowExecution({ namespace, workflowExecution: { workflowId } })),
        await c.error(c.rpc.signalWorkflowExecution({ namespace, signalName: 'x' })),
        await c.error(
          c.rpc.signalWorkflowExecution({
            namespace,
            workflowExecution: { workflowId, runId: 'nonsense' },
            signalName: 'x',
          }),
        ),
        await c.error(
          c.rpc.signalWorkflowExecution({ namespace, workflowExecution: { workflowId }, signalName: 'x'.repeat(1001) }),
        ),
        await c
          .error(
            c.rpc.signalWorkflowExecution({
              namespace,
              workflowExecution: { workflowId, runId: c.uuid() },
              signalName: 'x',
            }),
          )
          .then((error) => error.constructor.name),
      ];
      await c.raw().step([completeWorkflow()]);
      return errors;
    },
  },
  {
    name: 'a workflow task timeout of the start is that of its tasks',
    covers: ['C33', 'C12'],
    async run(c) {
      await c.startRaw({ workflowTaskTimeout: seconds(3) });
      await c.raw().step([completeWorkflow()]);
    },
  },
];
