/** Whatever clients, workers and the clock do to a run, its history stays well formed and rebuilds its state. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  CommandType,
  World,
  answer,
  cancelActivity,
  completeRun,
  failRun,
  json,
  scheduleActivity,
  seconds,
  startTimer,
} from '../../../test/engine/world';
import { int64 } from '../../common/proto-values';
import { ServiceError } from '../errors';
import { EventType } from './event-fields';
import { engine } from './index';
import { replay } from './replay';
import { type Command, type HistoryEvent, type RunState, Status } from './types';

type Step = { name: string; pick: number; flag: boolean; sizes: number[] };

const names = [
  'signal',
  'update',
  'cancel',
  'poll',
  'complete',
  'complete',
  'complete',
  'completeBadly',
  'close',
  'fail',
  'sleep',
  'sleepLong',
  'startActivity',
  'finishActivity',
  'failActivity',
  'childStarted',
  'childClosed',
  'external',
  'terminate',
];

const step: fc.Arbitrary<Step> = fc.record({
  name: fc.constantFrom(...names),
  pick: fc.nat(7),
  flag: fc.boolean(),
  sizes: fc.array(fc.nat(9), { maxLength: 4 }),
});

const pickOf = <T>(record: Record<string, T>, pick: number): T | undefined => {
  const values = Object.values(record);
  return values[pick % Math.max(1, values.length)];
};

let unique = 0;

function commandOf(w: World, size: number): Command {
  const id = `c${++unique}`;
  switch (size) {
    case 0:
      return startTimer(id, 5);
    case 1:
      return scheduleActivity(id);
    case 2: {
      const timer = pickOf(w.state.timers, size);
      if (timer === undefined) return startTimer(id, 60);
      return {
        commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
        cancelTimerCommandAttributes: { timerId: timer.timerId },
      };
    }
    case 3: {
      const activity = pickOf(w.state.activities, size);
      return activity === undefined ? scheduleActivity(id) : cancelActivity(activity.scheduledEventId);
    }
    case 4:
      return {
        commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
        startChildWorkflowExecutionCommandAttributes: { workflowId: id, workflowType: { name: 'child' } },
      };
    case 5:
      return {
        commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
        signalExternalWorkflowExecutionCommandAttributes: { execution: { workflowId: 'other' }, signalName: 's' },
      };
    case 6:
      return {
        commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
        requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId: 'other' },
      };
    case 7:
      return {
        commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        upsertWorkflowSearchAttributesCommandAttributes: {
          searchAttributes: { indexedFields: { Mine: json(id).payloads?.[0] as object } },
        },
      };
    case 8:
      return {
        commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
        modifyWorkflowPropertiesCommandAttributes: {
          upsertedMemo: { fields: { note: json(id).payloads?.[0] as object } },
        },
      };
    default:
      return {
        commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
        recordMarkerCommandAttributes: { markerName: 'core_patch', details: { data: json(id) } },
      };
  }
}

const sticky = { workerTaskQueue: { name: 'q-sticky' }, scheduleToStartTimeout: seconds(10) };

/** Answers to what was delivered: some accepted, some finished, some rejected. */
function messagesOf(w: World, pick: number) {
  const task = w.state.workflowTask;
  return Object.values(w.state.updates).flatMap(({ updateId, stage, sequence }) => {
    if (stage === 'accepted' && (pick + sequence) % 2 === 0) return [answer.complete(updateId)];
    if (stage !== 'sent') return [];
    if ((pick + sequence) % 3 === 0) return [answer.reject(updateId)];
    return [answer.accept(updateId, (task?.startedEventId ?? 1) - 1)];
  });
}

