/** The metrics endpoint of Temporal's worker beside ours, after the same workload. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as temporalClient from '@temporalio/client';
import * as temporalWorker from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Client, Connection } from '../../shim/client';
import { freePort } from '../../shim/testing/free-port';
import * as branchlineWorker from '../../shim/worker';
import * as activities from '../metrics/activities';
import recorded from '../metrics/official.json';
import { cachedRuns, decided, notOurs, readExposition, valuesOf, work, type Shown } from '../metrics/workload';

const workflowsPath = join(__dirname, '../metrics/workflows.ts');
const shape = (metrics: Map<string, Shown>): Record<string, Shown> =>
  Object.fromEntries([...metrics].sort(([a], [b]) => (a < b ? -1 : 1)));

async function scrape(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

async function ofTemporal(address: string): Promise<string> {
  const port = await freePort();
  const { Runtime, Worker, NativeConnection } = temporalWorker;
  Runtime.install({
    logger: new temporalWorker.DefaultLogger('ERROR', () => undefined),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: 'OFF' },
      metrics: { prometheus: { bindAddress: `127.0.0.1:${port}` } },
    },
  });
  const connection = await NativeConnection.connect({ address });
  const taskQueue = `queue-${randomUUID()}`;
  const worker = await Worker.create({
    ...{ connection, taskQueue, activities, workflowsPath },
    maxCachedWorkflows: cachedRuns,
  });
  const clientConnection = await temporalClient.Connection.connect({ address });
  const client = new temporalClient.Client({ connection: clientConnection });
  const text = await worker.runUntil(async () => {
    await work(client, connection, taskQueue);
    // Its exporter is told a little later.
    for (let last = ''; ;) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const now = await scrape(port);
      if (now === last) return now;
      last = now;
    }
  });
  await clientConnection.close();
  await connection.close();
  return text;
}

async function ofBranchline(url: string): Promise<string> {
  const port = await freePort();
  const { Runtime, Worker, NativeConnection } = branchlineWorker;
  Runtime.install({
    logger: new branchlineWorker.DefaultLogger('ERROR', () => undefined),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: 'OFF' },
      metrics: { prometheus: { bindAddress: `127.0.0.1:${port}` } },
    },
  });
  const database = { url, schema: `metrics_${randomUUID().replaceAll('-', '').slice(0, 12)}` };
  const connection = await NativeConnection.connect(database);
  const taskQueue = `queue-${randomUUID()}`;
  const worker = await Worker.create({
    ...{ connection, taskQueue, activities, workflowsPath },
    maxCachedWorkflows: cachedRuns,
  });
  const clientConnection = await Connection.connect(database);
  const text = await worker.runUntil(async () => {
    await work(new Client({ connection: clientConnection }), connection, taskQueue);
    return scrape(port);
  });
  await clientConnection.close();
  await connection.close();
  return text;
}

describe.skipIf(inject('temporalAddress') === '')("metrics of Temporal's worker and ours", () => {
  let temporal: string;
  let branchline: string;

  beforeAll(async () => {
    temporal = await ofTemporal(inject('temporalAddress'));
    branchline = await ofBranchline(inject('postgresUrl'));
  }, 120_000);
  afterAll(() => branchlineWorker.Runtime._instance?.shutdown());

  it('have the names, kinds, labels, buckets and descriptions that are on record', () => {
    const shown = shape(readExposition(temporal));
    if (process.env.BRANCHLINE_RECORD) {
      writeFileSync(join(__dirname, '../metrics/official.json'), `${JSON.stringify(shown, null, 2)}\n`);
    }
    expect(shown).toEqual(recorded);
  });

  it('are the same', () => {
    const theirs = readExposition(temporal);
    const ours = readExposition(branchline);
    for (const [name, labels] of notOurs) {
      const shown = theirs.get(name)!;
      shown.labels = shown.labels.filter((set) => set !== labels);
    }
    for (const name of ours.keys()) if (name.startsWith('branchline_')) ours.delete(name);
    expect(shape(ours)).toEqual(shape(theirs));
  });

  it.each(decided)('count the same: %s', (name) => {
    const values = valuesOf(branchline, name);
    expect(values).toEqual(valuesOf(temporal, name));
    expect(Object.keys(values)).not.toEqual([]);
  });
});
