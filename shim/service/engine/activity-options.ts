/** Options of a pending activity as operators see and patch them: timeouts, queue, retry policy, priority. */
import { temporal } from '@temporalio/proto';
import { fromMs, ms } from '../../common/proto-values';
import { ServiceError, invalidArgument } from '../errors';
import type { ActivityOptionsPatch, ActivitySelector } from './api';
import { waitUntil } from './activity-retry';
import { selectActivities } from './activity-selection';
import { CommandError, TaskFailedCause } from './commands/command-error';
import { normalizedTimeouts } from './commands/activity';
import { validatePriority } from './priority';
import { nextBackoff, validateRetryPolicy, withRetryDefaults } from './retry';
import type { ActivityState, HistoryEvent, RetryPolicy, Transition } from './types';
import { requireTaskQueue } from './validate';

type ActivityOptions = temporal.api.activity.v1.IActivityOptions;
type Priority = temporal.api.common.v1.IPriority;

const NORMAL = temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL;

export function optionsOf(activity: ActivityState): ActivityOptions {
  const { nonRetryableErrorTypes: _, ...retryPolicy } = activity.retryPolicy;
  return {
    taskQueue: { name: activity.taskQueue },
    scheduleToCloseTimeout: fromMs(activity.scheduleToCloseMs),
    scheduleToStartTimeout: fromMs(activity.scheduleToStartMs),
    startToCloseTimeout: fromMs(activity.startToCloseMs),
    heartbeatTimeout: fromMs(activity.heartbeatMs),
    priority: activity.priority,
    retryPolicy,
  };
}

/** Where the patched fields of a path go; each names the message of the request that must be there. */
const patches: Record<string, (into: ActivityOptions, from: ActivityOptions) => void> = {
  'taskQueue.name': (into, from) => (into.taskQueue = { name: given(from.taskQueue, 'TaskQueue').name }),
  scheduleToCloseTimeout: (into, from) => (into.scheduleToCloseTimeout = from.scheduleToCloseTimeout),
  scheduleToStartTimeout: (into, from) => (into.scheduleToStartTimeout = from.scheduleToStartTimeout),
  startToCloseTimeout: (into, from) => (into.startToCloseTimeout = from.startToCloseTimeout),
  heartbeatTimeout: (into, from) => (into.heartbeatTimeout = from.heartbeatTimeout),
  priority: (into, from) => (into.priority = from.priority ?? null),
  'priority.priorityKey': patchPriority('priorityKey'),
  'priority.fairnessKey': patchPriority('fairnessKey'),
  'priority.fairnessWeight': patchPriority('fairnessWeight'),
  retryPolicy: (into, from) => (into.retryPolicy = given(from.retryPolicy, 'RetryPolicy')),
  'retryPolicy.initialInterval': patchRetry('initialInterval'),
  'retryPolicy.backoffCoefficient': patchRetry('backoffCoefficient'),
  'retryPolicy.maximumInterval': patchRetry('maximumInterval'),
  'retryPolicy.maximumAttempts': patchRetry('maximumAttempts'),
};

function patchPriority(field: keyof Priority) {
  return (into: ActivityOptions, from: ActivityOptions): void => {
    into.priority = { ...into.priority, [field]: given(from.priority, 'Priority')[field] };
  };
}

function patchRetry(field: keyof RetryPolicy) {
  return (into: ActivityOptions, from: ActivityOptions): void => {
    into.retryPolicy = { ...into.retryPolicy, [field]: given(from.retryPolicy, 'RetryPolicy')[field] };
  };
}

function given<T>(value: T | null | undefined, name: string): T {
  if (!value) throw invalidArgument(`${name} is not provided`);
  return value;
}

/**
 * Patches the options of pending activities, or restores those they were scheduled with. One that waits is dispatched anew: at its scheduled
 * time, or when the patched retry policy says. All are checked before any is changed. The options of the last one.
 */
