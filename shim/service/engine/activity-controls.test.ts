import { describe, expect, it } from 'vitest';
import { ms } from '../../common/proto-values';
import { TestRun, activityCommand, payloads, seconds } from '../../../test/support/engine-run';
import { engine } from '.';
import type { ActivityOptionsPatch } from './api';
import { optionsOf } from './activity-options';
import { EventType } from './event-fields';

const BY = { identity: 'op', reason: 'why' };
const ONE = { id: '1' };
const now = (): number => 0;

function withActivity(attributes: Parameters<typeof activityCommand>[0] = {}): TestRun {
  const run = new TestRun();
  run.task(activityCommand({ retryPolicy: { initialInterval: seconds(1), backoffCoefficient: 2 }, ...attributes }));
  return run;
}
const fail = (run: TestRun, token: ReturnType<TestRun['startActivity']>): void =>
  run.change((t) =>
    engine.failActivity(t, token, { failure: { message: 'boom' }, lastHeartbeatDetails: null, identity: 'worker' }),
  );
const pause = (run: TestRun): void => run.change((t) => engine.pauseActivities(t, ONE, BY));
const unpause = (run: TestRun, how: Partial<Parameters<typeof engine.unpauseActivities>[2]> = {}): void =>
  run.change((t) =>
    engine.unpauseActivities(t, ONE, { resetAttempts: false, resetHeartbeat: false, delayMs: now, ...how }),
  );
const reset = (run: TestRun, how: Partial<Parameters<typeof engine.resetActivities>[2]> = {}): void =>
  run.change((t) =>
    engine.resetActivities(t, ONE, {
      resetHeartbeat: false,
      keepPaused: false,
      delayMs: now,
      originals: null,
      ...how,
    }),
  );
const beat = (run: TestRun, token: ReturnType<TestRun['startActivity']>, details = 'half') =>
  run.change((t) => engine.recordHeartbeat(t, token, payloads(details)));

describe('a paused activity', () => {
  it('is not started, and nothing of it becomes due', () => {
    const run = withActivity({ scheduleToCloseTimeout: seconds(5) });
    pause(run);
    expect(() => run.startActivity()).toThrow();
    expect(engine.nextDue(run.state)).toBe(0);
    run.pass(60_000);
    expect(run.onlyActivity()).toMatchObject({ paused: true, attempt: 1 });
    expect(run.history.filter((event) => event.activityTaskTimedOutEventAttributes)).toEqual([]);
  });

  it('lets its running attempt report and learn of the pause; what fails waits with the next attempt', () => {
    const run = withActivity();
    const token = run.startActivity();
    pause(run);
    expect(beat(run, token)).toEqual({ cancelRequested: false, paused: true, reset: false });
    fail(run, token);
    expect(run.onlyActivity()).toMatchObject({ attempt: 2, startedAtMs: 0, paused: true });
    run.pass(60_000);
    expect(() => run.startActivity()).toThrow();
    unpause(run);
    expect(run.transition.effects).toContainEqual({ type: 'activityScheduled', scheduledEventId: 5, eager: false });
    expect(run.startActivity().attempt).toBe(2);
  });

  it('can be found by its type, until it is unpaused or closes', () => {
    const run = withActivity();
    const shown = (): string => String(run.state.searchAttributes.TemporalPauseInfo?.data ?? '');
    pause(run);
    expect(shown()).toBe('["property:activityType=greet"]');
    expect(run.effects()).toContain('visibilityChanged');
    unpause(run);
    expect(shown()).toBe('');
    const token = run.startActivity();
    pause(run);
    run.change((t) => engine.completeActivity(t, token, { result: null, identity: 'worker' }));
    expect(shown()).toBe('');
  });

  it('keeps who paused it first', () => {
    const run = withActivity();
    pause(run);
    run.change((t) => engine.pauseActivities(t, { type: 'greet' }, { identity: 'other', reason: '' }));
    expect(run.onlyActivity().pause).toEqual({ atMs: run.nowMs, ...BY });
  });

  it('comes back after the jitter, with the first attempt and without heartbeat details if asked', () => {
    const run = withActivity();
    const token = run.startActivity();
    beat(run, token);
    pause(run);
    fail(run, token);
    unpause(run, { resetAttempts: true, resetHeartbeat: true, delayMs: () => 700 });
    expect(run.onlyActivity()).toMatchObject({ attempt: 1, heartbeatDetails: null, lastFailure: null });
    expect(run.effects()).toContain('heartbeatForgotten');
    expect(() => run.startActivity()).toThrow();
    run.pass(700);
    expect(run.startActivity().attempt).toBe(1);
  });
});

