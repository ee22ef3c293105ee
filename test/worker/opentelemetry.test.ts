/** @temporalio/interceptors-opentelemetry, unchanged, on our client and worker. */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import * as activities from '../../compat-tests/metrics/activities';
import { runTraced, startTracing, tracedWorkflows, type Tracing } from '../../compat-tests/opentelemetry/spans';
import { Client, Connection } from '../../shim/client';
import { NativeConnection, Worker } from '../../shim/worker';
import { afterTest, freshSchema } from '../support/database';

let tracing: Tracing;
afterEach(() => tracing.end());

it('links spans from the client through workflow, children and activities', async () => {
  tracing = startTracing();
  const { plugin } = tracing;
  const database = freshSchema();
  const connection = await NativeConnection.connect(database);
  afterTest(() => connection.close());
  const clientConnection = await Connection.connect(database);
  afterTest(() => clientConnection.close());
  const taskQueue = `queue-${randomUUID()}`;
  const worker = await Worker.create({
    ...{ connection, taskQueue, activities, workflowsPath: tracedWorkflows },
    plugins: [plugin as never],
  });
  const client = new Client({ connection: clientConnection, plugins: [plugin] });
  await worker.runUntil(() => runTraced(client, taskQueue));
  // As on Temporal's worker: compat-tests/scenarios/opentelemetry.test.ts.
  expect(tracing.spans()).toEqual([
    'HandleSignal:go < SignalWorkflow:go',
    'HandleSignal:go < SignalWorkflow:go',
    'QueryWorkflow:ping',
    'RunActivity:succeeds < StartActivity:succeeds',
    'RunActivity:succeeds < StartActivity:succeeds',
    'RunActivity:succeeds < StartActivity:succeeds',
    'RunWorkflow:traced < StartWorkflow:traced',
    'RunWorkflow:tracedChild < StartChildWorkflow:tracedChild',
    'RunWorkflow:tracedGrandchild < StartChildWorkflow:tracedGrandchild',
    'SignalWorkflow:go',
    'SignalWorkflow:go < RunWorkflow:traced',
    'StartActivity:succeeds < RunWorkflow:traced',
    'StartActivity:succeeds < RunWorkflow:traced',
    'StartActivity:succeeds < RunWorkflow:tracedGrandchild',
    'StartChildWorkflow:tracedChild < RunWorkflow:traced',
    'StartChildWorkflow:tracedGrandchild < RunWorkflow:traced',
    'StartWorkflow:traced',
  ]);
  expect(tracing.traces()).toBe(3);
});
