import { describe, expect, it } from 'vitest';
import { ms } from '../../common/proto-values';
import { TestRun, activityCommand, payloads, seconds, CommandType } from '../../../test/support/engine-run';
import { engine } from '.';
import { EventType } from './event-fields';
import { RetryState } from './retry';
import type { Failure } from './types';

const failure = (type: string, more: object = {}): Failure => ({
  message: 'boom',
  applicationFailureInfo: { type, ...more },
});

function withActivity(attributes: Parameters<typeof activityCommand>[0] = {}): TestRun {
  const run = new TestRun();
  run.task(activityCommand(attributes));
  return run;
}

const fail = (run: TestRun, token: ReturnType<TestRun['startActivity']>, what: Failure): void =>
  run.change((t) => engine.failActivity(t, token, { failure: what, lastHeartbeatDetails: null, identity: 'worker' }));

const complete = (run: TestRun, token: ReturnType<TestRun['startActivity']>): void =>
  run.change((t) => engine.completeActivity(t, token, { result: payloads('done'), identity: 'worker' }));

describe('an activity that succeeds', () => {
  it('is in history as scheduled at once, as started only when it closes', () => {
    const run = withActivity();
    expect(run.effects()).toContain('activityScheduled');
    const token = run.startActivity();
    expect(run.transition.events).toEqual([]);
    run.nowMs += 500;
    complete(run, token);
    expect(run.types(5)).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted', 'WorkflowTaskScheduled']);
    const started = run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED);
    expect(started.activityTaskStartedEventAttributes).toMatchObject({
      scheduledEventId: 5,
      attempt: 1,
      identity: 'worker',
    });
    expect(ms(started.eventTime)).toBe(run.nowMs - 500);
    expect(run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED).activityTaskCompletedEventAttributes).toEqual({
      result: payloads('done'),
      scheduledEventId: 5,
      startedEventId: 6,
      identity: 'worker',
    });
    expect(run.state.activities).toEqual({});
  });

  it('waits for a started workflow task, and its events get the right ids then', () => {
    const run = new TestRun();
    run.task(activityCommand());
    const token = run.startActivity();
    run.change((t) => engine.signal(t, { signalName: 's', input: null, identity: 'c', header: null, requestId: 'r1' }));
    run.startTask();
    complete(run, token);
    expect(run.transition.events).toEqual([]);
    expect(run.state.buffered).toHaveLength(2);
    run.completeTask();
    expect(run.types(8)).toEqual([
      'WorkflowTaskCompleted',
      'ActivityTaskStarted',
      'ActivityTaskCompleted',
      'WorkflowTaskScheduled',
    ]);
    const completed = run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    expect(completed.activityTaskCompletedEventAttributes?.startedEventId).toBe(10);
  });

  it('can be completed by id without having been started', () => {
    const run = withActivity({ activityId: 'by-id' });
    const token = engine.activityById(run.state, 'by-id');
    complete(run, token);
    expect(run.types(5)).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted', 'WorkflowTaskScheduled']);
  });
});

describe('an attempt that is no longer there', () => {
  const notFound = /invalid activityID or activity already timed out or invoking workflow is completed/;

  it('is NOT_FOUND after the activity closed', () => {
    const run = withActivity();
    const token = run.startActivity();
    complete(run, token);
    expect(() => complete(run, token)).toThrow(notFound);
  });

  it('is NOT_FOUND after a retry began the next one', () => {
    const run = withActivity();
    const token = run.startActivity();
    fail(run, token, failure('E'));
    for (const late of [() => complete(run, token), () => fail(run, token, failure('E'))])
      expect(late).toThrow(notFound);
    run.pass(1000);
    run.startActivity();
    expect(() => complete(run, token)).toThrow(notFound);
  });

  it('is NOT_FOUND for another worker, and the same poll may ask twice', () => {
    const run = withActivity();
    const token = run.startActivity();
    const again = (requestId: string) => () =>
      run.change((t) => engine.startActivity(t, { scheduledEventId: 5, attempt: 1, requestId, identity: 'w' }));
    expect(again(token.requestId)).not.toThrow();
    expect(again('other')).toThrow('Activity task already started.');
  });

  it('is "already completed" when the run is closed', () => {
    const run = withActivity();
    const token = run.startActivity();
    run.change((t) => engine.terminate(t, { reason: '', details: null, identity: '' }));
    expect(() => complete(run, token)).toThrow('workflow execution already completed');
  });

  it('by id names the id', () => {
    const run = withActivity();
    expect(() => engine.activityById(run.state, 'nope')).toThrow('cannot find pending activity with ActivityID nope');
    expect(() => engine.activityById(run.state, '')).toThrow('activityID cannot be empty');
  });
});

