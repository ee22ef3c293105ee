/** A started activity attempt as a worker gets it: PollActivityTaskQueueResponse. */
import type { temporal } from '@temporalio/proto';
import { fromMs } from '../../common/proto-values';
import { mergePriority } from '../engine/priority';
import type { ActivityState, HistoryEvent, RunState } from '../engine/types';
import type { RunHandle } from '../runs/run-handle';
import { encodeToken } from './task-token';

export type ActivityTaskResponse = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;

/** `activity` as it was when the attempt started, `scheduled` its ActivityTaskScheduled event. */
export function activityTaskResponse(
  run: RunHandle,
  activity: ActivityState,
  scheduled: HistoryEvent,
): ActivityTaskResponse {
  const state: RunState = run.state;
  const attributes = scheduled.activityTaskScheduledEventAttributes!;
  return {
    taskToken: encodeToken({
      kind: 'activity',
      namespaceId: run.namespaceId,
      runId: state.runId,
      scheduledEventId: activity.scheduledEventId,
      attempt: activity.attempt,
      requestId: activity.requestId,
    }),
    workflowNamespace: state.namespace,
    workflowType: { name: state.workflowType },
    workflowExecution: { workflowId: state.workflowId, runId: state.runId },
    activityType: { name: activity.activityType },
    activityId: activity.activityId,
    header: attributes.header ?? null,
    input: attributes.input ?? null,
    heartbeatDetails: activity.heartbeatDetails,
    scheduledTime: fromMs(activity.firstScheduledAtMs),
    currentAttemptScheduledTime: fromMs(activity.scheduledAtMs),
    startedTime: fromMs(activity.startedAtMs),
    attempt: activity.attempt,
    scheduleToCloseTimeout: fromMs(activity.scheduleToCloseMs),
    startToCloseTimeout: fromMs(activity.startToCloseMs),
    heartbeatTimeout: fromMs(activity.heartbeatMs),
    retryPolicy: activity.retryPolicy,
    priority: mergePriority(state.priority, activity.priority),
  } as unknown as ActivityTaskResponse;
}
