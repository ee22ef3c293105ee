/** Schedules: specs and their times, overlap policies, backfills, triggers, what their workflows get and what is passed on. */
import { type ScheduleHandle, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { seconds } from '../harness/commands';
import type { Context, Scenario } from '../harness/scenario';
import { echo, failing, finish, untilCancelled, untilFinished } from '../workflows';

type Spec = temporal.api.schedule.v1.IScheduleSpec;

const at = (iso: string) => seconds(Date.parse(iso) / 1000);
/** Around changes of the clocks, and a leap year. */
const WINDOWS = [
  ['2026-03-07T00:00:00Z', '2026-03-09T12:00:00Z'],
  ['2026-10-31T00:00:00Z', '2026-11-02T00:00:00Z'],
  ['2026-12-24T00:00:00Z', '2027-01-05T00:00:00Z'],
  ['2028-02-26T00:00:00Z', '2028-03-03T00:00:00Z'],
] as const;

/** What a spec becomes, and its times. The schedule is paused: it does nothing. */
async function specOf(c: Context, part: string, spec: Spec): Promise<unknown> {
  const target = { namespace: c.namespace, scheduleId: c.id(part) };
  const action = { startWorkflow: { workflowId: 'w', workflowType: { name: 'w' }, taskQueue: { name: c.ownQueue() } } };
  const created = await c.outcome(
    c.rpc.createSchedule({ ...target, requestId: c.uuid(), schedule: { spec, action, state: { paused: true } } }),
  );
  if (created instanceof Error) return created.message;
  const { schedule } = await c.rpc.describeSchedule(target);
  const times: number[][] = [];
  for (const [startTime, endTime] of WINDOWS) {
    const answer = await c.rpc.listScheduleMatchingTimes({ ...target, startTime: at(startTime), endTime: at(endTime) });
    times.push(answer.startTime.map((time) => Number(time.seconds)));
  }
  await c.rpc.deleteSchedule(target);
  return { spec: { ...schedule?.spec, startTime: undefined, endTime: undefined }, times };
}

/** One scenario of many specs, each by its own name. */
const specs = (name: string, given: Record<string, Spec>, covers: Scenario['covers'] = ['C111']): Scenario => ({
  name,
  covers,
  async run(c) {
    const results = await Promise.all(
      Object.entries(given).map(async ([label, spec], n) => [label, await specOf(c, String(n), spec)] as const),
    );
    return Object.fromEntries(results);
  },
});
const crons = (...texts: string[]): Record<string, Spec> =>
  Object.fromEntries(texts.map((text) => [text, { cronString: [text] }]));
const zoned = (timezoneName: string, ...texts: string[]): Record<string, Spec> =>
  Object.fromEntries(texts.map((text) => [`${timezoneName} ${text}`, { cronString: [text], timezoneName }]));

const every = (intervalSeconds: number, phaseSeconds?: number) => ({
  interval: seconds(intervalSeconds),
  ...(phaseSeconds === undefined ? {} : { phase: seconds(phaseSeconds) }),
});
const all = { minute: [{ end: 59 }], hour: [{ end: 23 }], dayOfMonth: [{ start: 1, end: 31 }] };
const allDays = { ...all, month: [{ start: 1, end: 12 }], dayOfWeek: [{ end: 6 }] };

/** Hourly slots of one day gone by: only backfills reach them. */
const DAY: ScheduleOptions['spec'] = { calendars: [{ year: 2026, month: 'JANUARY', dayOfMonth: 5, hour: '*' }] };
const hour = (n: number): Date => new Date(Date.UTC(2026, 0, 5, n));
const backfill = (overlap: ScheduleOverlapPolicy, first: number, last = first) => ({
  start: hour(first),
  end: hour(last),
  overlap,
});
const idAt = (c: Context, n: number): string => `${c.id('wf')}-${hour(n).toISOString().replace('.000Z', 'Z')}`;

const create = (c: Context, more: object = {}, workflow: (...args: never[]) => Promise<unknown> = untilFinished) => {
  const options = {
    scheduleId: c.id(),
    spec: DAY,
    action: { type: 'startWorkflow', workflowType: workflow, workflowId: c.id('wf'), taskQueue: c.queue, args: [] },
    ...more,
  };
  return c.client.schedule.create(options as unknown as ScheduleOptions);
};

/** Waits for so many actions in all, and follows their histories. */
async function actions(c: Context, handle: ScheduleHandle, count: number): Promise<string[]> {
  const taken = await c.until(async () => {
    const { info } = await handle.describe();
    return info.numActionsTaken >= count && info.recentActions;
  });
  return taken.map(({ action }) => action.workflow.workflowId);
}

const track = async (c: Context, ...hours: number[]): Promise<void> => {
  for (const n of hours) {
    const { runId } = await c.client.workflow.getHandle(idAt(c, n)).describe();
    c.track({ workflowId: idAt(c, n), runId });
  }
};

const end = async (c: Context, n: number): Promise<void> => {
  await c.client.workflow.getHandle(idAt(c, n)).signal(finish, 'end');
  await c.closed({ workflowId: idAt(c, n) });
};

/** What is told of a schedule, without times and with statuses left to the workflows themselves. */
async function told(handle: ScheduleHandle): Promise<unknown> {
  const { info, state, policies, raw } = await handle.describe();
  return {
    state,
    policies,
    taken: info.numActionsTaken,
    skipped: info.numActionsSkippedOverlap,
    missed: info.numActionsMissedCatchupWindow,
    waiting: raw.info?.bufferSize?.toString(),
    dropped: raw.info?.bufferDropped?.toString(),
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    recent: info.recentActions.map(({ action, scheduledAt }) => [action.workflow.workflowId, scheduledAt.getTime()]),
    next: info.nextActionTimes.length,
  };
}

export const schedules: Scenario[] = [
  specs(
    'cron strings as calendars and their times',
    crons(
      ...[
        '0 9 * * 1-5',
        '@hourly',
        '@daily',
        '@weekly',
        '@monthly',
        '@yearly',
        '@midnight',
        '@annually',
        '*/7 3 * * *',
      ],
      ...['0 0 * * 5-7', '0 0 * * 7', '0 0 * * 0-7', '0 0 * * 1-7/2', '0 0 * * 3-7/3', '0 0 * * 6/1', '0 0 13 * 5'],
      ...['0 0 31 * *', '0 0 29 2 *', '15,45 8-17/3 * jan-jun mon,wed,fri', '0/20 9 * * *', '1/25,*/20 4 * * *'],
      ...['5 4 3 2 1 * 2027', '*/30 30 1 1 * * *', '59 23 31 12 * 2026-2030', '0 12 1-7 * mo', '0 12 * dec sunday'],
      ...[
        ' 0   9 * *  1 # hi # there ',
        '0 9 * * TUE#c',
        '@every 90m/30m',
        '@every 1d',
        '@every 7h13m',
        '@every 1d12h',
      ],
      ...['TZ=UTC @daily', 'CRON_TZ=America/New_York 0 12 * * MON#lunch', 'TZ=Asia/Tokyo @every 6h', '+5 4 * * *'],
    ),
  ),
  specs(
    'specs that are refused',
    {
      ...crons(
        ...['', '61 * * * *', '* * * *', '* * * * * * * *', 'a b c d e', '1- * * * *', '-1 * * * *', '1,,2 * * * *'],
        ...[
          '1/ * * * *',
          '1/2/3 * * * *',
          '1-2-3 * * * *',
          '*/0 * * * *',
          '30-10 * * * *',
          '60 24 32 13 8',
          '*-5 * * * *',
        ],
        ...['0 0 * * 8', '0 0 0 * *', '5 * * ja *', '5 * * * m', '* * * * * 1999', '* * * * * 2101', '5/x * * * *'],
        ...['TZ=UTC', 'TZ=Nowhere/X 0 0 * * *', 'TZ=america/new_york 0 0 * * *', '@reboot'],
        ...['@every', '@every x', '@every 500ms', '@every -1h', '@every 1h/2h', '@every 1h/x'],
      ),
      'two zones': { cronString: ['TZ=UTC 0 0 * * *', '0 0 * * *'] },
      'another zone': { cronString: ['TZ=UTC 0 0 * * *'], timezoneName: 'Asia/Tokyo' },
      'no zone': { timezoneName: '+05:00' },
      ranges: {
        structuredCalendar: [
          {
            second: [{ start: 60 }],
            minute: [{ start: 1, end: 2, step: -1 }],
            hour: [{ start: 5, end: 4 }],
            month: [{ start: 0 }],
            year: [{ start: 1999 }],
            dayOfWeek: [{ start: 7 }],
          },
        ],
      },
      comment: { structuredCalendar: [{ comment: 'x'.repeat(201) }] },
      phase: { interval: [every(60, 60)] },
      'negative phase': { interval: [every(60, -1)] },
      'no interval': { interval: [{}] },
    },
    ['C111', 'C112'],
  ),
  specs(
    'times where the clocks change',
    {
      ...zoned('America/New_York', '30 2 * * *', '30 1 * * *', '*/30 0-3 * * *', '0 0 * * *', '15 * * * 0'),
      ...zoned('US/Pacific', '33 33 2 * * * *', '33 33,44 1 * * * *'),
      ...zoned('EST5EDT', '30 1 * * *'),
      ...zoned('Asia/Kolkata', '30 1 * * *', '0 0 1 * *'),
      ...zoned('Etc/GMT+5', '0 0 * * *'),
      ...zoned('Europe/Berlin', '0 9 * * *'),
    },
    ['C112'],
  ),
  specs('unions, exclusions and the beginning and end of a spec', {
    nothing: {},
    'an empty calendar': { structuredCalendar: [{}] },
    intervals: { interval: [every(3600, 900), every(7 * 86_400)], startTime: at('2026-03-08T03:00:00Z') },
    bounds: { interval: [every(3600)], startTime: at('2026-03-08T03:00:00Z'), endTime: at('2026-03-08T07:00:00Z') },
    'calendar strings': {
      calendar: [{ minute: '1-10/3,30', hour: '*/6', month: 'MARCH-october', dayOfWeek: 'Mon-fri', year: '2026,2028' }],
    },
    'ranges of numbers': {
      structuredCalendar: [{ ...allDays, second: [{ start: 30 }], minute: [{ start: 5, end: 59, step: 20 }] }],
    },
    'excluded calendars': {
      interval: [every(1800)],
      excludeCalendar: [{ minute: '*', hour: '0-20', dayOfWeek: 'sat,sun' }],
    },
    'excluded ranges': {
      calendar: [{ hour: '*' }],
      excludeStructuredCalendar: [{ ...allDays, second: [{}], hour: [{ start: 3, end: 23 }] }],
    },
  }),
  {
    name: 'a schedule is described as it was set',
    covers: ['C115', 'C117', 'C119'],
    async run(c) {
      const target = { namespace: c.namespace, scheduleId: c.id() };
      await create(c, {
        policies: { overlap: 'BUFFER_ONE', catchupWindow: '3s', pauseOnFailure: true },
        state: { paused: true, note: 'a note', remainingActions: 3 },
        memo: { team: 'billing' },
        searchAttributes: { ScenarioKeyword: ['kept'] },
      });
      const { schedule, info, memo, searchAttributes } = await c.rpc.describeSchedule(target);
      c.observe('described', [
        schedule,
        { ...info, createTime: undefined, futureActionTimes: info?.futureActionTimes?.length },
        memo,
      ]);
      c.observe('search attributes', searchAttributes);
      const listed = await c.until(async () => {
        const { schedules } = await c.rpc.listSchedules({ ...target, query: `ScheduleId = '${c.id()}'` });
        return schedules[0];
      });
      c.observe('listed', { ...listed, info: { ...listed.info, futureActionTimes: [] } });
      c.observe('defaults', await told(await create(c, { scheduleId: c.id('plain') })));
      return [await c.error(create(c)), await c.error(create(c, { spec: { cronExpressions: ['bad'] } }))];
    },
  },
  {
    name: 'a schedule that is not there',
    covers: ['C121'],
    async run(c) {
      const nobody = c.client.schedule.getHandle(c.id('nobody'));
      const gone = await create(c);
      await gone.delete();
      const all = async (handle: ScheduleHandle) => [
        await c.error(handle.describe()),
        await c.error(handle.pause()),
        await c.error(handle.trigger()),
        await c.error(handle.delete()),
      ];
      c.observe('never was', await all(nobody));
      c.observe('was deleted', await all(gone));
      await create(c);
    },
  },
  {
    name: 'a schedule is paused, unpaused and updated as a whole',
    covers: ['C116', 'C119'],
    async run(c) {
      const handle = await create(c, { memo: { kept: 1 } });
      await handle.pause('for now');
      c.observe('paused', await c.until(async () => (await handle.describe()).state.paused && told(handle)));
      await handle.unpause('again');
      c.observe('unpaused', await c.until(async () => !(await handle.describe()).state.paused && told(handle)));
      await handle.update((before) => ({ ...before, spec: { intervals: [{ every: '10w', offset: '3d' }] } }));
      const after = await c.until(async () => {
        const description = await handle.describe();
        return description.info.lastUpdatedAt !== undefined && description;
      });
      return [after.spec, after.action, after.policies, after.state, after.memo, after.info.nextActionTimes.length];
    },
  },
  {
    name: 'a backfill begins with its start and ends with its end',
    covers: ['C113', 'C118', 'C120'],
    async run(c) {
      const handle = await create(c, { state: { paused: true } }, echo);
      await handle.backfill(backfill(ScheduleOverlapPolicy.ALLOW_ALL, 10, 12));
      const started = await actions(c, handle, 3);
      for (const n of [10, 11, 12]) await c.closed({ workflowId: idAt(c, n) });
      await track(c, 10, 11, 12);
      return [started.sort(), await told(handle)];
    },
  },
  {
    name: 'a workflow that a schedule starts has what the action says',
    covers: ['C113', 'C120'],
    async run(c) {
      const handle = await create(c, {
        action: {
          type: 'startWorkflow',
          workflowType: echo,
          workflowId: c.id('wf'),
          taskQueue: c.queue,
          args: ['in'],
          memo: { m: 1 },
          searchAttributes: { ScenarioKeyword: ['set'] },
          workflowRunTimeout: '1h',
          workflowTaskTimeout: '7s',
          retry: { maximumAttempts: 3 },
          staticSummary: 'a summary',
          priority: { priorityKey: 2 },
        },
      });
      await handle.backfill(backfill(ScheduleOverlapPolicy.SKIP, 10));
      await actions(c, handle, 1);
      await c.closed({ workflowId: idAt(c, 10) });
      await track(c, 10);
      const { memo, type, taskQueue } = await c.client.workflow.getHandle(idAt(c, 10)).describe();
      return { memo, type, taskQueue };
    },
  },
  {
    name: 'a trigger starts a workflow at once, paused or not',
    covers: ['C117', 'C118'],
    async run(c) {
      const handle = await create(c, { state: { paused: true, remainingActions: 2 } }, echo);
      await handle.trigger();
      await actions(c, handle, 1);
      const { info, state } = await handle.describe();
      return [info.numActionsTaken, state];
    },
  },
  {
    name: 'an interval fires while there are actions left',
    covers: ['C117', 'C120'],
    async run(c) {
      const more = { policies: { overlap: 'ALLOW_ALL' }, state: { remainingActions: 2 } };
      const handle = await create(c, { spec: { intervals: [{ every: '1s' }] }, ...more }, echo);
      await actions(c, handle, 2);
      await c.until(async () => (await handle.describe()).state.remainingActions === 0);
      await c.pause(1500);
      const { info, state } = await handle.describe();
      const [first, second] = info.recentActions.map(({ scheduledAt }) => scheduledAt.getTime());
      return [info.numActionsTaken, state, (second! - first!) / 1000, first! % 1000, info.nextActionTimes.length];
    },
  },
  {
    name: 'results and failures are passed on to the next run',
    covers: ['C114', 'C120'],
    async run(c) {
      const handle = await create(c, {}, echo);
      const next = async (workflow: (...args: never[]) => Promise<unknown>, args: unknown[], n: number) => {
        await handle.update((before) => ({
          ...before,
          action: { ...before.action, workflowType: workflow, args } as never,
        }));
        await handle.backfill(backfill(ScheduleOverlapPolicy.BUFFER_ALL, n));
        await actions(c, handle, n - 9);
        await c.closed({ workflowId: idAt(c, n) });
      };
      await next(echo, ['one'], 10);
      await next(failing, ['two'], 11);
      await next(echo, ['three'], 12);
      await next(echo, ['four'], 13);
      await track(c, 10, 11, 12, 13);
    },
  },
  {
    name: 'SKIP lets go of what comes while a workflow runs',
    covers: ['C114'],
    async run(c) {
      const handle = await create(c);
      await handle.backfill(backfill(ScheduleOverlapPolicy.SKIP, 10, 12));
      await actions(c, handle, 1);
      const running = await told(handle);
      await end(c, 10);
      return [running, await c.until(async () => (await handle.describe()).info.runningActions.length === 0)];
    },
  },
  {
    name: 'BUFFER_ONE keeps one for later',
    covers: ['C114'],
    async run(c) {
      const handle = await create(c);
      await handle.backfill(backfill(ScheduleOverlapPolicy.BUFFER_ONE, 10, 13));
      await actions(c, handle, 1);
      c.observe('running', await told(handle));
      await end(c, 10);
      await actions(c, handle, 2);
      const second = await told(handle);
      await end(c, 11);
      return second;
    },
  },
  {
    name: 'BUFFER_ALL runs them one after the other',
    covers: ['C114'],
    async run(c) {
      const handle = await create(c);
      await handle.backfill(backfill(ScheduleOverlapPolicy.BUFFER_ALL, 10, 12));
      for (const n of [10, 11, 12]) {
        await actions(c, handle, n - 9);
        c.observe(`at ${n}`, await told(handle));
        await end(c, n);
      }
    },
  },
  {
    name: 'CANCEL_OTHER asks the running one to end',
    covers: ['C114'],
    async run(c) {
      const handle = await create(c, {}, untilCancelled);
      await handle.backfill(backfill(ScheduleOverlapPolicy.CANCEL_OTHER, 10));
      await actions(c, handle, 1);
      await c.waitForEvent({ workflowId: idAt(c, 10) }, 'TIMER_STARTED');
      await handle.backfill(backfill(ScheduleOverlapPolicy.CANCEL_OTHER, 11));
      await actions(c, handle, 2);
      const statuses = await c.closed({ workflowId: idAt(c, 10) });
      await track(c, 10);
      await c.client.workflow.getHandle(idAt(c, 11)).terminate();
      return statuses;
    },
  },
  {
    name: 'TERMINATE_OTHER ends the running one',
    covers: ['C114'],
    async run(c) {
      const handle = await create(c);
      await handle.backfill(backfill(ScheduleOverlapPolicy.TERMINATE_OTHER, 10));
      await actions(c, handle, 1);
      await c.waitForEvent({ workflowId: idAt(c, 10) }, 'WORKFLOW_TASK_COMPLETED');
      await handle.backfill(backfill(ScheduleOverlapPolicy.TERMINATE_OTHER, 11));
      await actions(c, handle, 2);
      await track(c, 10);
      await end(c, 11);
      return c.closed({ workflowId: idAt(c, 10) });
    },
  },
  {
    name: 'a failure pauses the schedule where the policy says so',
    covers: ['C116'],
    async run(c) {
      const handle = await create(c, { policies: { pauseOnFailure: true } }, failing);
      await handle.backfill(backfill(ScheduleOverlapPolicy.SKIP, 10));
      await actions(c, handle, 1);
      await c.closed({ workflowId: idAt(c, 10) });
      // Temporal's server looks at the workflow when it is asked or acts next.
      return c.until(async () => {
        const { state } = await handle.describe();
        return state.paused && state;
      });
    },
  },
  {
    name: 'a workflow id that is taken is passed over',
    covers: ['C113'],
    async run(c) {
      await c.start(untilFinished, { workflowId: idAt(c, 10) });
      const handle = await create(c);
      await handle.backfill(backfill(ScheduleOverlapPolicy.SKIP, 10));
      await handle.backfill(backfill(ScheduleOverlapPolicy.SKIP, 11));
      const started = await actions(c, handle, 1);
      await end(c, 10);
      await end(c, 11);
      return started;
    },
  },
  {
    name: 'schedules are counted and filtered by their search attributes',
    covers: ['C104', 'C119'],
    async run(c) {
      const mark = c.uuid();
      for (const n of [1, 2, 3]) {
        await create(c, {
          scheduleId: c.id(String(n)),
          state: { paused: n === 2 },
          searchAttributes: { ScenarioKeyword: [mark] },
        });
      }
      const query = async (filter: string): Promise<string[]> => {
        const found: string[] = [];
        for await (const { scheduleId } of c.client.schedule.list({ query: filter, pageSize: 2 }))
          found.push(scheduleId);
        return found.sort();
      };
      await c.until(async () => (await query(`ScenarioKeyword = '${mark}'`)).length === 3);
      c.observe(
        'paused',
        await c.until(async () => {
          const found = await query(`ScenarioKeyword = '${mark}' AND TemporalSchedulePaused = true`);
          return found.length > 0 && found;
        }),
      );
      c.observe('by id', await query(`ScheduleId IN ('${c.id('1')}', '${c.id('3')}')`));
      const asWorkflows = `TemporalNamespaceDivision = 'TemporalScheduler' AND ScenarioKeyword = '${mark}'`;
      c.observe('as workflows', (await c.client.workflow.count(asWorkflows)).count);
      return c.error(query('WorkflowType = "w"'));
    },
  },
];
