/** Temporal's metrics of a worker and metrics of the application, through each exporter, after real workflows. */
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as activities from '../../compat-tests/metrics/activities';
import { eventually } from '../../compat-tests/metrics/eventually';
import official from '../../compat-tests/metrics/official.json';
import { cachedRuns, notOurs, readExposition, valuesOf, work } from '../../compat-tests/metrics/workload';
import { freePort } from '../../shim/testing/free-port';
import { type MetricsExporterConfig, MetricsBuffer, NativeConnection, Runtime } from '../../shim/worker';
import { DefaultLogger } from '../../shim/worker/logger';
import { freshSchema } from '../support/database';
import { harness } from './harness';

const workflowsPath = join(__dirname, '../../compat-tests/metrics/workflows.ts');
const options = { workflowsPath, activities };

function install(metrics: MetricsExporterConfig): Runtime {
  return Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    shutdownSignals: [],
    telemetryOptions: { metrics },
  });
}

afterEach(async () => {
  await Runtime._instance?.shutdown();
  Runtime.defaultOptions = {};
});

const scrape = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

/** Installs a Prometheus endpoint; gives what reads it. */
async function endpoint(
  prometheus: object = {},
  config: Partial<MetricsExporterConfig> = {},
): Promise<() => Promise<string>> {
  const port = await freePort();
  install({ ...config, prometheus: { bindAddress: `127.0.0.1:${port}`, ...prometheus } });
  return () => scrape(port);
}

