/** Schedules that the caller's own transaction creates. */
import { describe, expect, it } from 'vitest';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
} from '../../shim/client';
import { testClient, type TestClient } from '../support/connection';
import { connect, afterTest, sql } from '../support/database';
import { complete, scriptedWorker } from '../support/scripted-worker';
import { transactor, within } from '../support/transactor';

/** Other work on the machine may make it slow. */
const poll = <T>(look: () => T) => expect.poll(look, { timeout: 20_000 });

const options = ({ queue }: TestClient, more: Partial<ScheduleOptions> = {}): ScheduleOptions =>
  ({
    scheduleId: 's',
    spec: { intervals: [{ every: '1 second' }] },
    action: { type: 'startWorkflow', workflowType: 'w', workflowId: 'w', taskQueue: queue },
    ...more,
  }) as ScheduleOptions;
/** Nothing comes by time. */
const never = { spec: { calendars: [{ year: 2020 }] } };
const yearly = {
  spec: { calendars: [{ month: 'JANUARY', dayOfMonth: 5, hour: 12 }] },
} satisfies Partial<ScheduleOptions>;

const started = ({ database }: TestClient) =>
  sql<{ workflow_id: string }>(`SELECT workflow_id FROM ${database.schema}.executions ORDER BY workflow_id`);

describe('a schedule created in a transaction', () => {
  it('is there from the commit on, and acts', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, () => ({ commands: [complete('done')] }));
    const handle = await within(tx, async () => {
      const created = await client.schedule.create(options(test, { memo: { note: 'mine' } }));
      await expect(test.client.schedule.getHandle('s').describe()).rejects.toThrow(ScheduleNotFoundError);
      return created;
    });
    expect(await handle.describe()).toMatchObject({ memo: { note: 'mine' }, state: { paused: false } });
    await poll(async () => (await handle.describe()).info.numActionsTaken).toBeGreaterThan(0);
    await test.client.schedule.getHandle('s').delete();
  });

  it('leaves nothing after a rollback', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    await within(tx, () => client.schedule.create(options(test)), 'ROLLBACK');
    await expect(test.client.schedule.getHandle('s').describe()).rejects.toThrow(ScheduleNotFoundError);
    expect(await sql(`SELECT FROM ${test.database.schema}.schedules`)).toEqual([]);
    await test.client.schedule.create(options(test, never));
  });

  it('does at the commit what it is to do at once', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const backfill = [
      { start: new Date('2025-01-01'), end: new Date('2026-06-01'), overlap: ScheduleOverlapPolicy.ALLOW_ALL },
    ];
    await tx.query('BEGIN');
    await client.schedule.create(options(test, { scheduleId: 'now', ...never, state: { triggerImmediately: true } }));
    await client.schedule.create(options(test, { scheduleId: 'past', ...yearly, state: { backfill, paused: true } }));
    expect(await started(test)).toEqual([]);
    const before = Date.now();
    await tx.query('COMMIT');
    await poll(() => started(test)).toHaveLength(3);
    expect((await started(test)).slice(0, 2)).toEqual([
      { workflow_id: 'w-2025-01-05T12:00:00Z' },
      { workflow_id: 'w-2026-01-05T12:00:00Z' },
    ]);
    // By a notice: looks are 5 s apart.
    expect(Date.now() - before).toBeLessThan(20_000);
  });

  it('is refused within the transaction when the id is taken, and the transaction goes on', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const other = await connect();
    afterTest(() => other.end());
    await tx.query('BEGIN');
    await client.schedule.create(options(test, never));
    await other.query('BEGIN');
    // Waits for the end of the first transaction.
    const second = test.client.withTransaction(other).schedule.create(options(test, never));
    second.catch(() => undefined);
    await poll(() => sql(`SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'`)).not.toEqual([]);
    await tx.query('COMMIT');
    await expect(second).rejects.toThrow(ScheduleAlreadyRunning);
    await other.query('COMMIT');
    await within(tx, async () => {
      await expect(client.schedule.create(options(test, never))).rejects.toThrow(ScheduleAlreadyRunning);
      await expect(client.schedule.create(options(test, { scheduleId: 'x'.repeat(1000) }))).rejects.toMatchObject({
        cause: { code: 3 },
      });
      await client.schedule.create(options(test, { ...never, scheduleId: 'other' }));
    });
    expect(await sql(`SELECT schedule_id FROM ${test.database.schema}.schedules ORDER BY 1`)).toEqual([
      { schedule_id: 'other' },
      { schedule_id: 's' },
    ]);
  });

  it('acts when the processes that were there are gone', async () => {
    const first = await testClient();
    const { tx, client } = await transactor(first);
    await tx.query('BEGIN');
    await client.schedule.create(options(first, { ...never, state: { triggerImmediately: true } }));
    await first.connection.close();
    await tx.query('COMMIT');
    expect(await started(first)).toEqual([]);
    const second = await testClient({}, first.database);
    await poll(() => started(second)).toHaveLength(1);
  });

  it('can only be created there', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    await test.client.schedule.create(options(test, never));
    const refused = { cause: { details: expect.stringContaining('cannot be part of your transaction') } };
    await within(tx, async () => {
      const handle = client.schedule.getHandle('s');
      expect((await handle.describe()).scheduleId).toBe('s');
      for (const change of [() => handle.pause(), () => handle.trigger(), () => handle.delete()]) {
        await expect(change()).rejects.toMatchObject(refused);
      }
    });
  });
});
