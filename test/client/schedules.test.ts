/** The ScheduleClient on a database. Slots come from backfills, so that no time needs to pass. */
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { defineSearchAttributeKey } from '../../shim/common';
import {
  ScheduleAlreadyRunning,
  type ScheduleHandle,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '../../shim/client';
import { testClient, type TestClient } from '../support/connection';
import { sql } from '../support/database';
import { type Script, complete, decoded, fail, scriptedWorker } from '../support/scripted-worker';

const HOUR_MS = 3_600_000;
/** Hourly slots of a day gone by. */
const hour = (n: number): Date => new Date(Date.UTC(2026, 0, 5, n));
const day = (overlap: ScheduleOverlapPolicy, first = 10, last = 12) => ({
  start: hour(first),
  end: hour(last),
  overlap,
});
const id = (n: number): string => `w-${hour(n).toISOString().replace('.000Z', 'Z')}`;

/** Other work on the machine may make it slow. */
const poll = <T>(look: () => T) => expect.poll(look, { timeout: 20_000 });

const cancelled = {
  commandType: temporal.api.enums.v1.CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  cancelWorkflowExecutionCommandAttributes: {},
};

async function hourly(
  test: TestClient,
  options: Partial<ScheduleOptions> = {},
): Promise<ScheduleHandle & { actions(): Promise<string[]> }> {
  const handle = await test.client.schedule.create({
    scheduleId: 'hourly',
    // Only backfills reach the past.
    spec: { calendars: [{ year: 2026, month: 'JANUARY', dayOfMonth: 5, hour: '*' }] },
    action: { type: 'startWorkflow', workflowType: 'w', workflowId: 'w', taskQueue: test.queue },
    ...options,
  } as ScheduleOptions);
  return Object.assign(handle, {
    async actions() {
      const { info } = await handle.describe();
      return info.recentActions.map(({ action }) => action.workflow.workflowId);
    },
  });
}

const slots = ({ database }: TestClient) =>
  sql<{ nominal: string; reason: string; workflow_id: string | null; message: string | null }>(
    `SELECT to_char(nominal_time AT TIME ZONE 'UTC', 'HH24') AS nominal, reason, workflow_id, message
     FROM "${database.schema}".schedule_history ORDER BY slot`,
  );
const reasons = async (test: TestClient) => (await slots(test)).map(({ nominal, reason }) => `${nominal} ${reason}`);

/** Workflows that end when they are told to: by their ids. */
function endingWorker(test: TestClient): { end(id: string, how?: 'complete' | 'fail'): Promise<void> } {
  scriptedWorker(test.connection, test.queue, (task) => {
    const events = task.history?.events ?? [];
    const signals = events.flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    if (events.some((event) => event.workflowExecutionCancelRequestedEventAttributes)) return { commands: [cancelled] };
    if (signals.includes('fail')) return { commands: [fail('broken')] };
    return { commands: signals.includes('complete') ? [complete('done')] : [] };
  });
  return { end: (workflowId, how = 'complete') => test.client.workflow.getHandle(workflowId).signal(how) };
}

const statusOf = async ({ client }: TestClient, workflowId: string): Promise<string> =>
  (await client.workflow.getHandle(workflowId).describe()).status.name;

describe('a schedule', () => {
  it('is described as it was created, its strings as calendars', async () => {
    const { client, queue } = await testClient();
    const before = Date.now();
    const handle = await client.schedule.create({
      scheduleId: 's',
      spec: {
        cronExpressions: ['CRON_TZ=Europe/Berlin 0 12 * * MON-FRI # lunch', 'TZ=Europe/Berlin */20 8 1 1 *'],
        intervals: [{ every: '90m', offset: '30m' }],
        skip: [{ dayOfMonth: 24, month: 'DECEMBER' }],
        jitter: '2s',
      },
      action: {
        type: 'startWorkflow',
        workflowType: 'w',
        workflowId: 'w',
        taskQueue: queue,
        args: [1, 'two'],
        memo: { a: 1 },
      },
      policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: '1 minute', pauseOnFailure: true },
      state: { note: 'a note', paused: true, remainingActions: 7 },
      memo: { team: 'billing' },
    });
    const { spec, action, policies, state, memo, info } = await handle.describe();
    expect(spec).toMatchObject({
      timezone: 'Europe/Berlin',
      jitter: 2000,
      intervals: [{ every: 5_400_000, offset: 1_800_000 }],
      calendars: [
        {
          comment: 'lunch',
          hour: [{ start: 12, end: 12, step: 1 }],
          dayOfWeek: [{ start: 'MONDAY', end: 'FRIDAY', step: 1 }],
        },
        { minute: [{ start: 0, end: 59, step: 20 }], month: [{ start: 'JANUARY', end: 'JANUARY', step: 1 }] },
      ],
      skip: [{ month: [{ start: 'DECEMBER', end: 'DECEMBER', step: 1 }] }],
    });
    expect(action).toMatchObject({
      workflowType: 'w',
      workflowId: 'w',
      taskQueue: queue,
      args: [1, 'two'],
      memo: { a: 1 },
    });
    expect(policies).toEqual({ overlap: 'BUFFER_ONE', catchupWindow: 60_000, pauseOnFailure: true });
    expect(state).toEqual({ note: 'a note', paused: true, remainingActions: 7 });
    expect(memo).toEqual({ team: 'billing' });
    expect(info.createdAt.getTime()).toBeGreaterThan(before - 1000);
    expect(info).toMatchObject({ numActionsTaken: 0, recentActions: [], runningActions: [], lastUpdatedAt: undefined });
    // Seven actions are left.
    expect(info.nextActionTimes).toHaveLength(7);
  });

  it('is refused with a spec that cannot be, or a second time', async () => {
    const { client, queue } = await testClient();
    const action = { type: 'startWorkflow', workflowType: 'w', workflowId: 'w', taskQueue: queue } as const;
    const create = (cron: string) =>
      client.schedule.create({ scheduleId: 's', spec: { cronExpressions: [cron] }, action });
    await expect(create('61 * * * *')).rejects.toThrow(new TypeError('Minute is not in range [0-59]'));
    await expect(create('TZ=Nowhere/Land 0 0 * * *')).rejects.toThrow(new TypeError('unknown time zone Nowhere/Land'));
    const handle = await create('@yearly');
    await expect(create('@yearly')).rejects.toThrow(ScheduleAlreadyRunning);
    await handle.delete();
    await expect(handle.describe()).rejects.toThrow(ScheduleNotFoundError);
    await expect(handle.pause()).rejects.toThrow(ScheduleNotFoundError);
    await expect(handle.delete()).rejects.toThrow(ScheduleNotFoundError);
    await create('@yearly');
  });

  it('starts its workflow when triggered, with who started it and when', async () => {
    const test = await testClient();
    const { client, connection, queue } = test;
    scriptedWorker(connection, queue, () => ({ commands: [complete('done')] }));
    const handle = await client.schedule.create({
      scheduleId: 's',
      spec: { calendars: [{ year: 2099 }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'w',
        workflowId: 'w',
        taskQueue: queue,
        args: ['in'],
        memo: { m: 1 },
        workflowRunTimeout: '1h',
      },
      state: { triggerImmediately: true },
    });
    await poll(async () => (await handle.describe()).info.recentActions).toHaveLength(1);
    const { info } = await handle.describe();
    expect(info.numActionsTaken).toBe(1);
    const [{ action, scheduledAt, takenAt }] = info.recentActions as [(typeof info.recentActions)[0]];
    const second = new Date(Math.floor(scheduledAt.getTime() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
    expect(action.workflow.workflowId).toBe(`w-${second}`);
    expect(takenAt.getTime()).toBeGreaterThanOrEqual(scheduledAt.getTime() - 1);
    const started = client.workflow.getHandle(action.workflow.workflowId);
    expect(await started.result()).toBe('done');
    const { memo, typedSearchAttributes, type } = await started.describe();
    expect({ memo, type }).toEqual({ memo: { m: 1 }, type: 'w' });
    expect(JSON.stringify(typedSearchAttributes)).toContain('"TemporalScheduledById"');
    const [event] = (await started.fetchHistory()).events ?? [];
    const attributes = event?.workflowExecutionStartedEventAttributes;
    expect(attributes?.identity).toBe('temporal-scheduler-default-s');
    expect(decoded(attributes?.searchAttributes?.indexedFields?.TemporalScheduledById)).toBe('s');
    expect(decoded(attributes?.searchAttributes?.indexedFields?.TemporalScheduledStartTime)).toBe(second);
    const found: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: "TemporalScheduledById = 's'" }))
      found.push(workflowId);
    expect(found).toEqual([action.workflow.workflowId]);
    expect(await slots(test)).toMatchObject([{ reason: 'fired', workflow_id: action.workflow.workflowId }]);
  });

  it('acts by the clock, once for each time', async () => {
    const test = await testClient();
    const { client, connection, queue } = test;
    scriptedWorker(connection, queue, () => ({ commands: [complete('done')] }));
    const handle = await client.schedule.create({
      scheduleId: 's',
      spec: { intervals: [{ every: '1s' }] },
      action: { type: 'startWorkflow', workflowType: 'w', workflowId: 'w', taskQueue: queue },
      state: { remainingActions: 3 },
    });
    await poll(async () => (await handle.describe()).info.numActionsTaken).toBe(3);
    const { info, state } = await handle.describe();
    expect(state.remainingActions).toBe(0);
    expect(info.nextActionTimes).toEqual([]);
    const times = info.recentActions.map(({ scheduledAt }) => scheduledAt.getTime());
    expect(times.every((time) => time % 1000 === 0)).toBe(true);
    expect(new Set(times).size).toBe(3);
    expect((await slots(test)).filter(({ reason }) => reason === 'fired')).toHaveLength(3);
  });

  it('passes the last result and the last failure on', async () => {
    const test = await testClient();
    const { connection, queue } = test;
    const carried: unknown[] = [];
    const script: Script = (task) => {
      const attributes = task.history?.events?.[0]?.workflowExecutionStartedEventAttributes;
      const last = attributes?.lastCompletionResult?.payloads?.[0];
      carried.push([last ? decoded(last) : null, attributes?.continuedFailure?.message ?? null]);
      return { commands: [carried.length === 2 ? fail('broken') : complete(carried.length)] };
    };
    scriptedWorker(connection, queue, script);
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.BUFFER_ALL, 10, 13));
    await poll(() => carried.length).toBe(4);
    expect(carried).toEqual([
      [null, null],
      [1, null],
      [1, 'broken'],
      [3, null],
    ]);
  });

  it('is paused, unpaused and updated as a whole', async () => {
    const test = await testClient();
    const handle = await hourly(test, { memo: { kept: true } });
    await handle.pause('for now');
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'for now' });
    await handle.unpause('again');
    expect((await handle.describe()).state).toMatchObject({ paused: false, note: 'again' });
    await handle.update(
      ({ spec: _spec, ...schedule }) => ({ ...schedule, spec: { calendars: [{ year: 2099, month: 'MAY' }] } }) as never,
    );
    const { spec, memo, info } = await handle.describe();
    expect(spec.calendars).toMatchObject([{ year: [{ start: 2099, end: 2099, step: 1 }] }]);
    expect(memo).toEqual({ kept: true });
    expect(info.lastUpdatedAt).toBeInstanceOf(Date);
    expect(info.nextActionTimes[0]).toEqual(new Date(Date.UTC(2099, 4, 1)));
  });

  it('takes an update with the conflict token of now only, and each request once', async () => {
    const test = await testClient();
    const { workflowService } = test.connection;
    const handle = await hourly(test);
    const { raw } = await handle.describe();
    const target = { namespace: 'default', scheduleId: 'hourly' };
    const update = { ...target, schedule: raw.schedule, conflictToken: raw.conflictToken };
    await workflowService.updateSchedule({ ...update, requestId: 'u1' });
    // Sent again by a client that did not hear the answer.
    await workflowService.updateSchedule({ ...update, requestId: 'u1' });
    await expect(workflowService.updateSchedule({ ...update, requestId: 'u2' })).rejects.toThrow(
      'mismatched conflict token',
    );
    const trigger = { ...target, requestId: 't1', patch: { triggerImmediately: { overlapPolicy: 6 } } };
    await workflowService.patchSchedule(trigger);
    await workflowService.patchSchedule(trigger);
    await poll(() => handle.actions()).toHaveLength(1);
    expect((await slots(test)).map(({ reason }) => reason)).toEqual(['fired']);
  });
});