export function updateActivityOptions(
  t: Transition,
  which: ActivitySelector,
  change: ActivityOptionsPatch | { originals: ReadonlyMap<number, HistoryEvent> },
): ActivityOptions {
  const activities = selectActivities(t.state, which);
  const options = activities.map((activity) =>
    'originals' in change ? originalOptions(activity, change.originals) : patchedOptions(t, activity, change),
  );
  activities.forEach((activity, i) => {
    setOptions(activity, options[i]!);
    if (activity.startedAtMs === 0 && !activity.cancelRequested) reschedule(t, activity);
  });
  return options[options.length - 1]!;
}

function patchedOptions(t: Transition, activity: ActivityState, patch: ActivityOptionsPatch): ActivityOptions {
  const options = optionsOf(activity);
  for (const path of patch.paths) {
    const apply = patches[path];
    if (apply === undefined) throw invalidArgument(`UpdateMask: ${path} is not an option of a pending activity`);
    apply(options, patch.options);
  }
  const { activityId, activityType } = activity;
  const about = `ActivityId=${activityId} ActivityType=${activityType}`;
  const name = refusing(`invalid TaskQueue on ScheduleActivityTaskCommand: `, `. ${about}`, () =>
    requireTaskQueue(options.taskQueue?.name, t.ctx.limits),
  );
  const retryPolicy = withRetryDefaults(options.retryPolicy);
  validateRetryPolicy(retryPolicy);
  validatePriority(options.priority);
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  const timeouts = refusing('', '', () => normalizedTimeouts(cause, options, t.state.runTimeoutMs, about));
  return { ...options, ...timeouts, retryPolicy, taskQueue: { name, kind: NORMAL } };
}

/** A command's check as the check of a request. */
function refusing<R>(before: string, after: string, check: () => R): R {
  try {
    return check();
  } catch (error) {
    if (error instanceof CommandError) throw invalidArgument(error.message);
    if (error instanceof ServiceError) throw invalidArgument(before + error.details + after);
    throw error;
  }
}

export function setOptions(activity: ActivityState, options: ActivityOptions): void {
  activity.taskQueue = options.taskQueue?.name ?? '';
  activity.scheduleToCloseMs = ms(options.scheduleToCloseTimeout);
  activity.scheduleToStartMs = ms(options.scheduleToStartTimeout);
  activity.startToCloseMs = ms(options.startToCloseTimeout);
  activity.heartbeatMs = ms(options.heartbeatTimeout);
  activity.priority = options.priority ?? null;
  const { nonRetryableErrorTypes } = activity.retryPolicy;
  activity.retryPolicy = { ...options.retryPolicy, ...(nonRetryableErrorTypes ? { nonRetryableErrorTypes } : {}) };
}

/** The options of the activity's Scheduled event. */
export function originalOptions(
  activity: ActivityState,
  originals: ReadonlyMap<number, HistoryEvent>,
): ActivityOptions {
  const attributes = originals.get(activity.scheduledEventId)?.activityTaskScheduledEventAttributes;
  if (!attributes) throw invalidArgument('ActivityTaskScheduledEvent is incomplete');
  const { scheduleToCloseTimeout, scheduleToStartTimeout, startToCloseTimeout, heartbeatTimeout } = attributes;
  return {
    taskQueue: { name: attributes.taskQueue?.name },
    scheduleToCloseTimeout,
    scheduleToStartTimeout,
    startToCloseTimeout,
    heartbeatTimeout,
    priority: attributes.priority ?? null,
    retryPolicy: withRetryDefaults(attributes.retryPolicy),
  };
}

function reschedule(t: Transition, activity: ActivityState): void {
  let atMs = activity.scheduledAtMs;
  if (activity.attempt > 1) {
    const { attempt, retryPolicy: policy } = activity;
    const unlimited = { ...policy, maximumAttempts: 0 };
    const next = nextBackoff({ nowMs: 0, attempt, policy: unlimited, expiresAtMs: 0 });
    if (next.retry) atMs = activity.lastAttemptEndedAtMs + next.backoffMs;
  }
  activity.lastFailure = null;
  waitUntil(t, activity, atMs);
}
