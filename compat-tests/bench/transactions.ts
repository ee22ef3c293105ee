/**
 * `npm run bench:transactions`: what a transactional activity costs beside a plain one that writes the same row in a commit of its own, and what
 * slow transactions do to other workflows. Prints figures; no test.
 */
import path from 'node:path';
import { transactional } from 'branchline/activity';
import { Client, Connection } from 'branchline/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from 'branchline/worker';
import { Pool } from 'pg';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { payload, percentile } from './meter.mjs';
import { oneActivity, oneBooking } from './workflows';

const INSERT = 'INSERT INTO ledger (account, amount) VALUES ($1, $2)';
const SEQUENTIAL = 300;
const AT_ONCE = 1000;
const SLOW = 200;
const SLOW_MS = 5000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const postgres = await startPostgres({
    useEnvironment: false,
    settings: {
      shared_preload_libraries: 'pg_stat_statements',
      max_connections: '100',
      synchronous_commit: 'on',
      fsync: 'on',
    },
  });
  const { url } = postgres;
  const pool = new Pool({ connectionString: url, max: 4 });
  await pool.query('CREATE TABLE ledger (id bigserial PRIMARY KEY, account text NOT NULL, amount integer NOT NULL)');
  const connection = await Connection.connect({ address: url });
  const client = new Client({ connection });
  const native = await NativeConnection.connect({ address: url });
  const worker = await Worker.create({
    connection: native,
    taskQueue: 'bench',
    workflowsPath: path.join(__dirname, 'workflows.ts'),
    maxConcurrentActivityTaskExecutions: 2 * SLOW,
    activities: {
      echo: async (input: unknown) => input,
      plain: async (account: string) => void (await pool.query(INSERT, [account, 1])),
      booked: transactional(async (tx, account: string) => void (await tx.query(INSERT, [account, 1]))),
      slow: transactional(async (tx, account: string) => {
        await pause(SLOW_MS);
        await tx.query(INSERT, [account, 1]);
      }),
    },
  });
  void worker.run();
  let id = 0;
  const options = <A extends unknown[]>(...args: A) => ({ taskQueue: 'bench', workflowId: `t-${id++}`, args });
  const book = (kind: string): Promise<void> => client.workflow.execute(oneBooking, options(kind, 'a'));
  const latencies = async (count: number, run: () => Promise<unknown>): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    return times;
  };
  for (const kind of ['plain', 'booked']) await Promise.all(Array.from({ length: 100 }, () => book(kind)));

  const p50: Record<string, number> = {};
  const rate: Record<string, number> = {};
  for (const kind of ['plain', 'booked', 'plain', 'booked']) {
    const times = await latencies(SEQUENTIAL / 2, () => book(kind));
    p50[kind] = Math.min(p50[kind] ?? Infinity, percentile(times, 0.5));
    const start = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE / 2 }, () => book(kind)));
    rate[kind] = Math.max(rate[kind] ?? 0, (AT_ONCE / 2 / (performance.now() - start)) * 1000);
  }
  console.log(
    `one at a time, p50: plain ${p50.plain!.toFixed(2)} ms, transactional ${p50.booked!.toFixed(2)} ms (x${(p50.booked! / p50.plain!).toFixed(2)})`,
  );
  console.log(
    `${AT_ONCE / 2} at once: plain ${rate.plain!.toFixed(0)} rows/s, transactional ${rate.booked!.toFixed(0)} rows/s (x${(rate.booked! / rate.plain!).toFixed(2)})`,
  );

  const other = (): Promise<unknown> => client.workflow.execute(oneActivity, options(payload(1)));
  await latencies(100, other);
  const alone = percentile(await latencies(400, other), 0.95);
  const slow = Array.from({ length: SLOW }, () => client.workflow.start(oneBooking, options('slow', 's')));
  await Promise.all(slow);
  await pause(1000);
  const beside = percentile(await latencies(400, other), 0.95);
  const { open, waiting } = await (
    native as unknown as {
      inner: { service(): Promise<{ parts: { store: { transactionLoad(): { open: number; waiting: number } } } }> };
    }
  ).inner
    .service()
    .then((service) => service.parts.store.transactionLoad());
  console.log(
    `others' p95: ${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside ${open} open and ${waiting} waiting slow transactions (x${(beside / alone).toFixed(2)})`,
  );
  // What is left of the slow ones is not waited for.
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