describe('a backfill', () => {
  it('begins with its start and ends with its end', async () => {
    const test = await testClient();
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.ALLOW_ALL));
    await poll(() => handle.actions()).toEqual([id(10), id(11), id(12)]);
    expect((await handle.describe()).info.runningActions).toEqual([]);
  });

  it('of many goes on in portions', async () => {
    const test = await testClient();
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.ALLOW_ALL, 0, 23));
    await poll(async () => (await handle.describe()).info.numActionsTaken).toBe(24);
    expect(new Set((await slots(test)).map(({ workflow_id }) => workflow_id)).size).toBe(24);
  });

  it('does not care for pauses and limits', async () => {
    const test = await testClient();
    const handle = await hourly(test, { state: { paused: true, remainingActions: 1 } });
    await handle.backfill(day(ScheduleOverlapPolicy.ALLOW_ALL));
    await poll(() => handle.actions()).toHaveLength(3);
    expect((await handle.describe()).state.remainingActions).toBe(1);
  });
});

describe('overlap policy', () => {
  it('SKIP lets go of what comes while a workflow runs', async () => {
    const test = await testClient();
    const worker = endingWorker(test);
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.SKIP));
    await poll(() => handle.actions()).toEqual([id(10)]);
    expect(await reasons(test)).toEqual(['10 fired', '11 overlap skipped', '12 overlap skipped']);
    const { info } = await handle.describe();
    expect(info.numActionsSkippedOverlap).toBe(2);
    expect(info.runningActions.map(({ workflow }) => workflow.workflowId)).toEqual([id(10)]);
    await worker.end(id(10));
    await poll(async () => (await handle.describe()).info.runningActions).toEqual([]);
  });

  it('BUFFER_ONE keeps one for later', async () => {
    const test = await testClient();
    const worker = endingWorker(test);
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.BUFFER_ONE));
    await poll(() => reasons(test)).toEqual(['10 fired', '11 buffered', '12 overlap skipped']);
    expect((await handle.describe()).raw.info?.bufferSize?.toNumber()).toBe(1);
    await worker.end(id(10));
    await poll(() => handle.actions()).toEqual([id(10), id(11)]);
    expect((await reasons(test))[1]).toBe('11 fired');
  });

  it('BUFFER_ALL runs them one after the other', async () => {
    const test = await testClient();
    const worker = endingWorker(test);
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.BUFFER_ALL));
    for (const n of [10, 11, 12]) {
      await poll(async () => (await handle.actions()).at(-1)).toBe(id(n));
      await worker.end(id(n));
    }
    expect(await reasons(test)).toEqual(['10 fired', '11 fired', '12 fired']);
  });

  it('CANCEL_OTHER asks the running one to end', async () => {
    const test = await testClient();
    endingWorker(test);
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.CANCEL_OTHER, 10, 10));
    await poll(() => handle.actions()).toEqual([id(10)]);
    await handle.backfill(day(ScheduleOverlapPolicy.CANCEL_OTHER, 11, 11));
    await poll(() => handle.actions()).toEqual([id(10), id(11)]);
    expect(await statusOf(test, id(10))).toBe('CANCELLED');
    expect(await statusOf(test, id(11))).toBe('RUNNING');
  });

  it('TERMINATE_OTHER ends the running one', async () => {
    const test = await testClient();
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.TERMINATE_OTHER, 10, 10));
    await poll(() => handle.actions()).toEqual([id(10)]);
    await handle.backfill(day(ScheduleOverlapPolicy.TERMINATE_OTHER, 11, 11));
    await poll(() => handle.actions()).toEqual([id(10), id(11)]);
    expect(await statusOf(test, id(10))).toBe('TERMINATED');
    const { events } = await test.client.workflow.getHandle(id(10)).fetchHistory();
    expect(events?.at(-1)?.workflowExecutionTerminatedEventAttributes).toMatchObject({
      reason: 'terminated by schedule overlap policy',
      identity: 'temporal-scheduler-default-hourly',
    });
  });

  it('of the schedule counts when none is given', async () => {
    const test = await testClient();
    const handle = await hourly(test, { policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL } });
    await handle.backfill({ start: hour(10), end: hour(12) });
    await poll(() => handle.actions()).toHaveLength(3);
  });
});