function perform(w: World, { name, pick, flag, sizes }: Step): void {
  const { state } = w;
  switch (name) {
    case 'signal':
      return w.signal(`s${pick}`);
    case 'update':
      return w.update(`u${++unique}`);
    case 'cancel':
      return void w.do((t) => engine.requestCancel(t, { identity: 'c', requestId: 'r', reason: 'stop' }));
    case 'poll':
      if (state.workflowTask?.startedEventId === 0) w.poll();
      return;
    case 'complete':
    case 'completeBadly':
    case 'close': {
      if (state.workflowTask === null) return;
      if (state.workflowTask.startedEventId === 0) w.poll();
      const commands = sizes.map((size) => commandOf(w, size));
      if (name === 'completeBadly') commands.push(startTimer(''));
      if (name === 'close') commands.push(flag ? completeRun() : failRun());
      w.complete(commands, {
        messages: messagesOf(w, pick),
        returnNewWorkflowTask: true,
        forceCreateNewWorkflowTask: pick === 7,
        stickyAttributes: flag ? sticky : null,
        capabilities: { discardSpeculativeWorkflowTaskWithEvents: pick % 2 === 0 },
      });
      return;
    }
    case 'fail':
      if (state.workflowTask?.startedEventId)
        w.do((t) =>
          engine.failWorkflowTask(t, w.token(), { cause: 23, identity: 'worker', failure: { message: 'x' } }),
        );
      return;
    case 'sleep':
      return void w.sleep(500 * pick);
    case 'sleepLong':
      return void w.sleep(11_000);
    case 'startActivity': {
      const activity = pickOf(state.activities, pick);
      if (activity === undefined || activity.startedAtMs !== 0 || activity.backingOff) return;
      const { scheduledEventId, attempt } = activity;
      w.do((t) => engine.startActivity(t, { scheduledEventId, attempt, requestId: `a${attempt}`, identity: 'worker' }));
      return;
    }
    case 'finishActivity':
    case 'failActivity': {
      const activity = pickOf(state.activities, pick);
      if (activity === undefined || activity.startedAtMs === 0) return;
      const { scheduledEventId, attempt, requestId } = activity;
      const token = { scheduledEventId, attempt, requestId };
      const failure = { message: 'x', applicationFailureInfo: { nonRetryable: flag } };
      w.do((t) => {
        if (name === 'finishActivity') engine.completeActivity(t, token, { result: null, identity: 'worker' });
        else engine.failActivity(t, token, { failure, lastHeartbeatDetails: null, identity: 'worker' });
      });
      return;
    }
    case 'childStarted': {
      const child = pickOf(state.children, pick);
      if (child) w.do((t) => engine.childStarted(t, child.initiatedEventId, 'child-run', null));
      return;
    }
    case 'childClosed': {
      const child = pickOf(state.children, pick);
      if (!child) return;
      const { initiatedEventId, workflowId, workflowType } = child;
      const closeEvent: HistoryEvent = {
        eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        workflowExecutionCompletedEventAttributes: {},
      };
      w.do((t) =>
        engine.childClosed(t, initiatedEventId, { workflowId, runId: 'child-run', workflowType }, closeEvent),
      );
      return;
    }
    case 'external': {
      const request = pickOf(state.externals, pick);
      if (!request) return;
      const initiated = w.history[request.initiatedEventId - 1] as HistoryEvent;
      w.do((t) => engine.externalAnswered(t, request.initiatedEventId, flag ? null : 'notFound', initiated));
      return;
    }
    case 'terminate':
      if (pick === 0) w.do((t) => engine.terminate(t, { reason: 'x', details: null, identity: 'x' }));
      return;
    default:
      throw new Error(name);
  }
}

const closing: ReadonlySet<number> = new Set([2, 3, 4, 21, 27, 28]);
/** What may come right after WorkflowTaskStarted. */
const afterStarted: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
]);

/** Written for messages of a completed task. */
const updateEvents: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);

const attributesOf = (event: HistoryEvent): Record<string, unknown> => {
  const key = Object.keys(event).find((one) => one.endsWith('EventAttributes')) as keyof HistoryEvent;
  return event[key] as unknown as Record<string, unknown>;
};

function checkHistory(history: HistoryEvent[]): void {
  let lastCompletedId = 0;
  history.forEach((event, index) => {
    expect(event.eventId).toBe(index + 1);
    const next = history[index + 1];
    if (event.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED && next) {
      expect(afterStarted).toContain(next.eventType);
    }
    if (closing.has(event.eventType as number)) expect(next).toBeUndefined();
    const attributes = attributesOf(event);
    for (const [field, types] of Object.entries({
      scheduledEventId: [5, 10],
      startedEventId: [6, 11, 17, 31],
      initiatedEventId: [22, 29, 37],
      workflowTaskCompletedEventId: [7],
      acceptedEventId: [41],
    })) {
      const id = int64(attributes[field] as number);
      if (id === 0) continue;
      expect(id).toBeLessThan(index + 1);
      expect(types).toContain(history[id - 1]?.eventType);
    }
    if (event.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) lastCompletedId = index + 1;
    // What commands made belongs to the task completed last.
    if (attributes.workflowTaskCompletedEventId) expect(attributes.workflowTaskCompletedEventId).toBe(lastCompletedId);
  });
}

