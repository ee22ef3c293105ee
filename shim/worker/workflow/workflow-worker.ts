/** Workflow tasks of the service: polls on the task queue and on this worker's sticky queue, and the cache of runs. */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@temporalio/common';
import { coresdk } from '@temporalio/proto';
import { fromMs } from '../../common/proto-values';
import { createCoreRun, type CoreRunOptions, type WorkflowTask } from '../../core';
import type { CompiledWorkerOptions } from '../compiled-options';
import type { ActivityExecutor } from '../activity/activity-executor';
import { Gauge } from '../gauge';
import { isIncremental, workflowTaskPolled } from '../metrics/run-metrics';
import type { WorkerMetrics } from '../metrics/sdk-metrics';
import { observeSlots } from '../metrics/slots';
import type { Rpc } from '../polling/rpc';
import { Slots } from '../polling/slots';
import { TaskPoller } from '../polling/task-poller';
import { LocalActivityManager } from './local-activity-manager';
import { RunDriver, type RunDriverParts } from './run-driver';
import type { RunExecutors } from './run-executor';

/** A database that is down must not keep a worker from ending. */
const releasePatienceMs = 1000;
const { EvictionReason: Reason } = coresdk.workflow_activation.RemoveFromCache;

/** What of the worker's options is about workflow tasks. */
export type WorkflowWorkerSettings = Pick<
  CompiledWorkerOptions,
  | 'namespace'
  | 'taskQueue'
  | 'identity'
  | 'slots'
  | 'polls'
  | 'maxCachedWorkflows'
  | 'maxCachedWorkflowBytes'
  | 'stickyQueueScheduleToStartTimeoutMs'
>;

export interface WorkflowWorkerOptions {
  options: WorkflowWorkerSettings;
  buildId: string;
  rpc: Rpc;
  executors: RunExecutors;
  core: CoreRunOptions;
  /** Runs local activities. */
  activityExecutor: ActivityExecutor;
  /** Undefined: nothing is measured. */
  metrics?: WorkerMetrics;
  coreLogger: Logger;
  onFatal: (error: unknown) => void;
}

export class WorkflowWorker {
  private readonly slots: Slots;
  private readonly pollers: TaskPoller<WorkflowTask>[];
  /** Least recently used first. */
  private readonly cache = new Map<string, RunDriver>();
  /** Asked to leave, not gone yet. */
  private readonly leaving = new Set<RunDriver>();
  private readonly driverParts: RunDriverParts;
  readonly localActivities: LocalActivityManager;
  private readonly coreOptions: CoreRunOptions;
  private readonly stickyQueue: string | undefined;
  /** Activations under way. */
  readonly activations = new Gauge();
  readonly cachedRuns = new Gauge();
  private waitingForIdle: (() => void) | undefined;
  private waitingForEmpty: (() => void) | undefined;
  /** End gauges that are read. */
  private readonly observers: (() => void)[] = [];

  constructor(private readonly parts: WorkflowWorkerOptions) {
    const { options, rpc, coreLogger, metrics } = parts;
    this.slots = new Slots(options.slots.workflowTasks);
    this.localActivities = new LocalActivityManager(
      parts.activityExecutor,
      new Slots(options.slots.localActivities),
      options.namespace,
      metrics,
    );
    this.stickyQueue = options.maxCachedWorkflows > 0 ? `${options.identity}-${randomUUID()}` : undefined;
    this.coreOptions =
      this.stickyQueue === undefined
        ? parts.core
        : {
            ...parts.core,
            stickyAttributes: {
              workerTaskQueue: { name: this.stickyQueue, kind: 2, normalName: options.taskQueue },
              scheduleToStartTimeout: fromMs(options.stickyQueueScheduleToStartTimeoutMs) as never,
            },
          };
    this.driverParts = {
      rpc,
      namespace: options.namespace,
      localActivities: this.localActivities,
      coreLogger,
      metrics,
      activations: (change) => this.activations.add(change),
      taskDone: () => this.slots.release(),
      evicted: (driver, { pendingTasks }) => this.removed(driver, pendingTasks),
      idle: (driver) => this.becameIdle(driver),
    };
    const { normal, sticky } = options.polls.workflowTasks;
    this.pollers = [this.poller(options.taskQueue, 1, normal)];
    if (this.stickyQueue !== undefined) this.pollers.push(this.poller(this.stickyQueue, 2, sticky));
    if (metrics !== undefined) this.observe(metrics);
  }

  get hasOutstandingPoll(): boolean {
    return this.pollers.some((poller) => poller.hasOutstandingPoll);
  }

  run(): void {
    for (const poller of this.pollers) poller.start();
  }

  /** Stop polling, finish the open tasks, drop the cached runs. */
  async shutdown(): Promise<void> {
    await Promise.all(this.pollers.map((poller) => poller.stop()));
    await this.allIdle();
    await this.releaseStickyQueue();
    for (const driver of [...this.cache.values()]) driver.evict(Reason.FATAL, 'Shutting down');
    if (this.cache.size > 0) {
      await new Promise<void>((resolve) => {
        this.waitingForEmpty = resolve;
      });
    }
    await this.parts.executors.close();
    for (const end of this.observers.splice(0)) end();
  }

  /** Runs whose thread is gone are dropped; their next task replays them. */
  threadLost(runIds: string[], error: Error): void {
    for (const runId of runIds) this.cache.get(runId)?.evict(Reason.FATAL, error.message);
  }

