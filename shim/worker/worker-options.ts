/** The worker's options, name for name Temporal's. What is not honoured is refused in `compiled-options.ts`. */
import type { DataConverter, VersioningBehavior, WorkerDeploymentVersion } from '@temporalio/common';
import type { Duration } from '@temporalio/common/lib/time';
import type { WorkflowInfo } from '@temporalio/workflow';
import type { EffectsJournalOptions } from './activity/effects-journal';
import type { BundleOptions, WorkflowBundleWithSourceMap } from './bundler/options';
import type { NativeConnection } from './connection';
import type { WorkerInterceptors } from './interceptors';
import type { InjectedSinks } from './sinks';
import type { Worker } from './worker';
import type { WorkerTuner } from './worker-tuner';

/** Options of {@link Worker.create}. */
export interface WorkerOptions {
  /** Default: a connection of its own, made with the environment's database (`DATABASE_URL`, `PG*`) and closed with the worker. */
  connection?: NativeConnection;
  /** How this worker is named in histories. Default: `<pid>@<hostname>`. */
  identity?: string;
  /** Written as the binary checksum of workflow tasks. Default: package, version and a hash of the bundle. */
  buildId?: string;
  /** Only `false` is supported: build ids without a deployment are the older API. */
  useVersioning?: boolean;
  /** The version of this worker, and whether it gets only that version's work (docs/versioning.md). */
  workerDeploymentOptions?: WorkerDeploymentOptions;
  /** Default: `default`. */
  namespace?: string;
  taskQueue: string;
  /** Activity functions by name; other properties are passed over. */
  activities?: object;
  /** Decides, outside of the isolate, whether a patch met for the first time becomes active. Must be synchronous and quick. */
  patchActivationCallback?: PatchActivationCallback;
  /** Not supported. */
  nexusServices?: object[];
  /** Module whose exported functions are the workflows; bundled at creation. */
  workflowsPath?: string;
  /** A bundle made before; `workflowsPath`, `bundlerOptions` and workflow interceptors then count for nothing. */
  workflowBundle?: WorkflowBundleOption;
  /** How long running activities may go on before they are cancelled on shutdown. Default: 0. */
  shutdownGraceTime?: Duration;
  /** After this, shutdown fails with GracefulShutdownPeriodExpiredError. Default: none. */
  shutdownForceTime?: Duration;
  dataConverter?: DataConverter;
  /** Slots of fixed size; excludes `maxConcurrent…Executions`. */
  tuner?: WorkerTuner;
  /** Default: 100. */
  maxConcurrentActivityTaskExecutions?: number;
  /** Default: 100. */
  maxConcurrentLocalActivityExecutions?: number;
  /** Meaningless without Nexus services; accepted. */
  maxConcurrentNexusTaskExecutions?: number;
  /** Poll for (non-local) activities. Default: true. */
  enableNonLocalActivities?: boolean;
  /** Accepted: sizes are judged by the service alone. */
  disablePayloadErrorLimit?: boolean;
  /** Most activities started per second by this worker. */
  maxActivitiesPerSecond?: number;
  /** Most activities started per second over the whole task queue. */
  maxTaskQueueActivitiesPerSecond?: number;
  /** Accepted: activities are handed over directly when this worker can take them. */
  maxEagerActivityReservationsPerWorkflowTask?: number;
  /** Default: 40. */
  maxConcurrentWorkflowTaskExecutions?: number;
  /** Part of the workflow polls for new runs, the rest waits for cached ones. Counts when polls are limited. Default: 0.2. */
  nonStickyToStickyPollRatio?: number;
  /** Default: as many as executions, as polls in the process cost nothing. */
  maxConcurrentWorkflowTaskPolls?: number;
  /** Default: as many as executions. */
  maxConcurrentActivityTaskPolls?: number;
  /** Meaningless without Nexus services; accepted. */
  maxConcurrentNexusTaskPolls?: number;
  workflowTaskPollerBehavior?: PollerBehavior;
  activityTaskPollerBehavior?: PollerBehavior;
  nexusTaskPollerBehavior?: PollerBehavior;
  /** How long a task waits for the worker that has the run cached. Default: 10 s. */
  stickyQueueScheduleToStartTimeout?: Duration;
  /** Most runs kept in memory; 0 keeps none. Default: 600 per GB of heap above 200 MB. */
  maxCachedWorkflows?: number;
  /** Branchline's own: most bytes that cached runs may hold, as measured in the isolates. Default: a quarter of the heap limit. */
  maxCachedWorkflowBytes?: number;
  /**
   * Branchline's own: a file in which each attempt of an activity is noted before it runs, outside of the database, for `branchline restore check` after a point-in-time restore
   * (docs/restore.md). Default: none.
   */
  effectsJournal?: EffectsJournalOptions;
  /** Worker threads that run workflow code. Default: 1, or 2 without `reuseV8Context`. */
  workflowThreadPoolSize?: number;
  /** Default: 60 s. */
  maxHeartbeatThrottleInterval?: Duration;
  /** Used when an activity has no heartbeat timeout. Default: 30 s. */
  defaultHeartbeatThrottleInterval?: Duration;
  interceptors?: WorkerInterceptors;
  plugins?: WorkerPlugin[];
  /** Functions that workflow code calls through `proxySinks`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each sink has its own argument types
  sinks?: InjectedSinks<any>;
  /** Per workflow type (or `*`): names of errors that fail the workflow instead of its task. */
  workflowFailureErrorTypes?: Record<
    '*' | (string & {}),
    ('NondeterminismError' | 'DeterminismViolationError' | 'Error' | (string & {}))[]
  >;
  /** @deprecated Ignored by Temporal as well. */
  enableSDKTracing?: boolean;
  /** Send sources with enhanced stack traces. Default: false. */
  showStackTraceSources?: boolean;
  /** Run workflows in the main thread, for debuggers, with no limit on their time. Default: `TEMPORAL_DEBUG`. */
  debugMode?: boolean;
  /** Share one V8 context per thread among workflows. Default: true. */
  reuseV8Context?: boolean;
  bundlerOptions?: Pick<BundleOptions, 'webpackConfigHook' | 'ignoreModules' | 'preloadModules'>;
}

