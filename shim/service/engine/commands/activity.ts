/** SCHEDULE_ACTIVITY_TASK and REQUEST_CANCEL_ACTIVITY_TASK. */
import type { temporal } from '@temporalio/proto';
import { fromMs, int64, long } from '../../../common/proto-values';
import { closeCanceled, findByActivityId } from '../activities';
import { cappedMs, durationProblem } from '../durations';
import { EventType } from '../event-fields';
import { validatePriority } from '../priority';
import { validateRetryPolicy, withRetryDefaults } from '../retry';
import { payloadsSize } from '../size';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent, Payloads } from '../types';
import { byteLength, checkBlobSize, checkPending, checkedTaskQueue, countEntries, extrasOf, refusing } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

const SCHEDULE = 'ScheduleActivityTaskCommand';

type ScheduleAttributes = temporal.api.command.v1.IScheduleActivityTaskCommandAttributes;

export function scheduleActivity(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  const attributes = command.scheduleActivityTaskCommandAttributes;
  if (!attributes) {
    throw new CommandError(cause, 'ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.');
  }
  const { state } = t;
  const { limits } = t.ctx;
  const activityId = attributes.activityId ?? '';
  const activityType = attributes.activityType?.name ?? '';
  const which = `ActivityId=${activityId} ActivityType=${activityType}`;
  const taskQueue = checkedTaskQueue(
    cause,
    attributes.taskQueue,
    '',
    limits,
    (problem) => `invalid TaskQueue on ${SCHEDULE}: ${problem}. ${which}`,
  );
  if (activityId === '') {
    throw new CommandError(cause, `ActivityId is not set on ${SCHEDULE}. ActivityType=${activityType}`);
  }
  if (activityType === '') {
    throw new CommandError(cause, `ActivityType is not set on ${SCHEDULE}. ActivityID=${activityId}`);
  }
  const retryPolicy = withRetryDefaults(attributes.retryPolicy);
  refusing(
    cause,
    () => validateRetryPolicy(retryPolicy),
    // The server's spelling.
    (problem) => `invalid ActivityRetryPolicy on SechduleActivityTaskCommand: ${problem}. ${which}`,
  );
  for (const [name, value] of [
    ['ActivityId', activityId],
    ['ActivityType', activityType],
  ] as const) {
    const length = byteLength(value);
    if (length > limits.idLength) {
      const sizes = `Length=${length} Limit=${limits.idLength}`;
      throw new CommandError(cause, `${name} on ${SCHEDULE} exceeds length limit. ${which} ${sizes}`);
    }
  }
  refusing(cause, () => validatePriority(attributes.priority));
  const timeouts = normalizedTimeouts(cause, attributes, state.runTimeoutMs, which);
  if (attributes.useWorkflowBuildId && taskQueue.name !== state.taskQueue) {
    throw new CommandError(cause, 'Activity with UseCompatibleVersion cannot run on different task queue.');
  }
  checkBlobSize(cause, payloadsSize(attributes.input), t.ctx, 'ScheduleActivityTaskCommandAttributes.Input');
  checkPending(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
    countEntries(state.activities),
    limits.pendingActivities,
    'pending activities',
  );
  if (findByActivityId(state, activityId) !== undefined) {
    throw new CommandError(
      TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
      `invalid history builder state for action: add-activitytask-scheduled-event, ActivityID: ${activityId}`,
    );
  }
  const event = t.addEvent(
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    {
      activityId,
      activityType: { name: activityType },
      taskQueue,
      ...(attributes.header ? { header: attributes.header } : {}),
      ...(attributes.input ? { input: attributes.input } : {}),
      ...timeouts,
      workflowTaskCompletedEventId: long(c.completedEventId),
      retryPolicy,
      ...(attributes.useWorkflowBuildId ? { useWorkflowBuildId: true } : {}),
      ...(attributes.priority ? { priority: attributes.priority } : {}),
    },
    extrasOf(command),
  );
  t.effect({
    type: 'activityScheduled',
    scheduledEventId: int64(event.eventId),
    eager: attributes.requestEagerExecution ?? false,
  });
  return event;
}

