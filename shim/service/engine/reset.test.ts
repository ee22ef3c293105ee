import { describe, expect, it } from 'vitest';
import { ms } from '../../common/proto-values';
import { TestRun, activityCommand, payloads, seconds, timerCommand, typeName } from '../../../test/support/engine-run';
import { engine } from '.';
import type { ReapplyExclusions } from './api';
import { EventType } from './event-fields';
import type { HistoryEvent, Transition } from './types';

const ALL: ReapplyExclusions = { signals: false, updates: false };
const names = (events: HistoryEvent[]): string[] => events.map(typeName);

/** A run with a signal in its first task, and an activity, a timer and a second signal after it. */
function baseRun(request: ConstructorParameters<typeof TestRun>[0] = {}): TestRun {
  const run = new TestRun(request);
  signal(run, 'one');
  run.task(activityCommand(), timerCommand('t', 60));
  run.nowMs += 5000;
  signal(run, 'two');
  return run;
}

const signal = (run: TestRun, signalName: string): void =>
  run.change((t) =>
    engine.signal(t, { signalName, input: payloads('x'), identity: 'c', header: null, requestId: signalName }),
  );

function reset(run: TestRun, finishEventId: number, exclude = ALL): Transition {
  const t = engine.beginReset(
    {
      namespace: 'default',
      runId: 'new-run',
      baseRunId: run.state.runId,
      requestId: 'reset',
      reason: 'because',
      prefix: run.history.slice(0, finishEventId - 1),
    },
    run.context(),
  );
  engine.reapply(t, run.history.slice(finishEventId - 1), exclude);
  return t;
}

describe('a reset run', () => {
  it('has the prefix, a failed workflow task, what came later, and a new workflow task', () => {
    const run = baseRun();
    // Started, TaskScheduled, Signaled, TaskStarted | TaskCompleted …
    const { events, state } = reset(run, 5);
    expect(names(events)).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskScheduled',
      'WorkflowExecutionSignaled',
      'WorkflowTaskStarted',
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowTaskScheduled',
    ]);
    expect(events.map(({ eventId }) => Number(eventId))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(events[4]!.workflowTaskFailedEventAttributes).toMatchObject({
      scheduledEventId: 2,
      startedEventId: 4,
      cause: 20,
      failure: { message: 'because', resetWorkflowFailureInfo: {} },
      identity: 'history-service',
      baseRunId: run.state.runId,
      newRunId: 'new-run',
    });
    expect(events[5]!.workflowExecutionSignaledEventAttributes).toMatchObject({ signalName: 'two', identity: 'c' });
    expect(state).toMatchObject({
      runId: 'new-run',
      firstRunId: run.state.runId,
      originalRunId: run.state.runId,
      baseRunId: run.state.runId,
      startRequestId: 'reset',
      root: { workflowId: 'wf', runId: 'new-run' },
      signalCount: 2,
      failedTaskAttempts: 0,
      sticky: null,
    });
    expect(state.workflowTask).toMatchObject({ kind: 'normal', attempt: 1, startedEventId: 0 });
    // The same as its history says.
    expect(engine.replay(events, 'default', 'new-run').nextEventId).toBe(state.nextEventId);
  });

  it('starts a task that no worker had taken by itself, to fail it', () => {
    const { events } = reset(baseRun(), 4);
    expect(names(events).slice(3, 5)).toEqual(['WorkflowTaskStarted', 'WorkflowTaskFailed']);
    expect(events[3]!.workflowTaskStartedEventAttributes).toMatchObject({
      identity: 'history-service',
      requestId: 'emptyUuid',
    });
  });

  it('begins unfinished activities again, and keeps timers at their times', () => {
    const run = baseRun();
    run.task();
    const point =
      run.history.findIndex(
        (event) => event.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED && Number(event.eventId) > 5,
      ) + 1;
    const t = reset(run, point);
    const [activity] = Object.values(t.state.activities);
    expect(activity).toMatchObject({
      attempt: 1,
      startedAtMs: 0,
      scheduledAtMs: run.nowMs,
      firstScheduledAtMs: run.nowMs,
    });
    expect(t.effects).toContainEqual({
      type: 'activityScheduled',
      scheduledEventId: activity!.scheduledEventId,
      eager: false,
    });
    const startedAt = ms(run.find(EventType.EVENT_TYPE_TIMER_STARTED).eventTime);
    expect(t.state.timers.t!.fireAtMs).toBe(startedAt + 60_000);
  });

  it('counts its timeouts from the reset', () => {
    const run = baseRun({ workflowRunTimeout: seconds(100), workflowExecutionTimeout: seconds(200) });
    const { state } = reset(run, 5);
    expect(state.startedAtMs).toBe(run.nowMs);
    expect(state.runExpiresAtMs).toBe(run.nowMs + 100_000);
    expect(state.executionExpiresAtMs).toBe(run.nowMs + 200_000);
  });

  it('leaves out what is excluded', () => {
    expect(names(reset(baseRun(), 5, { signals: true, updates: false }).events).slice(5)).toEqual([
      'WorkflowTaskScheduled',
    ]);
  });

  it.each([2, 3, 6, 7, 8])('cannot begin before event %i, where no workflow task is pending', (finishEventId) => {
    const run = baseRun();
    if (finishEventId === 3) return expect(() => reset(run, 3)).not.toThrow();
    return expect(() => reset(run, finishEventId)).toThrow(/Can only reset workflow to event ID in range/);
  });
});

