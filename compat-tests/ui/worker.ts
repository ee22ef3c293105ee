/** The application's worker, a process of its own on the built package. Says when it polls. */
import { NativeConnection, Worker } from 'branchline/worker';
import * as activities from './activities';

async function main(): Promise<void> {
  const { DATABASE_URL: url = '', SCHEMA: schema = '', TASK_QUEUE: taskQueue = '' } = process.env;
  const connection = await NativeConnection.connect({ url, schema });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: require.resolve('./workflows'),
    activities,
    identity: 'orders-worker',
  });
  const running = worker.run();
  process.send?.('ready');
  await running;
  await connection.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
