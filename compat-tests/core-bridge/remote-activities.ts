/** Activities executed by Temporal's worker: tasks go out with its polls, results and heartbeats come back by their task token. */
import type { ActivityCancellationDetails } from '@temporalio/common';
import { coresdk, type temporal } from '@temporalio/proto';
import { fromMs } from '../../shim/common/proto-values';
import type {
  ActivityExecutor,
  ActivityResult,
  CancelReason,
  PreparedActivity,
} from '../../shim/worker/activity/activity-executor';
import type { ActivityStart } from '../../shim/worker/activity/activity-start';
import type { PollQueue } from './poll-queue';

type Payload = temporal.api.common.v1.IPayload;
const { ActivityTask, ActivityCancelReason } = coresdk.activity_task;

interface UnderWay {
  done(result: ActivityResult): void;
  heartbeat(details: Payload[]): void;
}

const key = (taskToken: Uint8Array): string => Buffer.from(taskToken).toString('base64');

export class RemoteActivities implements ActivityExecutor {
  private readonly underWay = new Map<string, UnderWay>();

  constructor(private readonly polls: PollQueue) {}

  prepare(start: ActivityStart, heartbeat: (details?: unknown) => void): Promise<PreparedActivity> {
    const { taskToken } = start;
    const run = (): Promise<ActivityResult> =>
      new Promise((done) => {
        this.underWay.set(key(taskToken), { done, heartbeat });
        this.polls.push(ActivityTask.encode({ taskToken, start: startMessage(start) }).finish());
      });
    return Promise.resolve({ run, activity: { cancel: (...why) => this.cancel(taskToken, ...why) } });
  }

  /** Temporal's worker encodes them itself. */
  encodeHeartbeat(_start: ActivityStart, details: unknown): Promise<Payload[]> {
    return Promise.resolve(details as Payload[]);
  }

  /** Temporal's worker tells how an attempt ended: a length-delimited ActivityTaskCompletion. */
  complete(bytes: Uint8Array): void {
    const { ActivityTaskCompletion } = coresdk;
    const completion = ActivityTaskCompletion.toObject(
      ActivityTaskCompletion.decodeDelimited(bytes),
    ) as coresdk.IActivityTaskCompletion;
    const token = key(completion.taskToken!);
    const underWay = this.underWay.get(token);
    this.underWay.delete(token);
    underWay?.done(resultOf(completion.result!));
  }

  /** A length-delimited ActivityHeartbeat. */
  heartbeat(bytes: Uint8Array): void {
    const { ActivityHeartbeat } = coresdk;
    const { taskToken, details } = ActivityHeartbeat.toObject(
      ActivityHeartbeat.decodeDelimited(bytes),
    ) as coresdk.IActivityHeartbeat;
    this.underWay.get(key(taskToken!))?.heartbeat(details ?? []);
  }

  private cancel(taskToken: Uint8Array, reason: CancelReason, details: ActivityCancellationDetails): void {
    if (!this.underWay.has(key(taskToken))) return;
    const cancel = {
      reason: ActivityCancelReason[reason as keyof typeof ActivityCancelReason],
      details: {
        isNotFound: details.notFound,
        isCancelled: details.cancelRequested,
        isPaused: details.paused,
        isTimedOut: details.timedOut,
        isWorkerShutdown: details.workerShutdown,
        isReset: details.reset,
      },
    };
    this.polls.push(ActivityTask.encode({ taskToken, cancel }).finish());
  }
}

function startMessage(start: ActivityStart): coresdk.activity_task.IStart {
  return {
    workflowNamespace: start.workflow?.namespace ?? '',
    workflowType: start.workflow?.type ?? '',
    workflowExecution: start.workflow && { workflowId: start.workflow.workflowId, runId: start.workflow.runId },
    activityId: start.activityId,
    activityType: start.activityType,
    headerFields: start.headers,
    input: start.input,
    heartbeatDetails: start.heartbeatDetails ?? [],
    scheduledTime: fromMs(start.scheduledTimeMs),
    currentAttemptScheduledTime: fromMs(start.currentAttemptScheduledTimeMs),
    startedTime: fromMs(Date.now()),
    attempt: start.attempt,
    scheduleToCloseTimeout: fromMs(start.scheduleToCloseTimeoutMs),
    startToCloseTimeout: fromMs(start.startToCloseTimeoutMs),
    heartbeatTimeout: start.heartbeatTimeoutMs === undefined ? undefined : fromMs(start.heartbeatTimeoutMs),
    retryPolicy: start.retryPolicy,
    priority: start.priority,
    isLocal: start.isLocal,
    runId: start.runId ?? '',
  };
}

function resultOf(result: coresdk.activity_result.IActivityExecutionResult): ActivityResult {
  if (result.completed != null) return { status: 'completed', result: result.completed.result ?? {} };
  if (result.failed != null) return { status: 'failed', failure: result.failed.failure ?? {} };
  if (result.cancelled != null) return { status: 'cancelled', failure: result.cancelled.failure ?? {} };
  return { status: 'willCompleteAsync' };
}
