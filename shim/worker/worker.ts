/** The worker: polls a task queue and runs its workflows and activities, without Temporal's native library. */
import { Client } from '@temporalio/client';
import { IllegalStateError } from '@temporalio/common';
import { throwIfReservedName } from '@temporalio/common/lib/reserved';
import { ActivityRunner } from './activity/activity-runner';
import { EffectsJournal } from './activity/effects-journal';
import { JournaledExecutor } from './activity/journaled-executor';
import { ActivityWorker } from './activity/activity-worker';
import { NativeConnection, rpcOf } from './connection';
import { GracefulShutdownPeriodExpiredError, TransportError } from './errors';
import { Gauge, type Observable } from './gauge';
import type { WorkflowHost } from './isolate/types';
import type { CompiledWorkerOptions } from './compiled-options';
import { wireDeploymentOptions } from './deployment';
import { callWithRetry, type Rpc } from './polling/rpc';
import { replayHistories } from './replay';
import { type ReplayHistoriesIterable, type ReplayResult } from './replay-errors';
import { runUntil, type RunUntilOptions } from './run-until';
import { Runtime, type History } from './runtime';
import { startIsolates } from './start-isolates';
import type { PollerState, State, WorkerStatus } from './state';
import type { ReplayWorkerOptions, WorkerOptions, WorkerPlugin } from './worker-options';
import { coreRunOptions, isolateParts, prepareWorker, type WorkerParts } from './worker-parts';
import { isolateExecutors } from './workflow/run-isolate';
import { WorkflowWorker } from './workflow/workflow-worker';

export type { State, WorkerStatus };

/** Without work in hand nothing else keeps the process alive: waiting polls hold no handle. */
const keepAliveMs = 60 * 60 * 1000;

/** The service that a worker calls; it changes when the worker's connection is replaced. */
class CurrentRpc implements Rpc {
  constructor(public connection: NativeConnection) {}

  call(...args: Parameters<Rpc['call']>): Promise<object> {
    return rpcOf(this.connection).call(...args);
  }

  get transactions(): Rpc['transactions'] {
    return rpcOf(this.connection).transactions;
  }
}

export class Worker {
  private static replayWorkers = 0;