describe('pause on failure', () => {
  it('pauses when a workflow fails, and what waits is let go', async () => {
    const test = await testClient();
    const worker = endingWorker(test);
    const handle = await hourly(test, { policies: { pauseOnFailure: true } });
    await handle.backfill(day(ScheduleOverlapPolicy.SKIP, 10, 10));
    await poll(() => handle.actions()).toEqual([id(10)]);
    await worker.end(id(10), 'fail');
    await poll(async () => (await handle.describe()).state.paused).toBe(true);
    expect((await handle.describe()).state.note).toBe(`paused due to workflow failure: ${id(10)}: broken`);
  });
});

describe('a start that cannot be', () => {
  it('leaves a row that says why', async () => {
    const test = await testClient();
    const { client, queue } = test;
    await client.workflow.start('other', { workflowId: id(10), taskQueue: queue });
    const handle = await hourly(test);
    await handle.backfill(day(ScheduleOverlapPolicy.SKIP, 10, 10));
    await poll(() => slots(test)).toMatchObject([{ reason: 'start failed' }]);
    expect((await slots(test))[0]?.message).toContain('already running');
    await handle.backfill(day(ScheduleOverlapPolicy.SKIP, 11, 11));
    await poll(() => handle.actions()).toEqual([id(11)]);
  });
});

