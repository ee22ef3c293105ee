/** Whoever knows of what when: each time of a schedule is one engine's. */
import * as fc from 'fast-check';
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { type Shown, cutOf, endFor, madeUp, stretches } from './plan';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;

const SECOND = 1000;
const ALLOW_ALL = Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;

const shown = (changes: Partial<Shown>): Shown => ({
  policy: ALLOW_ALL,
  jittered: false,
  endMs: undefined,
  nextMs: undefined,
  gapMs: Infinity,
  buffered: 0,
  running: 0,
  ...changes,
});

describe('The cut of a schedule', () => {
  it('gives each time to one engine, however late they hear of it and however wrong their clocks are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 100_000 }),
        fc.nat(20_000),
        fc.nat(20_000),
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: 1, max: 999 }),
        fc.constantFrom(ALLOW_ALL, Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL),
        (everyS, lookedMs, untilKnown, untilActive, moverAhead, newAhead, mark, policy) => {
          const times = Array.from({ length: 400 }, (_, n) => n * everyS * SECOND);
          const nextMs = times.find((time) => time > lookedMs)!;
          const endMs = endFor(shown({ policy, nextMs, gapMs: everyS * SECOND }), lookedMs + moverAhead, mark);
          if (endMs === null) return;
          // By the old engine's clock it learnt of its end then, by the new one's that one began then.
          const updatedMs = lookedMs + untilKnown;
          const activeMs = updatedMs + untilActive + newAhead;
          const old = times.filter((time) => time <= updatedMs || time <= endMs);
          const cutMs = cutOf(endMs, updatedMs);
          const copy = times.filter((time) => time >= cutMs + SECOND);
          const own = copy.filter((time) => time > activeMs);
          const missed = copy.filter((time) => time <= activeMs);
          expect([...old, ...madeUp(policy, missed, 0), ...own]).toEqual(times);
        },
      ),
    );
  });

  it('is made when nothing of it runs, unless its workflows may overlap, and not just before a time', () => {
    const alone = { policy: Policy.SCHEDULE_OVERLAP_POLICY_SKIP, nextMs: 10_000 };
    expect(endFor(shown({ ...alone, running: 1 }), 5000, 7)).toBeNull();
    expect(endFor(shown({ ...alone, buffered: 1 }), 5000, 7)).toBeNull();
    expect(endFor(shown({ ...alone }), 5000, 7)).toBe(5007);
    expect(endFor(shown({ ...alone }), 9900, 7)).toBeNull();
    expect(endFor(shown({ nextMs: 10_000, running: 3 }), 5000, 7)).toBe(5007);
    expect(endFor(shown({ endMs: 3500 }), 5000, 7)).toBe(3007);
  });

  it('lets through of the times in between what the overlap policy does', () => {
    const times = [1, 2, 3, 4, 5].map((n) => n * SECOND);
    const lets = (policy: Shown['policy']): number[] => madeUp(policy, times, 3500).map((time) => time / SECOND);
    expect(lets(ALLOW_ALL)).toEqual([1, 2, 3, 4, 5]);
    expect(lets(Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL)).toEqual([1, 2, 3, 4, 5]);
    expect(lets(Policy.SCHEDULE_OVERLAP_POLICY_SKIP)).toEqual([4, 5]);
    expect(lets(Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE)).toEqual([1, 4, 5]);
    expect(lets(Policy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER)).toEqual([3, 4, 5]);
    expect(stretches(times, [1000, 4000, 5000])).toEqual([
      { fromMs: 1000, toMs: 1000 },
      { fromMs: 4000, toMs: 5000 },
    ]);
  });
});
