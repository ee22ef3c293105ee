/** A worker and a client on a schema of their own. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from '../../shim/client/client';
import { Connection } from '../../shim/client/connection';
import { bundleWorkflowCode } from '../../shim/worker/bundler/bundle';
import { NativeConnection } from '../../shim/worker/connection';
import { DefaultLogger, type LogEntry } from '../../shim/worker/logger';
import { Runtime } from '../../shim/worker/runtime';
import { Worker } from '../../shim/worker/worker';
import type { WorkerOptions } from '../../shim/worker/worker-options';
import * as activities from '../support/activities';
import { afterTest, freshSchema, type TestSchema } from '../support/database';
import { madeFrom, watchWorker } from '../support/histories';

export const workflowsPath = join(__dirname, '../workflows/index.ts');

/** What the runtime's logger was given, of all tests of the file. */
export const logged: LogEntry[] = [];

let bundle: Promise<{ code: string }> | undefined;

/** The bundle of test/workflows, made once per test file. */
export function workflowBundle(): Promise<{ code: string }> {
  return (bundle ??= bundleWorkflowCode({ workflowsPath }).then((made) => madeFrom(workflowsPath, made)));
}

export interface Harness {
  client: Client;
  worker: Worker;
  taskQueue: string;
  database: TestSchema;
  connection: NativeConnection;
  /** Starts the workflow and gives its result. */
  execute: (workflow: string, ...args: unknown[]) => Promise<unknown>;
}

/** Makes worker and client and closes all after the test. The worker runs when `run` is called. */
export async function harness(
  options: Partial<WorkerOptions> = {},
  database: TestSchema = freshSchema(),
  /** As the client's login sees it. */
  clientDatabase: TestSchema = database,
): Promise<Harness & { run: <T>(work: (h: Harness) => Promise<T>) => Promise<T> }> {
  if (Runtime._instance === undefined) {
    Runtime.install({
      logger: new DefaultLogger('DEBUG', (entry) => void logged.push(entry)),
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN' } } },
      shutdownSignals: [],
    });
  }
  const connection = await NativeConnection.connect(database);
  afterTest(() => connection.close());
  const clientConnection = await Connection.connect(clientDatabase);
  afterTest(() => clientConnection.close());
  const client = new Client({
    connection: clientConnection,
    ...(options.dataConverter && { dataConverter: options.dataConverter }),
  });
  const taskQueue = `queue-${randomUUID()}`;
  const workerOptions: WorkerOptions = {
    connection,
    taskQueue,
    activities,
    ...('workflowsPath' in options ? {} : { workflowBundle: await workflowBundle() }),
    ...options,
  };
  const worker = await Worker.create(workerOptions);
  watchWorker(database, workerOptions);
  const h: Harness = {
    client,
    worker,
    taskQueue,
    database,
    connection,
    execute: (workflow, ...args) =>
      client.workflow.execute(workflow, { taskQueue, workflowId: `${workflow}-${randomUUID()}`, args }),
  };
  return { ...h, run: (work) => worker.runUntil(() => work(h)) };
}
