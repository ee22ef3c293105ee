/** The spans of @temporalio/interceptors-opentelemetry on Temporal's worker with a real server, and on ours. */
import { randomUUID } from 'node:crypto';
import * as temporalClient from '@temporalio/client';
import * as temporalWorker from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { Client, Connection } from '../../shim/client';
import * as branchlineWorker from '../../shim/worker';
import * as activities from '../metrics/activities';
import { runTraced, startTracing, tracedWorkflows } from '../opentelemetry/spans';

interface Seen {
  spans: string[];
  traces: number;
}

async function onTemporal(address: string): Promise<Seen> {
  const tracing = startTracing();
  const connection = await temporalWorker.NativeConnection.connect({ address });
  const clientConnection = await temporalClient.Connection.connect({ address });
  const taskQueue = `queue-${randomUUID()}`;
  const worker = await temporalWorker.Worker.create({
    ...{ connection, taskQueue, activities, workflowsPath: tracedWorkflows },
    plugins: [tracing.plugin],
  });
  const client = new temporalClient.Client({ connection: clientConnection, plugins: [tracing.plugin] });
  await worker.runUntil(() => runTraced(client, taskQueue));
  await clientConnection.close();
  await connection.close();
  const seen = { spans: tracing.spans(), traces: tracing.traces() };
  await tracing.end();
  return seen;
}

async function onBranchline(url: string): Promise<Seen> {
  const tracing = startTracing();
  const database = { url, schema: `otel_${randomUUID().replaceAll('-', '').slice(0, 12)}` };
  const connection = await branchlineWorker.NativeConnection.connect(database);
  const clientConnection = await Connection.connect(database);
  const taskQueue = `queue-${randomUUID()}`;
  const worker = await branchlineWorker.Worker.create({
    ...{ connection, taskQueue, activities, workflowsPath: tracedWorkflows },
    plugins: [tracing.plugin as never],
  });
  const client = new Client({ connection: clientConnection, plugins: [tracing.plugin] });
  await worker.runUntil(() => runTraced(client, taskQueue));
  await clientConnection.close();
  await connection.close();
  const seen = { spans: tracing.spans(), traces: tracing.traces() };
  await tracing.end();
  return seen;
}

describe.skipIf(inject('temporalAddress') === '')("spans of Temporal's interceptors", () => {
  it('are the same on both engines', async () => {
    const temporal = await onTemporal(inject('temporalAddress'));
    expect(temporal.spans.length).toBeGreaterThan(10);
    expect(await onBranchline(inject('postgresUrl'))).toEqual(temporal);
  }, 120_000);
});
