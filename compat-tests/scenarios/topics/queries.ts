/** Queries, histories and descriptions as they are read, and local activities. */
import { temporal } from '@temporalio/proto';
import { completeWorkflow, recordMarker, startTimer } from '../harness/commands';
import { payloads } from '../harness/payloads';
import type { Scenario } from '../harness/scenario';
import * as w from '../workflows';

const { HistoryEventFilterType: Filter, QueryRejectCondition: Reject } = temporal.api.enums.v1;

export const queries: Scenario[] = [
  {
    name: 'queries of a running, a closed and a failed workflow',
    covers: ['C92', 'C93', 'C94'],
    async run(c) {
      const handle = await c.start(w.updatable);
      await c.waitForEvent(handle, 'WORKFLOW_TASK_COMPLETED');
      const before = (await c.events(handle)).length;
      const open = await handle.query(w.look);
      const unchanged = (await c.events(handle)).length === before;
      await handle.signal(w.end, 'fail');
      await c.error(handle.result());
      return [open, unchanged, await handle.query(w.look)];
    },
  },
  {
    name: 'a query handler that fails, and one that is not there',
    covers: ['C96'],
    async run(c) {
      const handle = await c.start(w.updatable);
      const errors = [await c.error(handle.query(w.look, 'fail')), await c.error(handle.query('nowhere'))];
      await handle.signal(w.end);
      await handle.result();
      return errors;
    },
  },
  {
    name: 'queries are rejected by the state of the workflow',
    covers: ['C94'],
    async run(c) {
      const handle = await c.start(w.updatable);
      await c.waitForEvent(handle, 'WORKFLOW_TASK_COMPLETED');
      const { workflowId } = handle;
      const ask = (queryRejectCondition: number) =>
        c.outcome(
          c.rpc.queryWorkflow({
            namespace: c.namespace,
            execution: { workflowId },
            query: { queryType: 'look' },
            queryRejectCondition,
          }),
        );
      const open = await ask(Reject.QUERY_REJECT_CONDITION_NOT_OPEN);
      await handle.signal(w.end, 'fail');
      await c.error(handle.result());
      return [
        open,
        await ask(Reject.QUERY_REJECT_CONDITION_NOT_OPEN),
        await ask(Reject.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY),
        await ask(Reject.QUERY_REJECT_CONDITION_NONE),
      ];
    },
  },
  {
    name: 'a query by hand rides alone when no task is pending',
    covers: ['C92'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('m')]);
      const asking = c.client.workflow.getHandle(workflowId).query('how', 1);
      const task = await raw.poll();
      await raw.answerQuery(task, 'fine');
      const answer = await asking;
      await c.client.workflow.getHandle(workflowId).terminate();
      return [answer, task.query, task.history?.events?.length];
    },
  },
  {
    name: 'a query by hand that the worker fails',
    covers: ['C96'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('m')]);
      const asking = c.error(c.client.workflow.getHandle(workflowId).query('how'));
      await raw.failQuery(await raw.poll(), 'no answer');
      const error = await asking;
      await c.client.workflow.getHandle(workflowId).terminate();
      return error;
    },
  },
  {
    name: 'a query before the first task waits for it',
    covers: ['C93', 'C92'],
    async run(c) {
      const handle = await c.start(w.updatable, { taskQueue: c.ownQueue() });
      const asking = handle.query(w.look);
      await c.pause(300);
      await c.worker();
      const answer = await asking;
      await handle.signal(w.end);
      return [answer, await handle.result()];
    },
  },
  {
    name: 'a query of a workflow that closed before its first task',
    covers: ['C93'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const handle = c.client.workflow.getHandle(workflowId);
      await handle.terminate();
      return c.error(handle.query('how'));
    },
  },
  {
    name: 'a query that no worker answers until the deadline',
    covers: ['C95', 'C110'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      await c.raw().step([recordMarker('m')]);
      const handle = c.client.workflow.getHandle(workflowId);
      const error = await c.error(c.connection.withDeadline(Date.now() + 3000, () => handle.query('how')));
      await handle.terminate();
      // Where the deadline is noticed, and so the words, is a race.
      return (error.cause as { code?: number }).code;
    },
  },
  {
    name: 'a query of a workflow whose task fails again and again',
    covers: ['C96'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      for (let i = 0; i < 3; i++) await raw.fail(await raw.poll());
      const handle = c.client.workflow.getHandle(workflowId);
      const error = await c.error(handle.query('how'));
      await handle.terminate();
      return error;
    },
  },
  {
    name: 'default handlers of queries and updates',
    covers: ['C92', 'C82'],
    async run(c) {
      const handle = await c.start(w.defaultHandlers);
      const answers = [await handle.query('any', 1, 'two'), await handle.executeUpdate('some', { args: [3] })];
      await handle.signal(w.end);
      await handle.result();
      return answers;
    },
  },
  {
    name: 'a history read page by page',
    covers: ['C107', 'C109'],
    async run(c) {
      const { workflowId, runId } = await c.startRaw();
      await c.raw().step(Array.from({ length: 20 }, (_, i) => recordMarker(`m${i}`)));
      const execution = { workflowId, runId };
      const { namespace } = c;
      const first = await c.rpc.getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 3 });
      const other = await c.startRaw({ workflowId: c.id('other') });
      const wrong = await c.error(
        c.rpc.getWorkflowExecutionHistory({ namespace, execution: other, nextPageToken: first.nextPageToken }),
      );
      const nobody = await c.error(
        c.rpc.getWorkflowExecutionHistory({ namespace, execution: { workflowId, runId: c.uuid() } }),
      );
      await c.client.workflow.getHandle(workflowId).terminate();
      await c.client.workflow.getHandle(other.workflowId).terminate();
      return [wrong, nobody.constructor.name];
    },
  },
  {
    name: 'the close event of a run, waited for',
    covers: ['C107'],
    async run(c) {
      const { workflowId, runId } = await c.startRaw();
      const { namespace } = c;
      const waiting = c.rpc.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId, runId },
        waitNewEvent: true,
        historyEventFilterType: Filter.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
      });
      await c.raw().step([completeWorkflow('waited for')]);
      const { history, nextPageToken } = await waiting;
      return [(history?.events ?? []).map(({ eventType }) => eventType), nextPageToken.length > 0];
    },
  },
  {
    name: 'a history waits for a new event',
    covers: ['C107'],
    async run(c) {
      const { workflowId, runId } = await c.startRaw();
      await c.raw().step([startTimer('t', 3600)]);
      const { namespace } = c;
      const execution = { workflowId, runId };
      const first = await c.rpc.getWorkflowExecutionHistory({ namespace, execution, waitNewEvent: true });
      const waiting = c.rpc.getWorkflowExecutionHistory({
        namespace,
        execution,
        waitNewEvent: true,
        nextPageToken: first.nextPageToken,
      });
      await c.pause(200);
      await c.client.workflow.getHandle(workflowId).signal('news');
      const next = await waiting;
      await c.client.workflow.getHandle(workflowId).terminate();
      return [first.history?.events?.length, next.history?.events?.[0]?.eventType];
    },
  },
  {
    name: 'a description of a workflow that runs, and when it is closed',
    covers: ['C106', 'C99'],
    async run(c) {
      const run = await c.startRaw({ memo: { fields: { m: payloads('memo').payloads![0]! } } });
      const describe = () =>
        c.rpc.describeWorkflowExecution({ namespace: c.namespace, execution: { workflowId: run.workflowId } });
      const pending = await describe();
      await c.raw().step([startTimer('t', 3600)]);
      const idle = await describe();
      await c.client.workflow.getHandle(run.workflowId).terminate();
      const seen = ({ workflowExecutionInfo: info, pendingWorkflowTask, executionConfig }: typeof idle) => ({
        status: info?.status,
        type: info?.type,
        historyLength: Number(info?.historyLength),
        memo: info?.memo,
        taskQueue: info?.taskQueue,
        firstRunId: info?.firstRunId,
        root: info?.rootExecution,
        pending: pendingWorkflowTask?.state,
        attempt: pendingWorkflowTask?.attempt,
        config: executionConfig,
      });
      return [seen(pending), seen(idle), seen(await describe())];
    },
  },
  ...(
    [
      ['completes', { startToCloseTimeout: '5s' }, 'echo', 'x'],
      [
        'is retried',
        { startToCloseTimeout: '5s', retry: { initialInterval: '20ms', maximumAttempts: 5 } },
        'failTimes',
        2,
      ],
      [
        'fails for good',
        { startToCloseTimeout: '5s', retry: { initialInterval: '20ms', maximumAttempts: 2 } },
        'failTimes',
        9,
      ],
      [
        'is not retried',
        { startToCloseTimeout: '5s' },
        'throwApplicationFailure',
        { message: 'm', type: 'T', nonRetryable: true },
      ],
      ['takes too long', { startToCloseTimeout: '300ms', retry: { maximumAttempts: 1 } }, 'busy', 1000],
      ['has too little time in all', { scheduleToCloseTimeout: '300ms' }, 'busy', 1000],
      [
        'waits for a timer between attempts',
        {
          startToCloseTimeout: '5s',
          localRetryThreshold: '10ms',
          retry: { initialInterval: '500ms', maximumAttempts: 2 },
        },
        'failTimes',
        1,
      ],
    ] as const
  ).map(([how, options, name, arg]): Scenario => ({
    name: `a local activity that ${how}`,
    covers: ['C32', 'C34'],
    run: async (c) =>
      c.outcome((await c.start(w.localActivity, { args: [options as never, name as never, arg] })).result()),
  })),
  {
    name: 'a local activity longer than the workflow task timeout',
    covers: ['C32', 'C33'],
    async run(c) {
      const handle = await c.start(w.localActivity, {
        args: [{ startToCloseTimeout: '20s' }, 'busy', 2500],
        workflowTaskTimeout: '1s',
      });
      const result = await handle.result();
      // How many heartbeats there are depends on the clock.
      c.untrack(handle.workflowId);
      const types = new Set((await c.events(handle)).map(({ eventType }) => eventType));
      return [result, [...types].sort((a, b) => Number(a) - Number(b))];
    },
  },
  ...(['WAIT_CANCELLATION_COMPLETED', 'TRY_CANCEL', 'ABANDON'] as const).map((cancellationType): Scenario => ({
    name: `a local activity cancelled with ${cancellationType}`,
    covers: ['C32'],
    async run(c) {
      const options = { startToCloseTimeout: '10s', cancellationType, retry: { maximumAttempts: 1 } } as const;
      const handle = await c.start(w.cancelLocalActivity, { args: [options, 200, 'sleepFor', 1000] });
      const result = await handle.result();
      c.untrack(handle.workflowId);
      return result;
    },
  })),
];