describe('retries', () => {
  it('leave no trace but the last failure and the attempt number', () => {
    const run = withActivity({ retryPolicy: { initialInterval: seconds(0.501), backoffCoefficient: 3 } });
    fail(run, run.startActivity(), failure('first'));
    expect(run.transition.events).toEqual([]);
    expect(run.onlyActivity()).toMatchObject({ attempt: 2, backingOff: true, scheduledAtMs: run.nowMs + 501 });
    expect(engine.nextDue(run.state)).toBe(run.nowMs + 501);
    run.pass(500);
    expect(run.transition.effects).toEqual([]);
    run.pass(1);
    expect(run.transition.effects).toEqual([{ type: 'activityScheduled', scheduledEventId: 5, eager: false }]);
    fail(run, run.startActivity(), failure('second'));
    expect(run.onlyActivity().scheduledAtMs).toBe(run.nowMs + 1503);
    run.pass(1503);
    complete(run, run.startActivity());
    expect(run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED).activityTaskStartedEventAttributes).toMatchObject({
      attempt: 3,
      lastFailure: failure('second'),
    });
  });

  it('are not handed out before they are due', () => {
    const run = withActivity();
    fail(run, run.startActivity(), failure('E'));
    expect(() => run.startActivity()).toThrow();
  });

  it.each([
    ['a non-retryable failure', {}, failure('E', { nonRetryable: true }), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE],
    [
      'a listed type',
      { retryPolicy: { nonRetryableErrorTypes: ['E'] } },
      failure('E'),
      RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    ],
    [
      'the last attempt',
      { retryPolicy: { maximumAttempts: 1 } },
      failure('E'),
      RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    ],
    [
      'no time before schedule-to-close',
      { scheduleToCloseTimeout: seconds(0.9) },
      failure('E'),
      RetryState.RETRY_STATE_TIMEOUT,
    ],
  ])('end with %s', (_, attributes, what, retryState) => {
    const run = withActivity(attributes);
    fail(run, run.startActivity(), what);
    expect(run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED).activityTaskFailedEventAttributes).toEqual({
      failure: what,
      scheduledEventId: 5,
      startedEventId: 6,
      identity: 'worker',
      retryState,
    });
    expect(run.last().eventType).toBe(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  });

  it('take the delay the failure asks for, even beyond the maximum interval', () => {
    const run = withActivity({ retryPolicy: { initialInterval: seconds(1), maximumInterval: seconds(2) } });
    fail(run, run.startActivity(), failure('E', { nextRetryDelay: seconds(7) }));
    expect(run.onlyActivity().scheduledAtMs).toBe(run.nowMs + 7000);
  });

  it('keep only the beginning of a large failure', () => {
    const run = withActivity();
    fail(run, run.startActivity(), { ...failure('E'), stackTrace: 'x'.repeat(10_000) });
    const kept = run.onlyActivity().lastFailure;
    expect(kept?.message).toBe('Failure exceeds size limit.');
    expect(kept?.cause).toMatchObject({ message: 'boom', applicationFailureInfo: { type: 'E' } });
    expect(kept?.cause?.stackTrace?.length).toBeLessThan(4096);
  });
});

