/** Schedules that are handed over between Temporal and Postgres by movers that are killed: each time starts one workflow. */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { Client, Connection as TemporalConnection, ScheduleOverlapPolicy } from '@temporalio/client';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { RoutedConnection, createWorkers } from '../../shim/router';
import { type TestSchema, afterTest, freshSchema, sql } from '../support/database';
import { watchHistories } from '../support/histories';
import { describeWithTemporal } from '../support/temporal';
import { expectedTimes, startedBy } from '../router/schedule-times';

const STEPS = ['ready', 'cutting', 'cut', 'drained', 'active', 'filled', 'done'];
/** Backwards, so that each is of another move: what the one before left is finished first. */
const KILLS = STEPS.flatMap((step) => [`before:${step}`, `after:${step}`]).reverse();

describeWithTemporal('Schedules that are handed over, when the mover is killed', (server) => {
  it.each(['ALLOW_ALL', 'BUFFER_ALL'] as const)(
    'start each time once (%s)',
    async (policy) => {
      const database = freshSchema();
      const temporal = await TemporalConnection.connect({ address: server().address });
      afterTest(() => temporal.close());
      const postgres = await Connection.connect({ ...database });
      afterTest(() => postgres.close());
      watchHistories(database);
      const queue = `q-${randomUUID()}`;
      const plain = { temporal: new Client({ connection: temporal }), postgres: new Client({ connection: postgres }) };
      const workers = await createWorkers({
        temporal: { address: server().address },
        postgres: { ...database },
        taskQueue: queue,
        workflowsPath: path.join(__dirname, '../router/workflows.ts'),
      });
      await workers.runUntil(async () => {
        const scheduleId = `s-${randomUUID()}`;
        const handle = await plain.temporal.schedule.create({
          scheduleId,
          spec: { intervals: [{ every: '1s' }] },
          action: { type: 'startWorkflow', workflowType: 'chain', args: [0], workflowId: scheduleId, taskQueue: queue },
          policies: { overlap: ScheduleOverlapPolicy[policy] },
        });
        const createdMs = (await handle.describe()).info.createdAt.getTime();
        // In the other direction for the other policy.
        for (const kill of policy === 'ALLOW_ALL' ? KILLS : ['before:cutting', ...KILLS]) {
          await movesUntilKilled(database, server().address, scheduleId, kill);
          // The hold of the dead runs out.
          await sql(`UPDATE ${database.schema}.schedule_moves SET held_until = clock_timestamp() WHERE step <> 'done'`);
        }

        // Whoever has a routed connection goes on with what the last one left.
        const routed = await RoutedConnection.connect({ temporal, postgres, routes: { default: 'temporal' } });
        afterTest(() => routed.close());
        await expect
          .poll(
            async () => {
              await routed.scheduleMoves.look();
              return routed.scheduleMoves.open();
            },
            { timeout: 60_000, interval: 500 },
          )
          .toEqual([]);
        const moves = await routed.scheduleMoves.of(scheduleId);
        const cuts = moves.flatMap(({ cutAt }) => (cutAt === undefined ? [] : [cutAt.getTime()]));
        expect(cuts.length).toBeGreaterThan(2);
        expect(moves.map(({ message }) => message).filter((message) => message !== undefined)).toEqual([]);

        const stopped = Math.max(...cuts) + 2000;
        const own = new Client({ connection: routed }).schedule.getHandle(scheduleId);
        await expect
          .poll(async () => (await startedBy(plain, scheduleId)).at(-1)?.time ?? 0, { timeout: 60_000 })
          .toBeGreaterThan(stopped);
        await own.delete();
        const upTo = (times: number[]): number[] => times.filter((time) => time <= stopped);
        const wanted = upTo(expectedTimes(createdMs, stopped));
        await expect
          .poll(async () => upTo((await startedBy(plain, scheduleId)).map(({ time }) => time)), { timeout: 60_000 })
          .toEqual(wanted);
        const engineAt = (time: number): string =>
          cuts.filter((cut) => cut < time).length % 2 === 0 ? 'temporal' : 'postgres';
        for (const { time, engine } of await startedBy(plain, scheduleId)) expect(engine).toBe(engineAt(time));
      });
    },
    300_000,
  );
});

async function movesUntilKilled(
  { url, schema }: TestSchema,
  temporal: string,
  scheduleId: string,
  kill: string,
): Promise<void> {
  const child = fork(path.join(__dirname, '../support/processes/schedule-mover.ts'), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, DATABASE_URL: url, SCHEMA: schema, TEMPORAL: temporal, SCHEDULE: scheduleId, KILL: kill },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}
