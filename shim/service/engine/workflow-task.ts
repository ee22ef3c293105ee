/**
 * The life of workflow tasks up to their completion: scheduling, starting, failing and timing out.
 *
 * At most one task is pending. A `normal` task is in history from the moment it is scheduled. After a failed attempt the next ones are
 * `transient`: their Scheduled and Started events are only virtual, until one of them completes. A `speculative` task carries updates and leaves
 * no history if they are all rejected.
 */
import { temporal } from '@temporalio/proto';
import { fromMs, long } from '../../common/proto-values';
import { notFound } from '../errors';
import { forgetFailedTask } from './apply-workflow-task';
import { EventType } from './event-fields';
import { type RunTransition, taskQueueOf, taskStartedAttributes } from './transition';
import type { Failure, HistoryEvent, RunState, WorkflowTaskState } from './types';
import { leftBehind } from './versioning/routing';
import { taskStartedBy } from './versioning/transition';
import type { DeploymentVersion } from './versioning/version';

import Cause = temporal.api.enums.v1.WorkflowTaskFailedCause;
import SuggestReason = temporal.api.enums.v1.SuggestContinueAsNewReason;
import TimeoutType = temporal.api.enums.v1.TimeoutType;

/** Identity of events that the server writes for itself. */
export const SERVER_IDENTITY = 'history-service';

/** A speculative task that no worker takes within this time becomes a normal one. */
const SPECULATIVE_SCHEDULE_TO_START_MS = 5000;

/** Attempts beyond this one get more time: also the pace at which a failing task is retried. */
const ATTEMPTS_WITHOUT_BACKOFF = 3;
const ATTEMPT_BACKOFF_MS = 5000;
const ATTEMPT_BACKOFF_MAXIMUM_MS = 10 * 60 * 1000;

export const taskNotFound = (): Error => notFound('Workflow task not found.');

/** Start-to-close of that attempt, ms: the run's task timeout, from attempt 4 on plus 5 s, 10 s, 20 s … 10 min. */
export function taskTimeoutMs(defaultMs: number, attempt: number): number {
  if (attempt <= ATTEMPTS_WITHOUT_BACKOFF) return defaultMs;
  const backoffMs = ATTEMPT_BACKOFF_MS * 2 ** (attempt - ATTEMPTS_WITHOUT_BACKOFF - 1);
  return defaultMs + Math.min(backoffMs, ATTEMPT_BACKOFF_MAXIMUM_MS);
}

export interface ScheduleOptions {
  speculative?: boolean;
  /** For heartbeats: when the chain of tasks was first scheduled. */
  originalScheduledAtMs?: number;
}

/** Schedules a workflow task now unless one is pending or the run is closed; buffered events get their ids before it. */
export function scheduleWorkflowTask(t: RunTransition, options: ScheduleOptions = {}): void {
  const { state } = t;
  if (t.closed || state.workflowTask !== null) return;
  // New events for the worker: neither the failures before nor a wish to leave no trace count any more.
  const flushed = t.flushBuffered();
  if (flushed) state.failedTaskAttempts = 0;
  const attempt = state.failedTaskAttempts + 1;
  const kind = attempt > 1 ? 'transient' : options.speculative && !flushed ? 'speculative' : 'normal';
  const timeoutMs = taskTimeoutMs(state.taskTimeoutMs, attempt);
  const { sticky } = state;
  const nowMs = t.ctx.nowMs;
  if (kind === 'normal') {
    t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, {
      taskQueue: sticky
        ? { name: sticky.queue, kind: 2, normalName: state.taskQueue }
        : { name: state.taskQueue, kind: 1 },
      startToCloseTimeout: fromMs(timeoutMs),
      attempt,
    });
  } else {
    // A speculative task may leave no trace: the wait for the first task goes on beside it.
    if (kind === 'transient') state.firstTaskAtMs = 0;
    state.workflowTask = {
      scheduledEventId: state.nextEventId,
      startedEventId: 0,
      attempt,
      kind,
      scheduledAtMs: nowMs,
      originalScheduledAtMs: nowMs,
      startedAtMs: 0,
      timeoutMs,
      taskQueue: sticky ? sticky.queue : state.taskQueue,
      sticky: sticky !== null,
      scheduleToStartAtMs: 0,
      requestId: '',
      identity: '',
      historySizeBytes: 0,
      suggestContinueAsNew: false,
      suggestContinueAsNewReasons: [],
      targetVersionChanged: false,
      workerVersion: null,
    };
  }
  const task = state.workflowTask as WorkflowTaskState | null;
  if (task === null) return;
  if (options.originalScheduledAtMs !== undefined) task.originalScheduledAtMs = options.originalScheduledAtMs;
  if (sticky && sticky.scheduleToStartMs > 0) task.scheduleToStartAtMs = nowMs + sticky.scheduleToStartMs;
  else if (kind === 'speculative') task.scheduleToStartAtMs = nowMs + SPECULATIVE_SCHEDULE_TO_START_MS;
  t.effect({ type: 'workflowTaskScheduled' });
}

/** As `scheduleWorkflowTask`, but a run that still waits for its first task (start delay, cron, retry) goes on waiting. */
export function ensureWorkflowTask(t: RunTransition): void {
  if (t.state.firstTaskAtMs === 0) scheduleWorkflowTask(t);
}

export interface StartTaskInput {
  scheduledEventId: number;
  attempt: number;
  requestId: string;
  identity: string;
  workerVersion?: temporal.api.common.v1.IWorkerVersionStamp | null;
  /** Of the poller: a run that is not pinned moves to it. Left out: the task stays where the one before was done. */
  version?: DeploymentVersion | null;
}

