import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { T0, TestRun, activityCommand, seconds, timerCommand } from '../../../test/support/engine-run';
import { engine } from '.';
import { EventType } from './event-fields';
import { RetryState } from './retry';

const firedTimers = (run: TestRun): string[] =>
  run.history
    .filter((event) => event.eventType === EventType.EVENT_TYPE_TIMER_FIRED)
    .map((event) => event.timerFiredEventAttributes!.timerId!);

describe('user timers', () => {
  it('fire in the order of their deadlines, in one transition with one workflow task', () => {
    const run = new TestRun();
    run.task(timerCommand('slow', 3), timerCommand('fast', 1), timerCommand('never', 60), timerCommand('same', 3));
    expect(engine.nextDue(run.state)).toBe(T0 + 1000);
    run.pass(5000);
    expect(firedTimers(run)).toEqual(['fast', 'slow', 'same']);
    expect(run.types(8)).toEqual(['TimerFired', 'TimerFired', 'TimerFired', 'WorkflowTaskScheduled']);
    expect(Object.keys(run.state.timers)).toEqual(['never']);
  });

  it('do not fire early', () => {
    const run = new TestRun();
    run.task(timerCommand('1', 0.3));
    run.pass(299.9);
    expect(firedTimers(run)).toEqual([]);
    run.pass(0.1);
    expect(firedTimers(run)).toEqual(['1']);
  });

  it('wait behind a started workflow task', () => {
    const run = new TestRun();
    run.task(timerCommand('1', 1));
    run.change((t) => engine.signal(t, { signalName: 's', input: null, identity: '', header: null, requestId: '' }));
    run.startTask();
    run.pass(1000);
    expect(run.transition.events).toEqual([]);
    run.completeTask();
    expect(run.types(8)).toEqual(['WorkflowTaskCompleted', 'TimerFired', 'WorkflowTaskScheduled']);
  });

  it('however many and however late: each fires once, in order, at the first chance', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 5 }),
        (delays, steps) => {
          const run = new TestRun();
          run.task(...delays.map((delay, index) => timerCommand(`${index}`, delay)));
          for (const step of [...steps, 25_000]) {
            run.pass(step);
            const due = delays.flatMap((delay, index) => (delay * 1000 <= run.nowMs - T0 ? [{ delay, index }] : []));
            if (firedTimers(run).length !== due.length) return false;
            expect(engine.nextDue(run.state) === 0 || engine.nextDue(run.state) > run.nowMs).toBe(true);
            if (run.state.workflowTask) run.task();
          }
          const expected = delays
            .map((delay, index) => ({ delay, index }))
            .sort((a, b) => a.delay - b.delay || a.index - b.index)
            .map(({ index }) => `${index}`);
          return JSON.stringify(firedTimers(run)) === JSON.stringify(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('activity timeouts', () => {
  const timedOut = (run: TestRun) =>
    run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)?.activityTaskTimedOutEventAttributes;

  it('start-to-close begins another attempt', () => {
    const run = new TestRun();
    run.task(activityCommand());
    run.startActivity();
    run.pass(9999);
    expect(run.onlyActivity().attempt).toBe(1);
    run.pass(1);
    expect(run.onlyActivity()).toMatchObject({
      attempt: 2,
      startedAtMs: 0,
      lastFailure: {
        message: 'activity StartToClose timeout',
        source: 'Server',
        timeoutFailureInfo: { timeoutType: 1 },
      },
    });
    expect(run.transition.events).toEqual([]);
  });

  it('schedule-to-start is final', () => {
    const run = new TestRun();
    run.task(activityCommand({ scheduleToStartTimeout: seconds(2) }));
    run.pass(2000);
    expect(run.types(5)).toEqual(['ActivityTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(timedOut(run)).toMatchObject({
      failure: { message: 'activity ScheduleToStart timeout', timeoutFailureInfo: { timeoutType: 2 } },
      startedEventId: 0,
      retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    });
  });

  it('schedule-to-close is final, with the last failure as its cause', () => {
    const run = new TestRun();
    run.task(activityCommand({ scheduleToCloseTimeout: seconds(3), retryPolicy: { backoffCoefficient: 1 } }));
    const token = run.startActivity();
    const failure = { message: 'boom', applicationFailureInfo: { type: 'E' } };
    run.change((t) => engine.failActivity(t, token, { failure, lastHeartbeatDetails: null, identity: 'w' }));
    run.pass(1000);
    run.startActivity();
    run.pass(2000);
    expect(run.types(5)).toEqual(['ActivityTaskStarted', 'ActivityTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(timedOut(run)?.failure).toMatchObject({ timeoutFailureInfo: { timeoutType: 3 }, cause: failure });
  });

  it('that leave no time for another attempt are reported as schedule-to-close', () => {
    const run = new TestRun();
    run.task(activityCommand({ startToCloseTimeout: seconds(2), scheduleToCloseTimeout: seconds(2.5) }));
    run.startActivity();
    run.pass(2000);
    expect(timedOut(run)).toMatchObject({
      failure: {
        message: 'activity ScheduleToClose timeout',
        timeoutFailureInfo: { timeoutType: 3 },
      },
      retryState: RetryState.RETRY_STATE_TIMEOUT,
    });
  });

  it('of equal deadlines start-to-close comes first', () => {
    const run = new TestRun();
    run.task(activityCommand({ startToCloseTimeout: seconds(2), heartbeatTimeout: seconds(2) }));
    run.startActivity();
    run.pass(2000);
    expect(run.onlyActivity()).toMatchObject({ attempt: 2, lastFailure: { message: 'activity StartToClose timeout' } });
  });

  it('do not run while the activity is paused', () => {
    const run = new TestRun();
    run.task(activityCommand({ scheduleToStartTimeout: seconds(2) }));
    run.onlyActivity().paused = true;
    expect(engine.nextDue(run.state)).toBe(0);
    run.pass(60_000);
    expect(run.transition.events).toEqual([]);
  });

  it.each([
    [
      'a start-to-close alone',
      { startToCloseTimeout: seconds(10) },
      0,
      { scheduleToCloseMs: 0, scheduleToStartMs: 0, startToCloseMs: 10_000, heartbeatMs: 0 },
    ],
    [
      'the run timeout',
      { startToCloseTimeout: seconds(90), heartbeatTimeout: seconds(70) },
      60,
      { scheduleToCloseMs: 60_000, scheduleToStartMs: 60_000, startToCloseMs: 60_000, heartbeatMs: 60_000 },
    ],
    [
      'a schedule-to-close alone',
      { startToCloseTimeout: null, scheduleToCloseTimeout: seconds(5) },
      0,
      { scheduleToCloseMs: 5000, scheduleToStartMs: 5000, startToCloseMs: 5000, heartbeatMs: 0 },
    ],
    [
      'a heartbeat longer than the attempt',
      { heartbeatTimeout: seconds(20) },
      0,
      { scheduleToCloseMs: 0, scheduleToStartMs: 0, startToCloseMs: 10_000, heartbeatMs: 10_000 },
    ],
  ])('are normalised from %s', (_, attributes, runSeconds, expected) => {
    const run = new TestRun(runSeconds ? { workflowRunTimeout: seconds(runSeconds) } : {});
    run.task(activityCommand(attributes));
    expect(run.onlyActivity()).toMatchObject(expected);
  });
});

describe('the first workflow task of a delayed run', () => {
  it('is scheduled when the delay has passed', () => {
    const run = new TestRun({ workflowStartDelay: seconds(30) });
    expect(run.types()).toEqual(['WorkflowExecutionStarted']);
    expect(engine.nextDue(run.state)).toBe(T0 + 30_000);
    run.pass(30_000);
    expect(run.types(1)).toEqual(['WorkflowTaskScheduled']);
    expect(engine.nextDue(run.state)).toBe(0);
  });
});

describe('workflow task timeouts', () => {
  it('are recorded and the task is tried again', () => {
    const run = new TestRun();
    run.startTask();
    expect(engine.nextDue(run.state)).toBe(T0 + 10_000);
    run.pass(10_000);
    expect(run.types(3)).toEqual(['WorkflowTaskTimedOut']);
    expect(run.state.workflowTask).toMatchObject({ attempt: 2, startedEventId: 0 });
  });

  it('of an unstarted task on the normal queue do not exist', () => {
    const run = new TestRun();
    expect(engine.nextDue(run.state)).toBe(0);
  });

  it('of a sticky task send it to the normal queue', () => {
    const run = new TestRun();
    run.startTask();
    const { scheduledEventId, startedEventId, attempt, requestId } = run.state.workflowTask!;
    run.change((t) =>
      engine.completeWorkflowTask(
        t,
        { scheduledEventId, startedEventId, attempt, requestId },
        {
          commands: [timerCommand('1', 1)],
          stickyAttributes: { workerTaskQueue: { name: 'sticky' }, scheduleToStartTimeout: seconds(5) },
        },
      ),
    );
    run.pass(1000);
    expect(run.state.workflowTask).toMatchObject({ taskQueue: 'sticky', sticky: true });
    run.pass(5000);
    expect(run.types(7)).toEqual(['WorkflowTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(run.state.workflowTask).toMatchObject({ taskQueue: 'q', sticky: false, attempt: 1 });
  });
});

describe('run and execution timeouts', () => {
  it('close the run, earlier things first', () => {
    const run = new TestRun({ workflowRunTimeout: seconds(60) });
    run.task(timerCommand('before', 30), timerCommand('after', 90));
    run.pass(120_000);
    expect(run.types(6)).toEqual(['TimerFired', 'WorkflowExecutionTimedOut']);
    expect(run.last().workflowExecutionTimedOutEventAttributes).toEqual({
      retryState: RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET,
    });
    expect(engine.nextDue(run.state)).toBe(0);
  });

  it('of the run are retried by its policy', () => {
    const run = new TestRun({ workflowRunTimeout: seconds(60), retryPolicy: { maximumAttempts: 2 } });
    run.pass(60_000);
    const newRun = run.transition.effects.find((effect) => effect.type === 'newRun');
    const started = newRun?.transition.events[0]?.workflowExecutionStartedEventAttributes;
    expect(started).toMatchObject({
      attempt: 2,
      continuedExecutionRunId: run.state.runId,
      firstExecutionRunId: run.state.runId,
      continuedFailure: { message: 'workflow timeout' },
      firstWorkflowTaskBackoff: seconds(1),
    });
    expect(run.last().workflowExecutionTimedOutEventAttributes).toMatchObject({
      retryState: RetryState.RETRY_STATE_IN_PROGRESS,
      newExecutionRunId: started?.originalExecutionRunId,
    });
  });

  it('of the execution count when both hit together, whatever the fractions of a millisecond', () => {
    for (const fraction of [0, 0.3, 0.7]) {
      const run = new TestRun({
        workflowStartDelay: seconds(fraction / 1000),
        workflowExecutionTimeout: seconds(0.01),
        retryPolicy: {},
      });
      run.pass(11);
      expect(run.last().workflowExecutionTimedOutEventAttributes).toEqual({
        retryState: RetryState.RETRY_STATE_TIMEOUT,
      });
    }
  });

  it('of the execution are not', () => {
    const run = new TestRun({ workflowExecutionTimeout: seconds(60), retryPolicy: {} });
    run.pass(60_000);
    expect(run.last().workflowExecutionTimedOutEventAttributes).toEqual({ retryState: RetryState.RETRY_STATE_TIMEOUT });
    expect(run.effects()).not.toContain('newRun');
  });
});
