/**
 * `npm run demo`: four tenants, one worker killed with SIGKILL in the middle, another one that goes on; then results,
 * histories and the official replayer's verdict on each.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from 'branchline/client';
import { Pool } from 'pg';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { BUSINESS_TABLES } from './activities';
import { describeHistory, replayVerdict } from './inspect';
import { changePlan, confirmEmail, recordUsage, signUp, subscription, usage, type SignUpInput } from './workflows';

const say = (line = ''): void => console.log(line);

async function startWorker(url: string): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, 'worker.ts'), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, DATABASE_URL: url },
  });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('the worker process ended before it was ready');
    }),
  ]);
  say(`worker ${child.pid} is running`);
  return child;
}

/** Poll a condition on business rows; the demo's only clock besides the workflows' own. */
async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited 30 s in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function main(): Promise<boolean> {
  const postgres = await startPostgres();
  say(`Postgres: ${postgres.url}`);
  const db = new Pool({ connectionString: postgres.url, max: 2 });
  db.on('error', () => undefined);
  await db.query(BUSINESS_TABLES);
  const connection = await Connection.connect({ address: postgres.url });
  const client = new Client({ connection });
  let worker = await startWorker(postgres.url);

  try {
    const tenant = (name: string, more: Partial<SignUpInput> = {}): Promise<WorkflowHandle<typeof signUp>> =>
      client.workflow.start(signUp, {
        workflowId: `sign-up-${name}`,
        taskQueue: 'billing',
        args: [
          {
            tenant: name,
            email: `ops@${name}.example`,
            plan: 'starter',
            confirmWithinMs: 20_000,
            trialMs: 1_000,
            periodMs: 1_500,
            periods: 3,
            ...more,
          },
        ],
      });
    const signUps = [
      await tenant('acme'),
      await tenant('flaky-cards'),
      await tenant('silent', { confirmWithinMs: 2_000 }),
      await tenant('leaver', { periods: 50 }),
    ];
    const [acme, flaky, , leaver] = signUps;
    for (const handle of [acme!, flaky!, leaver!]) await handle.signal(confirmEmail, 'code');
    await Promise.all([acme!, flaky!, leaver!].map((handle) => handle.result()));
    say('three tenants confirmed their email and are in their trial; one stays silent');

    const subscriptions = ['acme', 'flaky-cards', 'leaver'].map((name) =>
      client.workflow.getHandle<typeof subscription>(`subscription-${name}`),
    );
    await subscriptions[0]!.signal(recordUsage, 40);
    await subscriptions[0]!.signal(recordUsage, 2);
    const moved = await subscriptions[0]!.executeUpdate(changePlan, { args: ['team'] });
    say(`acme moved from ${moved.from} to ${moved.to}; usage: ${JSON.stringify(await subscriptions[0]!.query(usage))}`);
    const again = await subscriptions[0]!.executeUpdate(changePlan, { args: ['team'] }).then(
      () => 'accepted twice?',
      (err: Error) => (err.cause instanceof Error ? err.cause.message : err.message),
    );
    say(`asking for the same plan again is refused: ${again}`);

    await until('a first charge', async () => (await db.query('SELECT 1 FROM business.ledger')).rowCount! > 0);
    say(`\n*** SIGKILL to worker ${worker.pid}, with timers, retries and charges under way`);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    // Signals and cancellation reach workflows while no worker is alive.
    await subscriptions[0]!.signal(recordUsage, 100);
    await subscriptions[2]!.cancel();
    worker = await startWorker(postgres.url);

    say('\nResults');
    const handles: WorkflowHandle[] = [...signUps, ...subscriptions];
    for (const handle of handles) say(`  ${handle.workflowId.padEnd(26)} ${JSON.stringify(await handle.result())}`);
    for await (const info of client.workflow.list({ query: `WorkflowType = 'charge'` })) {
      const handle = client.workflow.getHandle(info.workflowId, info.runId);
      handles.push(handle);
      const outcome = await handle.result().then(JSON.stringify, (err) => {
        if (err instanceof WorkflowFailedError) return `failed: ${err.cause?.message}`;
        throw err;
      });
      say(`  ${handle.workflowId.padEnd(26)} ${outcome}`);
    }

    say('\nHistories, and what the official @temporalio/worker replayer says of them');
    let accepted = true;
    for (const handle of handles) {
      const history = await handle.fetchHistory();
      const verdict = await replayVerdict(path.join(__dirname, 'workflows.ts'), history, handle.workflowId);
      accepted &&= verdict === 'accepted';
      say(`\n  ${handle.workflowId}: ${history.events!.length} events, replay ${verdict}`);
      for (const line of describeHistory(history)) say(`    ${line}`);
    }

    return (await booksAgree(db, subscriptions)) && accepted;
  } finally {
    worker.kill('SIGKILL');
    await connection.close();
    await db.end();
    await postgres.stop();
  }
}

/** The ledger's rows against what the workflows say they charged and refunded. */
async function booksAgree(db: Pool, subscriptions: WorkflowHandle<typeof subscription>[]): Promise<boolean> {
  say('\nBooks');
  let agree = true;
  for (const handle of subscriptions) {
    const { tenant, chargedCents, refundedCents } = await handle.result();
    const { rows } = await db.query<{ cents: number; entries: number }>(
      'SELECT coalesce(sum(cents), 0)::int AS cents, count(*)::int AS entries FROM business.ledger WHERE tenant = $1',
      [tenant],
    );
    const same = rows[0]!.cents === chargedCents - refundedCents;
    agree &&= same;
    say(
      `  ${tenant.padEnd(12)} ${rows[0]!.entries} ledger rows, ${rows[0]!.cents} cents; workflow says ${chargedCents - refundedCents}: ${same ? 'agree' : 'DIFFER'}`,
    );
  }
  return agree;
}

main().then(
  (good) => {
    say(good ? '\nEverything agrees.' : '\nSomething differs: see above.');
    process.exitCode = good ? 0 : 1;
  },
  (err) => {
    console.error(err);
    process.exitCode = 1;
  },
);