describe('the Prometheus endpoint', () => {
  it("shows the metrics of Temporal's worker: names, kinds, labels, buckets, descriptions", async () => {
    const read = await endpoint();
    const h = await harness({ ...options, maxCachedWorkflows: cachedRuns });
    const text = await h.run(async () => {
      await work(h.client, h.connection, h.taskQueue);
      return read();
    });
    const ours = readExposition(text);
    for (const [name, shown] of Object.entries(official)) {
      const labels = shown.labels.filter((set) => set !== notOurs.get(name));
      expect(ours.get(name), name).toEqual({ ...shown, labels });
    }
    const more = [...ours.keys()].filter((name) => !(name in official) && !name.startsWith('branchline_'));
    expect(more).toEqual([]);
  });

  it('honours suffixes, seconds, prefix, common labels and buckets', async () => {
    const read = await endpoint(
      {
        ...{ countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
        histogramBucketOverrides: { request_latency: [3, 31], workflow_task_execution_latency: [7] },
      },
      { globalTags: { my_tag: 'my "value"' }, metricPrefix: 'mine_', attachServiceName: false },
    );
    const h = await harness(options);
    const text = await h.run(async () => {
      await h.execute('working');
      return read();
    });
    expect(text).toContain(
      `mine_workflow_task_execution_latency_seconds_bucket{namespace="default",task_queue="${h.taskQueue}",workflow_type="working",my_tag="my \\"value\\"",le="7"} 4\n`,
    );
    expect(text).toContain('mine_long_request_latency_seconds_bucket');
    expect(text).toMatch(/^mine_request_latency_seconds_bucket\{.*,le="31"\} \d+$/m);
    expect(text).toMatch(/^mine_workflow_completed_total\{.*my_tag=.*\} 1$/m);
    expect(text).toMatch(/^mine_workflow_endtoend_latency_seconds_bucket\{.*,le="0.1"\} \d+$/m);
    expect(text).not.toMatch(/temporal_|service_name/);
  });

  it('answers nothing but GET /metrics', async () => {
    const port = await freePort();
    install({ prometheus: { bindAddress: `127.0.0.1:${port}` } });
    await Runtime.instance().metrics!.exporter.ready();
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(404);
    const found = await fetch(`http://127.0.0.1:${port}/metrics?x=1`);
    expect([found.status, found.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4']);
  });

  it('refuses an address that is none, and tells whoever connects that the port is taken', async () => {
    expect(() => install({ prometheus: { bindAddress: ':invalid' } })).toThrow(/metricsExporter.prometheus.socketAddr/);
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    install({ prometheus: { bindAddress: `127.0.0.1:${(taken.address() as AddressInfo).port}` } });
    await expect(NativeConnection.connect(freshSchema())).rejects.toMatchObject({
      code: 'BRANCHLINE_METRICS_BIND',
      message: expect.stringContaining('address already in use') as string,
    });
    taken.close();
  });

  it('loses its gauges with the worker and keeps its counters', async () => {
    const read = await endpoint();
    const h = await harness(options);
    await h.run(() => h.execute('failing').catch(() => undefined));
    const text = await read();
    expect(text).not.toContain('temporal_num_pollers');
    expect(text).toMatch(/^temporal_workflow_failed\{.*\} 1$/m);
  });
});

describe('metrics of the application', () => {
  it('go out under their own names, with their labels alone', async () => {
    const read = await endpoint();
    const meter = Runtime.instance().metricMeter;
    const counter = meter.createCounter('my-counter', 'things', 'Things counted');
    counter.add(40);
    counter.add(2);
    counter.withTags({ labelA: 'a' }).add(1, { labelB: true, 'label-c': 1.5 });
    meter.createGauge('my-gauge', 'float').set(1.5);
    meter.createUpDownCounter!('my-balance').add(-3);
    const histogram = meter.createHistogram('my-histogram', 'int', 'bytes');
    histogram.record(12.7);
    histogram.record(2000);
    const text = await read();
    expect(text).toContain('# HELP my_counter Things counted\n# TYPE my_counter counter\nmy_counter 42\n');
    expect(text).toContain('my_counter{labelA="a",labelB="true",label_c="1.5"} 1\n');
    expect(text).toContain('# TYPE my_gauge gauge\nmy_gauge 1.5\n');
    expect(text).toContain('# TYPE my_balance gauge\nmy_balance -3\n');
    expect(text).toContain('my_histogram_bucket{le="50"} 1\n');
    expect(text).toContain('my_histogram_sum 2012\nmy_histogram_count 2\n');
    expect(() => counter.add(-1)).toThrow('MetricCounter value must be non-negative (got -1)');
    expect(() => meter.createGauge('my-counter')).toThrow("Metric 'my_counter' exists already as a counter");
  });

  it('are recorded once by workflows, however often their history is replayed', async () => {
    const read = await endpoint();
    const database = freshSchema();
    const first = await harness({ ...options, maxCachedWorkflows: 0 }, database);
    await first.run(() => first.execute('working'));
    const text = await read();
    const tags = 'colour="red",namespace="default",workflowType="working"';
    expect(valuesOf(text, 'workflow_counter')).toEqual({ [tags]: 2 });
    expect(valuesOf(text, 'activity_counter')).toEqual({ 'activityType="succeeds",namespace="default"': 10 });
    // Each task was run from the beginning.
    expect(Object.values(valuesOf(text, 'temporal_workflow_task_replay_latency_count'))).toEqual([3]);
  });
});

describe('the metrics buffer', () => {
  it('gives single updates with the same objects for the same metric', async () => {
    const buffer = new MetricsBuffer({ useSecondsForDurations: true });
    const { metricMeter } = install({ buffer });
    const counter = metricMeter.createCounter('my-counter', 'things', 'Things counted');
    counter.add(2);
    counter.add(3, { label: 'x' });
    const [one, two, ...none] = [...buffer.retrieveUpdates()];
    expect(one).toEqual({
      metric: { name: 'my-counter', kind: 'counter', valueType: 'int', unit: 'things', description: 'Things counted' },
      value: 2,
      attributes: {},
    });
    expect(two).toMatchObject({ value: 3, attributes: { label: 'x' } });
    expect(two!.metric).toBe(one!.metric);
    expect(none).toEqual([]);
    expect([...buffer.retrieveUpdates()]).toEqual([]);

    const h = await harness(options);
    await h.run(() => h.execute('failing').catch(() => undefined));
    const updates = [...buffer.retrieveUpdates()];
    const latency = updates.find(({ metric }) => metric.name === 'temporal_workflow_endtoend_latency')!;
    expect(latency).toMatchObject({
      metric: { unit: 's', valueType: 'float' },
      attributes: { workflow_type: 'failing' },
    });
    expect(latency.value).toBeLessThan(60);
  });

  it('drops what is beyond its size, says so once, and belongs to one runtime', async () => {
    const buffer = new MetricsBuffer({ maxBufferSize: 2 });
    const errors: string[] = [];
    const logger = new DefaultLogger('ERROR', ({ message }) => void errors.push(message));
    const runtime = Runtime.install({
      logger,
      shutdownSignals: [],
      telemetryOptions: { logging: { forward: {} }, metrics: { buffer } },
    });
    const counter = runtime.metricMeter.createCounter('c');
    for (let i = 0; i < 4; i++) counter.add(i);
    expect(errors).toEqual(['The metrics buffer is full: updates are dropped. Call retrieveUpdates more often']);
    await runtime.shutdown();
    // What was measured before is not lost with its runtime.
    expect([...buffer.retrieveUpdates()].map(({ value }) => value)).toEqual([0, 1]);
    expect(() => install({ buffer, globalTags: { a: 'b' } })).toThrow(/telemetryOptions.metrics.globalTags/);
    expect(() => install({ buffer, prometheus: { bindAddress: '127.0.0.1:0' } })).toThrow(/prometheus and buffer/);
  });
});

describe('the OpenTelemetry exporter', () => {
  const has = (body: Buffer, ...texts: string[]): boolean => texts.every((text) => body.includes(text));
  const wanted = ['temporal_workflow_completed', 'workflow_type', 'temporal_request_latency', 'my_tag'];

  it('pushes over HTTP', async () => {
    const bodies: Buffer[] = [];
    let seen: IncomingMessage | undefined;
    const collector = createHttpServer((request, response) => {
      seen = request;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        response.writeHead(200).end();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => collector.once('listening', resolve));
    const { port } = collector.address() as AddressInfo;
    install({
      globalTags: { my_tag: 'x' },
      otel: {
        url: `http://127.0.0.1:${port}/v1/metrics`,
        http: true,
        headers: { 'x-test-header': 'test-value' },
        metricsExportInterval: 100,
      },
    });
    const h = await harness(options);
    await h.run(async () => {
      await h.execute('working');
      await eventually(() => bodies.some((body) => has(body, ...wanted)));
    });
    expect([seen!.url, seen!.headers['x-test-header']]).toEqual(['/v1/metrics', 'test-value']);
    await Runtime._instance?.shutdown();
    collector.closeAllConnections();
    collector.close();
  });

  it('pushes over gRPC, and refuses a URL that is none', async () => {
    const bodies: Buffer[] = [];
    let headers: Record<string, unknown> = {};
    const collector = createHttp2Server();
    collector.on('stream', (stream, received) => {
      headers = received;
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        // An empty message.
        stream.end(Buffer.alloc(5));
      });
    });
    collector.listen(0, '127.0.0.1');
    await new Promise((resolve) => collector.once('listening', resolve));
    const { port } = collector.address() as AddressInfo;
    expect(() => install({ otel: { url: ':invalid' } })).toThrow(/metricsExporter.otel.url/);
    install({
      globalTags: { my_tag: 'x' },
      otel: {
        url: `grpc://127.0.0.1:${port}`,
        headers: { 'x-test-header': 'test-value' },
        metricsExportInterval: 100,
        temporality: 'delta',
      },
    });
    Runtime.instance().metricMeter.createCounter(`counter-${randomUUID()}`).add(1);
    const h = await harness(options);
    await h.run(async () => {
      await h.execute('working');
      await eventually(() => bodies.some((body) => has(body, ...wanted)));
    });
    expect(headers).toMatchObject({
      ':path': '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
      'x-test-header': 'test-value',
    });
    await Runtime._instance?.shutdown();
    collector.close();
  });
});
