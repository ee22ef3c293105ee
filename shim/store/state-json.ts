/**
 * A run's state as JSON, without what is at its default: a third of the size, and so of the WAL of every commit. The typed defaults below
 * are also what a state written by an older version gets for members that it did not have.
 *
 * Members are written last to first: what changes is at the end of `RunState`, what stays at its beginning, and Postgres leaves a common
 * end of the old and the new row out of the WAL.
 */
import { type ActivityState, type RunState, Status, type WorkflowTaskState } from '../service/engine/types';
import { fromJson, toJson } from './json';
import { quote } from './json-text';

function runDefaults(workflowId: string, runId: string, startedAtMs: number): RunState {
  return {
    namespace: '',
    workflowId: '',
    runId,
    firstRunId: runId,
    baseRunId: '',
    originalRunId: runId,
    workflowType: '',
    taskQueue: '',
    attempt: 1,
    status: Status.Running,
    startRequestId: '',
    startedAtMs: 0,
    executionAtMs: startedAtMs,
    closedAtMs: 0,
    executionTimeoutMs: 0,
    runTimeoutMs: 0,
    taskTimeoutMs: 10_000,
    executionExpiresAtMs: 0,
    runExpiresAtMs: 0,
    retryPolicy: null,
    cronSchedule: '',
    parent: null,
    root: { workflowId, runId },
    memo: {},
    searchAttributes: {},
    priority: null,
    nextEventId: 0,
    historySizeBytes: 0,
    stateTransitions: 0,
    firstTaskAtMs: 0,
    workflowTask: null,
    lastCompletedTaskStartedEventId: 0,
    failedTaskAttempts: 0,
    lastTaskFailure: '',
    sticky: null,
    activities: {},
    timers: {},
    children: {},
    externals: {},
    buffered: [],
    signalCount: 0,
    closeAttempted: false,
    cancelRequested: false,
    cancelRequestId: '',
    updates: {},
    updateSequence: 0,
    obligations: [],
    closeEventId: 0,
    newRunId: '',
    deployment: null,
    versioning: null,
  };
}

function taskDefaults(scheduledAtMs: number): WorkflowTaskState {
  return {
    scheduledEventId: 0,
    startedEventId: 0,
    attempt: 1,
    kind: 'normal',
    scheduledAtMs: 0,
    originalScheduledAtMs: scheduledAtMs,
    startedAtMs: 0,
    timeoutMs: 10_000,
    taskQueue: '',
    sticky: false,
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

function activityDefaults(scheduledAtMs: number): ActivityState {
  return {
    scheduledEventId: 0,
    activityId: '',
    activityType: '',
    taskQueue: '',
    attempt: 1,
    scheduledAtMs: 0,
    firstScheduledAtMs: scheduledAtMs,
    startedAtMs: 0,
    requestId: '',
    identity: '',
    scheduleToCloseMs: 0,
    scheduleToStartMs: 0,
    startToCloseMs: 0,
    heartbeatMs: 0,
    retryPolicy: {},
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
    priority: null,
  };
}

type Members = Record<string, unknown>;
type WriteMember = (key: string, value: unknown) => string;

const writePlain: WriteMember = (_key, value) => toJson(value);

function isEmpty(value: object): boolean {
  for (const _key in value) return false;
  return true;
}

function differs(value: unknown, standard: unknown): boolean {
  if (typeof value !== 'object' || value === null || typeof standard !== 'object' || standard === null) {
    return value !== standard;
  }
  // Of the defaults only `root` has members.
  if (isEmpty(standard)) return !isEmpty(value);
  const [one, other] = [value as RunState['root'], standard as RunState['root']];
  return one.workflowId !== other.workflowId || one.runId !== other.runId;
}

function write(object: object, defaults: object, member: WriteMember = writePlain): string {
  const members = object as Members;
  const keys = Object.keys(members);
  let json = '{';
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] as string;
    const value = members[key];
    if (value === undefined || !differs(value, (defaults as Members)[key])) continue;
    json += (json.length > 1 ? ',"' : '"') + key + '":' + member(key, value);
  }
  return json + '}';
}

const writeRunMember: WriteMember = (key, value) => {
  if (key === 'workflowTask' && value !== null) {
    const task = value as WorkflowTaskState;
    return write(task, taskDefaults(task.scheduledAtMs));
  }
  if (key === 'activities') {
    let json = '{';
    for (const [id, activity] of Object.entries(value as RunState['activities'])) {
      json +=
        (json.length > 1 ? ',' : '') + quote(id) + ':' + write(activity, activityDefaults(activity.scheduledAtMs));
    }
    return json + '}';
  }
  return toJson(value);
};

export function stateToJson(state: RunState): string {
  return write(state, runDefaults(state.workflowId, state.runId, state.startedAtMs), writeRunMember);
}

/** The run id is the key of the row that it came from. */
export function stateFromJson(json: string, runId: string): RunState {
  const stored = fromJson<Partial<RunState>>(json);
  const defaults = runDefaults(stored.workflowId ?? '', runId, stored.startedAtMs ?? 0);
  const state = Object.assign(defaults, stored);
  if (state.workflowTask !== null) {
    state.workflowTask = Object.assign(taskDefaults(state.workflowTask.scheduledAtMs), state.workflowTask);
  }
  for (const id in state.activities) {
    const activity = state.activities[id] as ActivityState;
    state.activities[id] = Object.assign(activityDefaults(activity.scheduledAtMs), activity);
  }
  return state;
}
