/** Starting: defaults, id policies, deduplication by request id, validation. */
import { temporal } from '@temporalio/proto';
import { completeWorkflow, seconds } from '../harness/commands';
import type { Context, Scenario } from '../harness/scenario';
import { echo, failing, finish, sleeping, untilCancelled, untilFinished } from '../workflows';

const { WorkflowIdConflictPolicy: Conflict, WorkflowIdReusePolicy: Reuse } = temporal.api.enums.v1;

/** A first run that ended in the given way, then another start of the id. */
function startAfter(
  how: 'completed' | 'failed' | 'canceled' | 'terminated' | 'timed out',
  workflowIdReusePolicy:
    'ALLOW_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'REJECT_DUPLICATE' | 'TERMINATE_IF_RUNNING',
): Scenario {
  return {
    name: `${workflowIdReusePolicy} after a run that ${how}`,
    covers: ['C1', 'C3'],
    async run(c) {
      await endIn(c, how);
      const again = await c.outcome(c.start(echo, { args: ['again'], workflowIdReusePolicy }));
      return again instanceof Error ? again : c.client.workflow.getHandle(c.id()).result();
    },
  };
}

async function endIn(c: Context, how: Parameters<typeof startAfter>[0]): Promise<void> {
  if (how === 'completed') await (await c.start(echo, { args: ['first'] })).result();
  if (how === 'failed') await c.error((await c.start(failing, { args: ['first'] })).result());
  if (how === 'timed out') {
    await c.error((await c.start(untilFinished, { workflowRunTimeout: '3s' })).result());
  }
  if (how === 'canceled') {
    const handle = await c.start(untilCancelled);
    await c.waitForEvent(handle, 'TIMER_STARTED');
    await handle.cancel();
    await c.error(handle.result());
  }
  if (how === 'terminated') {
    const handle = await c.start(untilCancelled);
    await c.waitForEvent(handle, 'TIMER_STARTED');
    await handle.terminate('enough');
    await c.error(handle.result());
  }
}

function refusedStart(
  name: string,
  request: temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest,
  covers: Scenario['covers'] = ['C10'],
): Scenario {
  return { name: `a start with ${name}`, covers, run: (c) => c.error(c.startRaw(request)) };
}

