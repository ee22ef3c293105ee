/** Schedules that are handed over between a real Temporal server and Postgres. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createWorkers } from '../../shim/router';
import { afterTest } from '../support/database';
import { describeWithTemporal } from '../support/temporal';
import { type Routed, all, routed } from './harness';
import { expectedTimes, startedBy } from './schedule-times';

type Policy = (typeof ScheduleOverlapPolicy)[keyof typeof ScheduleOverlapPolicy];

async function withWorkers(address: string, body: (r: Routed) => Promise<void>): Promise<void> {
  const r = await routed(address, { routes: all('temporal') });
  const workers = await createWorkers({
    temporal: { address },
    postgres: { ...r.database },
    taskQueue: r.queue,
    workflowsPath: join(__dirname, 'workflows.ts'),
  });
  await workers.runUntil(() => body(r));
}

async function create({ client, queue: taskQueue }: Routed, overlap: Policy, more: object = {}) {
  const scheduleId = `s-${randomUUID()}`;
  const handle = await client.schedule.create({
    scheduleId,
    spec: { intervals: [{ every: '1s' }] },
    action: { type: 'startWorkflow', workflowType: 'chain', args: [0], workflowId: scheduleId, taskQueue },
    policies: { overlap },
    ...more,
  });
  afterTest(() => handle.delete().catch(() => undefined));
  return { scheduleId, handle };
}

const exists = async (client: Client, scheduleId: string): Promise<boolean> => {
  try {
    await client.schedule.getHandle(scheduleId).describe();
    return true;
  } catch {
    return false;
  }
};

describeWithTemporal('A schedule that is handed over', (server) => {
  it.each(['ALLOW_ALL', 'BUFFER_ALL'] as const)(
    'starts each of its times once, there and back (%s)',
    async (policy) => {
      await withWorkers(server().address, async (r) => {
        const { scheduleId, handle } = await create(r, ScheduleOverlapPolicy[policy]);
        const { info } = await handle.describe();
        const cuts: number[] = [];
        for (const to of ['postgres', 'temporal', 'postgres', 'temporal']) {
          const { cutAt, step } = await r.connection.scheduleMoves.move(scheduleId, { to, by: 'a test' });
          expect(step).toBe('done');
          cuts.push(cutAt!.getTime());
          expect(await r.connection.engineOf('default', scheduleId, 'schedule')).toBe(to);
          expect(await exists(r.plain.temporal, scheduleId)).toBe(to === 'temporal');
          expect(await exists(r.plain.postgres, scheduleId)).toBe(to === 'postgres');
        }
        const started = async () => startedBy(r.plain, scheduleId);
        await expect
          .poll(async () => (await started()).at(-1)?.time, { timeout: 20_000 })
          .toBeGreaterThan(cuts.at(-1)!);
        await handle.pause();
        const { state, spec } = await handle.describe();
        expect(state.paused).toBe(true);
        expect(spec.startAt?.getTime()).toBe(cuts.at(-1)! + 1000);
        const found = await started();
        const last = found.at(-1)!.time;
        expect(found.map(({ time }) => time)).toEqual(expectedTimes(info.createdAt.getTime(), last));
        // As the claims say.
        const engineAt = (time: number): string =>
          cuts.filter((cut) => cut < time).length % 2 === 0 ? 'temporal' : 'postgres';
        expect(found.map(({ engine }) => engine)).toEqual(found.map(({ time }) => engineAt(time)));
      });
    },
  );

  it('keeps its definition, its pause and what is left of its actions', async () => {
    await withWorkers(server().address, async (r) => {
      const { scheduleId, handle } = await create(r, ScheduleOverlapPolicy.BUFFER_ONE, {
        spec: {
          calendars: [{ hour: 3, comment: 'at night' }],
          timezone: 'Europe/Berlin',
          endAt: new Date('2199-01-01'),
        },
        policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: '1 hour', pauseOnFailure: true },
        state: { paused: true, note: 'by hand', remainingActions: 7 },
        memo: { owner: 'ada' },
      });
      const kept = async () => {
        const { policies, action, state, memo, spec } = await handle.describe();
        const { calendars, timezone, endAt } = spec;
        return { policies, action, state, memo, spec: { calendars, timezone, endAt } };
      };
      const before = await kept();
      expect(before.state).toMatchObject({ paused: true, note: 'by hand', remainingActions: 7 });
      for (const to of ['postgres', 'temporal']) {
        await r.connection.scheduleMoves.move(scheduleId, { to });
        expect(await kept()).toEqual(before);
      }
    });
  });

  it('waits until none of its workflows runs, and cuts before that when told to', async () => {
    await withWorkers(server().address, async (r) => {
      const { scheduleId, handle } = await create(r, ScheduleOverlapPolicy.SKIP, {
        spec: { intervals: [{ every: '5s' }] },
        action: {
          type: 'startWorkflow',
          workflowType: 'counter',
          args: [1],
          workflowId: randomUUID(),
          taskQueue: r.queue,
        },
      });
      const running = async (): Promise<string> => {
        const { runningActions } = (await handle.describe()).info as unknown as {
          runningActions?: { workflow: { workflowId: string } }[];
        };
        return runningActions?.[0]?.workflow.workflowId ?? '';
      };
      for (const [to, cutAfterMs] of [
        ['postgres', undefined],
        ['temporal', 0],
      ] as const) {
        await expect.poll(running, { timeout: 20_000 }).not.toBe('');
        const first = await running();
        const moved = r.connection.scheduleMoves.move(scheduleId, {
          to,
          ...(cutAfterMs === undefined ? {} : { cutAfterMs }),
        });
        moved.catch(() => undefined);
        const step = cutAfterMs === undefined ? 'ready' : 'cut';
        await expect
          .poll(async () => (await r.connection.scheduleMoves.open()).map((move) => move.step), { timeout: 20_000 })
          .toEqual([step]);
        if (step === 'cut')
          await expect(handle.pause()).rejects.toMatchObject({
            cause: { message: expect.stringContaining('BRANCHLINE_SCHEDULE_MOVING') as string },
          });
        // Nothing but the first runs, though its times go by.
        const [{ count }] = [
          await r.plain[to].workflow.count(
            `WorkflowId STARTS_WITH '${first.slice(0, 36)}' AND ExecutionStatus = 'Running'`,
          ),
        ];
        expect(count).toBe(0);
        await r.client.workflow.getHandle(first).signal('finish');
        expect((await moved).step).toBe('done');
      }
    });
  });

  it('can be taken back before the cut, and is not moved onto another one', async () => {
    await withWorkers(server().address, async (r) => {
      const { scheduleId, handle } = await create(r, ScheduleOverlapPolicy.SKIP, {
        action: {
          type: 'startWorkflow',
          workflowType: 'counter',
          args: [1],
          workflowId: randomUUID(),
          taskQueue: r.queue,
        },
      });
      await expect.poll(async () => (await handle.describe()).info.numActionsTaken, { timeout: 20_000 }).toBe(1);
      const stop = new AbortController();
      const moved = r.connection.scheduleMoves.move(scheduleId, { to: 'postgres', signal: stop.signal });
      moved.catch(() => undefined);
      await expect.poll(() => exists(r.plain.postgres, scheduleId)).toBe(true);
      // One schedule in the list, though a copy of it stands on the other engine.
      const listed: string[] = [];
      for await (const { scheduleId } of r.client.schedule.list()) listed.push(scheduleId);
      expect(listed.filter((id) => id === scheduleId).length).toBeLessThanOrEqual(1);
      stop.abort();
      await expect(moved).rejects.toThrow();
      expect(await r.connection.scheduleMoves.undo(scheduleId)).toMatchObject({ step: 'undone' });
      expect(await exists(r.plain.postgres, scheduleId)).toBe(false);
      expect((await handle.describe()).state.note ?? '').not.toContain('branchline');

      await r.plain.postgres.schedule.create({
        scheduleId,
        spec: {},
        action: { type: 'startWorkflow', workflowType: 'chain', taskQueue: r.queue },
      });
      await expect(r.connection.scheduleMoves.move(scheduleId, { to: 'postgres' })).rejects.toMatchObject({
        code: 'BRANCHLINE_SCHEDULE_MOVE',
        message: expect.stringContaining('has a schedule of that id') as string,
      });
      expect(await exists(r.plain.postgres, scheduleId)).toBe(true);
    });
  });
});