  readonly options: CompiledWorkerOptions;
  private currentState: State = 'INITIALIZED';
  private readonly workflowWorker: WorkflowWorker | undefined;
  private readonly activityWorker: ActivityWorker | undefined;
  private readonly heartbeating: Gauge;
  private readonly allActivities: Gauge;
  private workflowPollerState: PollerState = 'POLLING';
  private activityPollerState: PollerState = 'POLLING';
  private lazyClient: Client | undefined;
  private fatalError: { error: unknown } | undefined;
  /** Ends `run` at once with an error. */
  private terminate: ((error: unknown) => void) | undefined;
  private draining: Promise<unknown> | undefined;
  private stopRequested!: () => void;
  private readonly stopping = new Promise<void>((resolve) => {
    this.stopRequested = resolve;
  });
  private forceTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly parts: WorkerParts,
    private readonly rpc: CurrentRpc,
    private readonly plugins: WorkerPlugin[],
    private ownsConnection: boolean,
    host: WorkflowHost | undefined,
    private readonly journal: EffectsJournal | undefined,
  ) {
    const { options, buildId, logger, coreLogger, metricMeter, metrics } = parts;
    this.options = options;
    const onFatal = (error: unknown): void => {
      const message = error instanceof Error ? error.message : String(error);
      this.fail(Object.assign(new TransportError(`Failed to poll: ${message}`), { cause: error }));
    };
    const runner = new ActivityRunner({
      namespace: options.namespace,
      taskQueue: options.taskQueue,
      activities: options.activities,
      dataConverter: options.loadedDataConverter,
      interceptors: options.interceptors.activity,
      logger,
      metricMeter,
      client: () => this.client,
      transactions: { rpc, identity: options.identity },
    });
    const { namespace, loadedDataConverter: dataConverter } = options;
    const executor =
      journal === undefined ? runner : new JournaledExecutor(runner, journal, { namespace, dataConverter });
    if (host !== undefined) {
      this.workflowWorker = new WorkflowWorker({
        options,
        buildId,
        rpc,
        executors: isolateExecutors(isolateParts(parts, host, false)),
        core: coreRunOptions(parts),
        metrics,
        activityExecutor: executor,
        coreLogger,
        onFatal,
      });
    }
    if (options.enableNonLocalActivities) {
      this.activityWorker = new ActivityWorker({
        options,
        buildId,
        rpc,
        executor,
        metrics,
        deploymentOptions: wireDeploymentOptions(options.workerDeploymentOptions),
        logger,
        coreLogger,
        onFatal,
      });
    }
    const gauges = [this.activityWorker?.inFlight, this.workflowWorker?.localActivities.inFlight];
    this.allActivities = Gauge.sum(...gauges.filter((gauge) => gauge !== undefined));
    this.heartbeating = this.allActivities;
    metrics?.record('worker_start', 1);
  }

  /**
   * Make a worker: bundle its workflows, start its isolates, look up its namespace.
   * @throws TransportError when the namespace does not exist or the database cannot be reached;
   *   BranchlineOptionError naming an option that is not supported; TypeError for values that make no sense
   */
  static async create(options: WorkerOptions): Promise<Worker> {
    const plugins = [...(options.plugins ?? []), ...((options.connection?.plugins ?? []) as WorkerPlugin[])];
    options = { ...options, plugins };
    for (const plugin of plugins) {
      if (plugin.configureWorker !== undefined) options = await plugin.configureWorker(options);
    }
    if (!options.taskQueue) throw new TypeError('Task queue name is required');
    throwIfReservedName('task queue', options.taskQueue);
    const runtime = Runtime.instance();
    const registration = {};
    runtime.register(registration);
    let host: WorkflowHost | undefined;
    let ownConnection: NativeConnection | undefined;
    let journal: EffectsJournal | undefined;
    try {
      const parts = await prepareWorker(runtime, options);
      if (parts.bundle === undefined && !parts.options.enableNonLocalActivities) {
        throw new TypeError('The worker has nothing to do: give it workflowsPath, workflowBundle or activities');
      }
      const connection = options.connection ?? (ownConnection = await NativeConnection.connect());
      const rpc = new CurrentRpc(connection);
      await checkNamespace(rpc, parts.options.namespace);
      const made: { worker?: Worker; crash?: Error } = {};
      host = await startIsolates(parts, {
        onThreadLost: (runIds, error) => made.worker?.workflowWorker?.threadLost(runIds, error),
        onCrash: (error) => {
          if (made.worker === undefined) made.crash = error;
          else made.worker.fail(error);
        },
      });
      const { effectsJournal } = parts.options;
      if (effectsJournal !== undefined) journal = await EffectsJournal.open(effectsJournal);
      const worker = new this(parts, rpc, options.plugins ?? [], ownConnection !== undefined, host, journal);
      made.worker = worker;
      if (made.crash !== undefined) worker.fail(made.crash);
      connection.addHolder(worker);
      runtime.register(worker);
      return worker;
    } catch (error) {
      await host?.close();
      await journal?.close();
      await ownConnection?.close();
      throw error;
    } finally {
      await runtime.deregister(registration);
    }
  }

  /**
   * Replay one history.
   * @throws DeterminismViolationError when the workflow code does not fit it; ReplayError when it fails otherwise
   */
  static async runReplayHistory(
    options: ReplayWorkerOptions,
    history: History | unknown,
    workflowId?: string,
  ): Promise<void> {
    const replay = this.runReplayHistories(options, [
      { history: history as History, workflowId: workflowId ?? 'fake' },
    ]);
    const result = await replay.next();
    await replay.return?.();
    if (result.done) throw new IllegalStateError('Expected at least one replay result');
    if (result.value.error !== undefined) throw result.value.error;
  }

  /** Replay histories one after the other; gives what each came to. */
  static async *runReplayHistories(
    options: ReplayWorkerOptions,
    histories: ReplayHistoriesIterable,
  ): AsyncIterableIterator<ReplayResult> {
    for (const plugin of options.plugins ?? []) {
      if (plugin.configureReplayWorker !== undefined) options = await plugin.configureReplayWorker(options);
    }
    const taskQueue = `${options.replayName ?? 'fake_replay_queue'}-${this.replayWorkers++}`;
    const runtime = Runtime.instance();
    const registration = {};
    runtime.register(registration);
    try {
      const parts = await prepareWorker(runtime, { taskQueue, debugMode: true, ...options });
      if (parts.bundle === undefined) {
        throw new TypeError('ReplayWorkerOptions must contain workflowsPath or workflowBundle');
      }
      yield* replayHistories(parts, histories);
    } finally {
      await runtime.deregister(registration);
    }
  }

  /** Number of activations under way, and its changes. */
  get numInFlightActivations$(): Observable<number> {
    return this.workflowWorker?.activations ?? new Gauge();
  }

  /** Number of activities under way, local ones included, and its changes. */
  get numInFlightActivities$(): Observable<number> {
    return this.allActivities;
  }

  /** Number of runs in the cache, and its changes. */
  get numRunningWorkflowInstances$(): Observable<number> {
    return this.workflowWorker?.cachedRuns ?? new Gauge();
  }

  getState(): State {
    return this.currentState;
  }

  getStatus(): WorkerStatus {
    return {
      runState: this.currentState,
      workflowPollerState: this.workflowPollerState,
      activityPollerState: this.activityPollerState,
      hasOutstandingWorkflowPoll: this.workflowWorker?.hasOutstandingPoll ?? false,
      hasOutstandingActivityPoll: this.activityWorker?.hasOutstandingPoll ?? false,
      numInFlightWorkflowActivations: this.workflowWorker?.activations.value ?? 0,
      numInFlightActivities: this.allActivities.value,
      numInFlightNonLocalActivities: this.activityWorker?.inFlight.value ?? 0,
      numInFlightLocalActivities: this.workflowWorker?.localActivities.inFlight.value ?? 0,
      numCachedWorkflows: this.workflowWorker?.cachedRuns.value ?? 0,
      numHeartbeatingActivities: this.heartbeating.value,
    };
  }

  /** The client that activities get by `getClient()`. */
  get client(): Client | undefined {
    this.lazyClient ??= new Client({
      namespace: this.options.namespace,
      connection: this.rpc.connection,
      identity: this.options.identity,
      dataConverter: this.options.dataConverter,
      interceptors: this.options.interceptors.client,
    });
    return this.lazyClient;
  }

  get connection(): NativeConnection | undefined {
    return this.rpc.connection;
  }

  /** From now on the worker calls this connection. */
  set connection(connection: NativeConnection) {
    const previous = this.rpc.connection;
    if (previous === connection) return;
    this.rpc.connection = connection;
    connection.addHolder(this);
    previous.removeHolder(this);
    this.lazyClient = undefined;
    if (this.ownsConnection) {
      this.ownsConnection = false;
      previous.close().catch((error: unknown) => {
        this.parts.logger.error('Error closing previous connection after replacement of worker connection', { error });
      });
    }
  }

  private set state(state: State) {
    this.parts.logger.info('Worker state changed', { state });
    this.currentState = state;
  }

  /**
   * Stop polling and drain: workflow tasks are finished, activities may go on for `shutdownGraceTime` and are then cancelled.
   * {@link Worker.run} resolves when nothing is under way.
   * @throws IllegalStateError unless the worker is running
   */
  shutdown(): void {
    if (this.currentState !== 'RUNNING') {
      throw new IllegalStateError(`Not running. Current state: ${this.currentState}`);
    }
    this.state = 'STOPPING';
    const { shutdownForceTimeMs, shutdownGraceTimeMs } = this.options;
    if (shutdownForceTimeMs !== undefined) {
      this.forceTimer = setTimeout(() => {
        this.parts.logger.debug('Shutdown force time expired, terminating worker');
        this.terminate?.(
          new GracefulShutdownPeriodExpiredError('Timed out while waiting for worker to shutdown gracefully'),
        );
      }, shutdownForceTimeMs);
    }
    this.draining = Promise.all([
      this.workflowWorker?.shutdown().finally(() => {
        if (this.workflowPollerState === 'POLLING') this.workflowPollerState = 'SHUTDOWN';
      }),
      this.activityWorker?.shutdown(shutdownGraceTimeMs).finally(() => {
        if (this.activityPollerState === 'POLLING') this.activityPollerState = 'SHUTDOWN';
      }),
    ]);
    this.state = 'DRAINING';
    this.stopRequested();
  }

  /** The worker cannot go on: it shuts down in order, and `run` rejects with the first such error. */
  private fail(error: unknown): void {
    this.fatalError ??= { error };
    if (this.currentState === 'RUNNING') this.shutdown();
  }

  /**
   * Run until `fnOrPromise` settles, then shut down and give its result.
   * @throws what the worker or the promise threw; CombinedWorkerRunError when both did; PromiseCompletionTimeoutError when the
   *   worker stopped first and the promise did not settle in time
   */
  async runUntil<R>(fnOrPromise: Promise<R> | (() => Promise<R>), options?: RunUntilOptions): Promise<R> {
    return runUntil(
      fnOrPromise,
      options,
      () => this.run(),
      () => {
        if (this.currentState === 'RUNNING') this.shutdown();
      },
    );
  }

  /**
   * Poll and work until {@link Worker.shutdown}, a shutdown signal or a fatal error.
   * @throws IllegalStateError when called twice; GracefulShutdownPeriodExpiredError; what made the worker fail
   */
  run(): Promise<void> {
    let run = (worker: Worker): Promise<void> => worker.runInternal();
    for (const plugin of [...this.plugins].reverse()) {
      if (plugin.runWorker === undefined) continue;
      const next = run;
      run = (worker) => plugin.runWorker!(worker, next);
    }
    return run(this);
  }

  private async runInternal(): Promise<void> {
    if (this.currentState !== 'INITIALIZED') throw new IllegalStateError('Poller was already started');
    this.state = 'RUNNING';
    const { runtime, logger } = this.parts;
    const onSignal = (): void => {
      if (this.currentState === 'RUNNING') this.shutdown();
    };
    runtime.registerShutdownSignalCallback(onSignal);
    const keepAlive = setInterval(() => undefined, keepAliveMs);
    try {
      const terminated = new Promise<never>((_, reject) => {
        this.terminate = reject;
      });
      await Promise.race([this.work(), terminated]);
      if (this.fatalError !== undefined) throw this.fatalError.error;
      this.state = 'STOPPED';
    } catch (error) {
      const first = this.fatalError === undefined ? error : this.fatalError.error;
      logger.error('Worker failed', { error: first });
      this.state = 'FAILED';
      throw first;
    } finally {
      clearInterval(keepAlive);
      clearTimeout(this.forceTimer);
      runtime.deregisterShutdownSignalCallback(onSignal);
      await this.close();
      runtime.flushLogs();
    }
  }

  private async work(): Promise<void> {
    const { logger } = this.parts;
    if (this.workflowWorker === undefined) {
      logger.warn('No workflows registered, not polling for workflow tasks');
      this.workflowPollerState = 'SHUTDOWN';
    }
    if (this.activityWorker === undefined) {
      if (this.options.activities.size === 0) {
        logger.warn('No activities registered, not polling for activity tasks');
      }
      this.activityPollerState = 'SHUTDOWN';
    }
    this.workflowWorker?.run();
    this.activityWorker?.run();
    // It failed before it ran.
    if (this.fatalError !== undefined && this.currentState === 'RUNNING') this.shutdown();
    await this.stopping;
    await this.draining;
    this.state = 'DRAINED';
  }

  private async close(): Promise<void> {
    const { connection } = this.rpc;
    connection.removeHolder(this);
    try {
      await this.journal?.close();
      if (this.ownsConnection) await connection.close();
    } finally {
      await this.parts.runtime.deregister(this);
    }
  }
}

async function checkNamespace(rpc: Rpc, namespace: string): Promise<void> {
  try {
    await callWithRetry(rpc, 'describeNamespace', { namespace });
  } catch (error) {
    throw Object.assign(
      new TransportError(
        `Namespace ${namespace} was not found or otherwise could not be described: ${(error as Error).message}`,
      ),
      { cause: error },
    );
  }
}
