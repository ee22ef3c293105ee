/** Activity tasks of the service: polls, runs, heartbeats, cancels, answers. */
import {
  ActivityCancellationDetails,
  type ActivityCancellationDetails as Details,
  type Logger,
} from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { ms } from '../../common/proto-values';
import { Code } from '../../service/errors';
import type { CompiledWorkerOptions } from '../compiled-options';
import { Gauge } from '../gauge';
import { activityEnded, activityReceived } from '../metrics/activity-metrics';
import type { WorkerMetrics } from '../metrics/sdk-metrics';
import { observeSlots } from '../metrics/slots';
import { RateLimit } from '../polling/rate-limit';
import { callWithRetry, codeOf, type Rpc } from '../polling/rpc';
import { Slots } from '../polling/slots';
import { TaskPoller } from '../polling/task-poller';
import type { ActivityExecutor, ActivityResult, CancelReason, PreparedActivity } from './activity-executor';
import { startOfTask, type ActivityTaskResponse } from './activity-start';
import { Heartbeater } from './heartbeater';

type Payload = temporal.api.common.v1.IPayload;
type HeartbeatResponse = temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatResponse;

/** The service's own timeouts come first; these are for activities that it can no longer reach. */
const localTimeoutBufferMs = 5_000;
/** setTimeout's limit; longer timeouts are left to the service. */
const maxTimerMs = 2 ** 31 - 1;

/** What of the worker's options is about activities. */
export type ActivityWorkerSettings = Pick<
  CompiledWorkerOptions,
  | 'namespace'
  | 'taskQueue'
  | 'identity'
  | 'slots'
  | 'polls'
  | 'maxActivitiesPerSecond'
  | 'maxTaskQueueActivitiesPerSecond'
  | 'maxHeartbeatThrottleIntervalMs'
  | 'defaultHeartbeatThrottleIntervalMs'
>;

export interface ActivityWorkerOptions {
  options: ActivityWorkerSettings;
  buildId: string;
  /** Of the worker's deployment. */
  deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions | undefined;
  rpc: Rpc;
  executor: ActivityExecutor;
  /** Undefined: nothing is measured. */
  metrics?: WorkerMetrics;
  logger: Logger;
  coreLogger: Logger;
  onFatal: (error: unknown) => void;
}

/** An attempt under way. */
class RunningActivity {
  prepared: PreparedActivity | undefined;
  heartbeater: Heartbeater | undefined;
  issuedCancel: CancelReason | undefined;
  /** The service does not know this attempt any more: no answer is sent. */
  knownNotFound = false;
  holdsSlot = true;
  timers: NodeJS.Timeout[] = [];
  /** Started anew by each heartbeat. */
  heartbeatTimer: NodeJS.Timeout | undefined;

  cancel(reason: CancelReason, details: Details): void {
    if (this.issuedCancel !== undefined) return;
    this.issuedCancel = reason;
    if (details.notFound) this.knownNotFound = true;
    this.prepared?.activity.cancel(reason, details);
  }
}

export class ActivityWorker {
  private readonly slots: Slots;
  private readonly poller: TaskPoller<ActivityTaskResponse>;
  private readonly running = new Set<RunningActivity>();
  /** Attempts under way. */
  readonly inFlight = new Gauge();
  private readonly rateLimit: RateLimit | undefined;
  private nextPollMs = 0;
  private shutdownCancels = false;
  private drained: (() => void) | undefined;
  /** Running attempts that hold a slot: a poll takes its slot before there is anything to run. */
  private slotsInUse = 0;
  /** End gauges that are read. */
  private readonly observers: (() => void)[] = [];

