/** One worker process for both engines. */
import { createWorkers } from 'branchline/router';
import { Pool } from 'pg';
import { shopActivities } from './activities';

async function main(): Promise<void> {
  const { DATABASE_URL: url = '', TEMPORAL: address = '', LEDGER: ledger = '' } = process.env;
  const db = new Pool({ connectionString: ledger, max: 4 });
  // A connection that a crash of Postgres cut; the next query takes another.
  db.on('error', () => undefined);
  const workers = await createWorkers({
    temporal: { address },
    postgres: { url },
    taskQueue: 'shop',
    workflowsPath: require.resolve('./workflows'),
    activities: shopActivities(db),
    // A killed worker's sticky tasks go to the next one after this long.
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  const running = workers.run();
  process.send?.('ready');
  await running;
  await db.end();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
