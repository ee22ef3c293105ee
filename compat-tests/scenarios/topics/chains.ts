/** Continue-as-new, workflow retry, cron, run and execution timeouts, terminate, results that follow a chain. */
import {
  cancelWorkflow,
  completeWorkflow,
  continueAsNew,
  failWorkflow,
  recordMarker,
  seconds,
  startTimer,
} from '../harness/commands';
import { payload, payloads } from '../harness/payloads';
import type { Scenario } from '../harness/scenario';
import * as w from '../workflows';

export const chains: Scenario[] = [
  {
    name: 'continue-as-new twice',
    covers: ['C67', 'C76'],
    run: async (c) => (await c.start(w.chainInfo, { args: [2] })).result(),
  },
  {
    name: 'continue-as-new keeps timeouts, memo and search attributes',
    covers: ['C67', 'C68'],
    async run(c) {
      const handle = await c.start(w.chainInfo, {
        args: [1],
        workflowExecutionTimeout: '1 hour',
        workflowRunTimeout: '10 minutes',
        workflowTaskTimeout: '20s',
        memo: { note: 'kept' },
        searchAttributes: { ScenarioKeyword: ['kept'] },
        retry: { maximumAttempts: 2 },
        staticSummary: 'first only',
      });
      return handle.result();
    },
  },
  {
    name: 'continue-as-new with other options',
    covers: ['C67', 'C68'],
    async run(c) {
      const options = {
        workflowRunTimeout: '5 minutes',
        workflowTaskTimeout: '15s',
        memo: { note: 'new' },
        searchAttributes: { ScenarioKeyword: ['new'] },
      } as const;
      const handle = await c.start(w.continueWith, {
        args: [options],
        workflowRunTimeout: '10 minutes',
        memo: { note: 'old' },
      });
      return handle.result();
    },
  },
  {
    name: 'changed memo and search attributes go along',
    covers: ['C68', 'C98'],
    async run(c) {
      const handle = await c.start(w.continueChanged, {
        memo: { note: 'first', gone: 'soon' },
        searchAttributes: { ScenarioKeyword: ['first'], ScenarioInt: [1] },
      });
      return handle.result();
    },
  },
  {
    name: 'signals are relayed over continue-as-new and none is lost',
    covers: ['C70', 'C67', 'C19'],
    async run(c) {
      const handle = await c.start(w.relay, { args: [[]] });
      for (const value of ['a', 'b', 'c', 'd', 'last']) {
        await c.client.workflow.getHandle(handle.workflowId).signal(w.toNext, value);
      }
      const result = await c.client.workflow.getHandle(handle.workflowId).result();
      c.untrack(handle.workflowId);
      return result;
    },
  },
  {
    name: 'a raw continue-as-new with all that can be given',
    covers: ['C67'],
    async run(c) {
      await c.startRaw({ workflowExecutionTimeout: seconds(600), memo: { fields: { old: payload(1) } } });
      await c.pause(1100);
      await c.raw().step([
        continueAsNew({
          input: payloads('next'),
          workflowRunTimeout: seconds(100),
          workflowTaskTimeout: seconds(5),
          backoffStartInterval: seconds(1),
          retryPolicy: { maximumAttempts: 4 },
          header: { fields: { h: payload('h') } },
          memo: { fields: { fresh: payload(2) } },
          lastCompletionResult: payloads('before'),
          failure: { message: 'before' },
          initiator: 1,
        }),
      ]);
      await c.raw().step([completeWorkflow()]);
    },
  },
  {
    name: 'continue-as-new to another type and queue',
    covers: ['C67'],
    async run(c) {
      await c.startRaw();
      await c.pause(1100);
      await c
        .raw()
        .step([continueAsNew({ workflowType: { name: 'other' }, taskQueue: { name: c.ownQueue('other') } })]);
      await c.raw(c.ownQueue('other')).step([completeWorkflow()]);
    },
  },
  {
    name: 'a workflow retry',
    covers: ['C71', 'C76'],
    async run(c) {
      const handle = await c.start(w.retriedWorkflow, {
        args: [2],
        retry: { initialInterval: '1s', backoffCoefficient: 1, maximumAttempts: 3 },
        memo: { note: 'm' },
      });
      return handle.result();
    },
  },
  {
    name: 'a workflow retry that is used up',
    covers: ['C71', 'C11'],
    async run(c) {
      const handle = await c.start(w.retriedWorkflow, {
        args: [9],
        retry: { initialInterval: '1s', backoffCoefficient: 1, maximumAttempts: 2 },
      });
      return c.error(handle.result());
    },
  },
  {
    name: 'a failure that the workflow does not retry',
    covers: ['C71'],
    async run(c) {
      const handle = await c.start(w.retriedWorkflow, {
        args: [9, { nonRetryable: true }],
        retry: { maximumAttempts: 5 },
      });
      return c.error(handle.result());
    },
  },
  {
    name: 'a failure type that the workflow does not retry',
    covers: ['C71'],
    async run(c) {
      const handle = await c.start(w.retriedWorkflow, { args: [9], retry: { nonRetryableErrorTypes: ['Flaky'] } });
      return c.error(handle.result());
    },
  },
  {
    name: 'a workflow retry that the failure delays',
    covers: ['C71', 'C40'],
    async run(c) {
      const handle = await c.start(w.retriedWorkflow, {
        args: [1, { delay: '2s' }],
        retry: { initialInterval: '1s', maximumAttempts: 2 },
      });
      return handle.result();
    },
  },
  {
    name: 'a run timeout is retried',
    covers: ['C71', 'C75'],
    async run(c) {
      await c.startRaw({
        workflowRunTimeout: seconds(1.5),
        retryPolicy: { maximumAttempts: 2, initialInterval: seconds(1) },
      });
      const raw = c.raw();
      await raw.step([startTimer('t', 3600)]);
      const second = await raw.poll();
      await raw.complete(second, [completeWorkflow('in the second run')]);
    },
  },
  {
    name: 'an execution timeout is not retried',
    covers: ['C75', 'C71'],
    async run(c) {
      const run = await c.startRaw({
        workflowExecutionTimeout: seconds(1),
        retryPolicy: { maximumAttempts: 5, initialInterval: seconds(1) },
      });
      await c.raw().step([startTimer('t', 3600)]);
      return c.closed(run);
    },
  },
  {
    name: 'no retry fits before the execution timeout',
    covers: ['C71', 'C75'],
    async run(c) {
      await c.startRaw({
        workflowExecutionTimeout: seconds(5),
        retryPolicy: { initialInterval: seconds(60), maximumInterval: seconds(60) },
      });
      await c.raw().step([failWorkflow()]);
    },
  },
  {
    name: 'a run timeout',
    covers: ['C75'],
    run: async (c) => c.error((await c.start(w.longSleep, { workflowRunTimeout: '1s' })).result()),
  },
  {
    name: 'an execution timeout',
    covers: ['C75'],
    run: async (c) => c.error((await c.start(w.longSleep, { workflowExecutionTimeout: '1s' })).result()),
  },
  {
    name: 'a run timeout while a workflow task is started and signals wait',
    covers: ['C75', 'C16', 'C17'],
    async run(c) {
      const run = await c.startRaw({ workflowRunTimeout: seconds(2) });
      await c.raw().poll();
      await c.client.workflow.getHandle(run.workflowId).signal('waiting');
      return c.closed(run);
    },
  },
  {
    name: 'cron begins with a backoff and goes on with the last result',
    covers: ['C72', 'C73'],
    async run(c) {
      const run = await c.startRaw({ cronSchedule: '@every 2s' });
      const raw = c.raw();
      await raw.step([completeWorkflow('one')]);
      await raw.step([failWorkflow()]);
      await raw.step([completeWorkflow('three')]);
      await c.client.workflow.getHandle(run.workflowId).terminate('enough');
    },
  },
  {
    name: 'cron ends with a cancel',
    covers: ['C72', 'C55'],
    async run(c) {
      const { workflowId } = await c.startRaw({ cronSchedule: '0 0 1 1 *' });
      const handle = c.client.workflow.getHandle(workflowId);
      await handle.cancel();
      await c.raw().step([cancelWorkflow()]);
      return (await handle.describe()).status.name;
    },
  },
  {
    name: 'cron of the official client',
    covers: ['C72', 'C76'],
    async run(c) {
      const handle = await c.start(w.cronRun, { args: [true], cronSchedule: '@every 2s' });
      await c.waitForEvent(
        { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
        'WORKFLOW_EXECUTION_FAILED',
      );
      // The run after the failed one.
      const second = await c.until(async () => {
        const { runId } = await c.client.workflow.getHandle(handle.workflowId).describe();
        return runId !== handle.firstExecutionRunId && runId;
      });
      await c.waitForEvent({ workflowId: handle.workflowId, runId: second }, 'WORKFLOW_EXECUTION_COMPLETED');
      await c.client.workflow.getHandle(handle.workflowId).terminate('enough');
      return c.outcome(c.client.workflow.getHandle(handle.workflowId, second, { followRuns: false } as never).result());
    },
  },
  {
    name: 'retry comes before cron',
    covers: ['C74'],
    async run(c) {
      const run = await c.startRaw({
        cronSchedule: '@every 2s',
        retryPolicy: { initialInterval: seconds(1), backoffCoefficient: 1, maximumAttempts: 2 },
      });
      const raw = c.raw();
      await raw.step([failWorkflow()]);
      const attempts = await raw.poll();
      await raw.complete(attempts, [failWorkflow()]);
      const next = await raw.poll();
      await raw.complete(next, [completeWorkflow()]);
      await c.client.workflow.getHandle(run.workflowId).terminate('enough');
      return [attempts, next].map(
        ({ history }) => history?.events?.[0]?.workflowExecutionStartedEventAttributes?.initiator,
      );
    },
  },
  {
    name: 'results with and without following the chain',
    covers: ['C76'],
    async run(c) {
      const handle = await c.start(w.chainInfo, { args: [1] });
      await handle.result();
      const first = c.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId, { followRuns: false });
      const error = await c.error(first.result());
      return [error, await c.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).result()];
    },
  },
  {
    name: 'the result of a retried run without following',
    covers: ['C76', 'C71'],
    async run(c) {
      const handle = await c.start(w.retriedWorkflow, {
        args: [1],
        retry: { initialInterval: '1s', maximumAttempts: 2 },
      });
      await handle.result();
      return c.error(
        c.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId, { followRuns: false }).result(),
      );
    },
  },
  {
    name: 'terminate with reason and details',
    covers: ['C77'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      await c.raw().step([startTimer('t', 3600)]);
      await c.rpc.terminateWorkflowExecution({
        namespace: c.namespace,
        workflowExecution: { workflowId },
        reason: 'because',
        details: payloads('detail', 2),
        identity: 'somebody',
      });
      return c.error(c.client.workflow.getHandle(workflowId).result());
    },
  },
  {
    name: 'terminate without reason, with waiting events',
    covers: ['C77', 'C16'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      await c.raw().poll();
      const handle = c.client.workflow.getHandle(workflowId);
      await handle.signal('waiting');
      await handle.terminate();
      return c.error(handle.result());
    },
  },
  {
    name: 'terminate and cancel a chain by its first run id',
    covers: ['C77', 'C8'],
    async run(c) {
      const first = await c.startRaw();
      await c.pause(1100);
      await c.raw().step([continueAsNew()]);
      await c.raw().step([recordMarker('second run')]);
      const { namespace } = c;
      const workflowExecution = { workflowId: first.workflowId };
      const wrong = await c.error(
        c.rpc.terminateWorkflowExecution({ namespace, workflowExecution, firstExecutionRunId: c.uuid() }),
      );
      await c.rpc.terminateWorkflowExecution({ namespace, workflowExecution, firstExecutionRunId: first.runId });
      return [wrong.constructor.name, await c.closed(first), await c.closed({ workflowId: first.workflowId })];
    },
  },
  {
    name: 'a quick chain is slowed down',
    covers: ['C67', 'C73'],
    async run(c) {
      const handle = await c.start(w.chainInfo, { args: [2] });
      const began = Date.now();
      await handle.result();
      c.untrack(handle.workflowId);
      return Date.now() - began > 1200;
    },
  },
];
