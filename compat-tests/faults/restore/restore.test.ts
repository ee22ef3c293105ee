/**
 * The database is really restored to a moment, by Postgres's own means, while workflows of all kinds are in flight: what must stand still does, what is listed is what happened, and
 * after the release everything comes to its right end.
 */
import { execFileSync, fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { Client, Connection } from 'branchline/client';
import { Pool } from 'pg';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../../../lib/service/restore/restore';
import { type Deed, deedsOf, LEDGER } from './activities';
import { ArchivedPostgres } from './archived-postgres';
import type { deliver as deliverSignal } from './workflows';

const MAIN = path.resolve(__dirname, '../../../lib/cli/main.js');
const QUEUE = { taskQueue: 'restore' };
const deliver = 'deliver' satisfies (typeof deliverSignal)['name'];

const postgres = new ArchivedPostgres();
const world = path.join(postgres.folder, 'world.jsonl');
const journal = path.join(postgres.folder, 'effects.jsonl');
const workers: ChildProcess[] = [];

afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await postgres.remove();
});

async function startWorker(): Promise<ChildProcess> {
  const worker = fork(path.join(__dirname, 'worker.ts'), {
    env: { ...process.env, DATABASE_URL: postgres.url, WORLD: world, JOURNAL: journal },
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

function restore(...args: string[]): string {
  return execFileSync(process.execPath, [MAIN, 'restore', ...args, '--db', postgres.url], { encoding: 'utf8' });
}
function check(): Report {
  const args = [MAIN, 'restore', 'check', '--output', 'json', '--journal', journal, '--db', postgres.url];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Report;
}

async function until(what: string, done: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; !(await done()); await pause(50)) {
    if (Date.now() > end) throw new Error(`Not within ${ms} ms: ${what}`);
  }
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const keyOf = ({ runId, activityId }: Pick<Deed, 'runId' | 'activityId'>): string => `${runId}/${activityId}`;
const didBy = (workflowId: string, activityType: string): boolean =>
  deedsOf(world).some((deed) => deed.workflowId === workflowId && deed.activityType === activityType);

test('a database restored to a moment goes on as its operator decides, and its ledger balances', async () => {
  await postgres.start();
  let db = new Pool({ connectionString: postgres.url, max: 2 });
  db.on('error', () => undefined);
  await db.query(LEDGER);
  const worker = await startWorker();
  let connection = await Connection.connect({ url: postgres.url });
  let client = new Client({ connection });
  await postgres.baseBackup();

  const [orders, sleepers, waiters, printers, lost] = [
    ...[names('order', 12), names('sleeper', 6), names('waiter', 6), names('printer', 4), names('lost', 6)],
  ] as const;
  await client.schedule.create({
    scheduleId: 'ticks',
    spec: { intervals: [{ every: '1 second' }] },
    action: { type: 'startWorkflow', workflowType: 'tick', workflowId: 'tick', ...QUEUE },
  });
  const start = (type: string, workflowId: string, ...args: unknown[]): Promise<unknown> =>
    client.workflow.start(type, { ...QUEUE, workflowId, args });
  for (const id of sleepers) await start('sleeper', id, 5000);
  for (const id of waiters) await start('waiter', id);
  for (const [i, id] of orders.entries()) await start('order', id, 100 + i, i < 4 ? 1 : 5000);
  for (const id of printers) await start('printer', id);
  await until('orders are half done', () => orders.every((id) => didBy(id, isQuick(id) ? 'mail' : 'book')));
  await until('printers print', () => printers.every((id) => didBy(id, 'print')));

  await postgres.mark('before the accident');

  // What happens from here on, the restore takes back: in the database.
  for (const id of lost) await start('order', id, 7, 1);
  for (const id of waiters.slice(0, 3)) await client.workflow.getHandle(id).signal(deliver);
  const ends = [...orders, ...sleepers, ...printers, ...lost, ...waiters.slice(0, 3)];
  await Promise.all(ends.map((id) => client.workflow.getHandle(id).result()));
  await connection.close();
  await db.end();
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  await postgres.destroy();

  await postgres.restore('before the accident');
  const before = deedsOf(world);
  db = new Pool({ connectionString: postgres.url, max: 2 });
  db.on('error', () => undefined);
  await startWorker();
  const first = check();
  expect(first.reason).toMatch(/on timeline \d+\/00000002, and processes last worked on \d+\/00000001/u);
  expect(first.restoredToMs).toBeGreaterThan(Date.now() - 600_000);
  await until('all stand still', () => {
    const { processes, atFence } = check();
    return processes > 0 && processes === atFence;
  });

  // What the test knows: the world, and what the restored histories have of it.
  const pending = (
    await db.query<{ key: string }>(`SELECT run_id || '/' || activity_id AS key FROM branchline.pending_activities`)
  ).rows;
  const recorded = (
    await db.query<{ key: string }>(
      `SELECT run_id || '/' || (attributes ->> 'activityId') AS key FROM branchline.history_events WHERE event_type = 'ActivityTaskScheduled'`,
    )
  ).rows;
  const runs = (await db.query<{ run_id: string; status: string }>('SELECT run_id, status FROM branchline.workflows'))
    .rows;
  const open = new Set(runs.filter(({ status }) => status === 'Running').map(({ run_id: runId }) => runId));
  const here = new Set(runs.map(({ run_id: runId }) => runId));
  const done = new Set(recorded.map(({ key }) => key));
  for (const { key } of pending) done.delete(key);
  const outside = before.filter(({ activityType }) => activityType !== 'book');
  const unknown = outside.filter((deed) => open.has(deed.runId) && !done.has(keyOf(deed))).map(keyOf);
  const gone = before.filter(({ runId }) => !here.has(runId)).map(({ runId }) => runId);
  const report = check();
  const listed = report.runs.flatMap(({ runId, effects }) =>
    effects.map(({ activityId }) => keyOf({ runId, activityId })),
  );
  expect(report.runs.map(({ runId }) => runId).sort()).toEqual([...open].sort());
  expect(new Set(listed)).toEqual(new Set(unknown));
  expect(new Set(report.journal!.missing.map(({ runId }) => runId))).toEqual(new Set(gone));
  expect(report.journal!.missing.map(({ workflowId }) => workflowId)).toEqual(expect.arrayContaining([...lost]));
  const of = (id: string) => report.runs.find(({ workflowId }) => workflowId === id);
  expect(of('printer-0')!.effects).toMatchObject([{ activityType: 'print', outcome: 'completed' }]);
  expect(of('sleeper-0')!.waitsFor).toMatchObject([{ kind: 'timer' }]);
  expect(of('waiter-5')!.effects).toEqual([]);
  // None of them has moved, though timers are overdue and the schedule is.
  expect(deedsOf(world)).toEqual(before);

  restore('resume', '--all');
  restore('hold', '--type', 'waiter');
  restore('cancel', 'sleeper-5');
  restore('release');
  connection = await Connection.connect({ url: postgres.url });
  client = new Client({ connection });
  const result = (id: string): Promise<unknown> => client.workflow.getHandle(id).result();
  expect(await Promise.all(orders.map(result))).toEqual(orders.map((_, i) => 100 + i));
  expect(await Promise.all(sleepers.slice(0, 5).map(result))).toEqual(Array(5).fill('slept'));
  expect(await Promise.all(printers.map(result))).toEqual(Array(4).fill('printed'));
  const cancelled = await result('sleeper-5').catch((error: unknown) => error);
  expect(cancelled).toBeInstanceOf(WorkflowFailedError);
  expect((cancelled as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  const held = check();
  expect(held.runs.map(({ workflowId, standing }) => `${workflowId} ${standing}`)).toEqual(
    waiters.map((id) => `${id} held`),
  );
  restore('resume', '--type', 'waiter');
  for (const id of waiters) {
    await until(`${id} takes signals`, () =>
      client.workflow
        .getHandle(id)
        .signal(deliver)
        .then(
          () => true,
          () => false,
        ),
    );
  }
  expect(await Promise.all(waiters.map(result))).toEqual(Array(6).fill('delivered'));
  const ticking = async (): Promise<number> =>
    (
      await db.query(
        `SELECT FROM branchline.workflows WHERE workflow_type = 'tick' AND start_time > now() - interval '5 s'`,
      )
    ).rowCount ?? 0;
  await until('the schedule goes on', async () => (await ticking()) > 0);
  await client.schedule.getHandle('ticks').delete();
  await until('all is done', async () => (await db.query('SELECT FROM branchline.runs')).rowCount === 0);

  // Each booking of each run that is there, once; nothing of those that are lost.
  const booked = (
    await db.query<{ id: string; rows: number; sum: number }>(
      'SELECT workflow_id AS id, count(*)::int AS rows, sum(cents)::int AS sum FROM ledger GROUP BY 1 ORDER BY 1',
    )
  ).rows;
  const bookers = (
    await db.query<{ id: string; runs: number }>(
      `SELECT workflow_id AS id, count(*)::int AS runs FROM branchline.workflows WHERE workflow_type IN ('order', 'tick') GROUP BY 1 ORDER BY 1`,
    )
  ).rows;
  expect(booked).toEqual(bookers.map(({ id, runs: count }) => ({ id, rows: 2 * count, sum: 0 })));
  // What was done twice outside is what was listed.
  const times = new Map<string, number>();
  for (const deed of deedsOf(world).filter(({ activityType }) => activityType !== 'book')) {
    times.set(keyOf(deed), (times.get(keyOf(deed)) ?? 0) + 1);
  }
  const twice = [...times].filter(([, count]) => count > 1).map(([key]) => key);
  expect(twice.filter((key) => !listed.includes(key))).toEqual([]);
  expect(twice.length).toBeGreaterThan(printers.length);
  await connection.close();
  await db.end();
}, 240_000);

/** The orders that do not pause are through before the moment. */
const isQuick = (id: string): boolean => Number(id.split('-')[1]) < 4;