export type { EffectsJournalOptions };

export type PollerBehavior = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling;

export interface PollerBehaviorSimpleMaximum {
  type: 'simple-maximum';
  maximum?: number;
}

/** The maximum is honoured at once: a waiting poll in the process costs nothing, so there is nothing to scale. */
export interface PollerBehaviorAutoscaling {
  type: 'autoscaling';
  minimum?: number;
  maximum?: number;
  initial?: number;
}

export type WorkerDeploymentOptions = {
  version: WorkerDeploymentVersion;
  useWorkerVersioning: boolean;
  defaultVersioningBehavior?: VersioningBehavior | undefined;
} & (
  | { useWorkerVersioning: true; defaultVersioningBehavior: VersioningBehavior }
  | { useWorkerVersioning: false; defaultVersioningBehavior?: never }
);

/** Options of {@link Worker.runReplayHistories}: those of a worker that concern workflow code. */
export interface ReplayWorkerOptions extends Pick<
  WorkerOptions,
  | 'identity'
  | 'buildId'
  | 'workerDeploymentOptions'
  | 'workflowsPath'
  | 'workflowBundle'
  | 'shutdownGraceTime'
  | 'shutdownForceTime'
  | 'dataConverter'
  | 'disablePayloadErrorLimit'
  | 'workflowThreadPoolSize'
  | 'maxCachedWorkflowBytes'
  | 'interceptors'
  | 'plugins'
  | 'sinks'
  | 'workflowFailureErrorTypes'
  | 'enableSDKTracing'
  | 'showStackTraceSources'
  | 'reuseV8Context'
  | 'bundlerOptions'
> {
  /** Part of the task queue's name that workflow code sees. Default: `fake_replay_queue`. */
  replayName?: string;
}

export interface PatchActivationInput {
  readonly workflowInfo: Readonly<WorkflowInfo>;
  readonly patchId: string;
}

export type PatchActivationCallback = (input: PatchActivationInput) => boolean;

export interface WorkflowBundlePath {
  codePath: string;
}

/** @deprecated The map is no longer used. */
export interface WorkflowBundlePathWithSourceMap {
  codePath: string;
  sourceMapPath: string;
}

export interface WorkflowBundle {
  code: string;
}

export type WorkflowBundleOption =
  WorkflowBundle | WorkflowBundleWithSourceMap | WorkflowBundlePath | WorkflowBundlePathWithSourceMap;

/** Changes options and wraps `run`. */
export interface WorkerPlugin {
  get name(): string;
  configureWorker?(options: WorkerOptions): WorkerOptions | Promise<WorkerOptions>;
  configureReplayWorker?(options: ReplayWorkerOptions): ReplayWorkerOptions | Promise<ReplayWorkerOptions>;
  runWorker?(worker: Worker, next: (w: Worker) => Promise<void>): Promise<void>;
}