describe('reset', () => {
  it('brings an activity in its backoff back at once as its first attempt', () => {
    const run = withActivity();
    fail(run, run.startActivity());
    reset(run);
    expect(run.onlyActivity()).toMatchObject({ attempt: 1, backingOff: false, lastFailure: null });
    expect(run.startActivity().attempt).toBe(1);
  });

  it('is learnt by a running attempt, which goes on to report; the next one begins without its details', () => {
    const run = withActivity();
    fail(run, run.startActivity());
    run.pass(1000);
    const token = run.startActivity();
    reset(run, { resetHeartbeat: true });
    expect(run.onlyActivity().attempt).toBe(1);
    expect(beat(run, token)).toEqual({ cancelRequested: false, paused: false, reset: true });
    fail(run, token);
    expect(run.onlyActivity()).toMatchObject({ attempt: 2, heartbeatDetails: null, resetRequested: false });
    run.pass(1000);
    expect(run.startActivity().attempt).toBe(2);
  });

  it('unpauses unless it is to stay paused', () => {
    const run = withActivity();
    pause(run);
    reset(run, { keepPaused: true });
    expect(run.onlyActivity().paused).toBe(true);
    reset(run);
    expect(run.onlyActivity().paused).toBe(false);
    expect(run.startActivity().attempt).toBe(1);
  });
});

describe('options of a pending activity', () => {
  const patch = (run: TestRun, options: ActivityOptionsPatch['options'], ...paths: string[]) =>
    run.change((t) => engine.updateActivityOptions(t, ONE, { options, paths: new Set(paths) }));

  it('are patched by path, in the bounds of a scheduled activity', () => {
    const run = withActivity({ heartbeatTimeout: seconds(9) });
    const options = patch(
      run,
      { startToCloseTimeout: seconds(7), heartbeatTimeout: seconds(1), retryPolicy: { maximumAttempts: 5 } },
      'startToCloseTimeout',
      'retryPolicy.maximumAttempts',
    );
    expect(ms(options.startToCloseTimeout)).toBe(7000);
    // Not named by a path; bounded by start-to-close.
    expect(run.onlyActivity()).toMatchObject({ startToCloseMs: 7000, heartbeatMs: 7000 });
    expect(run.onlyActivity().retryPolicy).toMatchObject({ maximumAttempts: 5, backoffCoefficient: 2 });
  });

  it('move a waiting activity to another queue, at once', () => {
    const run = withActivity();
    patch(run, { taskQueue: { name: 'other' } }, 'taskQueue.name');
    expect(run.onlyActivity().taskQueue).toBe('other');
    expect(run.effects()).toContain('activityScheduled');
  });

  it('change the backoff that runs', () => {
    const run = withActivity();
    fail(run, run.startActivity());
    patch(run, { retryPolicy: { initialInterval: seconds(100) } }, 'retryPolicy.initialInterval');
    expect(run.onlyActivity().backingOff).toBe(true);
    expect(engine.nextDue(run.state)).toBe(run.nowMs + 100_000);
  });

  it.each([
    ['no timeout at all', { startToCloseTimeout: seconds(0) }, 'startToCloseTimeout', /valid StartToClose/],
    [
      'a bad retry policy',
      { retryPolicy: { backoffCoefficient: 0.5 } },
      'retryPolicy.backoffCoefficient',
      /less than 1/,
    ],
    ['a message that is not there', {}, 'taskQueue.name', /TaskQueue is not provided/],
    ['an unknown path', {}, 'startDelay', /startDelay is not an option/],
  ])('are refused whole for %s', (_what, options, path, message) => {
    const run = withActivity();
    const before = JSON.stringify(run.state);
    expect(() => patch(run, { heartbeatTimeout: seconds(3), ...options }, 'heartbeatTimeout', path)).toThrow(message);
    expect(JSON.stringify(run.state)).toBe(before);
  });

  it('are restored from the scheduled event', () => {
    const run = withActivity();
    const original = optionsOf(run.onlyActivity());
    patch(run, { startToCloseTimeout: seconds(1), taskQueue: { name: 'x' } }, 'startToCloseTimeout', 'taskQueue.name');
    const originals = new Map([[5, run.find(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)]]);
    run.change((t) => engine.updateActivityOptions(t, ONE, { originals }));
    expect(optionsOf(run.onlyActivity())).toEqual(original);
  });
});

it.each([{ id: 'nope' }, { type: 'nope' }])('%j finds nothing', (which) => {
  const run = withActivity();
  expect(() => run.change((t) => engine.pauseActivities(t, which, BY))).toThrow(/Can't find pending activity/);
});
