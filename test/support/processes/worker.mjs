// An application's worker process, as ESM on the built package. Prints its states.
import { fileURLToPath, URL } from 'node:url';
import { NativeConnection, Worker } from 'branchline/worker';

const connection = await NativeConnection.connect({ url: process.env.DATABASE_URL, schema: process.env.SCHEMA });
const worker = await Worker.create({
  connection,
  taskQueue: process.env.TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL('./workflows.mjs', import.meta.url)),
  activities: { greet: async (name) => `Hello, ${name}!` },
});
const running = worker.run();
console.log(worker.getState());
await running;
await connection.close();
console.log(worker.getState());