describe('heartbeats', () => {
  it('move the timeout, and their details come with the next attempt and the final timeout', () => {
    const run = withActivity({ heartbeatTimeout: seconds(2), retryPolicy: { maximumAttempts: 1 } });
    const token = run.startActivity();
    run.nowMs += 1500;
    const answer = run.change((t) => engine.recordHeartbeat(t, token, payloads('half')));
    expect(answer).toEqual({ cancelRequested: false, paused: false, reset: false });
    run.pass(1500);
    expect(run.transition.events).toEqual([]);
    run.pass(500);
    const timedOut = run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT).activityTaskTimedOutEventAttributes;
    expect(timedOut?.failure?.timeoutFailureInfo).toEqual({ timeoutType: 4, lastHeartbeatDetails: payloads('half') });
    expect(timedOut?.retryState).toBe(RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  });

  it('that come with a failure are kept for the next attempt', () => {
    const run = withActivity();
    const token = run.startActivity();
    run.change((t) =>
      engine.failActivity(t, token, { failure: failure('E'), lastHeartbeatDetails: payloads('half'), identity: 'w' }),
    );
    expect(run.onlyActivity().heartbeatDetails).toEqual(payloads('half'));
  });
});

describe('cancellation', () => {
  const cancel = {
    commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
    requestCancelActivityTaskCommandAttributes: { scheduledEventId: 5 as unknown as Long },
  };
  const signal = (run: TestRun): void =>
    run.change((t) => engine.signal(t, { signalName: 's', input: null, identity: 'c', header: null, requestId: '' }));

  it('of an activity nobody has begun closes it at once, with a workflow task', () => {
    const run = withActivity();
    signal(run);
    run.task(cancel);
    expect(run.types(8)).toEqual([
      'WorkflowTaskCompleted',
      'ActivityTaskCancelRequested',
      'ActivityTaskCanceled',
      'WorkflowTaskScheduled',
    ]);
    const attributes = run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED).activityTaskCanceledEventAttributes!;
    expect(attributes).toMatchObject({ scheduledEventId: 5, startedEventId: 0, latestCancelRequestedEventId: 10 });
    expect(Buffer.from(attributes.details!.payloads![0]!.data!).toString()).toBe('"ACTIVITY_ID_NOT_STARTED"');
  });

  it('of one between attempts closes it too, without a Started event', () => {
    const run = withActivity();
    fail(run, run.startActivity(), failure('E'));
    signal(run);
    run.task(cancel);
    expect(run.types(8)).toContain('ActivityTaskCanceled');
    expect(run.types()).not.toContain('ActivityTaskStarted');
  });

  it('of a running one is seen by its heartbeat and may be confirmed', () => {
    const run = withActivity();
    const token = run.startActivity();
    const confirm = () => run.change((t) => engine.cancelActivity(t, token, { details: null, identity: 'worker' }));
    expect(confirm).toThrow('unable to mark activity as canceled without activity being request canceled first');
    signal(run);
    run.task(cancel);
    expect(run.effects()).toContain('activityCancelRequested');
    expect(run.change((t) => engine.recordHeartbeat(t, token, null)).cancelRequested).toBe(true);
    confirm();
    expect(run.types(10)).toEqual(['ActivityTaskStarted', 'ActivityTaskCanceled', 'WorkflowTaskScheduled']);
  });

  it('ends retries', () => {
    const run = withActivity();
    const token = run.startActivity();
    signal(run);
    run.task(cancel);
    fail(run, token, failure('E'));
    expect(run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED).activityTaskFailedEventAttributes?.retryState).toBe(
      RetryState.RETRY_STATE_CANCEL_REQUESTED,
    );
  });

  it('of an unknown activity fails the workflow task', () => {
    const run = withActivity();
    complete(run, run.startActivity());
    expect(run.task(cancel)?.message).toContain(
      'BadRequestCancelActivityAttributes: invalid history builder state for action: add-activitytask-cancel-requested-event, ScheduledEventID: 5',
    );
  });

  it('that comes late for a result not seen yet is recorded and does nothing', () => {
    const run = withActivity();
    const token = run.startActivity();
    signal(run);
    run.startTask();
    complete(run, token);
    expect(run.completeTask([cancel])).toBeNull();
    expect(run.types(8)).toEqual([
      'WorkflowTaskCompleted',
      'ActivityTaskCancelRequested',
      'ActivityTaskStarted',
      'ActivityTaskCompleted',
      'WorkflowTaskScheduled',
    ]);
  });
});