/** What the history alone knows of a state. */
function eventDerived(state: RunState) {
  const { timers, children, externals, memo, searchAttributes, signalCount, cancelRequested, status, nextEventId } =
    state;
  const { workflowTask: task, updates, activities } = state;
  const { historySizeBytes, lastCompletedTaskStartedEventId, runExpiresAtMs, closeEventId, newRunId, firstTaskAtMs } =
    state;
  const { workflowId, runId, workflowType, taskQueue, attempt, startedAtMs, closedAtMs, parent, root, versioning } =
    state;
  return {
    ...{ timers, children, externals, memo, searchAttributes, signalCount, cancelRequested, status, nextEventId },
    ...{ historySizeBytes, lastCompletedTaskStartedEventId, runExpiresAtMs, closeEventId, newRunId, firstTaskAtMs },
    ...{ workflowId, runId, workflowType, taskQueue, attempt, startedAtMs, closedAtMs, parent, root, versioning },
    workflowTask: task?.kind === 'normal' ? { ...task, originalScheduledAtMs: 0, scheduleToStartAtMs: 0 } : null,
    updates: Object.values(updates)
      .filter(({ stage }) => stage === 'accepted' || stage === 'completed')
      .map(({ updateId, stage, acceptedEventId, completedEventId }) => ({
        updateId,
        stage,
        acceptedEventId,
        completedEventId,
      }))
      .sort((a, b) => a.acceptedEventId - b.acceptedEventId),
    activities: Object.values(activities).map(
      ({ scheduledEventId, activityId, firstScheduledAtMs, cancelRequested: asked, cancelRequestedEventId }) => ({
        ...{ scheduledEventId, activityId, firstScheduledAtMs, asked, cancelRequestedEventId },
      }),
    ),
  };
}

function checkState(w: World): void {
  const { state, history } = w;
  expect(state.nextEventId).toBe(history.length + 1);
  if (state.buffered.length > 0) expect(state.workflowTask?.startedEventId).toBeGreaterThan(0);
  else expect(eventDerived(state)).toEqual(eventDerived(replay(history, 'default')));
  if (state.status === Status.Running && state.workflowTask === null) {
    // Nothing is left that the workflow has not been told.
    expect(Object.values(state.updates).filter(({ stage }) => stage === 'admitted' || stage === 'sent')).toEqual([]);
    const lastCompleted = history
      .map((event) => event.eventType)
      .lastIndexOf(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
    for (const event of history.slice(lastCompleted + 1)) {
      if (updateEvents.has(event.eventType as number)) continue;
      expect(attributesOf(event)).toHaveProperty('workflowTaskCompletedEventId');
    }
  }
  expect(JSON.parse(JSON.stringify(state))).toStrictEqual(JSON.parse(JSON.stringify({ ...state })));
}

it('keeps history and state together', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), fc.boolean(), (steps, limited) => {
      const w = new World().start(limited ? { workflowRunTimeout: seconds(30) } : {});
      for (const one of steps) {
        const before = JSON.stringify(w.state);
        const events = w.history.length;
        try {
          perform(w, one);
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          // `complete` polls first: only what happened in one transition is undone.
          if (!one.name.startsWith('complete') && one.name !== 'close') expect(JSON.stringify(w.state)).toBe(before);
          expect(w.history.length).toBeLessThanOrEqual(events + 2);
        }
        checkState(w);
        if (w.state.status !== Status.Running) break;
      }
      checkHistory(w.history);
    }),
    { numRuns: 400 },
  );
});

/** What counts from the reset on, or is asked for in the base run's name. */
function apartFromReset(derived: ReturnType<typeof eventDerived>) {
  const unnamed = (requests: RunState['children'] | RunState['externals']) =>
    Object.values(requests).map((request) => ({ ...request, requestId: '' }));
  return {
    ...derived,
    startedAtMs: 0,
    runExpiresAtMs: 0,
    children: unnamed(derived.children),
    externals: unnamed(derived.externals),
    activities: derived.activities.map((activity) => ({ ...activity, firstScheduledAtMs: 0 })),
  };
}

it('goes on from any started workflow task of a history', { timeout: 60_000 }, () => {
  const signals = (events: HistoryEvent[]) =>
    events.filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED).length;
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(), (steps, pick) => {
      const w = new World().start({ workflowRunTimeout: seconds(3000) });
      for (const one of steps) {
        try {
          perform(w, one);
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
        }
        if (w.state.status !== Status.Running) break;
      }
      const points = w.history.filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED);
      if (points.length === 0) return;
      const last = Number(points[pick % points.length]!.eventId);
      const names = { namespace: 'default', runId: 'new-run', baseRunId: w.state.runId, requestId: 'r', reason: 'r' };
      const before = JSON.stringify(w.history);
      const t = engine.beginReset({ ...names, prefix: w.history.slice(0, last) }, w.ctx);
      engine.reapply(t, w.history.slice(last), { signals: false, updates: false });
      checkHistory([...t.events]);
      expect(signals([...t.events])).toBe(signals(w.history));
      expect(JSON.stringify(w.history)).toBe(before);
      expect(t.state.workflowTask).toMatchObject({ kind: 'normal', startedEventId: 0, attempt: 1 });
      const replayed = replay([...t.events], 'default', 'new-run');
      expect(apartFromReset(eventDerived(t.state))).toEqual(apartFromReset(eventDerived(replayed)));
    }),
    { numRuns: 300 },
  );
});
