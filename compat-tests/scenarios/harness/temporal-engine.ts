/** A real Temporal server with the official client and worker. */
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities';
import { clientDefaults, workerDefaults, type Engine } from './engines';

export async function temporalEngine(address: string, workflowsPath: string): Promise<Engine> {
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, shutdownSignals: [] });
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  const activities = createActivities();
  return {
    name: 'temporal',
    connection,
    client: (parts) => new Client({ ...clientDefaults, ...parts }),
    async worker(options) {
      const worker = await Worker.create({
        ...workerDefaults,
        activities,
        ...options,
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
