/** What happens to a schedule, by a clock that the test moves. */
import { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMs } from '../../../common/proto-values';
import { Status } from '../types';
import { canonicalSpec } from './canonical-spec';
import { newSchedule } from './create';
import { decide } from './decide';
import type { ChainEnd, Decision, Overlap, ScheduleConfig, ScheduleEvent, ScheduleState, SlotRecord } from './types';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T0 = Date.parse('2026-01-05T00:00:30Z');

const config = (more: Partial<ScheduleConfig> = {}): ScheduleConfig => ({
  spec: canonicalSpec({ interval: [{ interval: fromMs(MINUTE) }] }),
  startWorkflow: { workflowId: 'w', workflowType: { name: 'w' } },
  policies: {
    overlapPolicy: Policy.SCHEDULE_OVERLAP_POLICY_SKIP,
    catchupWindowMs: 365 * DAY,
    pauseOnFailure: false,
    keepOriginalWorkflowId: false,
  },
  paused: false,
  notes: '',
  limitedActions: false,
  remainingActions: 0,
  ...more,
});
const withPolicy = (
  overlapPolicy: Overlap,
  more: Partial<ScheduleConfig['policies']> = {},
): Partial<ScheduleConfig> => ({
  policies: { ...config().policies, overlapPolicy, ...more },
});

/** A schedule, its clock, and a world that does what is decided. */
class World {
  now = T0;
  readonly state: ScheduleState;
  readonly slots: SlotRecord[] = [];
  readonly started: string[] = [];
  due = 0;
  expired = false;

  constructor(more: Partial<ScheduleConfig> = {}) {
    this.state = newSchedule({ namespace: 'default', scheduleId: 's', uuid: 'u' }, config(more), {}, {}, T0);
    this.happens({ type: 'tick' });
  }

  /** The decision alone: nobody carries it out. */
  decided(event: ScheduleEvent): Decision {
    const decision = decide(this.state, this.now, event);
    for (const record of decision.slots) {
      const known = this.slots.findIndex(({ slot }) => slot === record.slot);
      if (known >= 0) this.slots[known] = record;
      else this.slots.push(record);
    }
    this.due = decision.dueAtMs;
    this.expired = decision.expired;
    return decision;
  }

  happens(event: ScheduleEvent): void {
    const { starts, endings } = this.decided(event);
    for (const { slot, workflowId } of starts) {
      this.started.push(workflowId);
      this.happens({ type: 'started', slot, firstRunId: `run of ${slot}`, startedMs: this.now });
    }
    for (const { firstRunId, ending } of endings) {
      this.happens({ type: 'endingRequested', firstRunId });
      if (ending === 'terminate') this.end(firstRunId, { status: Status.Terminated });
    }
  }

  end(firstRunId: string, how: Partial<ChainEnd> = {}): void {
    const end = { workflowId: 'w', firstRunId, status: Status.Completed, result: null, failure: null, ...how };
    this.happens({ type: 'ended', ends: [end] });
  }

  wait(ms: number): void {
    this.now += ms;
    this.happens({ type: 'tick' });
  }

  /** Lives by its due times up to a moment. */
  live(untilMs: number): void {
    for (let looks = 0; this.due > 0 && this.due <= untilMs; looks++) {
      if (looks > 100_000) throw new Error('it never sleeps');
      this.now = Math.max(this.now, this.due);
      this.happens({ type: 'tick' });
    }
    this.now = Math.max(this.now, untilMs);
  }

  reasons(): string[] {
    const inOrder = [...this.slots].sort((a, b) => a.slot - b.slot);
    return inOrder.map(({ reason, count }) => (count === 1 ? reason : `${reason} × ${count}`));
  }
}

const patch = (more: object): ScheduleEvent => ({
  type: 'patch',
  requestId: '',
  patch: { trigger: null, backfills: [], pause: '', unpause: '', ...more },
});