  constructor(private readonly parts: ActivityWorkerOptions) {
    const { options, rpc, coreLogger, onFatal, buildId, deploymentOptions, metrics } = parts;
    this.slots = new Slots(options.slots.activities);
    this.rateLimit =
      options.maxActivitiesPerSecond === undefined ? undefined : new RateLimit(options.maxActivitiesPerSecond);
    this.poller = new TaskPoller<ActivityTaskResponse>({
      rpc,
      method: 'pollActivityTaskQueue',
      request: {
        namespace: options.namespace,
        taskQueue: { name: options.taskQueue, kind: 1 },
        identity: options.identity,
        workerVersionCapabilities: { buildId, useVersioning: false },
        ...(deploymentOptions === undefined ? {} : { deploymentOptions }),
        ...(options.maxTaskQueueActivitiesPerSecond === undefined
          ? {}
          : { taskQueueMetadata: { maxTasksPerSecond: { value: options.maxTaskQueueActivitiesPerSecond } } }),
      },
      // A rate can only be kept by taking tasks one after the other.
      polls: this.rateLimit === undefined ? options.polls.activities : 1,
      logger: coreLogger,
      beforePoll: () => this.beforePoll(),
      onTask: (task) => this.start(task),
      onNoTask: () => this.slots.release(),
      ...(metrics === undefined ? {} : { onEmpty: () => metrics.record('activity_poll_no_task', 1) }),
      onFatal,
    });
    if (metrics === undefined) return;
    this.observers.push(
      metrics.observe('num_pollers', { poller_type: 'activity_task' }, () => this.poller.outstandingPolls),
      ...observeSlots(metrics, 'ActivityWorker', this.slots.limit, () => this.slotsInUse),
    );
  }

  get hasOutstandingPoll(): boolean {
    return this.poller.hasOutstandingPoll;
  }

  run(): void {
    this.poller.start();
  }

  /** Stop polling, cancel what still runs after the grace time, resolve when nothing runs. */
  async shutdown(graceMs: number): Promise<void> {
    const grace = setTimeout(() => {
      this.shutdownCancels = true;
      for (const running of this.running) this.cancelForShutdown(running);
    }, graceMs);
    await this.poller.stop();
    if (this.running.size > 0) {
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    }
    clearTimeout(grace);
    for (const end of this.observers.splice(0)) end();
  }

  private beforePoll(): Promise<boolean> | undefined {
    if (this.rateLimit !== undefined && this.nextPollMs > 0) {
      const wait = this.nextPollMs;
      this.nextPollMs = 0;
      return new Promise<void>((resolve) => setTimeout(resolve, wait)).then(() => this.slots.take(this.poller.signal));
    }
    return this.slots.tryTake() ? undefined : this.slots.take(this.poller.signal);
  }

  private cancelForShutdown(running: RunningActivity): void {
    running.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  }

  private start(task: ActivityTaskResponse): void {
    if (this.rateLimit !== undefined) this.nextPollMs = this.rateLimit.reserve();
    const running = new RunningActivity();
    this.running.add(running);
    this.inFlight.add(1);
    this.slotsInUse += 1;
    this.execute(task, running)
      .catch((error: unknown) => this.parts.logger.error('Failed to process an activity task', { error }))
      .finally(() => {
        this.running.delete(running);
        this.inFlight.add(-1);
        this.freeSlot(running);
        if (this.running.size === 0) this.drained?.();
      });
  }

  /** A slot is for running code: the report of its result may wait a little for a commit, while the next activity runs. */
  private freeSlot(running: RunningActivity): void {
    if (!running.holdsSlot) return;
    running.holdsSlot = false;
    this.slotsInUse -= 1;
    this.slots.release();
  }

  private async execute(task: ActivityTaskResponse, running: RunningActivity): Promise<void> {
    const { options, executor, logger, metrics } = this.parts;
    const start = startOfTask(task, options.namespace);
    const arrivedAt = metrics && performance.now();
    if (metrics !== undefined) activityReceived(metrics, start, ms(task.startedTime));
    const token = start.taskToken;
    const prepared = await executor.prepare(start, (details) => {
      running.heartbeater ??= new Heartbeater({
        intervalMs: Math.min(
          start.heartbeatTimeoutMs === undefined
            ? options.defaultHeartbeatThrottleIntervalMs
            : start.heartbeatTimeoutMs * 0.8,
          options.maxHeartbeatThrottleIntervalMs,
        ),
        encode: (value) => executor.encodeHeartbeat(start, value),
        report: async (payloads) => {
          await this.reportHeartbeat(token, payloads, running);
          running.heartbeatTimer?.refresh();
        },
        onEncodeError: (error) => {
          logger.warn('Failed to encode heartbeat details, cancelling Activity', {
            error,
            activityId: start.activityId,
          });
          running.cancel('HEARTBEAT_DETAILS_CONVERSION_FAILED', new ActivityCancellationDetails());
        },
      });
      running.heartbeater.record(details);
    });
    if (!('activity' in prepared)) {
      if (metrics !== undefined) activityEnded(metrics, start, prepared, performance.now() - arrivedAt!);
      return this.answer(token, prepared, running);
    }
    running.prepared = prepared;
    if (this.shutdownCancels) this.cancelForShutdown(running);
    this.localTimeout(running, start.startToCloseTimeoutMs);
    running.heartbeatTimer = this.localTimeout(running, start.heartbeatTimeoutMs);
    const result = await prepared.run();
    if (metrics !== undefined) activityEnded(metrics, start, result, performance.now() - arrivedAt!);
    for (const timer of running.timers) clearTimeout(timer);
    this.freeSlot(running);
    await this.answer(token, result, running);
  }

