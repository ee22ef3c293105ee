/** The application's workers, one for each namespace, in a process of its own on the built package. Says when they poll. */
import { NativeConnection, Worker } from 'branchline/worker';
import * as activities from './activities';

async function main(): Promise<void> {
  const { DATABASE_URL: url = '', SCHEMA: schema = '', TASK_QUEUE: taskQueue = '', NAMESPACES = '' } = process.env;
  const connection = await NativeConnection.connect({ url, schema });
  const workers = NAMESPACES.split(',').map((namespace) =>
    Worker.create({
      connection,
      namespace,
      taskQueue,
      workflowsPath: require.resolve('./workflows'),
      activities,
      identity: 'orders-worker',
      // Call stacks, too, are to be seen.
      showStackTraceSources: true,
    }),
  );
  const running = (await Promise.all(workers)).map((worker) => worker.run());
  process.send?.('ready');
  await Promise.all(running);
  await connection.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
