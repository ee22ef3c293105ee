import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, defaultDataConverter, defaultPayloadConverter, noopMetricMeter } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { fromMs, ms } from '../../common/proto-values';
import type { LocalActivityOutcome, LocalActivityRequest } from '../../core';
import { ActivityRunner } from '../activity/activity-runner';
import { DefaultLogger } from '../logger';
import { Slots } from '../polling/slots';
import { LocalActivityManager } from './local-activity-manager';

function manager(fn: (...args: unknown[]) => unknown, slots = 10) {
  const outcomes: LocalActivityOutcome[] = [];
  const owner = {
    runId: 'run',
    workflowId: 'wf',
    workflowType: 'type',
    localActivityResolved: (outcome: LocalActivityOutcome) => void outcomes.push(outcome),
  };
  const runner = new ActivityRunner({
    namespace: 'default',
    taskQueue: 'queue',
    activities: new Map([['act', async (...args: unknown[]) => fn(...args)]]),
    dataConverter: defaultDataConverter,
    interceptors: [],
    logger: new DefaultLogger('ERROR'),
    metricMeter: noopMetricMeter,
    client: () => undefined,
  });
  const local = new LocalActivityManager(runner, new Slots(slots), 'default');
  const request = (given: Partial<LocalActivityRequest> = {}): LocalActivityRequest => ({
    seq: 1,
    activityId: '1',
    activityType: 'act',
    attempt: 1,
    args: [],
    headers: {},
    retryPolicy: { initialInterval: fromMs(20), backoffCoefficient: 1 },
    scheduleToCloseMs: undefined,
    scheduleToStartMs: undefined,
    startToCloseMs: 5000,
    localRetryThresholdMs: undefined,
    cancellationType: 0,
    originalScheduleTimeMs: undefined,
    ...given,
  });
  const outcome = async (): Promise<LocalActivityOutcome> => {
    while (outcomes.length === 0) await sleep(5);
    return outcomes.shift()!;
  };
  return { local, owner, request, outcome, outcomes };
}

const value = (outcome: LocalActivityOutcome): unknown =>
  defaultPayloadConverter.fromPayload(outcome.resolution.completed!.result!);

describe('local activities', () => {
  it('are retried until they succeed', async () => {
    let calls = 0;
    const { local, owner, request, outcome } = manager(() => {
      if (++calls < 3) throw new Error('not yet');
      return `attempt ${Context.current().info.attempt}`;
    });
    local.start(owner, request());
    const done = await outcome();
    expect(value(done)).toBe('attempt 3');
    expect(done.attempt).toBe(3);
    expect(local.inFlight.value).toBe(0);
  });

  it('hand long delays back to the workflow', async () => {
    const { local, owner, request, outcome } = manager(() => {
      throw new Error('later');
    });
    local.start(owner, request({ attempt: 4, localRetryThresholdMs: 10, originalScheduleTimeMs: 123 }));
    const { resolution, attempt, originalScheduleTimeMs } = await outcome();
    expect(attempt).toBe(4);
    expect(originalScheduleTimeMs).toBe(123);
    expect(resolution.failed!.failure!.message).toBe('later');
    expect(ms(resolution.backoff!.backoffDuration)).toBe(20);
  });

  it('time out, are told so, and are retried when an attempt took too long', async () => {
    const reasons: string[] = [];
    const { local, owner, request, outcome } = manager(async () => {
      if (Context.current().info.attempt === 2) return 'in time';
      return Context.current().cancelled.catch((error: CancelledFailure) => void reasons.push(error.message));
    });
    local.start(owner, request({ startToCloseMs: 50 }));
    expect(value(await outcome())).toBe('in time');
    expect(reasons).toEqual(['TIMED_OUT']);
  });

  it.each([
    ['running', () => sleep(10_000)],
    [
      'waiting for a retry',
      () => {
        throw new Error('again');
      },
    ],
  ])('time out over all attempts while %s', async (_, fn) => {
    const { local, owner, request, outcome, outcomes } = manager(fn);
    local.start(
      owner,
      request({
        scheduleToCloseMs: 80,
        retryPolicy: { initialInterval: fromMs(10_000) },
        localRetryThresholdMs: 20_000,
      }),
    );
    const { resolution } = await outcome();
    expect(resolution.failed!.failure!.timeoutFailureInfo!.timeoutType).toBe(3);
    await sleep(50);
    expect(outcomes).toEqual([]);
  });

  it('are resolved at once when they are already too late', async () => {
    const { local, owner, request, outcome } = manager(() => 'never');
    local.start(owner, request({ scheduleToCloseMs: 1000, originalScheduleTimeMs: Date.now() - 5000 }));
    expect((await outcome()).resolution.failed!.failure!.timeoutFailureInfo).toBeTruthy();
  });

  it('are cancelled while they wait for a retry, and asked to stop while they run', async () => {
    const backingOff = manager(() => {
      throw new Error('again');
    });
    backingOff.local.start(backingOff.owner, backingOff.request({ retryPolicy: { initialInterval: fromMs(10_000) } }));
    await sleep(30);
    backingOff.local.cancel(backingOff.owner, 1);
    expect((await backingOff.outcome()).resolution.cancelled).toBeTruthy();

    const running = manager(() => Context.current().sleep(10_000));
    running.local.start(running.owner, running.request());
    await sleep(30);
    running.local.cancel(running.owner, 1);
    expect((await running.outcome()).resolution.cancelled!.failure!.canceledFailureInfo).toBeTruthy();
  });

  it('wait for slots, and give them back when their run is forgotten', async () => {
    const starts: number[] = [];
    const { local, owner, request, outcomes } = manager(async () => {
      starts.push(starts.length);
      await sleep(30);
    }, 1);
    local.start(owner, request({ seq: 1 }));
    local.start(owner, request({ seq: 2 }));
    await sleep(10);
    expect(starts).toEqual([0]);
    local.forget(owner);
    await sleep(80);
    expect(starts).toEqual([0]);
    expect(outcomes).toEqual([]);
    local.start(owner, request({ seq: 3 }));
    await sleep(60);
    expect(outcomes.map(({ seq }) => seq)).toEqual([3]);
  });
});