export const starts: Scenario[] = [
  {
    name: 'a workflow completes with its result',
    covers: ['C1', 'C17', 'C34'],
    run: async (c) => (await c.start(echo, { args: [{ deep: [1, 'two', null, true] }] })).result(),
  },
  {
    name: 'a workflow fails with an application failure',
    covers: ['C1'],
    run: async (c) => c.error((await c.start(failing, { args: ['on purpose'] })).result()),
  },
  {
    name: 'a second start of a running id',
    covers: ['C1', 'C2'],
    async run(c) {
      const handle = await c.start(untilFinished);
      await c.waitForEvent(handle, 'WORKFLOW_TASK_COMPLETED');
      const error = await c.error(c.start(echo, { args: ['second'] }));
      await handle.signal(finish, 'end');
      return [error, await handle.result()];
    },
  },
  ...(['ALLOW_DUPLICATE', 'ALLOW_DUPLICATE_FAILED_ONLY', 'REJECT_DUPLICATE'] as const).flatMap((policy) =>
    (['completed', 'failed', 'canceled', 'terminated', 'timed out'] as const).map((how) => startAfter(how, policy)),
  ),
  {
    name: 'the raw conflict error carries request id and run id',
    covers: ['C2'],
    async run(c) {
      const requestId = c.uuid();
      await c.startRaw({ requestId });
      await c.raw().step();
      return [requestId, await c.error(c.startRaw())];
    },
  },
  {
    name: 'TERMINATE_EXISTING starts over a running run',
    covers: ['C4'],
    async run(c) {
      const first = await c.start(untilFinished);
      await c.waitForEvent(first, 'WORKFLOW_TASK_COMPLETED');
      await c.pause(1100);
      const second = await c.start(echo, { args: ['second'], workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
      const end = await c.error(
        c.client.workflow
          .getHandle(c.id(), first.firstExecutionRunId, { firstExecutionRunId: first.firstExecutionRunId })
          .result(),
      );
      return [await second.result(), end];
    },
  },
  {
    name: 'TERMINATE_EXISTING within the first second of a run',
    covers: ['C4'],
    async run(c) {
      await c.startRaw();
      return c.outcome(
        c.rpc.startWorkflowExecution({
          namespace: c.namespace,
          workflowId: c.id(),
          workflowType: { name: 'raw' },
          taskQueue: { name: c.ownQueue() },
          requestId: c.uuid(),
          workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
        }),
      );
    },
  },
  {
    name: 'the legacy reuse policy TERMINATE_IF_RUNNING',
    covers: ['C4'],
    async run(c) {
      await c.startRaw();
      await c.raw().step();
      await c.pause(1100);
      await c.startRaw({ workflowIdReusePolicy: Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING });
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'USE_EXISTING gives the running run',
    covers: ['C5'],
    async run(c) {
      const first = await c.rpc.startWorkflowExecution({
        namespace: c.namespace,
        workflowId: c.id(),
        workflowType: { name: 'raw' },
        taskQueue: { name: c.ownQueue() },
        requestId: c.uuid(),
      });
      const second = await c.rpc.startWorkflowExecution({
        namespace: c.namespace,
        workflowId: c.id(),
        workflowType: { name: 'raw' },
        taskQueue: { name: c.ownQueue() },
        requestId: c.uuid(),
        workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
      });
      return [first, second];
    },
  },
  {
    name: 'the same request id again while the run is open and after it closed',
    covers: ['C6'],
    async run(c) {
      const requestId = c.uuid();
      const first = await c.startRaw({ requestId });
      const again = await c.startRaw({ requestId });
      await c.raw().step([completeWorkflow()]);
      const afterClose = await c.startRaw({
        requestId,
        workflowIdReusePolicy: Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
      });
      return [first, again, afterClose];
    },
  },
  {
    name: 'signals with the same request id are one signal',
    covers: ['C7'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const requestId = c.uuid();
      for (const input of ['one', 'two']) {
        await c.rpc.signalWorkflowExecution({
          namespace: c.namespace,
          workflowExecution: { workflowId },
          signalName: input,
          requestId,
        });
      }
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'a cancel request twice, and after the end',
    covers: ['C7'],
    async run(c) {
      const handle = await c.start(untilCancelled, { args: ['result'] });
      await c.waitForEvent(handle, 'TIMER_STARTED');
      await Promise.all([handle.cancel(), handle.cancel()]);
      const result = await handle.result();
      return [result, await c.outcome(handle.cancel())];
    },
  },
  {
    name: 'signal, update, terminate and query of a closed workflow',
    covers: ['C7', 'C93'],
    async run(c) {
      const handle = await c.start(echo, { args: ['closed'] });
      await handle.result();
      return [
        await c.error(handle.signal('late')),
        await c.error(handle.executeUpdate('late')),
        await c.error(handle.terminate('late')),
        await c.error(handle.query('unknown')),
      ];
    },
  },
  {
    name: 'calls to an id that does not exist',
    covers: ['C7', 'C90', 'C109'],
    async run(c) {
      const handle = c.client.workflow.getHandle(c.id());
      return [
        await c.error(handle.signal('x')),
        await c.error(handle.cancel()),
        await c.error(handle.terminate()),
        await c.error(handle.query('x')),
        await c.error(handle.executeUpdate('x')),
        await c.error(handle.describe()),
        await c.error(handle.result()),
      ];
    },
  },
  {
    name: 'a handle keeps to its chain by the first run id',
    covers: ['C8'],
    async run(c) {
      const first = await c.start(echo, { args: ['first'] });
      await first.result();
      const second = await c.start(untilFinished);
      await c.waitForEvent(second, 'WORKFLOW_TASK_COMPLETED');
      const errors = [await c.error(first.cancel()), await c.error(first.terminate())];
      await c.client.workflow.getHandle(c.id()).signal(finish, 'by id alone');
      return [errors, await second.result()];
    },
  },
  {
    name: 'an unknown namespace',
    covers: ['C9'],
    run: (c) =>
      c.error(
        c.rpc.startWorkflowExecution({
          namespace: 'nowhere',
          workflowId: c.id(),
          workflowType: { name: 'raw' },
          taskQueue: { name: c.ownQueue() },
          requestId: c.uuid(),
        }),
      ),
  },
  refusedStart('no workflow type', { workflowType: null }),
  refusedStart('no task queue', { taskQueue: null }),
  refusedStart('an id of 1001 bytes', { workflowId: 'x'.repeat(1001) }),
  refusedStart('a type of 1001 bytes', { workflowType: { name: 'x'.repeat(1001) } }),
  refusedStart('a queue name of 1001 bytes', { taskQueue: { name: 'x'.repeat(1001) } }),
  refusedStart('a request id of 1001 bytes', { requestId: 'x'.repeat(1001) }),
  refusedStart('a negative run timeout', { workflowRunTimeout: { seconds: -1 as never } }),
  refusedStart('a backoff coefficient below 1', { retryPolicy: { backoffCoefficient: 0.5 } }),
  refusedStart('a maximum interval below the initial one', {
    retryPolicy: { initialInterval: seconds(10), maximumInterval: seconds(1) },
  }),
  refusedStart('negative attempts', { retryPolicy: { maximumAttempts: -1 } }),
  refusedStart('a negative initial interval', { retryPolicy: { initialInterval: { seconds: -1 as never } } }),
  refusedStart('a cron schedule that cannot be read', { cronSchedule: 'every monday' }),
  refusedStart('cron and start delay', { cronSchedule: '0 * * * *', workflowStartDelay: seconds(1) }),
  refusedStart('a negative start delay', { workflowStartDelay: { seconds: -1 as never } }),
  refusedStart('TERMINATE_IF_RUNNING and a conflict policy', {
    workflowIdReusePolicy: Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
    workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
  }),
  refusedStart('REJECT_DUPLICATE and TERMINATE_EXISTING', {
    workflowIdReusePolicy: Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
  }),
  {
    name: 'a start without a workflow id',
    covers: ['C10'],
    run: (c) =>
      c.error(
        c.rpc.startWorkflowExecution({
          namespace: c.namespace,
          workflowType: { name: 'raw' },
          taskQueue: { name: c.ownQueue() },
          requestId: c.uuid(),
        }),
      ),
  },
  {
    name: 'the defaults of a retry policy',
    covers: ['C11'],
    async run(c) {
      await c.startRaw({ retryPolicy: { maximumAttempts: 1 } });
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'the run timeout is at most the execution timeout',
    covers: ['C12'],
    async run(c) {
      await c.startRaw({ workflowExecutionTimeout: seconds(60), workflowRunTimeout: seconds(600) });
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'the run timeout is the execution timeout when not given, and the task timeout no longer than the run',
    covers: ['C12'],
    async run(c) {
      await c.startRaw({ workflowExecutionTimeout: seconds(60), workflowTaskTimeout: seconds(200) });
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'the task timeout is capped at two minutes',
    covers: ['C12'],
    async run(c) {
      await c.startRaw({ workflowTaskTimeout: seconds(3600) });
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'a start delay holds the first workflow task back',
    covers: ['C13'],
    async run(c) {
      const handle = await c.start(echo, { args: ['late'], startDelay: '1s' });
      const before = (await c.events(handle)).length;
      return [before, await handle.result()];
    },
  },
  {
    name: 'a signal and a cancel request during the start delay',
    covers: ['C13'],
    async run(c) {
      const handle = await c.start(untilFinished, { startDelay: '2s' });
      await handle.signal(finish, 'early');
      await handle.cancel();
      return handle.result();
    },
  },
  {
    name: 'an update during the start delay is answered at once',
    covers: ['C13', 'C82'],
    async run(c) {
      const handle = await c.start(untilFinished, { startDelay: '10 minutes' });
      const sum = await handle.executeUpdate('add', { args: [3] });
      await handle.signal(finish, 'end');
      return [sum, await handle.result()];
    },
  },
  {
    name: 'two starts of one id at the same moment',
    covers: ['C1', 'C2'],
    async run(c) {
      const both = await Promise.all([c.outcome(c.startRaw()), c.outcome(c.startRaw())]);
      await c.raw().step([completeWorkflow()]);
      return both.map((one) => (one instanceof Error ? one.constructor.name : 'started')).sort();
    },
  },
  {
    name: 'ten starts of one id at the same moment, each content with the existing one',
    covers: ['C5'],
    async run(c) {
      const starts = Array.from({ length: 10 }, () =>
        c.startRaw({ workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING }),
      );
      const runs = new Set((await Promise.all(starts)).map(({ runId }) => runId));
      await c.raw().step([completeWorkflow()]);
      return runs.size;
    },
  },
  {
    name: 'all options of a start on its event',
    covers: ['C1', 'C11', 'C15', 'C98'],
    async run(c) {
      const handle = await c.start(sleeping, {
        args: [200],
        workflowExecutionTimeout: '1 hour',
        workflowRunTimeout: '30 minutes',
        workflowTaskTimeout: '20s',
        memo: { note: 'remembered', list: [1, 2] },
        staticSummary: 'a summary',
        staticDetails: 'some details',
        priority: { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 1.5 },
        retry: { initialInterval: '2s', maximumAttempts: 3, nonRetryableErrorTypes: ['Never'] },
      });
      const result = await handle.result();
      const { memo, priority, status, type, taskQueue, historyLength } = await handle.describe();
      return { result, memo, priority, status, type, taskQueue, historyLength };
    },
  },
];
