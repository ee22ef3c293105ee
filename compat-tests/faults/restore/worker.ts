import { NativeConnection, Worker } from 'branchline/worker';
import { restoreActivities } from './activities';

async function main(): Promise<void> {
  const { DATABASE_URL, WORLD, JOURNAL } = process.env;
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ url: DATABASE_URL! }),
    taskQueue: 'restore',
    workflowsPath: require.resolve('./workflows'),
    activities: restoreActivities(WORLD!),
    effectsJournal: { file: JOURNAL! },
  });
  process.send?.('ready');
  await worker.run();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
