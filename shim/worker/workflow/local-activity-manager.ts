/** Local activities of all runs of a worker: slots, timeouts, retries with short delays; long delays go back to the workflow. */
import { ActivityCancellationDetails } from '@temporalio/common';
import { coresdk, temporal } from '@temporalio/proto';
import { fromMs } from '../../common/proto-values';
import type { LocalActivityOutcome, LocalActivityRequest } from '../../core/types';
import { Gauge } from '../gauge';
import type { ActivityExecutor, ActivityResult, PreparedActivity } from '../activity/activity-executor';
import type { ActivityStart } from '../activity/activity-start';
import { localActivityEnded, localActivityStarted } from '../metrics/activity-metrics';
import type { WorkerMetrics } from '../metrics/sdk-metrics';
import type { Slots } from '../polling/slots';
import { retryDelayMs } from './retry-policy';

type Resolution = coresdk.activity_result.IActivityResolution;
type Failure = temporal.api.failure.v1.IFailure;
const { TimeoutType } = temporal.api.enums.v1;

/** The run that asked for a local activity. */
export interface LocalActivityOwner {
  readonly runId: string;
  readonly workflowId: string;
  readonly workflowType: string;
  localActivityResolved(outcome: LocalActivityOutcome): void;
}

const defaultLocalRetryThresholdMs = 60_000;

class LocalActivity {
  attempt: number;
  readonly scheduledAtMs = Date.now();
  /** Counts attempts in this worker, so that the end of one that timed out is not taken for the next one's. */
  generation = 0;
  state: 'queued' | 'running' | 'backingOff' | 'done' = 'queued';
  prepared: PreparedActivity | undefined;
  dispatchedAt = 0;
  scheduleToClose: NodeJS.Timeout | undefined;
  startToClose: NodeJS.Timeout | undefined;
  backoff: NodeJS.Timeout | undefined;

  constructor(
    readonly owner: LocalActivityOwner,
    readonly request: LocalActivityRequest,
  ) {
    this.attempt = Math.max(1, request.attempt);
  }

  get originalScheduleTimeMs(): number {
    return this.request.originalScheduleTimeMs ?? this.scheduledAtMs;
  }

  clearTimers(): void {
    clearTimeout(this.scheduleToClose);
    clearTimeout(this.startToClose);
    clearTimeout(this.backoff);
  }
}

export class LocalActivityManager {
  private readonly byOwner = new Map<LocalActivityOwner, Map<number, LocalActivity>>();
  private tokens = 0;
  /** Attempts under way. */
  readonly inFlight = new Gauge();

  constructor(
    private readonly executor: ActivityExecutor,
    readonly slots: Slots,
    private readonly namespace: string,
    private readonly metrics?: WorkerMetrics,
  ) {}

