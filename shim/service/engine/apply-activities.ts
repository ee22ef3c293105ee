/** Activity events folded into `RunState.activities`. An activity is there from its Scheduled event until it closes. */
import { int64, ms } from '../../common/proto-values';
import type { Appliers } from './apply';
import { EventType } from './event-fields';
import { withRetryDefaults } from './retry';
import type { HistoryEvent, RunState } from './types';

function scheduled(state: RunState, event: HistoryEvent): void {
  const attributes = event.activityTaskScheduledEventAttributes!;
  const scheduledEventId = int64(event.eventId);
  const scheduledAtMs = ms(event.eventTime);
  state.activities[scheduledEventId] = {
    scheduledEventId,
    activityId: attributes.activityId ?? '',
    activityType: attributes.activityType?.name ?? '',
    taskQueue: attributes.taskQueue?.name ?? '',
    attempt: 1,
    scheduledAtMs,
    firstScheduledAtMs: scheduledAtMs,
    startedAtMs: 0,
    requestId: '',
    identity: '',
    scheduleToCloseMs: ms(attributes.scheduleToCloseTimeout),
    scheduleToStartMs: ms(attributes.scheduleToStartTimeout),
    startToCloseMs: ms(attributes.startToCloseTimeout),
    heartbeatMs: ms(attributes.heartbeatTimeout),
    retryPolicy: withRetryDefaults(attributes.retryPolicy),
    cancelRequested: false,
    cancelRequestedEventId: 0,
    lastFailure: null,
    lastWorkerIdentity: '',
    lastHeartbeatAtMs: 0,
    heartbeatDetails: null,
    backingOff: false,
    paused: false,
    pause: null,
    resetRequested: false,
    resetHeartbeats: false,
    lastAttemptEndedAtMs: 0,
    lastVersion: null,
    priority: attributes.priority ?? null,
  };
}

function cancelRequested(state: RunState, event: HistoryEvent): void {
  const activity = state.activities[int64(event.activityTaskCancelRequestedEventAttributes!.scheduledEventId)];
  // Its result may already be waiting for the workflow task to end.
  if (activity === undefined) return;
  activity.cancelRequested = true;
  activity.cancelRequestedEventId = int64(event.eventId);
}

export const activityAppliers: Appliers = {
  [EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]: scheduled,
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED]: cancelRequested,
  [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]: (state, event) =>
    void delete state.activities[int64(event.activityTaskCompletedEventAttributes!.scheduledEventId)],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED]: (state, event) =>
    void delete state.activities[int64(event.activityTaskFailedEventAttributes!.scheduledEventId)],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]: (state, event) =>
    void delete state.activities[int64(event.activityTaskTimedOutEventAttributes!.scheduledEventId)],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED]: (state, event) =>
    void delete state.activities[int64(event.activityTaskCanceledEventAttributes!.scheduledEventId)],
};
