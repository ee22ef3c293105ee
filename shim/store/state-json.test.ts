import { describe, expect, it } from 'vitest';
import { runState } from '../../test/support/commits';
import { Status, type ActivityState, type WorkflowTaskState } from '../service/engine/types';
import { stateFromJson, stateToJson } from './state-json';

const task: WorkflowTaskState = {
  scheduledEventId: 2,
  startedEventId: 3,
  attempt: 4,
  kind: 'transient',
  scheduledAtMs: 100.25,
  originalScheduledAtMs: 50,
  startedAtMs: 101,
  timeoutMs: 5000,
  taskQueue: 'q',
  sticky: true,
  scheduleToStartAtMs: 7,
  requestId: 'r',
  identity: 'i',
  historySizeBytes: 9,
  suggestContinueAsNew: true,
  suggestContinueAsNewReasons: [1, 2],
  targetVersionChanged: false,
  workerVersion: { buildId: 'b' },
};

const activity: ActivityState = {
  scheduledEventId: 5,
  activityId: '1',
  activityType: 'charge',
  taskQueue: 'q',
  attempt: 3,
  scheduledAtMs: 10,
  firstScheduledAtMs: 9,
  startedAtMs: 11,
  requestId: 'r',
  identity: 'i',
  scheduleToCloseMs: 1,
  scheduleToStartMs: 2,
  startToCloseMs: 3,
  heartbeatMs: 4,
  retryPolicy: { maximumAttempts: 3 },
  cancelRequested: true,
  cancelRequestedEventId: 8,
  lastFailure: { message: 'no' },
  lastWorkerIdentity: 'w',
  lastHeartbeatAtMs: 12,
  heartbeatDetails: { payloads: [{ metadata: { encoding: new Uint8Array([97]) }, data: new Uint8Array([255]) }] },
  backingOff: true,
  paused: true,
  pause: { atMs: 13, identity: 'o', reason: 'y' },
  resetRequested: true,
  resetHeartbeats: true,
  lastAttemptEndedAtMs: 14,
  lastVersion: null,
  priority: { priorityKey: 1 },
};

describe('a stored state', () => {
  it('gives back a state at its defaults', () => {
    const state = runState('w', 'r', 2);
    expect(stateFromJson(stateToJson(state), state.runId)).toEqual(state);
    expect(stateToJson(state).length).toBeLessThan(300);
  });

  it('gives back a state in which every member differs from its default', () => {
    const state = runState('w', 'r', 2);
    for (const [key, value] of Object.entries(state)) {
      const members = state as unknown as Record<string, unknown>;
      if (typeof value === 'string') members[key] = `${value}x`;
      else if (typeof value === 'number') members[key] = value + 17.5;
      else if (typeof value === 'boolean') members[key] = !value;
    }
    state.status = Status.TimedOut;
    state.root = { workflowId: 'root', runId: state.runId };
    state.workflowTask = task;
    state.activities = { 5: activity, 6: { ...activity, attempt: 1, firstScheduledAtMs: 10, lastFailure: null } };
    state.timers = { $text: { timerId: '$text', startedEventId: 0, fireAtMs: 0 } };
    state.obligations = [{ kind: 'notifyParent' }];
    state.buffered = [{ eventType: 26, workflowExecutionSignaledEventAttributes: { signalName: 's' } }];
    state.sticky = { queue: 's', scheduleToStartMs: 0 };
    expect(stateFromJson(stateToJson(state), state.runId)).toEqual(state);
  });

  it('gives members that an older version did not know their defaults', () => {
    expect(stateFromJson('{"workflowId":"w","startedAtMs":5}', 'r')).toMatchObject({
      firstRunId: 'r',
      root: { workflowId: 'w', runId: 'r' },
      executionAtMs: 5,
      activities: {},
      obligations: [],
      workflowTask: null,
    });
  });

  it('ends with what does not change, so that Postgres leaves it out of the WAL', () => {
    const before = stateToJson(runState('w', 'r', 2));
    const after = stateToJson({ ...runState('w', 'r', 9), signalCount: 3 });
    let common = 0;
    while (before.at(-1 - common) === after.at(-1 - common)) common++;
    expect(common / before.length).toBeGreaterThan(0.5);
  });
});
