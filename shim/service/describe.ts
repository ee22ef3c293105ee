/** DescribeWorkflowExecution: an open run from its state, a closed one from its visibility row and history. */
import { temporal } from '@temporalio/proto';
import { fromMs, long, ms } from '../common/proto-values';
import type { ExecutionRow } from '../store/types';
import { firstBuildId, shownAttributes } from './engine/build-ids';
import { optionsOf } from './engine/activity-options';
import { retryIntervalMs } from './engine/retry';
import { type ActivityState, type HistoryEvent, type RunState, Status } from './engine/types';
import { shownOverride } from './engine/versioning/override';
import type { RunVersioning } from './engine/versioning/run-versioning';
import { dottedVersion } from './engine/versioning/version';
import { closedVersioning } from './engine/versioning/closed';
import { RunResetPoints } from './reset-points';
import { type CurrentRuns, runNotFound, targetOf, workflowNotFound } from './target';
import type { Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type Info = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

const ActivityStateName = temporal.api.enums.v1.PendingActivityState;
const TaskStateName = temporal.api.enums.v1.PendingWorkflowTaskState;
const STARTED = temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;

const at = (epochMs: number): ReturnType<typeof fromMs> | null => (epochMs > 0 ? fromMs(epochMs) : null);

export function describeWorkflowExecution(parts: ServiceParts, current: CurrentRuns): Rpc<Request, Response> {
  const resetPoints = new RunResetPoints(parts.store);
  return async (request) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    const runId = target.runId || (await current.current(target)).runId;
    const [state, row, [started]] = await Promise.all([
      parts.runs.snapshot(runId),
      parts.store.loadExecution(target.namespaceId, runId),
      parts.runs.history(runId, 1, 1),
    ]);
    if (row === null || row.workflowId !== target.workflowId || started === undefined) {
      throw target.runId === '' ? workflowNotFound(target.workflowId) : runNotFound(target.workflowId, runId);
    }
    const { uuid, retentionMs } = await parts.namespace(request.namespace);
    const [resetRunId, autoResetPoints] = await Promise.all([
      parts.store.resetOf(target.namespaceId, row.workflowId, runId),
      resetPoints.of({
        runId,
        started,
        lastEventId: state === null ? row.historyLength : state.nextEventId - 1,
        retentionMs,
      }),
    ]);
    // Heartbeats are kept beside the state; only started activities have them.
    const beats =
      state !== null && Object.values(state.activities).some((activity) => activity.startedAtMs > 0)
        ? await parts.store.heartbeats(runId)
        : [];
    const attributes = started.workflowExecutionStartedEventAttributes ?? {};
    return {
      executionConfig: {
        taskQueue: { name: row.taskQueue, kind: temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
        workflowExecutionTimeout: attributes.workflowExecutionTimeout,
        workflowRunTimeout: attributes.workflowRunTimeout,
        defaultWorkflowTaskTimeout: attributes.workflowTaskTimeout ?? fromMs(0),
        userMetadata: started.userMetadata,
      },
      workflowExecutionInfo: {
        ...(state === null ? executionInfo(row, uuid) : liveInfo(executionInfo(row, uuid), state)),
        priority: attributes.priority,
        ...versioningInfo(state?.deployment ?? null, row),
        autoResetPoints,
      },
      pendingActivities:
        state === null || state.status !== Status.Running
          ? []
          : Object.values(state.activities).map((activity) =>
              pendingActivity(
                activity,
                parts.store.nowMs(),
                beats.find((b) => b.scheduledEventId === activity.scheduledEventId && b.attempt === activity.attempt),
              ),
            ),
      pendingChildren:
        state === null || state.status !== Status.Running
          ? []
          : Object.values(state.children).map((child) => ({
              workflowId: child.workflowId,
              runId: child.runId,
              workflowTypeName: child.workflowType,
              initiatedId: long(child.initiatedEventId),
              parentClosePolicy: child.parentClosePolicy,
            })),
      pendingWorkflowTask: state === null || state.status !== Status.Running ? null : pendingTask(state),
      workflowExtendedInfo: { ...extendedInfo(row, state, started), ...(resetRunId === null ? {} : { resetRunId }) },
    };
  };
}

/** What lists and describe show of a run. `parentNamespaceId` is the namespace's own: parents live in the same one. */
export function executionInfo(row: ExecutionRow, namespaceUuid: string): Info {
  const closed = row.closeMs > 0;
  return {
    execution: { workflowId: row.workflowId, runId: row.runId },
    type: { name: row.workflowType },
    startTime: fromMs(row.startMs),
    executionTime: fromMs(row.executionMs),
    closeTime: closed ? fromMs(row.closeMs) : null,
    executionDuration: closed ? fromMs(row.closeMs - row.executionMs) : null,
    status: row.status as number,
    historyLength: long(row.historyLength),
    historySizeBytes: long(row.historySizeBytes),
    stateTransitionCount: long(row.stateTransitions),
    taskQueue: row.taskQueue,
    parentNamespaceId: row.parent === null ? '' : namespaceUuid,
    parentExecution: row.parent,
    rootExecution: row.root,
    firstRunId: row.firstRunId,
    memo: { fields: row.memo },
    searchAttributes: { indexedFields: shownAttributes(row.searchAttributes, row.buildId) },
  };
}

function liveInfo(info: Info, state: RunState): Info {
  return {
    ...info,
    status: state.status as number,
    historyLength: long(state.nextEventId - 1),
    historySizeBytes: long(state.historySizeBytes),
    stateTransitionCount: long(state.stateTransitions),
    memo: { fields: state.memo },
    searchAttributes: { indexedFields: shownAttributes(state.searchAttributes, firstBuildId(state)) },
  };
}

/** `deployment` null: of a run without a version, or a closed one, whose search attributes tell the last of it. */
function versioningInfo(
  deployment: RunVersioning | null,
  row: ExecutionRow,
): Pick<Info, 'versioningInfo' | 'workerDeploymentName'> {
  const known = deployment ?? closedVersioning(row);
  if (known === null) return {};
  const { behavior, version, override, transition, deploymentName, wasVersioned } = known;
  return {
    ...(deploymentName === '' ? {} : { workerDeploymentName: deploymentName }),
    ...(wasVersioned
      ? {
          versioningInfo: {
            behavior: behavior as number,
            ...(version === null ? {} : { version: dottedVersion(version), deploymentVersion: version }),
            ...(override === null ? {} : { versioningOverride: shownOverride(override) }),
            ...(transition === null
              ? {}
              : { versionTransition: { version: dottedVersion(transition.to), deploymentVersion: transition.to } }),
          },
        }
      : {}),
  };
}

function lastVersion(version: ActivityState['lastVersion']): PendingActivity {
  return version === null
    ? {}
    : { lastWorkerDeploymentVersion: dottedVersion(version), lastDeploymentVersion: version };
}

interface Beat {
  atMs: number;
  details: temporal.api.common.v1.IPayloads | null;
}

function activityStateName(activity: ActivityState): temporal.api.enums.v1.PendingActivityState {
  const started = activity.startedAtMs > 0;
  if (activity.cancelRequested) return ActivityStateName.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
  if (activity.paused) {
    return started
      ? ActivityStateName.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
      : ActivityStateName.PENDING_ACTIVITY_STATE_PAUSED;
  }
  return started
    ? ActivityStateName.PENDING_ACTIVITY_STATE_STARTED
    : ActivityStateName.PENDING_ACTIVITY_STATE_SCHEDULED;
}

function pendingActivity(activity: ActivityState, nowMs: number, beat: Beat | undefined): PendingActivity {
  const heartbeatAtMs = beat?.atMs ?? activity.lastHeartbeatAtMs;
  const waiting = activity.backingOff && !activity.paused && activity.scheduledAtMs > nowMs;
  const { retryPolicy } = activity;
  const expiresAtMs = activity.scheduleToCloseMs > 0 ? activity.firstScheduledAtMs + activity.scheduleToCloseMs : 0;
  const queue = { name: activity.taskQueue, normalName: activity.taskQueue };
  return {
    activityId: activity.activityId,
    activityType: { name: activity.activityType },
    state: activityStateName(activity),
    attempt: activity.attempt,
    maximumAttempts: retryPolicy.maximumAttempts,
    scheduledTime: fromMs(activity.scheduledAtMs),
    lastStartedTime: at(activity.startedAtMs),
    lastAttemptCompleteTime: at(activity.lastAttemptEndedAtMs),
    nextAttemptScheduleTime: waiting ? fromMs(activity.scheduledAtMs) : null,
    currentRetryInterval: currentRetryInterval(activity, waiting),
    expirationTime: at(expiresAtMs),
    lastFailure: activity.lastFailure,
    lastWorkerIdentity: activity.identity || activity.lastWorkerIdentity,
    lastHeartbeatTime: at(heartbeatAtMs),
    heartbeatDetails: heartbeatAtMs > 0 ? (beat?.details ?? activity.heartbeatDetails) : null,
    paused: activity.paused,
    pauseInfo:
      activity.pause === null
        ? null
        : {
            pauseTime: fromMs(activity.pause.atMs),
            manual: { identity: activity.pause.identity, reason: activity.pause.reason },
          },
    priority: activity.priority,
    ...lastVersion(activity.lastVersion),
    activityOptions: { ...optionsOf(activity), taskQueue: queue },
  };
}

/** Of the attempt that is not started: how long it has to wait, or would have when nothing is left of it. */
function currentRetryInterval(activity: ActivityState, waiting: boolean): PendingActivity['currentRetryInterval'] {
  if (activityStateName(activity) !== ActivityStateName.PENDING_ACTIVITY_STATE_SCHEDULED) return null;
  return fromMs(
    waiting
      ? activity.scheduledAtMs - activity.lastAttemptEndedAtMs
      : retryIntervalMs(activity.retryPolicy, activity.attempt),
  );
}

function pendingTask(state: RunState): temporal.api.workflow.v1.IPendingWorkflowTaskInfo | null {
  const task = state.workflowTask;
  if (task === null) return null;
  const started = task.startedEventId !== 0;
  return {
    state: started
      ? TaskStateName.PENDING_WORKFLOW_TASK_STATE_STARTED
      : TaskStateName.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
    scheduledTime: fromMs(task.scheduledAtMs),
    originalScheduledTime: at(task.originalScheduledAtMs),
    startedTime: started ? fromMs(task.startedAtMs) : null,
    attempt: task.attempt,
  };
}

function extendedInfo(
  row: ExecutionRow,
  state: RunState | null,
  started: HistoryEvent,
): temporal.api.workflow.v1.IWorkflowExecutionExtendedInfo {
  const attributes = started.workflowExecutionStartedEventAttributes ?? {};
  const runTimeoutMs = ms(attributes.workflowRunTimeout);
  // The timeouts of a reset run count from the reset.
  const wasReset = row.baseRunId !== '';
  const executionTimeoutMs = ms(attributes.workflowExecutionTimeout);
  return {
    executionExpirationTime: wasReset
      ? at(executionTimeoutMs && row.startMs + executionTimeoutMs)
      : attributes.workflowExecutionExpirationTime,
    ...(wasReset ? { lastResetTime: fromMs(row.startMs) } : {}),
    runExpirationTime: state === null ? at(runTimeoutMs && row.startMs + runTimeoutMs) : at(state.runExpiresAtMs),
    originalStartTime: started.eventTime,
    cancelRequested: state?.cancelRequested ?? false,
    requestIdInfos: { [row.startRequestId]: { eventType: STARTED, eventId: long(1), buffered: false } },
  };
}