  start(owner: LocalActivityOwner, request: LocalActivityRequest): void {
    const activity = new LocalActivity(owner, request);
    let ofRun = this.byOwner.get(owner);
    if (ofRun === undefined) this.byOwner.set(owner, (ofRun = new Map()));
    ofRun.set(request.seq, activity);
    if (request.scheduleToCloseMs !== undefined) {
      const left = request.scheduleToCloseMs - (Date.now() - activity.originalScheduleTimeMs);
      if (left <= 0) {
        this.timedOut(activity, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
        return;
      }
      activity.scheduleToClose = setTimeout(() => {
        activity.prepared?.activity.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }));
        this.timedOut(activity, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
      }, left);
    }
    this.enqueue(activity);
  }

  /** The workflow asks for cancellation: an attempt that runs is told and may still end otherwise. */
  cancel(owner: LocalActivityOwner, seq: number): void {
    const activity = this.byOwner.get(owner)?.get(seq);
    if (activity === undefined) return;
    if (activity.state === 'running') {
      activity.prepared?.activity.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    } else {
      this.resolve(activity, {
        cancelled: { failure: { message: 'Activity cancelled', source: 'TypeScriptSDK', canceledFailureInfo: {} } },
      });
    }
  }

  /** The run left the cache: what its activities still bring is dropped. */
  forget(owner: LocalActivityOwner): void {
    const ofRun = this.byOwner.get(owner);
    if (ofRun === undefined) return;
    this.byOwner.delete(owner);
    // Those that wait go first: a slot that becomes free must not start them.
    for (const activity of ofRun.values()) if (activity.state !== 'running') this.end(activity);
    for (const activity of ofRun.values()) this.end(activity);
  }

  private enqueue(activity: LocalActivity): void {
    activity.state = 'queued';
    this.slots.whenFree(() => {
      if (activity.state === 'queued') void this.dispatch(activity);
      else this.slots.release();
    });
  }

  /** Runs one attempt; a slot is held until it is resolved. */
  private async dispatch(activity: LocalActivity): Promise<void> {
    const { request } = activity;
    const waited = Date.now() - activity.scheduledAtMs;
    if (request.scheduleToStartMs !== undefined && waited > request.scheduleToStartMs) {
      this.slots.release();
      this.timedOut(activity, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
      return;
    }
    activity.state = 'running';
    this.inFlight.add(1);
    const generation = ++activity.generation;
    activity.dispatchedAt = performance.now();
    if (this.metrics !== undefined) {
      localActivityStarted(this.metrics, request.activityType, activity.owner.workflowType);
    }
    if (request.startToCloseMs !== undefined) {
      activity.startToClose = setTimeout(() => {
        activity.prepared?.activity.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }));
        this.attemptFailed(activity, timeoutFailure(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE));
      }, request.startToCloseMs);
    }
    const prepared = await this.executor.prepare(this.startOf(activity), () => undefined);
    let result: ActivityResult;
    if ('activity' in prepared) {
      activity.prepared = prepared;
      result = await prepared.run();
    } else {
      result = prepared;
    }
    // It timed out meanwhile, or its run is gone: nobody waits for this end.
    if (activity.generation !== generation || activity.state !== 'running') return;
    switch (result.status) {
      case 'completed':
        this.measure(activity, 'completed');
        return this.resolve(activity, { completed: { result: result.result } });
      case 'cancelled':
        this.measure(activity, 'cancelled');
        return this.resolve(activity, { cancelled: { failure: result.failure } });
      case 'failed':
        return this.attemptFailed(activity, result.failure);
      case 'willCompleteAsync':
        return this.attemptFailed(activity, {
          message: 'A local activity cannot complete asynchronously',
          applicationFailureInfo: { type: 'IllegalStateError', nonRetryable: true },
        });
    }
  }

  private startOf(activity: LocalActivity): ActivityStart {
    const { request, owner } = activity;
    this.tokens += 1;
    const taskToken = new TextEncoder().encode(`local:${owner.runId}:${request.seq}:${this.tokens}`);
    return {
      taskToken,
      activityId: request.activityId,
      activityType: request.activityType,
      workflow: {
        workflowId: owner.workflowId,
        runId: owner.runId,
        type: owner.workflowType,
        namespace: this.namespace,
      },
      headers: request.headers,
      input: request.args,
      heartbeatDetails: undefined,
      attempt: activity.attempt,
      scheduledTimeMs: activity.scheduledAtMs,
      currentAttemptScheduledTimeMs: activity.scheduledAtMs,
      scheduleToCloseTimeoutMs: request.scheduleToCloseMs ?? 0,
      startToCloseTimeoutMs: request.startToCloseMs ?? request.scheduleToCloseMs ?? 0,
      heartbeatTimeoutMs: undefined,
      retryPolicy: request.retryPolicy,
      priority: {},
      isLocal: true,
      runId: undefined,
    };
  }

  private attemptFailed(activity: LocalActivity, failure: Failure): void {
    const { request } = activity;
    this.measure(activity, { failure });
    const delayMs = retryDelayMs(request.retryPolicy, activity.attempt, failure.applicationFailureInfo);
    if (delayMs === undefined) return this.resolve(activity, { failed: { failure } });
    if (delayMs > (request.localRetryThresholdMs ?? defaultLocalRetryThresholdMs)) {
      return this.resolve(activity, {
        failed: { failure },
        backoff: {
          attempt: activity.attempt + 1,
          backoffDuration: fromMs(delayMs) as never,
          originalScheduleTime: fromMs(activity.originalScheduleTimeMs) as never,
        },
      });
    }
    this.endAttempt(activity);
    activity.state = 'backingOff';
    activity.backoff = setTimeout(() => {
      activity.attempt += 1;
      this.enqueue(activity);
    }, delayMs);
  }

  /** Not to be retried. */
  private timedOut(activity: LocalActivity, type: temporal.api.enums.v1.TimeoutType): void {
    const failure = timeoutFailure(type);
    this.measure(activity, { failure });
    this.resolve(activity, { failed: { failure } });
  }

  private measure(activity: LocalActivity, end: Parameters<typeof localActivityEnded>[2]): void {
    if (this.metrics === undefined) return;
    const attempt = {
      activityType: activity.request.activityType,
      workflowType: activity.owner.workflowType,
      scheduledAtMs: activity.originalScheduleTimeMs,
      tookMs: activity.state === 'running' ? performance.now() - activity.dispatchedAt : 0,
    };
    localActivityEnded(this.metrics, attempt, end);
  }

  private endAttempt(activity: LocalActivity): void {
    if (activity.state === 'running') {
      this.inFlight.add(-1);
      this.slots.release();
    }
    activity.generation += 1;
    activity.prepared = undefined;
    clearTimeout(activity.startToClose);
  }

  private end(activity: LocalActivity): void {
    if (activity.state === 'done') return;
    this.endAttempt(activity);
    activity.state = 'done';
    activity.clearTimers();
  }

  private resolve(activity: LocalActivity, resolution: Resolution): void {
    if (activity.state === 'done') return;
    const { owner, request } = activity;
    const runtimeMs = activity.state === 'running' ? performance.now() - activity.dispatchedAt : 0;
    this.end(activity);
    const ofRun = this.byOwner.get(owner);
    ofRun?.delete(request.seq);
    if (ofRun?.size === 0) this.byOwner.delete(owner);
    owner.localActivityResolved({
      seq: request.seq,
      attempt: activity.attempt,
      resolution,
      completeTimeMs: Date.now(),
      runtimeMs,
      originalScheduleTimeMs: activity.originalScheduleTimeMs,
    });
  }
}

function timeoutFailure(timeoutType: temporal.api.enums.v1.TimeoutType): Failure {
  return { message: 'Activity timed out', timeoutFailureInfo: { timeoutType } };
}
