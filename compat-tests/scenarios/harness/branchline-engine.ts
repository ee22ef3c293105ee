/** Branchline on embedded Postgres with the drop-ins. */
import { Client, Connection } from '../../../shim/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '../../../shim/worker';
import { createActivities } from '../activities';
import { clientDefaults, workerDefaults, type Engine } from './engines';

export async function branchlineEngine(url: string, workflowsPath: string): Promise<Engine> {
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, shutdownSignals: [] });
  const database = { url, schema: 'scenarios' };
  const connection = await Connection.connect(database);
  const native = await NativeConnection.connect(database);
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  const activities = createActivities();
  return {
    name: 'branchline',
    connection,
    client: (parts) => new Client({ ...clientDefaults, ...parts }),
    async worker(options) {
      const worker = await Worker.create({
        ...workerDefaults,
        activities,
        ...(options as object),
        taskQueue: options.taskQueue,
        connection: native,
        workflowBundle,
      });
      const running = worker.run();
      running.catch(() => undefined);
      return {
        async stop() {
          if (worker.getState() === 'RUNNING') worker.shutdown();
          await running;
        },
      };
    },
    async close() {
      await connection.close();
      await native.close();
    },
  };
}