describe('time that goes by', () => {
  it('starts a workflow at each time of the spec, and sleeps in between', () => {
    const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL));
    expect(world.due).toBe(T0 + 30_000);
    world.live(T0 + 3 * MINUTE);
    expect(world.started).toEqual(['w-2026-01-05T00:01:00Z', 'w-2026-01-05T00:02:00Z', 'w-2026-01-05T00:03:00Z']);
    expect(world.state.actionCount).toBe(3);
  });

  it('is made up for within the catch-up window, and the rest is one row', () => {
    const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, { catchupWindowMs: 2 * MINUTE }));
    world.wait(HOUR);
    expect(world.started).toHaveLength(2);
    expect(world.state.missedCatchupWindow).toBe(58);
    expect(world.reasons()).toEqual(['missed catch-up window × 58', 'fired', 'fired']);
    // They are not missed again.
    world.wait(1000);
    expect(world.state.missedCatchupWindow).toBe(58);
  });

  it('is not made up for while it is paused', () => {
    const world = new World({ paused: true });
    expect(world.due).toBe(0);
    world.wait(HOUR);
    world.happens(patch({ unpause: 'go' }));
    expect(world.started).toEqual([]);
    expect(world.reasons()).toEqual(['paused × 60']);
    world.live(world.now + MINUTE);
    expect(world.started).toHaveLength(1);
  });

  it('ends the schedule a week after its last action', () => {
    const endTime = fromMs(T0 + 2 * MINUTE);
    const world = new World({ spec: canonicalSpec({ interval: [{ interval: fromMs(MINUTE) }], endTime }) });
    world.live(T0 + 3 * MINUTE);
    expect(world.due).toBe(T0 + 30_000 + 7 * DAY);
    world.wait(7 * DAY - 3 * MINUTE);
    expect(world.expired).toBe(false);
    world.wait(MINUTE);
    expect(world.expired).toBe(true);
  });

  it('of a long absence overruns the buffer', () => {
    const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL));
    world.wait(1500 * MINUTE);
    expect(world.started).toHaveLength(1000);
    expect(world.state.bufferDropped).toBe(500);
    expect(world.slots.reduce((sum, { count }) => sum + count, 0)).toBe(1500);
  });
});

describe('limited actions', () => {
  it('are used by times of the schedule only', () => {
    const world = new World({
      ...withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL),
      limitedActions: true,
      remainingActions: 2,
    });
    world.happens(patch({ trigger: { overlapPolicy: Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, scheduledMs: T0 } }));
    expect(world.state.remainingActions).toBe(2);
    world.live(T0 + HOUR);
    expect(world.state.remainingActions).toBe(0);
    expect(world.started).toHaveLength(3);
    expect(world.due).toBe(T0 + 90_000 + 7 * DAY);
  });
});

describe('an update', () => {
  const hourly = config({ spec: canonicalSpec({ interval: [{ interval: fromMs(HOUR) }] }) });
  const update: ScheduleEvent = { type: 'update', requestId: '', config: hourly, memo: null, searchAttributes: null };

  it('is by the old spec up to now, and by the new one from now on', () => {
    const world = new World();
    world.now = T0 + 2 * MINUTE;
    world.happens(update);
    expect(world.started).toHaveLength(1);
    expect(world.due).toBe(Date.parse('2026-01-05T01:00:00Z'));
  });

  it('does not make up for times of the new spec', () => {
    const world = new World({ spec: canonicalSpec({ calendar: [{ year: '2030' }] }) });
    world.now = T0 + DAY;
    world.happens(update);
    expect(world.started).toEqual([]);
    expect(world.due).toBe(Date.parse('2026-01-06T01:00:00Z'));
  });

  it('keeps a jittered time that has come but not acted', () => {
    const jitter = fromMs(59 * MINUTE);
    const spec = canonicalSpec({ interval: [{ interval: fromMs(HOUR) }], jitter });
    const world = new World({ spec });
    const dueBefore = world.due;
    // The nominal time goes by.
    world.now = Date.parse('2026-01-05T01:00:00.500Z');
    expect(dueBefore).toBeGreaterThan(world.now);
    world.happens({ ...update, config: config({ spec }) } as ScheduleEvent);
    expect(world.due).toBe(dueBefore);
  });

  it('changes the policy of those that wait', () => {
    const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL));
    world.live(T0 + 5 * MINUTE);
    expect(world.state.buffered).toHaveLength(4);
    world.happens({ ...update, config: config() } as ScheduleEvent);
    expect(world.state.buffered).toHaveLength(0);
    expect(world.state.overlapSkipped).toBe(4);
  });
});

describe('what was decided and is not known to be done', () => {
  it('is taken on again some seconds later, by its number', () => {
    const world = new World();
    world.now = T0 + 30_000;
    const { starts } = world.decided({ type: 'tick' });
    expect(starts).toMatchObject([{ slot: 1, tries: 1 }]);
    expect(world.decided({ type: 'tick' }).starts).toEqual([]);
    world.now += 5000;
    expect(world.decided({ type: 'tick' }).starts).toMatchObject([{ slot: 1, tries: 2 }]);
    world.happens({ type: 'started', slot: 1, firstRunId: 'r', startedMs: world.now });
    // The first try reports at last.
    world.happens({ type: 'started', slot: 1, firstRunId: 'r', startedMs: world.now });
    expect(world.state.running).toHaveLength(1);
    expect(world.state.actionCount).toBe(1);
  });

  it.each([Policy.SCHEDULE_OVERLAP_POLICY_SKIP, Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE])(
    'keeps others waiting, which are judged when it is known (policy %i)',
    (policy) => {
      for (const [event, expected] of [
        [{ type: 'startFailed', slot: 1, message: 'no' }, ['start failed', 'fired']],
        [
          { type: 'started', slot: 1, firstRunId: 'r', startedMs: 0 },
          ['fired', policy === Policy.SCHEDULE_OVERLAP_POLICY_SKIP ? 'overlap skipped' : 'buffered'],
        ],
      ] as const) {
        const world = new World(withPolicy(policy));
        world.now = T0 + 30_000;
        world.decided({ type: 'tick' });
        world.now += MINUTE;
        const { starts, slots } = world.decided({ type: 'tick' });
        expect(starts.map(({ slot }) => slot)).toEqual([1]);
        expect(slots).toEqual([]);
        world.happens(event);
        expect(world.reasons()).toEqual(expected);
      }
    },
  );
});

