/** From what the user gave to what the worker uses: defaults, checks, and refusals by name. */
import * as os from 'node:os';
import * as v8 from 'node:v8';
import {
  noopMetricMeter,
  type ActivityFunction,
  type LoadedDataConverter,
  type Logger,
  type MetricMeter,
} from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow';
import { throwIfReservedName } from '@temporalio/common/lib/reserved';
import { msOptionalToNumber, msToNumber, type Duration } from '@temporalio/common/lib/time';
import { BranchlineOptionError } from '../common/errors';
import { checkDeploymentOptions } from './deployment';
import type { CompiledWorkerInterceptors } from './interceptors';
import { loggerSink, metricSink, type InjectedSinks } from './sinks';
import type { PollerBehavior, WorkerOptions } from './worker-options';
import { slotLimits, type SlotLimits } from './worker-tuner';

/** {@link WorkerOptions} with defaults in place and times in ms. */
export interface CompiledWorkerOptions extends Omit<
  WorkerOptions,
  'interceptors' | 'activities' | 'sinks' | 'tuner' | 'nexusServices'
> {
  namespace: string;
  identity: string;
  interceptors: CompiledWorkerInterceptors;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each sink has its own argument types
  sinks: InjectedSinks<any>;
  activities: Map<string, ActivityFunction>;
  enableNonLocalActivities: boolean;
  loadedDataConverter: LoadedDataConverter;
  slots: SlotLimits;
  polls: { workflowTasks: { normal: number; sticky: number }; activities: number };
  maxCachedWorkflows: number;
  maxCachedWorkflowBytes: number;
  workflowThreadPoolSize: number;
  reuseV8Context: boolean;
  debugMode: boolean;
  showStackTraceSources: boolean;
  shutdownGraceTimeMs: number;
  shutdownForceTimeMs: number | undefined;
  stickyQueueScheduleToStartTimeoutMs: number;
  maxHeartbeatThrottleIntervalMs: number;
  defaultHeartbeatThrottleIntervalMs: number;
  /** Time a workflow's code may take in one go. */
  isolateExecutionTimeoutMs: number;
}

const MiB = 1024 ** 2;

function refuseUnsupported(options: WorkerOptions): void {
  const refuse = (option: string, advice: string): never => {
    throw new BranchlineOptionError(option, advice);
  };
  if (options.useVersioning === true) refuse('useVersioning', 'remove it; use workerDeploymentOptions.');
  if (options.nexusServices !== undefined && options.nexusServices.length > 0) {
    refuse('nexusServices', 'remove it; call the operation from an activity.');
  }
}

function checkJournal(journal: unknown): void {
  if (journal === undefined) return;
  const { file, sync } = (journal ?? {}) as { file?: unknown; sync?: unknown };
  if (typeof file !== 'string' || file === '' || (sync !== undefined && typeof sync !== 'boolean')) {
    throw new TypeError('effectsJournal must be { file: <path>, sync?: boolean }');
  }
}

function positive(name: string, value: number | undefined): number | undefined {
  if (value !== undefined && !(value >= 1)) throw new TypeError(`${name} must be at least 1, got ${value}`);
  return value;
}

function limitsOf(options: WorkerOptions): SlotLimits {
  if (options.tuner !== undefined) {
    for (const name of [
      'maxConcurrentActivityTaskExecutions',
      'maxConcurrentLocalActivityExecutions',
      'maxConcurrentWorkflowTaskExecutions',
    ] as const) {
      if (options[name] !== undefined) throw new TypeError(`Cannot set both tuner and ${name}`);
    }
    return slotLimits(options.tuner);
  }
  return {
    workflowTasks: positive('maxConcurrentWorkflowTaskExecutions', options.maxConcurrentWorkflowTaskExecutions) ?? 40,
    activities: positive('maxConcurrentActivityTaskExecutions', options.maxConcurrentActivityTaskExecutions) ?? 100,
    localActivities:
      positive('maxConcurrentLocalActivityExecutions', options.maxConcurrentLocalActivityExecutions) ?? 100,
  };
}

/** How many polls the user asked for; undefined when they left it to the worker. */
function pollsAsked(name: string, count: number | undefined, behavior: PollerBehavior | undefined): number | undefined {
  if (behavior === undefined) return positive(name, count);
  if (behavior.type === 'autoscaling') return positive(`${name} (autoscaling maximum)`, behavior.maximum) ?? 100;
  if (behavior.type !== 'simple-maximum') {
    throw new Error(`Unknown poller behavior type: ${(behavior as { type: string }).type}`);
  }
  return positive(name, behavior.maximum ?? count);
}

function workflowPolls(options: WorkerOptions, slots: number): { normal: number; sticky: number } {
  const asked = pollsAsked(
    'maxConcurrentWorkflowTaskPolls',
    options.maxConcurrentWorkflowTaskPolls,
    options.workflowTaskPollerBehavior,
  );
  if (asked === undefined) return { normal: slots, sticky: slots };
  const normal = Math.max(1, Math.round(asked * (options.nonStickyToStickyPollRatio ?? 0.2)));
  return { normal, sticky: Math.max(1, asked - normal) };
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && ['1', 't', 'true'].includes(variable.toLowerCase());
}

