/** Appliers of workflow tasks. Transient and speculative ones have no events while they are pending: workflow-task.ts sets those itself. */
import { int64, ms } from '../../common/proto-values';
import { temporal } from '@temporalio/proto';
import { withBuildId } from './build-ids';
import type { Appliers } from './apply';
import { EventType } from './event-fields';
import type { HistoryEvent, RunState } from './types';
import { completedVersioned } from './versioning/apply';

import TaskQueueKind = temporal.api.enums.v1.TaskQueueKind;
import TimeoutType = temporal.api.enums.v1.TimeoutType;
import Cause = temporal.api.enums.v1.WorkflowTaskFailedCause;

function scheduled(state: RunState, event: HistoryEvent): void {
  const a = event.workflowTaskScheduledEventAttributes ?? {};
  const atMs = ms(event.eventTime);
  state.firstTaskAtMs = 0;
  state.workflowTask = {
    scheduledEventId: int64(event.eventId),
    startedEventId: 0,
    attempt: a.attempt || 1,
    kind: 'normal',
    scheduledAtMs: atMs,
    originalScheduledAtMs: atMs,
    startedAtMs: 0,
    timeoutMs: ms(a.startToCloseTimeout),
    taskQueue: a.taskQueue?.name ?? '',
    sticky: a.taskQueue?.kind === TaskQueueKind.TASK_QUEUE_KIND_STICKY,
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

function started(state: RunState, event: HistoryEvent): void {
  const task = state.workflowTask;
  if (task === null) return;
  const a = event.workflowTaskStartedEventAttributes ?? {};
  task.startedEventId = int64(event.eventId);
  task.startedAtMs = ms(event.eventTime);
  task.scheduleToStartAtMs = 0;
  task.requestId = a.requestId ?? '';
  task.identity = a.identity ?? '';
  task.historySizeBytes = int64(a.historySizeBytes);
  task.suggestContinueAsNew = a.suggestContinueAsNew ?? false;
  task.suggestContinueAsNewReasons = a.suggestContinueAsNewReasons ?? [];
  task.targetVersionChanged = a.targetWorkerDeploymentVersionChanged ?? false;
  task.workerVersion = a.workerVersion ?? null;
}

function completed(state: RunState, event: HistoryEvent): void {
  const a = event.workflowTaskCompletedEventAttributes ?? {};
  state.workflowTask = null;
  state.closeAttempted = false;
  state.failedTaskAttempts = 0;
  state.lastTaskFailure = '';
  state.lastCompletedTaskStartedEventId = int64(a.startedEventId);
  const { sdkName, sdkVersion } = a.sdkMetadata ?? {};
  const buildId = a.workerVersion?.buildId;
  if (!completedVersioned(state, a, buildId ?? '') && buildId) {
    state.searchAttributes = withBuildId(state, buildId) ?? state.searchAttributes;
  }
  if (sdkName || sdkVersion || buildId) {
    state.versioning = {
      buildId: buildId || state.versioning?.buildId || '',
      sdkName: sdkName || state.versioning?.sdkName || '',
      sdkVersion: sdkVersion || state.versioning?.sdkVersion || '',
    };
  }
}

/** The pending task ends without success. The next attempt is transient, unless this one was on a sticky queue, which is given up first. */
export function forgetFailedTask(state: RunState, countsAsAttempt: boolean): void {
  state.failedTaskAttempts = countsAsAttempt && state.sticky === null ? state.failedTaskAttempts + 1 : 0;
  state.sticky = null;
  state.workflowTask = null;
  state.closeAttempted = false;
}

export const workflowTaskAppliers: Appliers = {
  [EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED]: scheduled,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED]: started,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]: completed,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT]: (state, event) => {
    const timeoutType = event.workflowTaskTimedOutEventAttributes?.timeoutType;
    forgetFailedTask(state, timeoutType !== TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
  },
  [EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]: (state, event) => {
    const cause = event.workflowTaskFailedEventAttributes?.cause ?? 0;
    forgetFailedTask(state, true);
    state.lastTaskFailure = Cause[cause] ?? '';
    if (cause === Cause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) state.failedTaskAttempts = 0;
    if (cause === Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND) state.closeAttempted = true;
  },
};
