/** Schedules that fire every second in several processes, which are killed while they do it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ScheduleOverlapPolicy } from '../../shim/client';
import { testClient, type TestClient } from '../support/connection';
import { afterTest, sql } from '../support/database';
import { complete, scriptedWorker } from '../support/scripted-worker';

const SECOND = 1000;
const LIFE_MS = 8 * SECOND;
const KILLS = 6;
const POLICIES = [ScheduleOverlapPolicy.ALLOW_ALL, ScheduleOverlapPolicy.BUFFER_ALL];

test('each time fires once, whoever dies', async () => {
  const test = await testClient();
  const { client, queue } = test;
  scriptedWorker(test.connection, queue, () => ({ commands: [complete('done')] }));
  const processes = await Promise.all([0, 1, 2].map(() => spawn(test)));
  afterTest(async () => {
    for (const child of processes) await kill(child);
  });

  const endAt = new Date(Math.ceil(Date.now() / SECOND) * SECOND + LIFE_MS);
  const ids = Array.from({ length: 20 }, (_, n) => `s${n}`);
  await Promise.all(
    ids.map((scheduleId, n) =>
      client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: '1s' }], endAt },
        action: { type: 'startWorkflow', workflowType: 'w', workflowId: scheduleId, taskQueue: queue },
        policies: { overlap: POLICIES[n % POLICIES.length] },
      }),
    ),
  );
  for (let n = 0; n < KILLS; n++) {
    // Just when the slots of a second are being decided and started.
    await new Promise((resolve) => setTimeout(resolve, SECOND - (Date.now() % SECOND) + 4 + 12 * n));
    await kill(processes[n % 3]!);
    processes[n % 3] = await spawn(test);
  }

  const expected = (createdMs: number): string[] => {
    const times: string[] = [];
    for (let ms = Math.floor(createdMs / SECOND) * SECOND + SECOND; ms <= endAt.getTime(); ms += SECOND) {
      times.push(new Date(ms).toISOString().replace('.000Z', 'Z'));
    }
    return times;
  };
  for (const scheduleId of ids) {
    const { info } = await client.schedule.getHandle(scheduleId).describe();
    const wanted = expected(info.createdAt.getTime()).map((time) => `${scheduleId}-${time}`);
    await expect.poll(() => startedBy(test, scheduleId), { timeout: 90_000 }).toEqual(wanted);
    // The schedule knows of each of them.
    const taken = async () => (await client.schedule.getHandle(scheduleId).describe()).info.numActionsTaken;
    await expect.poll(taken, { timeout: 20_000 }).toBe(wanted.length);
    expect(await fired(test, scheduleId)).toEqual(wanted);
  }
}, 240_000);

const startedBy = async ({ database }: TestClient, scheduleId: string): Promise<string[]> => {
  const rows = await sql<{ workflow_id: string }>(
    `SELECT workflow_id FROM "${database.schema}".executions WHERE search_attributes ->> 'TemporalScheduledById' = $1 ORDER BY 1`,
    [scheduleId],
  );
  return rows.map((row) => row.workflow_id);
};

const fired = async ({ database }: TestClient, scheduleId: string): Promise<string[]> => {
  const rows = await sql<{ workflow_id: string }>(
    `SELECT workflow_id FROM "${database.schema}".schedule_history WHERE schedule_id = $1 AND reason = 'fired' ORDER BY 1`,
    [scheduleId],
  );
  return rows.map((row) => row.workflow_id);
};

async function spawn({ database }: TestClient): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, '../support/processes/scheduler.ts'), {
    env: { ...process.env, DATABASE_URL: database.url, SCHEMA: database.schema },
    execArgv: ['--import', 'tsx'],
  });
  await once(child, 'message');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
