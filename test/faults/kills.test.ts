/** One worker and one Postgres killed at a known point, under a handful of workflows. The long, random form: compat-tests/faults. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LEDGER } from '../../compat-tests/faults/activities';
import { KINDS, planOf, type Planned } from '../../compat-tests/faults/plan';
import * as workflows from '../../compat-tests/faults/workflows';
import { Client } from '../../shim/client/client';
import { Connection } from '../../shim/client/connection';
import { startPostgres, type RunningPostgres } from '../../shim/testing/embedded-postgres';
import { collectHistories, watchWorker } from '../support/histories';

const faults = path.join(__dirname, '../../compat-tests/faults');
const [first, second] = [planOf(KINDS.length), planOf(2 * KINDS.length).slice(KINDS.length)];

let postgres: RunningPostgres;
let db: Pool;
let workers: [ChildProcess, ChildProcess];
let connection: Connection;
let client: Client;

beforeAll(async () => {
  // The server that tests share must live: this one is killed.
  postgres = await startPostgres({ useEnvironment: false, settings: { fsync: 'off' } });
  db = new Pool({ connectionString: postgres.url, max: 2 });
  db.on('error', () => undefined);
  await db.query(LEDGER);
  workers = [spawnWorker(), spawnWorker()];
  connection = await Connection.connect({ address: postgres.url });
  client = new Client({ connection });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
});

afterAll(async () => {
  await connection.close();
  for (const worker of workers) if (isAlive(worker)) await kill(worker);
  watchWorker({ schema: 'branchline' }, { taskQueue: 'faults', workflowsPath: path.join(faults, 'workflows.ts') });
  await collectHistories('branchline', async (text) => (await db.query(text)).rows as never[]);
  await db.end();
  await postgres.stop();
});

test('the runs of a killed worker go on in another one', async () => {
  await start(first);
  await underWay(first);
  await kill(workers[0]);
  await endRight(first);
});

test('a killed Postgres is waited for, by workers and clients', async () => {
  await start(second);
  const ends = endRight(second);
  await Promise.race([ends, underWay(second)]);
  await postgres.kill();
  await postgres.start();
  await ends;
  expect(isAlive(workers[1])).toBe(true);
});

function spawnWorker(): ChildProcess {
  return fork(path.join(faults, 'worker.ts'), {
    env: { ...process.env, DATABASE_URL: postgres.url },
    execArgv: ['--import', 'tsx'],
    // It tells of each activity that fails with the database: only a failing test needs to be read.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function start(plan: Planned[]): Promise<void> {
  await Promise.all(
    plan.map(async ({ workflowId, kind, n }) => {
      const run: (...args: number[]) => Promise<number> = workflows[kind];
      // A task that dies with its worker is handed out again after its timeout.
      const options = { workflowId, taskQueue: 'faults', args: [n], workflowTaskTimeout: '3 seconds' } as const;
      const handle = await client.workflow.start(run, options);
      if (kind === 'signals') for (let i = 0; i < 3; i++) await handle.signal(workflows.go, i);
      if (kind === 'updates') await handle.startUpdate(workflows.double, { args: [n], waitForStage: 'ACCEPTED' });
    }),
  );
}

/** Some effects are there and others are not. */
async function underWay(plan: Planned[]): Promise<void> {
  const keys = plan.flatMap(({ ledger }) => Object.keys(ledger));
  for (;;) {
    const { rows } = await db.query('SELECT FROM effects.ledger WHERE key = ANY ($1)', [keys]);
    if (rows.length >= keys.length / 4) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Every result, every effect once and with its value, every history gapless. */
async function endRight(plan: Planned[]): Promise<void> {
  for (const { workflowId, result, leaves, n } of plan) {
    expect(await client.workflow.getHandle(workflowId).result(), workflowId).toBe(result);
    if (leaves !== null) expect(await client.workflow.getHandle(leaves).result(), leaves).toBe(n);
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    expect(events!.map(({ eventId }) => Number(eventId))).toEqual(events!.map((_, i) => i + 1));
  }
  const expected: Record<string, number> = Object.assign({}, ...plan.map(({ ledger }) => ledger));
  const { rows } = await db.query<{ key: string; value: number }>(
    'SELECT key, value FROM effects.ledger WHERE key = ANY ($1)',
    [Object.keys(expected)],
  );
  expect(Object.fromEntries(rows.map(({ key, value }) => [key, value]))).toEqual(expected);
}