describe('the end of a workflow', () => {
  it('pauses the schedule when it failed or ran out of time, not when it was cancelled', () => {
    for (const [how, paused] of [
      [{ status: Status.Failed, failure: { message: 'broken' } }, 'paused due to workflow failure: w: broken'],
      [{ status: Status.TimedOut }, 'paused due to workflow timeout: w'],
      [{ status: Status.Canceled }, ''],
      [{ status: Status.Terminated }, ''],
      [{ status: 0 as const }, ''],
    ] as const) {
      const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_SKIP, { pauseOnFailure: true }));
      world.wait(30_000);
      world.end('run of 1', how);
      expect({ paused: world.state.paused, notes: world.state.notes }).toEqual({
        paused: paused !== '',
        notes: paused,
      });
      expect(world.state.recent[0]?.status).toBe(how.status);
    }
  });

  it('of ALLOW_ALL says nothing to the next one', () => {
    const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL, { pauseOnFailure: true }));
    world.wait(30_000);
    world.end('run of 1', { status: Status.Failed, failure: { message: 'broken' } });
    expect(world.state).toMatchObject({ paused: false, continuedFailure: null, running: [] });
    expect(world.state.recent[0]?.status).toBe(Status.Failed);
  });
});

describe('TERMINATE_OTHER', () => {
  it('of several that come at once starts the last', () => {
    const world = new World(withPolicy(Policy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER));
    world.wait(3 * MINUTE);
    expect(world.started).toEqual(['w-2026-01-05T00:03:00Z']);
    world.wait(MINUTE);
    expect(world.started).toHaveLength(2);
    expect(world.state.running).toHaveLength(1);
    expect(world.state.recent.map(({ status }) => status)).toEqual([Status.Terminated, Status.Running]);
  });
});

const anyPolicy = fc.constantFrom(1, 2, 3, 4, 5, 6) as fc.Arbitrary<Overlap>;
type Step = (world: World) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 10 * MINUTE }).map((ms) => (world: World) => world.wait(ms)) },
  {
    weight: 3,
    arbitrary: fc.nat().map((n) => (world: World) => {
      const { running } = world.state;
      if (running.length > 0) world.end(running[n % running.length]!.firstRunId);
    }),
  },
  anyPolicy.map((overlapPolicy) => (world: World) => {
    world.happens(patch({ trigger: { overlapPolicy, scheduledMs: world.now } }));
  }),
  anyPolicy.map((overlapPolicy) => (world: World) => {
    world.happens(patch({ backfills: [{ startMs: T0 - 20 * MINUTE, endMs: T0, overlapPolicy }] }));
  }),
  fc.constant((world: World) => world.happens(patch({ pause: 'p' }))),
  fc.constant((world: World) => world.happens(patch({ unpause: 'u' }))),
  anyPolicy.map((policy) => (world: World) => {
    world.happens({
      type: 'update',
      requestId: '',
      config: config(withPolicy(policy)),
      memo: null,
      searchAttributes: null,
    });
  }),
);

describe('whatever happens', () => {
  it('each slot has one row, nothing is started twice, and but for ALLOW_ALL one runs at a time', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(step, { maxLength: 40 }), (policy, steps) => {
        const world = new World(withPolicy(policy));
        for (const one of steps) {
          one(world);
          const { running, pending, buffered } = world.state;
          expect(running.length).toBeLessThanOrEqual(1);
          expect(pending).toEqual([]);
          // Nobody waits for nothing.
          if (buffered.length > 0) expect(running.length).toBe(1);
        }
        const rows = world.slots.map(({ slot }) => slot).sort((a, b) => a - b);
        expect(rows).toEqual(rows.map((_, i) => i + 1));
        expect(rows.length).toBe(world.state.slotCount);
        expect(world.slots.filter(({ reason }) => reason === 'fired')).toHaveLength(world.state.actionCount);
        expect(world.slots.filter(({ reason }) => reason === 'buffered')).toHaveLength(world.state.buffered.length);
        expect(world.started).toHaveLength(world.state.actionCount);
        // The times of the schedule itself: each once.
        const own = world.slots.filter(({ manual, count }) => !manual && count === 1).map(({ nominalMs }) => nominalMs);
        expect(new Set(own).size).toBe(own.length);
        // It survives being stored.
        expect(JSON.parse(JSON.stringify(world.state))).toEqual(world.state);
      }),
      { numRuns: 200 },
    );
  });
});