/** Marks the pending task started for a poller. A repeated request of the same poll changes nothing. NOT_FOUND when it is gone. */
export function startWorkflowTask(t: RunTransition, input: StartTaskInput): void {
  const { state } = t;
  const task = state.workflowTask;
  if (t.closed || task === null) throw taskNotFound();
  if (task.scheduledEventId !== input.scheduledEventId || task.attempt !== input.attempt) throw taskNotFound();
  if (task.startedEventId !== 0) {
    if (task.requestId === input.requestId) return;
    throw taskNotFound();
  }
  const nowMs = t.ctx.nowMs;
  if (task.kind !== 'normal' && task.scheduledEventId !== state.nextEventId) {
    // Events came since it was scheduled: it is no repetition any more.
    task.kind = 'normal';
    task.attempt = 1;
    state.failedTaskAttempts = 0;
    task.scheduledAtMs = nowMs;
    t.writeTaskEvents();
  }
  const { version } = input;
  if (version !== undefined && task.kind !== 'speculative') taskStartedBy(t, version);
  const { limits } = t.ctx;
  task.requestId = input.requestId;
  task.identity = input.identity;
  task.workerVersion = input.workerVersion ?? null;
  task.historySizeBytes = state.historySizeBytes;
  const updates = Object.keys(state.updates).length;
  const reasons: SuggestReason[] = [];
  if (state.historySizeBytes >= limits.historySizeSuggestContinueAsNew) {
    reasons.push(SuggestReason.SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE);
  }
  if (state.nextEventId >= limits.historyCountSuggestContinueAsNew) {
    reasons.push(SuggestReason.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS);
  }
  if (limits.updatesPerRun > 0 && updates >= limits.updatesPerRun * 0.9) {
    reasons.push(SuggestReason.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES);
  }
  task.suggestContinueAsNew = reasons.length > 0;
  task.suggestContinueAsNewReasons = reasons;
  task.targetVersionChanged = t.ctx.routing !== null && leftBehind(state, t.ctx.routing);
  if (task.kind === 'normal') {
    t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, taskStartedAttributes(task));
  } else {
    task.startedEventId = task.scheduledEventId + 1;
    task.startedAtMs = nowMs;
    task.scheduleToStartAtMs = 0;
  }
}

/** Scheduled and Started of a pending transient or speculative task, under the ids they will get. Empty for a normal one. */
export function virtualTaskEvents(state: RunState): HistoryEvent[] {
  const task = state.workflowTask;
  if (task === null || task.kind === 'normal') return [];
  const scheduled: HistoryEvent = {
    eventId: long(task.scheduledEventId),
    eventTime: fromMs(task.scheduledAtMs),
    eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    workflowTaskScheduledEventAttributes: {
      taskQueue: taskQueueOf(state),
      startToCloseTimeout: fromMs(task.timeoutMs),
      attempt: task.attempt,
    },
  };
  if (task.startedEventId === 0) return [scheduled];
  const started: HistoryEvent = {
    eventId: long(task.startedEventId),
    eventTime: fromMs(task.startedAtMs),
    eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    workflowTaskStartedEventAttributes: taskStartedAttributes(task),
  };
  return [scheduled, started];
}

export interface TaskFailure {
  cause: Cause;
  failure?: Failure | null;
  identity?: string;
  binaryChecksum?: string;
}

/**
 * The started task fails: WorkflowTaskFailed, unless it was transient. Buffered events stay buffered; the caller schedules the next task
 * (which flushes them) or closes the run.
 */
export function failStartedTask(t: RunTransition, input: TaskFailure): void {
  const { state } = t;
  const task = state.workflowTask;
  if (task === null) return;
  t.writeSpeculativeTask();
  if (task.kind === 'transient') {
    forgetFailedTask(state, true);
    state.closeAttempted = input.cause === Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
    return;
  }
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, {
    scheduledEventId: long(task.scheduledEventId),
    startedEventId: long(task.startedEventId),
    cause: input.cause,
    ...(input.failure ? { failure: input.failure } : {}),
    ...(input.identity ? { identity: input.identity } : {}),
    ...(input.binaryChecksum ? { binaryChecksum: input.binaryChecksum } : {}),
  });
}

/** Start-to-close of the started task passed: recorded unless transient, and the next attempt is scheduled. */
export function timeOutStartedTask(t: RunTransition): void {
  const { state } = t;
  const task = state.workflowTask;
  if (task === null || task.startedEventId === 0) return;
  t.writeSpeculativeTask();
  if (task.kind === 'transient') {
    forgetFailedTask(state, true);
  } else {
    t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, {
      scheduledEventId: long(task.scheduledEventId),
      startedEventId: long(task.startedEventId),
      timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
    });
  }
  resendUpdates(state);
  scheduleWorkflowTask(t);
}

/** Nobody took the sticky (or speculative) task in time: it goes to the normal queue, as a normal task. */
export function timeOutUnstartedTask(t: RunTransition): void {
  const { state } = t;
  const task = state.workflowTask;
  if (task === null || task.startedEventId !== 0) return;
  t.writeSpeculativeTask();
  if (task.kind === 'transient') {
    forgetFailedTask(state, false);
  } else {
    t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, {
      scheduledEventId: long(task.scheduledEventId),
      timeoutType: TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START,
    });
  }
  scheduleWorkflowTask(t);
}

/** Updates that went with a task which came to nothing are delivered again with the next one. */
export function resendUpdates(state: RunState): void {
  for (const id in state.updates) {
    const update = state.updates[id];
    if (update?.stage === 'sent') update.stage = 'admitted';
  }
}
