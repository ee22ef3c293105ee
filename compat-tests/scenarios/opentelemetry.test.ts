/** The spans of @temporalio/interceptors-opentelemetry on Temporal's worker with a real server, and on ours. */
import { randomUUID } from 'node:crypto';
import * as temporalClient from '@temporalio/client';
import * as temporalWorker from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import * as branchlineClient from '../../shim/client';
import * as branchlineWorker from '../../shim/worker';
import * as activities from '../metrics/activities';
import { runTraced, startTracing, tracedWorkflows } from '../opentelemetry/spans';

interface Engine {
  worker: typeof temporalWorker | typeof branchlineWorker;
  client: typeof temporalClient | typeof branchlineClient;
  /** What connections are given. */
  connect: object;
}

async function trace({ worker: { NativeConnection, Worker }, client: { Client, Connection }, connect }: Engine) {
  const tracing = startTracing();
  const connection = await NativeConnection.connect(connect);
  const clientConnection = await Connection.connect(connect);
  const taskQueue = `queue-${randomUUID()}`;
  const plugins = [tracing.plugin];
  const worker = await Worker.create({
    ...{ taskQueue, activities, workflowsPath: tracedWorkflows },
    ...{ connection: connection as never, plugins: plugins as never },
  });
  const client = new Client({ connection: clientConnection as never, plugins });
  await worker.runUntil(() => runTraced(client, taskQueue));
  await clientConnection.close();
  await connection.close();
  const seen = { spans: tracing.spans(), traces: tracing.traces() };
  await tracing.end();
  return seen;
}

describe.skipIf(inject('temporalAddress') === '')("spans of Temporal's interceptors", () => {
  it('are the same on both engines', async () => {
    const address = inject('temporalAddress');
    const temporal = await trace({ worker: temporalWorker, client: temporalClient, connect: { address } });
    expect(temporal.spans.length).toBeGreaterThan(10);
    const schema = `otel_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
    const connect = { url: inject('postgresUrl'), schema };
    expect(await trace({ worker: branchlineWorker, client: branchlineClient, connect })).toEqual(temporal);
  }, 120_000);
});
