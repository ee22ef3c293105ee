import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { WorkerOptions as TemporalWorkerOptions } from '@temporalio/worker';
import { compileWorkerOptions } from './compiled-options';
import { DefaultLogger } from './logger';
import { compileRuntimeOptions, makeTelemetryFilterString } from './runtime-options';
import type { WorkerOptions } from './worker-options';

const logger = new DefaultLogger('ERROR');
const compile = (options: Partial<WorkerOptions>) => compileWorkerOptions({ taskQueue: 'q', ...options }, logger);

/** Each option of Temporal's worker exists here with a type that accepts what users give. */
type Missing = Exclude<keyof TemporalWorkerOptions, keyof WorkerOptions>;
const nothingMissing: [Missing] extends [never] ? true : Missing = true;
type Narrower = {
  [
    K in Exclude<keyof TemporalWorkerOptions, 'connection' | 'tuner' | 'plugins' | 'interceptors' | 'bundlerOptions'>
  ]: TemporalWorkerOptions[K] extends WorkerOptions[K & keyof WorkerOptions] ? never : K;
}[Exclude<keyof TemporalWorkerOptions, 'connection' | 'tuner' | 'plugins' | 'interceptors' | 'bundlerOptions'>];
const nothingNarrower: [Exclude<Narrower, undefined>] extends [never] ? true : Narrower = true;

const listed = (
  JSON.parse(readFileSync(join(__dirname, '../../compatibility.json'), 'utf8')) as {
    options: Record<string, Record<string, { status: string; sentence?: string }>>;
  }
).options.WorkerOptions!;

const refused: [string, Partial<WorkerOptions>][] = [
  ['useVersioning', { useVersioning: true, buildId: '1' }],
  ['nexusServices', { nexusServices: [{}] }],
  ['tuner.tunerOptions', { tuner: { tunerOptions: { targetCpuUsage: 0.5, targetMemoryUsage: 0.5 } } }],
];

describe('worker options', () => {
  it("are Temporal's by name and type", () => {
    expect([nothingMissing, nothingNarrower]).toEqual([true, true]);
  });

  it('may hold Nexus interceptors, as plugins bring some along', () => {
    expect(() => compile({ interceptors: { nexus: [() => ({})] } })).not.toThrow();
  });

  it("default to Temporal's values", () => {
    expect(compile({})).toMatchObject({
      namespace: 'default',
      shutdownGraceTimeMs: 0,
      shutdownForceTimeMs: undefined,
      stickyQueueScheduleToStartTimeoutMs: 10_000,
      maxHeartbeatThrottleIntervalMs: 60_000,
      defaultHeartbeatThrottleIntervalMs: 30_000,
      isolateExecutionTimeoutMs: 5000,
      workflowThreadPoolSize: 1,
      reuseV8Context: true,
      slots: { workflowTasks: 40, activities: 100, localActivities: 100 },
      enableNonLocalActivities: false,
    });
    expect(compile({ reuseV8Context: false }).workflowThreadPoolSize).toBe(2);
  });

  it.each(refused)('refuse %s by name, as compatibility.json says', (option, options) => {
    expect(() => compile(options)).toThrow(
      expect.objectContaining({
        name: 'BranchlineOptionError',
        code: 'BRANCHLINE_UNSUPPORTED_OPTION',
        option,
        message: `Option '${option}' is not supported by Branchline: ${listed[option]?.sentence}`,
      }) as Error,
    );
  });

  it('that compatibility.json lists as refused are', () => {
    const names = Object.keys(listed).filter((name) => listed[name]!.status === 'refused');
    expect(names.sort()).toEqual(refused.map(([name]) => name).sort());
  });

  it('take slots from a tuner of fixed sizes, and not beside limits', () => {
    const size = (numSlots: number) => ({ type: 'fixed-size', numSlots }) as const;
    const tuner = {
      workflowTaskSlotSupplier: size(7),
      activityTaskSlotSupplier: size(8),
      localActivityTaskSlotSupplier: size(9),
      nexusTaskSlotSupplier: size(1),
    };
    expect(compile({ tuner }).slots).toEqual({ workflowTasks: 7, activities: 8, localActivities: 9 });
    expect(() => compile({ tuner, maxConcurrentActivityTaskExecutions: 3 })).toThrow(
      'Cannot set both tuner and maxConcurrentActivityTaskExecutions',
    );
  });

  it('split limited polls between new and cached runs', () => {
    expect(compile({ maxConcurrentWorkflowTaskPolls: 10 }).polls.workflowTasks).toEqual({ normal: 2, sticky: 8 });
    expect(
      compile({ workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 }, nonStickyToStickyPollRatio: 0.5 })
        .polls.workflowTasks,
    ).toEqual({ normal: 2, sticky: 2 });
    expect(compile({ maxConcurrentActivityTaskExecutions: 5 }).polls.activities).toBe(5);
  });

  it('take functions of instances and objects as activities, and refuse reserved names', () => {
    class Activities {
      greet = () => 'hello';
      count = 3;
    }
    expect([...compile({ activities: new Activities() }).activities.keys()]).toEqual(['greet']);
    expect(() => compile({ activities: { __temporal_x: () => 1 } })).toThrow(/reserved|prefix/i);
  });

  it('warn about a cache of one and use two', () => {
    const warn = vi.spyOn(logger, 'warn').mockImplementation(() => undefined);
    expect(compile({ maxCachedWorkflows: 1 }).maxCachedWorkflows).toBe(2);
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
});

describe('runtime options', () => {
  it('complete those of a metrics exporter, and refuse what it cannot honour by name', () => {
    const compile = (metrics: object) =>
      compileRuntimeOptions({ telemetryOptions: { metrics: metrics as never } }).metrics!;
    const prometheus = { bindAddress: '[::1]:9090' };
    expect(compile({ prometheus })).toMatchObject({
      ...{ metricPrefix: 'temporal_', attachServiceName: true },
      exporter: { type: 'prometheus', options: { host: '::1', port: 9090, unitSuffix: false, globalTags: {} } },
    });
    expect(compile({ otel: { url: 'grpc://collector:4317' } }).exporter).toMatchObject({
      ...{ type: 'otel', options: { http: false, exportIntervalMs: 1000, temporality: 'cumulative' } },
    });
    const refused = (option: string): unknown => expect.objectContaining({ option: `telemetryOptions.${option}` });
    expect(() => compile({})).toThrow(refused('metrics') as Error);
    expect(() => compile({ prometheus, temporality: 'delta' })).toThrow(refused('metrics.temporality') as Error);
    const histogramBucketOverrides = { request_latency: [2, 1] };
    expect(() => compile({ prometheus: { ...prometheus, histogramBucketOverrides } })).toThrow('must rise');
  });

  it('send what the engine logs where they say, from the level they say', () => {
    const lines: string[] = [];
    const logger = new DefaultLogger('TRACE', ({ level, message }) => void lines.push(`${level} ${message}`));
    const filter = makeTelemetryFilterString({ core: 'INFO', other: 'WARN' });
    const { coreLogger } = compileRuntimeOptions({ logger, telemetryOptions: { logging: { filter, forward: {} } } });
    coreLogger.debug('no');
    coreLogger.info('yes');
    expect(lines).toEqual(['INFO yes']);
  });
});