  private localTimeout(running: RunningActivity, timeoutMs: number | undefined): NodeJS.Timeout | undefined {
    if (!timeoutMs || timeoutMs + localTimeoutBufferMs > maxTimerMs) return undefined;
    const timer = setTimeout(() => {
      running.cancel('TIMED_OUT', new ActivityCancellationDetails({ notFound: true, timedOut: true }));
    }, timeoutMs + localTimeoutBufferMs);
    running.timers.push(timer);
    return timer;
  }

  private async reportHeartbeat(taskToken: Uint8Array, details: Payload[], running: RunningActivity): Promise<void> {
    const { namespace, identity } = this.parts.options;
    try {
      const { cancelRequested, activityPaused, activityReset } = await callWithRetry<HeartbeatResponse>(
        this.parts.rpc,
        'recordActivityTaskHeartbeat',
        { taskToken, namespace, identity, details: { payloads: details } },
      );
      if (cancelRequested || activityPaused || activityReset) {
        running.cancel(
          cancelRequested ? 'CANCELLED' : activityReset ? 'RESET' : 'PAUSED',
          new ActivityCancellationDetails({
            cancelRequested: cancelRequested ?? false,
            paused: activityPaused ?? false,
            reset: activityReset ?? false,
          }),
        );
      }
    } catch (error) {
      if (codeOf(error) === Code.NOT_FOUND) {
        running.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
      } else {
        this.parts.coreLogger.warn('Error when recording heartbeat', { error });
      }
    }
  }

  private async answer(taskToken: Uint8Array, result: ActivityResult, running: RunningActivity): Promise<void> {
    const shutdownCancel = result.status === 'cancelled' && running.issuedCancel === 'WORKER_SHUTDOWN';
    const failed = result.status === 'failed' || shutdownCancel;
    const { heartbeater } = running;
    let lastHeartbeat: Payload[] | undefined;
    if (heartbeater !== undefined) {
      if (failed) lastHeartbeat = await heartbeater.lastDetails();
      // A confirmed cancellation cannot carry heartbeat details, so they go before it.
      await heartbeater.close(result.status === 'cancelled' && !shutdownCancel && !running.knownNotFound);
    }
    if (result.status === 'willCompleteAsync' || result.status === 'completedAlready' || running.knownNotFound) return;
    const { namespace, identity } = this.parts.options;
    const base = { taskToken, namespace, identity };
    try {
      if (result.status === 'completed') {
        await this.send('respondActivityTaskCompleted', { ...base, result: { payloads: [result.result] } });
      } else if (failed) {
        await this.send('respondActivityTaskFailed', {
          ...base,
          failure: shutdownCancel ? workerShutdownFailure : result.failure,
          ...(lastHeartbeat === undefined ? {} : { lastHeartbeatDetails: { payloads: lastHeartbeat } }),
        });
      } else {
        await this.send('respondActivityTaskCanceled', {
          ...base,
          details: result.failure.canceledFailureInfo?.details ?? undefined,
        });
      }
    } catch (error) {
      const notFound = codeOf(error) === Code.NOT_FOUND;
      this.parts.coreLogger.warn(
        notFound
          ? 'Activity not found on completion. This may happen if the activity has already been cancelled but completed anyway.'
          : 'Network error while completing activity',
        { error },
      );
    }
  }

  private send(method: string, request: object): Promise<object> {
    return callWithRetry(this.parts.rpc, method, request);
  }
}

/** A cancellation that only the worker's end caused fails the attempt, so that the service retries it elsewhere at once. */
const workerShutdownFailure: temporal.api.failure.v1.IFailure = {
  message: 'Worker is shutting down and this activity did not complete in time',
  applicationFailureInfo: { type: 'WorkerShutdown', nonRetryable: false },
};
