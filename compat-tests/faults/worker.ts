import { NativeConnection, Worker } from 'branchline/worker';
import { Pool } from 'pg';
import { ledgerActivities } from './activities';

async function main(): Promise<void> {
  const url = process.env.DATABASE_URL;
  const db = new Pool({ connectionString: url, max: 10 });
  db.on('error', () => undefined); // the database is killed under us: activities see it as a failed attempt
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address: url }),
    taskQueue: 'faults',
    workflowsPath: require.resolve('./workflows'),
    activities: ledgerActivities(db),
    stickyQueueScheduleToStartTimeout: '2 seconds',
  });
  process.send?.('ready');
  await worker.run();
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
