/** The official worker and client (Rust core, TCP) on a gateway of this process. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
  bundleWorkflowCode,
} from '@temporalio/worker';
import { type Gateway, startGateway } from '../../shim/gateway';
import type { Service } from '../../shim/service/types';
import { type TestSchema, afterTest, freshSchema } from '../../test/support/database';
import { watchHistories } from '../../test/support/histories';
import { testService } from '../../test/support/service';
import * as activities from './activities';

export const workflowsPath = join(__dirname, 'workflows.ts');

let bundle: Promise<WorkflowBundle> | undefined;

function runtime(): void {
  if (Runtime._instance !== undefined) return;
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] });
}

export interface Bench {
  database: TestSchema;
  service: Service;
  gateway: Gateway;
  connection: NativeConnection;
  client: Client;
  taskQueue: string;
  /** A worker that is not running yet. */
  worker(options?: Partial<WorkerOptions>): Promise<Worker>;
  /** Runs a worker for as long as `work` takes. */
  running<T>(work: () => Promise<T>, options?: Partial<WorkerOptions>): Promise<T>;
}

/** All of it is closed after the test. */
export async function bench(): Promise<Bench> {
  runtime();
  const database = freshSchema();
  const service = await testService(database);
  const gateway = await startGateway({ service, port: 0, onFault: (method, error) => console.error(method, error) });
  afterTest(() => gateway.close());
  const connection = await NativeConnection.connect({ address: gateway.address });
  afterTest(() => connection.close());
  const clientConnection = await Connection.connect({ address: gateway.address });
  afterTest(() => clientConnection.close());
  watchHistories(database);
  const taskQueue = `queue-${randomUUID()}`;
  const worker = async (options: Partial<WorkerOptions> = {}): Promise<Worker> => {
    bundle ??= bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR', () => undefined) });
    return Worker.create({ connection, taskQueue, activities, workflowBundle: await bundle, ...options });
  };
  return {
    database,
    service,
    gateway,
    connection,
    client: new Client({ connection: clientConnection }),
    taskQueue,
    worker,
    running: async (work, options) => (await worker(options)).runUntil(work),
  };
}
