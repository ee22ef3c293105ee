/** An official worker as a process that can be killed: `worker-process ADDRESS TASK_QUEUE`. It says "ready" when it runs. */
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { quiet, workflowsPath } from './official';

async function main(): Promise<void> {
  const [address, taskQueue = ''] = process.argv.slice(2);
  quiet();
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities });
  const running = worker.run();
  console.log('ready');
  await running;
}

void main();