  private poller(queue: string, kind: 1 | 2, polls: number): TaskPoller<WorkflowTask> {
    const { options, rpc, coreLogger, onFatal, buildId, core, metrics } = this.parts;
    return new TaskPoller<WorkflowTask>({
      rpc,
      method: 'pollWorkflowTaskQueue',
      request: {
        namespace: options.namespace,
        taskQueue: { name: queue, kind, ...(kind === 2 ? { normalName: options.taskQueue } : {}) },
        identity: options.identity,
        binaryChecksum: buildId,
        workerVersionCapabilities: { buildId, useVersioning: false },
        ...(core.deploymentOptions === undefined ? {} : { deploymentOptions: core.deploymentOptions }),
      },
      polls,
      aheadOfStart: this.parts.executors.aheadOfStart,
      logger: coreLogger,
      // A poll needs no slot, or those that wait on one queue would take them from the other. What comes while all slots are taken
      // waits here, one task per poll.
      onTask: (task) => {
        if (metrics !== undefined) workflowTaskPolled(metrics, task);
        if (this.slots.tryTake()) return this.dispatch(task);
        return new Promise<void>((resolve) => {
          const begin = (): void => {
            resolve();
            this.dispatch(task);
          };
          // What is begun is finished first: its results wait in memory for a common commit, and its slots of activities come free.
          this.slots.whenFree(begin, kind === 2);
        });
      },
      ...(metrics === undefined ? {} : { onEmpty: () => metrics.record('workflow_task_queue_poll_empty', 1) }),
      onFatal,
    });
  }

  private observe(metrics: WorkerMetrics): void {
    const { slots, localActivities } = this;
    const names = ['workflow_task', 'sticky_workflow_task'];
    this.observers.push(
      ...this.pollers.map((poller, i) =>
        metrics.observe('num_pollers', { poller_type: names[i]! }, () => poller.outstandingPolls),
      ),
      ...observeSlots(metrics, 'WorkflowWorker', slots.limit, () => slots.used),
      ...observeSlots(metrics, 'LocalActivityWorker', localActivities.slots.limit, () => localActivities.slots.used),
      metrics.observe('sticky_cache_size', {}, () => this.cache.size),
    );
  }

  private dispatch(task: WorkflowTask): void {
    const runId = task.workflowExecution?.runId ?? '';
    const { metrics } = this.parts;
    let driver = this.cache.get(runId);
    const cached = driver !== undefined;
    if (driver === undefined) {
      if (metrics !== undefined && isIncremental(task)) metrics.record('sticky_cache_miss', 1);
      driver = this.createDriver(runId, task);
      if (driver === undefined) return;
      this.cache.set(runId, driver);
      this.cachedRuns.set(this.cache.size);
    } else {
      this.cache.delete(runId);
      this.cache.set(runId, driver);
    }
    driver.handleTask(task, cached);
    this.trim();
  }

  private createDriver(runId: string, task: WorkflowTask): RunDriver | undefined {
    try {
      const core = createCoreRun(task, this.coreOptions);
      return new RunDriver(core, this.parts.executors.create(runId), this.driverParts);
    } catch (error) {
      this.parts.coreLogger.error('A workflow task cannot be taken up', { runId, error });
      this.slots.release();
      return undefined;
    }
  }

  /** Makes room: the cache is bounded by count and by the bytes that runs were measured to take. */
  private trim(): void {
    const { maxCachedWorkflows, maxCachedWorkflowBytes } = this.parts.options;
    if (maxCachedWorkflows === 0) return;
    const fit = Math.floor(maxCachedWorkflowBytes / this.parts.executors.bytesPerRun());
    const limit = Math.max(2, Math.min(maxCachedWorkflows, fit));
    let excess = this.cache.size - this.leaving.size - limit;
    if (excess <= 0) return;
    for (const driver of this.cache.values()) {
      if (!driver.idle || this.leaving.has(driver)) continue;
      this.leaving.add(driver);
      driver.evict(Reason.CACHE_FULL, 'Workflow cache full');
      excess -= 1;
      if (excess <= 0) return;
    }
  }

  private becameIdle(driver: RunDriver): void {
    if (this.parts.options.maxCachedWorkflows === 0) driver.evict(Reason.CACHE_FULL, 'Workflow cache is disabled');
    else this.trim();
    this.checkIdle();
  }

  private removed(driver: RunDriver, pendingTasks: WorkflowTask[]): void {
    if (this.cache.get(driver.runId) === driver) this.cache.delete(driver.runId);
    this.leaving.delete(driver);
    this.cachedRuns.set(this.cache.size);
    for (const task of pendingTasks) this.slots.whenFree(() => this.dispatch(task));
    this.checkIdle();
  }

  private get isIdle(): boolean {
    if (this.slots.used > 0) return false;
    for (const driver of this.cache.values()) if (!driver.idle) return false;
    return true;
  }

  private checkIdle(): void {
    if (this.waitingForIdle !== undefined && this.isIdle) this.waitingForIdle();
    if (this.cache.size === 0) this.waitingForEmpty?.();
  }

  private allIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.waitingForIdle = resolve;
    });
  }

  /** Tasks of cached runs go to other workers at once instead of waiting for this one. */
  private async releaseStickyQueue(): Promise<void> {
    if (this.stickyQueue === undefined) return;
    const { namespace, identity } = this.parts.options;
    try {
      await this.parts.rpc.call(
        'shutdownWorker',
        { namespace, stickyTaskQueue: this.stickyQueue, identity, reason: 'graceful shutdown' },
        { metadata: {}, signal: AbortSignal.timeout(releasePatienceMs) },
      );
    } catch (error) {
      this.parts.coreLogger.debug('The sticky queue could not be released', { error });
    }
  }
}
