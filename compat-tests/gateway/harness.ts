/** The official worker and client (Rust core, TCP) on a gateway of this process. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import {
  NativeConnection,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
  bundleWorkflowCode,
} from '@temporalio/worker';
import { type Gateway, startGateway } from '../../shim/gateway';
import type { Service } from '../../shim/service/types';
import { type TestSchema, afterTest, freshSchema } from '../../test/support/database';
import { madeFrom, watchHistories, watchWorker } from '../../test/support/histories';
import { testService } from '../../test/support/service';
import * as activities from './activities';
import { quiet, workflowsPath } from './official';

let bundle: Promise<WorkflowBundle> | undefined;

/** A call that the gateway passed on, and what it was answered. */
export interface Call {
  method: string;
  request: object;
  response?: object;
}

export interface Bench {
  database: TestSchema;
  service: Service;
  /** What came over the wire, in the order of the answers. */
  calls: Call[];
  gateway: Gateway;
  connection: NativeConnection;
  client: Client;
  taskQueue: string;
  /** A worker that is not running yet. */
  worker(options?: Partial<WorkerOptions>): Promise<Worker>;
  /** Runs a worker for as long as `work` takes. */
  running<T>(work: () => Promise<T>, options?: Partial<WorkerOptions>): Promise<T>;
}

/** A gateway on the service, closed after the test. */
export async function testGateway(service: Service, calls: Call[] = [], port = 0): Promise<Gateway> {
  const recording: Pick<Service, 'call'> = {
    async call(method, request, ctx) {
      const response = await service.call(method, request, ctx);
      calls.push({ method, request, response });
      return response;
    },
  };
  const onFault = (method: string, error: unknown): void => console.error(method, error);
  const gateway = await startGateway({ service: recording, port, onFault });
  afterTest(() => gateway.close());
  return gateway;
}

/** All of it is closed after the test. */
export async function bench(database: TestSchema = freshSchema()): Promise<Bench> {
  quiet();
  const service = await testService(database);
  const calls: Call[] = [];
  const gateway = await testGateway(service, calls);
  const connection = await NativeConnection.connect({ address: gateway.address });
  afterTest(() => connection.close());
  const clientConnection = await Connection.connect({ address: gateway.address });
  afterTest(() => clientConnection.close());
  watchHistories(database);
  const taskQueue = `queue-${randomUUID()}`;
  const worker = async (options: Partial<WorkerOptions> = {}): Promise<Worker> => {
    bundle ??= bundleWorkflowCode({ workflowsPath, logger: quiet() });
    const made = madeFrom(workflowsPath, (await bundle) as { code: string });
    const workerOptions = { connection, taskQueue, activities, workflowBundle: made, ...options };
    watchWorker(database, workerOptions as never);
    return Worker.create(workerOptions as WorkerOptions);
  };
  return {
    database,
    service,
    calls,
    gateway,
    connection,
    client: new Client({ connection: clientConnection }),
    taskQueue,
    worker,
    running: async (work, options) => (await worker(options)).runUntil(work),
  };
}