describe('schedules', () => {
  it('are listed newest first, page by page, counted and filtered', async () => {
    const { client, connection, queue } = await testClient();
    await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { Team: 2 } });
    const team = defineSearchAttributeKey('Team', 'KEYWORD');
    const create = (n: number) =>
      client.schedule.create({
        scheduleId: `s${n}`,
        spec: { intervals: [{ every: `${n + 1}h` }] },
        action: { type: 'startWorkflow', workflowType: `w${n}`, workflowId: 'w', taskQueue: queue },
        state: { paused: n === 1, note: `note ${n}` },
        memo: { n },
        typedSearchAttributes: [{ key: team, value: n % 2 === 0 ? 'even' : 'odd' }],
      });
    for (let n = 0; n < 5; n++) await create(n);
    const ids = async (query?: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const { scheduleId } of client.schedule.list({ query, pageSize: 2 })) found.push(scheduleId);
      return found;
    };
    expect(await ids()).toEqual(['s4', 's3', 's2', 's1', 's0']);
    expect(await ids("Team = 'odd'")).toEqual(['s3', 's1']);
    expect(await ids('TemporalSchedulePaused = true')).toEqual(['s1']);
    expect(await ids("ScheduleId IN ('s0', 's4') AND Team = 'even'")).toEqual(['s4', 's0']);
    await expect(ids("WorkflowType = 'w'")).rejects.toMatchObject({
      cause: { details: 'invalid query filter for schedules: cannot filter on "WorkflowType"' },
    });
    for await (const schedule of client.schedule.list({ query: "ScheduleId = 's1'" })) {
      expect(schedule).toMatchObject({
        spec: { intervals: [{ every: 2 * HOUR_MS }] },
        action: { workflowType: 'w1' },
        memo: { n: 1 },
        searchAttributes: { Team: ['odd'] },
        state: { paused: true, note: 'note 1' },
      });
      expect(schedule.info.nextActionTimes).toHaveLength(5);
    }
    const count = (query: string) => connection.workflowService.countSchedules({ namespace: 'default', query });
    expect((await count('')).count.toNumber()).toBe(5);
    expect((await count("Team = 'odd'")).count.toNumber()).toBe(2);
    // As older pages of the Web UI ask.
    const division = "TemporalNamespaceDivision = 'TemporalScheduler'";
    expect((await client.workflow.count(division)).count).toBe(5);
    expect((await client.workflow.count(`${division} AND TemporalSchedulePaused = true`)).count).toBe(1);
    expect((await client.workflow.count('')).count).toBe(0);
    const shown: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: division, pageSize: 2 })) shown.push(workflowId);
    expect(shown).toEqual([4, 3, 2, 1, 0].map((n) => `temporal-sys-scheduler:s${n}`));
    const times = await connection.workflowService.listScheduleMatchingTimes({
      namespace: 'default',
      scheduleId: 's1',
      startTime: { seconds: 0 as never },
      endTime: { seconds: (4 * 3600) as never },
    });
    expect(times.startTime.map(({ seconds }) => Number(seconds))).toEqual([7200, 14_400]);
  });
});
