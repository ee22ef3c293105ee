import { NativeConnection, Worker } from 'branchline/worker';
import { Pool } from 'pg';
import { billingActivities } from './activities';

async function main(): Promise<void> {
  const url = process.env.DATABASE_URL;
  const db = new Pool({ connectionString: url, max: 4 });
  const connection = await NativeConnection.connect({ address: url });
  const worker = await Worker.create({
    connection,
    taskQueue: 'billing',
    workflowsPath: require.resolve('./workflows'),
    activities: billingActivities(db),
    // A killed worker's sticky tasks go to the next one after this long.
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  process.send?.('ready');
  await worker.run();
  await connection.close();
  await db.end();
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