function defaultCacheSize(reuseV8Context: boolean): number {
  const heapMiB = v8.getHeapStatistics().heap_size_limit / MiB;
  const [reserved, perGiB] = reuseV8Context ? [200, 600] : [400, 250];
  return Math.max(Math.floor((Math.max(heapMiB - reserved, 0) * perGiB) / 1024), 10);
}

/** @throws BranchlineOptionError naming what is not supported; TypeError for values that make no sense */
export function compileWorkerOptions(
  options: WorkerOptions,
  logger: Logger,
  metricMeter: MetricMeter = noopMetricMeter,
): CompiledWorkerOptions {
  refuseUnsupported(options);
  checkDeploymentOptions(options.workerDeploymentOptions);
  checkJournal(options.effectsJournal);
  for (const sink of Object.keys(options.sinks ?? {})) throwIfReservedName('sink', sink);
  const eager = options.maxEagerActivityReservationsPerWorkflowTask;
  if (eager !== undefined && (!Number.isSafeInteger(eager) || eager < 0)) {
    throw new TypeError('maxEagerActivityReservationsPerWorkflowTask must be a non-negative integer');
  }
  const reuseV8Context = options.reuseV8Context ?? true;
  const debugMode = options.debugMode === true || isSet(process.env.TEMPORAL_DEBUG);
  let maxCachedWorkflows = options.maxCachedWorkflows ?? defaultCacheSize(reuseV8Context);
  if (maxCachedWorkflows !== 0 && maxCachedWorkflows < 2) {
    logger.warn('maxCachedWorkflows must be either 0 (ie. cache is disabled) or greater than 1. Defaulting to 2.');
    maxCachedWorkflows = 2;
  }
  const slots = limitsOf(options);
  if (maxCachedWorkflows > 0 && options.tuner === undefined) {
    if (slots.workflowTasks > maxCachedWorkflows) {
      if (options.maxConcurrentWorkflowTaskExecutions !== undefined) {
        logger.warn(
          "maxConcurrentWorkflowTaskExecutions can't exceed maxCachedWorkflows (unless cache is disabled). Defaulting to maxCachedWorkflows.",
        );
      }
      slots.workflowTasks = maxCachedWorkflows;
    }
    if (slots.workflowTasks < 2) {
      logger.warn(
        "maxConcurrentWorkflowTaskExecutions can't be lower than 2 if maxCachedWorkflows is non-zero. Defaulting to 2.",
      );
      slots.workflowTasks = 2;
    }
  }
  const activities = new Map<string, ActivityFunction>();
  for (const [name, fn] of Object.entries(options.activities ?? {})) {
    if (typeof fn !== 'function') continue;
    throwIfReservedName('activity', name);
    activities.set(name, fn as ActivityFunction);
  }
  const interceptors = options.interceptors ?? {};
  const userSinks = options.sinks;
  const time = (value: Duration | undefined, otherwise: Duration): number => msToNumber(value ?? otherwise);
  return {
    ...options,
    namespace: options.namespace ?? 'default',
    identity: options.identity ?? `${process.pid}@${os.hostname()}`,
    useVersioning: false,
    interceptors: {
      client: {
        workflow: interceptors.client?.workflow ?? [],
        schedule: interceptors.client?.schedule ?? [],
      },
      activity: [
        ...(interceptors.activityInbound ?? []).map(
          (factory): CompiledWorkerInterceptors['activity'][number] =>
            (ctx) => ({ inbound: factory(ctx) }),
        ),
        ...(interceptors.activity ?? []),
      ],
      workflowModules: interceptors.workflowModules ?? [],
    },
    sinks: {
      ...loggerSink(logger),
      ...metricSink(metricMeter),
      ...(userSinks?.defaultWorkerLogger ? { __temporal_logger: userSinks.defaultWorkerLogger } : {}),
      ...userSinks,
    },
    activities,
    enableNonLocalActivities: (options.enableNonLocalActivities ?? true) && activities.size > 0,
    loadedDataConverter: loadDataConverter(options.dataConverter),
    slots,
    polls: {
      workflowTasks: workflowPolls(options, slots.workflowTasks),
      activities: Math.min(
        slots.activities,
        pollsAsked(
          'maxConcurrentActivityTaskPolls',
          options.maxConcurrentActivityTaskPolls,
          options.activityTaskPollerBehavior,
        ) ?? slots.activities,
      ),
    },
    maxCachedWorkflows,
    maxCachedWorkflowBytes: options.maxCachedWorkflowBytes ?? v8.getHeapStatistics().heap_size_limit / 4,
    workflowThreadPoolSize: options.workflowThreadPoolSize ?? (reuseV8Context ? 1 : 2),
    reuseV8Context,
    debugMode,
    showStackTraceSources: options.showStackTraceSources ?? false,
    shutdownGraceTimeMs: time(options.shutdownGraceTime, 0),
    shutdownForceTimeMs: msOptionalToNumber(options.shutdownForceTime),
    stickyQueueScheduleToStartTimeoutMs: time(options.stickyQueueScheduleToStartTimeout, '10s'),
    maxHeartbeatThrottleIntervalMs: time(options.maxHeartbeatThrottleInterval, '60s'),
    defaultHeartbeatThrottleIntervalMs: time(options.defaultHeartbeatThrottleInterval, '30s'),
    isolateExecutionTimeoutMs: debugMode ? 4294967295 : 5000,
  };
}