it('takes accepted updates over as admitted ones, whose request is in the history alone', () => {
  const request = { meta: { updateId: 'u', identity: 'c' }, input: { name: 'change' } };
  const run = new TestRun();
  const accepted: HistoryEvent = {
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    workflowExecutionUpdateAcceptedEventAttributes: { protocolInstanceId: 'u', acceptedRequest: request },
  };
  run.startTask();
  const t = engine.beginReset(
    { namespace: 'default', runId: 'n', baseRunId: 'b', requestId: 'r', reason: '', prefix: run.history },
    run.context(),
  );
  engine.reapply(t, [accepted], ALL);
  const admitted = t.events.find((event) => event.workflowExecutionUpdateAdmittedEventAttributes)!;
  expect(admitted.workflowExecutionUpdateAdmittedEventAttributes).toEqual({ request, origin: 1 });
  expect(t.state.updates.u).toMatchObject({ stage: 'admitted', request: null });
});

it('takes news of children over that were begun before the reset point, and asks for unfinished starts in the base run’s name', () => {
  const run = new TestRun();
  run.task({
    commandType: 11,
    startChildWorkflowExecutionCommandAttributes: {
      workflowId: 'child',
      workflowType: { name: 'c' },
      taskQueue: { name: 'q' },
    },
  });
  signal(run, 'wake');
  run.startTask();
  const point = run.history.length + 1;
  const initiatedEventId = 5;
  const t = reset(run, point);
  expect(t.state.children[initiatedEventId]!.requestId).toBe(`${run.state.runId}:${initiatedEventId}`);
  expect(t.effects).toContainEqual({ type: 'startChild', initiatedEventId });

  run.completeTask();
  run.change((u) => engine.childStarted(u, initiatedEventId, 'child-run', null));
  run.change((u) => {
    const closed = {
      eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
      workflowExecutionCompletedEventAttributes: {},
    };
    engine.childClosed(u, initiatedEventId, { workflowId: 'child', runId: 'child-run', workflowType: 'c' }, closed);
  });
  const after = reset(run, point);
  const completed = after.events.find((event) => event.childWorkflowExecutionCompletedEventAttributes)!;
  const started = after.events.find((event) => event.childWorkflowExecutionStartedEventAttributes)!;
  expect(completed.childWorkflowExecutionCompletedEventAttributes!.startedEventId).toBe(started.eventId);
  expect(after.state.children).toEqual({});
});

it('ends the run it replaces without a word to parent and children', () => {
  const run = new TestRun();
  run.change((t) => {
    t.state.parent = { namespace: 'default', workflowId: 'p', runId: 'pr', initiatedEventId: 5 };
    engine.terminateForReset(t, 'because');
  });
  expect(run.state.obligations).toEqual([]);
  expect(run.last().workflowExecutionTerminatedEventAttributes).toMatchObject({
    reason: 'because',
    identity: 'history-resetter',
  });
});
