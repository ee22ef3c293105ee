/**
 * `npm run demo:side-by-side`: an application moves from Temporal to Postgres and back, by type, share and tenant, while a worker, the router and
 * Postgres are killed on the way. Exits with 0 only when all that it prints holds, with 2 without a Temporal server to run.
 */
import { Client, Connection } from '@temporalio/client';
import { shareOf } from 'branchline/router';
import { Pool } from 'pg';
import { startTemporal } from '../../compat-tests/scenarios/harness/temporal-server';
import { HOW_TO_INSTALL, findTemporalCli } from '../../compat-tests/temporal-cli';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { freePort } from '../../lib/testing/free-port';
import { LEDGER } from './activities';
import { type Engine, checkLedger, checkList } from './books';
import { branchline, killed, startRouter, startWorker } from './processes';
import { Shop } from './shop';

const NO_TEMPORAL = 2;
const SIGNUPS = 20;
const TENANTS = ['acme', 'globex', 'initech', 'umbrella'];
/** Routes are in force everywhere after this long at the latest (docs/router.md). */
const ROUTES_TAKE_MS = 5500;

const say = (line: string): void => console.log(line);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes a database on that server; answers its URL. */
async function makeDatabase(serverUrl: string, name: string): Promise<string> {
  const admin = new Pool({ connectionString: serverUrl, max: 1 });
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function main(cli: string): Promise<void> {
  const server = await startTemporal(cli);
  const postgres = await startPostgres({ useEnvironment: false });
  const ledger = await makeDatabase(postgres.url, 'ledger');
  const at = { database: postgres.url, ledger, temporal: server.address };
  const port = await freePort();
  const db = new Pool({ connectionString: ledger, max: 2 });
  db.on('error', () => undefined);
  await db.query(LEDGER);
  let router = await startRouter(at, port);
  let worker = await startWorker(at);
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  const client = new Client({ connection });
  const shop = new Shop(client);

  const route = async (...args: string[]): Promise<void> => {
    say(`\n$ branchline route ${args.join(' ')}`);
    for (const line of await branchline(at.database, 'route', ...args)) say(`  ${line}`);
    await pause(ROUTES_TAKE_MS);
  };
  const signups = (step: string): string[] => Array.from({ length: SIGNUPS }, (_, i) => `signup-${step}-${i}`);
  const share =
    (percentage: number) =>
    (id: string): Engine =>
      shareOf(id) < percentage ? 'postgres' : 'temporal';
  const billings = (step: string): string[] => TENANTS.map((tenant) => `${tenant}/billing-${step}`);
  const check = async (): Promise<void> => {
    say(`  ${await shop.callAll()}`);
    say(`  ${await checkList(client, shop.entries)}`);
    const { rows } = await db.query<{ effects: number }>('SELECT count(*)::int AS effects FROM effects');
    say(`  ${rows[0]!.effects} effects so far, ${kills} kills`);
  };
  let kills = 0;

  try {
    say('An application on Temporal: nothing is routed yet');
    await shop.start('signup', signups('before'), share(0));
    await shop.start('billing', billings('before'), () => 'temporal');
    await check();

    await route('set', 'signup', '10%');
    await shop.start('signup', signups('10'), share(10));
    say(`  SIGKILL to worker ${worker.pid}, with workflow tasks, activities and timers under way`);
    await killed(worker);
    kills++;
    worker = await startWorker(at);
    await check();

    await route('set', 'signup', '50%');
    await shop.startDuring(
      async (underWay) => {
        say(`  SIGKILL to router ${router.pid}, with ${underWay} starts under way`);
        await killed(router);
        kills++;
        router = await startRouter(at, port);
      },
      'signup',
      signups('50'),
      share(50),
    );
    await check();

    await route('set', 'signup', '100%');
    await shop.startDuring(
      async (underWay) => {
        say(`  SIGKILL to Postgres ${postgres.pid}, with ${underWay} starts under way`);
        await postgres.kill();
        kills++;
        await postgres.start();
      },
      'signup',
      signups('100'),
      share(100),
    );
    await check();

    await route('set', 'billing', '--tenant', 'acme,globex', '--tenant-from', 'id:^([^/]+)/');
    const moved = (id: string): Engine => (/^(acme|globex)\//.test(id) ? 'postgres' : 'temporal');
    await shop.start('billing', billings('tenants'), moved);
    await check();

    await route('set', 'signup', '0%');
    await route('remove', 'billing');
    await shop.start('signup', signups('back'), share(0));
    await shop.start('billing', billings('back'), () => 'temporal');
    await check();

    for (const type of ['signup', 'billing'] as const) {
      const drain = ['drain', type, '--from', 'postgres', '--no-routes', '--show', '2'];
      say(`\n$ branchline ${drain.join(' ')}`);
      for (const line of await branchline(at.database, ...drain)) say(`  ${line}`);
      say(`  ${await shop.finishAll(type)}`);
      const last = await branchline(at.database, ...drain, '--wait');
      say(`  ${last.at(-1)}`);
      if (!last.at(-1)!.startsWith('zero')) throw new Error(`${type} is not drained`);
    }
    say(`\n  ${await checkList(client, shop.entries)}`);
    say(`  ${shop.refused} of ${shop.refused + shop.entries.length} starts were second ones of an id: all refused`);
    say(`  ${await checkLedger(db, shop.entries)}`);
  } finally {
    await connection.close();
    await killed(worker);
    await killed(router);
    await db.end();
    await postgres.stop();
    await server.stop();
  }
}

const cli = findTemporalCli();
if (cli === undefined) {
  console.error(
    `This demo runs a real Temporal server, and there is no temporal CLI here. Get it with \`${HOW_TO_INSTALL}\`, or name it in TEMPORAL_CLI.`,
  );
  process.exitCode = NO_TEMPORAL;
} else {
  main(cli).then(
    () => say('\nEverything holds.'),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
