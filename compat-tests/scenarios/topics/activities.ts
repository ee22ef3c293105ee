/** Activities by a worker: retries, timeouts, heartbeats, failures, cancellation types. */
import type { ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { Scenario } from '../harness/scenario';
import { activities as several, activity, cancelActivity, cancelIt, caughtActivity } from '../workflows';

const quick: ActivityOptions = { startToCloseTimeout: '20s', retry: { initialInterval: '50ms', maximumAttempts: 3 } };
const once: ActivityOptions = { startToCloseTimeout: '20s', retry: { maximumAttempts: 1 } };

function runs(
  name: string,
  covers: Scenario['covers'],
  options: ActivityOptions,
  what: keyof Activities,
  ...args: unknown[]
): Scenario {
  return {
    name,
    covers,
    async run(c) {
      return c.outcome((await c.start(activity, { args: [options, what, ...args] })).result());
    },
  };
}

function cancels(
  type: NonNullable<ActivityOptions['cancellationType']>,
  answer: 'throw' | 'result' | 'fail',
): Scenario {
  return {
    name: `cancellation type ${type}, the activity answers with ${answer}`,
    covers: ['C44', 'C46', 'C47'],
    async run(c) {
      const options: ActivityOptions = { ...once, heartbeatTimeout: '10s', cancellationType: type };
      const handle = await c.start(cancelActivity, { args: [options, 'signal', 'untilCancelled', answer] });
      await c.until(async () => {
        const { raw } = await handle.describe();
        return raw.pendingActivities?.some(({ heartbeatDetails }) => heartbeatDetails != null);
      });
      await handle.signal(cancelIt);
      return handle.result();
    },
  };
}

export const activities: Scenario[] = [
  runs('an activity completes', ['C38'], quick, 'echo', { a: 1 }),
  runs('an activity without result', ['C38'], quick, 'nothing'),
  runs('an activity fails twice, then completes', ['C38', 'C39', 'C41'], quick, 'failTimes', 2),
  runs('an activity fails more often than it may', ['C39'], quick, 'failTimes', 5),
  runs('a plain error of an activity', ['C39'], once, 'throwError', 'Error'),
  runs('a type error of an activity', ['C39'], once, 'throwError', 'TypeError'),
  runs('an error with a cause', ['C39'], once, 'throwError', 'nested'),
  runs('an activity throws no error but a string', ['C39'], once, 'throwError', 'string'),
  runs('a failure that is not retryable', ['C39'], quick, 'throwApplicationFailure', {
    message: 'no use',
    type: 'Useless',
    nonRetryable: true,
    details: [1, 'two', { three: 3 }],
  }),
  runs(
    'a failure of a type that the policy does not retry',
    ['C39'],
    { ...quick, retry: { ...quick.retry, nonRetryableErrorTypes: ['Listed'] } },
    'throwApplicationFailure',
    { message: 'listed', type: 'Listed' },
  ),
  runs(
    'an error class that the policy does not retry',
    ['C39'],
    { ...quick, retry: { ...quick.retry, nonRetryableErrorTypes: ['TypeError'] } },
    'throwError',
    'TypeError',
  ),
  runs('a benign failure', ['C39'], once, 'throwApplicationFailure', { message: 'fine', type: 'Fine', benign: true }),
  runs(
    'a failure that says when to try again',
    ['C40'],
    { startToCloseTimeout: '20s', retry: { initialInterval: '10 minutes', maximumAttempts: 2 } },
    'throwApplicationFailure',
    { message: 'soon', type: 'Soon', nextRetryDelay: 100 },
  ),
  runs(
    'intervals below a second',
    ['C41'],
    { startToCloseTimeout: '20s', retry: { initialInterval: '101ms', backoffCoefficient: 1, maximumAttempts: 3 } },
    'failTimes',
    2,
  ),
  runs(
    'a maximum interval',
    ['C41', 'C11'],
    {
      startToCloseTimeout: '20s',
      retry: { initialInterval: '50ms', backoffCoefficient: 100, maximumInterval: '200ms' },
    },
    'failTimes',
    3,
  ),
  runs('start-to-close without retry', ['C42'], { ...once, startToCloseTimeout: '500ms' }, 'busy', 1500),
  runs(
    'start-to-close, retried until the attempts are used up',
    ['C42', 'C39'],
    { startToCloseTimeout: '300ms', retry: { initialInterval: '50ms', maximumAttempts: 2 } },
    'busy',
    1000,
  ),
  runs(
    'a start-to-close timeout that the policy does not retry',
    ['C42'],
    { startToCloseTimeout: '300ms', retry: { nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'] } },
    'busy',
    1000,
  ),
  runs(
    'schedule-to-close while the activity runs',
    ['C42', 'C43'],
    {
      scheduleToCloseTimeout: '500ms',
      startToCloseTimeout: '20s',
      heartbeatTimeout: '20s',
      retry: { maximumAttempts: 5 },
    },
    'busy',
    1500,
  ),
  runs(
    'schedule-to-close between attempts',
    ['C43'],
    { scheduleToCloseTimeout: '1s', startToCloseTimeout: '1s', retry: { initialInterval: '5s' } },
    'failTimes',
    9,
  ),
  runs(
    'start-to-close when no further attempt fits',
    ['C43'],
    { scheduleToCloseTimeout: '2s', startToCloseTimeout: '500ms', retry: { initialInterval: '5s' } },
    'busy',
    1500,
  ),
  runs(
    'schedule-to-start on a queue without worker',
    ['C42'],
    { ...once, taskQueue: 'nobody-polls', scheduleToStartTimeout: '500ms' },
    'nothing',
  ),
  runs(
    'schedule-to-close on a queue without worker',
    ['C42', 'C43'],
    { taskQueue: 'nobody-polls', scheduleToCloseTimeout: '500ms' },
    'nothing',
  ),
  runs(
    'all timeouts at once on a queue without worker',
    ['C43'],
    {
      taskQueue: 'nobody-polls',
      scheduleToCloseTimeout: '500ms',
      scheduleToStartTimeout: '500ms',
      startToCloseTimeout: '500ms',
    },
    'nothing',
  ),
  runs('a heartbeat timeout', ['C42', 'C44'], { ...once, heartbeatTimeout: '500ms' }, 'busy', 2000),
  runs(
    'a heartbeat timeout after heartbeats',
    ['C44'],
    { ...once, heartbeatTimeout: '600ms' },
    'beatOnceThenHang',
    2500,
  ),
  runs(
    'the next attempt gets the heartbeat details',
    ['C44', 'C42'],
    { ...quick, heartbeatTimeout: '600ms' },
    'beatOnceThenHang',
    2500,
  ),
  runs('heartbeats keep an activity alive', ['C44'], { ...once, heartbeatTimeout: '1s' }, 'beat', 12, 200),
  runs('timeouts that follow from schedule-to-close', ['C37'], { scheduleToCloseTimeout: '30s' }, 'info'),
  runs('timeouts that follow from start-to-close', ['C37', 'C11'], { startToCloseTimeout: '30s' }, 'info'),
  runs(
    'a heartbeat timeout longer than start-to-close',
    ['C37'],
    { startToCloseTimeout: '10s', heartbeatTimeout: '60s' },
    'info',
  ),
  runs(
    'all options of an activity',
    ['C37', 'C11'],
    {
      activityId: 'my-id',
      startToCloseTimeout: '10s',
      scheduleToStartTimeout: '20s',
      scheduleToCloseTimeout: '60s',
      heartbeatTimeout: '5s',
      retry: {
        initialInterval: '3s',
        backoffCoefficient: 3,
        maximumInterval: '9s',
        maximumAttempts: 4,
        nonRetryableErrorTypes: ['A', 'B'],
      },
      priority: { priorityKey: 1 },
      summary: 'what it is for',
      allowEagerDispatch: false,
    },
    'info',
  ),
  {
    name: 'activity timeouts are bounded by the run timeout',
    covers: ['C37', 'C12'],
    async run(c) {
      const handle = await c.start(activity, {
        args: [{ startToCloseTimeout: '1 hour', scheduleToCloseTimeout: '2 hours' }, 'info'],
        workflowRunTimeout: '60s',
      });
      return handle.result();
    },
  },
  {
    name: 'five activities at once',
    covers: ['C38', 'C122'],
    async run(c) {
      // Their completions race: the results are compared, not the order of the events.
      const workflowId = c.id();
      const result = await c.client.workflow.execute(several, {
        taskQueue: c.queue,
        workflowId,
        args: [quick, 'echo', 5],
      });
      const events = await c.events({ workflowId });
      c.untrack(workflowId);
      return [
        result,
        events
          .map(({ eventType }) => eventType)
          .filter((type) => type! >= 10 && type! <= 12)
          .sort(),
      ];
    },
  },
  cancels('WAIT_CANCELLATION_COMPLETED', 'throw'),
  cancels('WAIT_CANCELLATION_COMPLETED', 'result'),
  cancels('WAIT_CANCELLATION_COMPLETED', 'fail'),
  cancels('TRY_CANCEL', 'throw'),
  cancels('ABANDON', 'throw'),
  {
    name: 'cancelled before it was sent',
    covers: ['C46'],
    async run(c) {
      return (await c.start(cancelActivity, { args: [once, 0, 'nothing'] })).result();
    },
  },
  ...(['WAIT_CANCELLATION_COMPLETED', 'TRY_CANCEL', 'ABANDON'] as const).map((cancellationType): Scenario => ({
    name: `${cancellationType} of an activity that nobody has taken`,
    covers: ['C46'],
    async run(c) {
      const options = { ...once, taskQueue: 'nobody-polls', cancellationType };
      return (await c.start(cancelActivity, { args: [options, 200, 'nothing'] })).result();
    },
  })),
  {
    name: 'cancelled between two attempts',
    covers: ['C46', 'C39'],
    async run(c) {
      const options: ActivityOptions = { startToCloseTimeout: '20s', retry: { initialInterval: '10 minutes' } };
      const handle = await c.start(cancelActivity, { args: [options, 'signal', 'failTimes', 9] });
      await c.until(async () =>
        (await handle.describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure),
      );
      await handle.signal(cancelIt);
      return handle.result();
    },
  },
  {
    name: 'what a workflow sees of a failed activity',
    covers: ['C39'],
    run: async (c) =>
      (
        await c.start(caughtActivity, {
          args: [once, 'throwApplicationFailure', { message: 'seen', type: 'Seen', details: [1] }],
        })
      ).result(),
  },
  {
    name: 'a workflow is cancelled while its activity runs',
    covers: ['C44', 'C55'],
    async run(c) {
      const handle = await c.start(activity, {
        args: [{ ...once, heartbeatTimeout: '10s' }, 'untilCancelled', 'throw'],
      });
      await c.until(async () =>
        (await handle.describe()).raw.pendingActivities?.some(({ heartbeatDetails }) => heartbeatDetails != null),
      );
      await handle.cancel();
      return c.error(handle.result());
    },
  },
  {
    name: 'a workflow is terminated while its activity runs',
    covers: ['C77', 'C47'],
    async run(c) {
      const handle = await c.start(activity, {
        args: [{ ...once, heartbeatTimeout: '10s' }, 'untilCancelled', 'throw'],
      });
      await c.until(async () =>
        (await handle.describe()).raw.pendingActivities?.some(({ heartbeatDetails }) => heartbeatDetails != null),
      );
      await handle.terminate('by the test');
      return c.error(handle.result());
    },
  },
  {
    name: 'an unregistered activity',
    covers: ['C39'],
    async run(c) {
      const handle = await c.start(activity, { args: [once, 'unknown' as never] });
      return c.error(handle.result());
    },
  },
];