type Timeouts = Required<
  Pick<ScheduleAttributes, `${'scheduleToClose' | 'scheduleToStart' | 'startToClose' | 'heartbeat'}Timeout`>
>;

/**
 * Schedule-to-close stands in for what is missing beside it; start-to-close alone takes the run timeout for the others. None exceeds the
 * run timeout, and heartbeat none of start-to-close.
 */
export function normalizedTimeouts(
  cause: TaskFailedCause,
  attributes: Partial<Timeouts>,
  runTimeoutMs: number,
  which: string,
): Timeouts {
  const read = (name: keyof Timeouts): number => {
    const problem = durationProblem(attributes[name]);
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    if (problem !== null) throw new CommandError(cause, `Invalid ${label} for ${SCHEDULE}: ${problem}. ${which}`);
    return cappedMs(attributes[name]);
  };
  let scheduleToClose = read('scheduleToCloseTimeout');
  let scheduleToStart = read('scheduleToStartTimeout');
  let startToClose = read('startToCloseTimeout');
  let heartbeat = read('heartbeatTimeout');
  if (scheduleToClose > 0) {
    scheduleToStart = Math.min(scheduleToStart || scheduleToClose, scheduleToClose);
    startToClose = Math.min(startToClose || scheduleToClose, scheduleToClose);
  } else if (startToClose > 0) {
    scheduleToClose = runTimeoutMs;
    scheduleToStart ||= runTimeoutMs;
  } else {
    throw new CommandError(cause, `A valid StartToClose or ScheduleToCloseTimeout is not set on ${SCHEDULE}. ${which}`);
  }
  if (runTimeoutMs > 0) {
    scheduleToClose = Math.min(scheduleToClose, runTimeoutMs);
    scheduleToStart = Math.min(scheduleToStart, runTimeoutMs);
    startToClose = Math.min(startToClose, runTimeoutMs);
    heartbeat = Math.min(heartbeat, runTimeoutMs);
  }
  return {
    scheduleToCloseTimeout: fromMs(scheduleToClose),
    scheduleToStartTimeout: fromMs(scheduleToStart),
    startToCloseTimeout: fromMs(startToClose),
    heartbeatTimeout: fromMs(Math.min(heartbeat, startToClose)),
  };
}

/** What the server answers for an activity that no worker has begun. */
const NOT_STARTED: Payloads = {
  payloads: [
    { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify('ACTIVITY_ID_NOT_STARTED')) },
  ],
};

/** A running attempt hears of it with its next heartbeat; one that no worker has begun closes at once. */
export function requestCancelActivity(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;
  const attributes = command.requestCancelActivityTaskCommandAttributes;
  if (!attributes) {
    throw new CommandError(
      cause,
      'RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.',
    );
  }
  const scheduledEventId = int64(attributes.scheduledEventId);
  if (scheduledEventId <= 0) {
    throw new CommandError(cause, 'ScheduledEventId is not set on RequestCancelActivityTaskCommand.');
  }
  const activity = t.state.activities[scheduledEventId];
  // A result that the workflow has not seen yet excuses the late request; it is recorded and does nothing.
  if (activity === undefined ? !closedInBuffer(t, scheduledEventId) : activity.cancelRequested) {
    throw new CommandError(
      cause,
      'invalid history builder state for action: add-activitytask-cancel-requested-event, ' +
        `ScheduledEventID: ${scheduledEventId}`,
    );
  }
  const event = t.addEvent(
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    {
      scheduledEventId: long(scheduledEventId),
      workflowTaskCompletedEventId: long(c.completedEventId),
    },
    extrasOf(command),
  );
  if (activity === undefined) return event;
  // The Canceled event waits for the end of the task like a result from outside, and brings the next task.
  if (activity.startedAtMs === 0) closeCanceled(t, activity, NOT_STARTED, c.identity);
  else t.effect({ type: 'activityCancelRequested', scheduledEventId });
  return event;
}

function closedInBuffer(t: RunTransition, scheduledEventId: number): boolean {
  return t.state.buffered.some((event) => {
    const closing =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    return closing ? int64(closing.scheduledEventId) === scheduledEventId : false;
  });
}
