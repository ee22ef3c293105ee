/** Options that are not honoured are refused by name; values that make no sense too. */
import { describe, expect, it } from 'vitest';
import { BranchlineOptionError } from '../../shim/common/errors';
import { Connection, ServiceError } from '../../shim/client';
import { NativeConnection, Worker } from '../../shim/worker';
import type { WorkerOptions } from '../../shim/worker/worker-options';
import { testClient } from '../support/connection';
import { bench, errorOf, make, taskFailure } from './bench';

const url = 'postgres://localhost/app';
const worker = (options: object): Promise<unknown> =>
  Worker.create({ taskQueue: 'q', activities: { a: () => 1 }, ...options } as WorkerOptions);

describe('not supported', () => {
  it.each([
    ['tls', { tls: true }],
    ['apiKey', { apiKey: 'secret' }],
    ['credentials', { credentials: {} }],
    ['callCredentials', { callCredentials: [{}] }],
    ['channelArgs', { channelArgs: { 'grpc.keepalive_time_ms': 1 } }],
    ['interceptors', { interceptors: [() => undefined] }],
  ])('%s of a connection', async (option, options) => {
    const error = await errorOf(Connection.connect({ url, ...options } as object));
    expect(error).toBeInstanceOf(BranchlineOptionError);
    expect(error).toMatchObject({ code: 'BRANCHLINE_UNSUPPORTED_OPTION', option });
    expect(error.message).not.toContain('secret');
  });

  it.each([
    ['tls', { tls: {} }],
    ['apiKey', { apiKey: 'secret' }],
    ['proxy', { proxy: { type: 'http-connect', targetHost: 'localhost:1' } }],
    ['dnsLoadBalancingConfig', { dnsLoadBalancingConfig: { resolutionInterval: '1s' } }],
    ['grpcCompression', { grpcCompression: { codec: 'gzip' } }],
    ['payloadLimits', { payloadLimits: { payloadsWarnSize: 1 } }],
  ])("%s of a worker's connection", async (option, options) => {
    const error = await errorOf(NativeConnection.connect({ url, ...options } as object));
    expect(error).toBeInstanceOf(BranchlineOptionError);
    expect(error).toMatchObject({ option });
  });

  it.each([
    ['useVersioning', { useVersioning: true, buildId: '1' }],
    ['nexusServices', { nexusServices: [{}] }],
    ['tuner.tunerOptions', { tuner: { tunerOptions: { targetMemoryUsage: 0.5, targetCpuUsage: 0.5 } } }],
  ])('%s of a worker', async (option, options) => {
    const error = await errorOf(worker(options));
    expect(error).toBeInstanceOf(BranchlineOptionError);
    expect(error).toMatchObject({ option });
  });
});

describe('not answered', () => {
  it('calls and options of a client: UNIMPLEMENTED, and what to do', async () => {
    const { client, queue } = await testClient();
    const activity = await errorOf(
      client.activity.start('a', { id: 'a', taskQueue: queue, startToCloseTimeout: '1s' }),
    );
    expect(activity).toBeInstanceOf(ServiceError);
    expect(activity.cause).toMatchObject({ code: 12, details: expect.stringContaining('start them from a workflow') });
  });

  it('Nexus operations: fail the workflow task by name', async () => {
    const { run } = await bench();
    await run(async (h) => {
      const handle = await make(h, 'a Nexus operation');
      expect((await taskFailure(handle)).failure?.message).toContain('no Nexus operations');
      await handle.terminate();
    });
  });
});

describe('makes no sense', () => {
  it.each([
    [{ taskQueue: '' }, 'Task queue name is required'],
    [{ taskQueue: '__temporal_x' }, 'reserved prefix'],
    [{ activities: { __temporal_x: () => 1 } }, 'reserved prefix'],
    [{ activities: {} }, 'nothing to do'],
    [{ maxConcurrentActivityTaskExecutions: 0 }, 'maxConcurrentActivityTaskExecutions must be at least 1'],
    [{ maxConcurrentWorkflowTaskExecutions: -1 }, 'maxConcurrentWorkflowTaskExecutions must be at least 1'],
    [
      {
        workerDeploymentOptions: {
          useWorkerVersioning: true,
          version: { buildId: '1', deploymentName: 'd' },
        } as never,
      },
      'Unknown versioning behavior: undefined',
    ],
    [{ shutdownGraceTime: 'soon' }, "Invalid duration string: 'soon'"],
  ])('%o of a worker', async (options, message) => {
    const error = await errorOf(worker(options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(message);
  });
});
