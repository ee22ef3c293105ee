import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GuardState, type Level, type Phase, isDiverting, nextState } from './phases';

const patience = { afterMs: 10_000, quietMs: 60_000 };

describe('The load guard', () => {
  it.each<[Phase, Level, number, Phase]>([
    ['calm', 'below', 1e9, 'calm'],
    ['calm', 'near', 1e9, 'calm'],
    ['calm', 'over', 0, 'pressed'],
    ['pressed', 'over', 9_999, 'pressed'],
    ['pressed', 'over', 10_000, 'diverting'],
    ['pressed', 'near', 10_000, 'calm'],
    ['pressed', 'below', 10_000, 'calm'],
    ['diverting', 'over', 1e9, 'diverting'],
    ['diverting', 'near', 1e9, 'diverting'],
    ['diverting', 'below', 1e9, 'easing'],
    ['easing', 'below', 59_999, 'easing'],
    ['easing', 'below', 60_000, 'calm'],
    ['easing', 'near', 60_000, 'diverting'],
    ['easing', 'over', 60_000, 'diverting'],
  ])('%s, %s after %i ms: %s', (phase, level, ms, expected) => {
    expect(nextState({ phase, sinceMs: 0 }, level, ms, patience).phase).toBe(expected);
  });

  it('turns at once without patience', () => {
    const impatient = { afterMs: 0, quietMs: 0 };
    expect(nextState({ phase: 'calm', sinceMs: 0 }, 'over', 5, impatient)).toEqual({ phase: 'diverting', sinceMs: 5 });
    expect(nextState({ phase: 'diverting', sinceMs: 5 }, 'below', 9, impatient)).toEqual({ phase: 'calm', sinceMs: 9 });
  });

  const looks = fc.array(
    fc.record({ level: fc.constantFrom<Level>('over', 'near', 'below'), pauseMs: fc.integer({ min: 1, max: 30_000 }) }),
    { maxLength: 200 },
  );

  it('begins only after a time over a budget without a break, and ends only after a time well below', () => {
    fc.assert(
      fc.property(looks, (list) => {
        let state: GuardState = { phase: 'calm', sinceMs: 0 };
        let now = 0;
        /** Since when each look said so, without a break. */
        let overSince: number | undefined;
        let belowSince: number | undefined;
        let turnedAt = -Infinity;
        for (const { level, pauseMs } of list) {
          now += pauseMs;
          overSince = level === 'over' ? (overSince ?? now) : undefined;
          belowSince = level === 'below' ? (belowSince ?? now) : undefined;
          const next = nextState(state, level, now, patience);
          const [was, is] = [isDiverting(state.phase), isDiverting(next.phase)];
          if (is && !was) expect(now - overSince!).toBeGreaterThanOrEqual(patience.afterMs);
          if (was && !is) {
            expect(now - belowSince!).toBeGreaterThanOrEqual(patience.quietMs);
            // It does not flap: between two turns lies the time of quiet at least.
            expect(now - turnedAt).toBeGreaterThanOrEqual(patience.quietMs);
          }
          if (was !== is) turnedAt = now;
          state = next;
        }
      }),
    );
  });

  it('diverts in the end when the load stays, and not when it went', () => {
    fc.assert(
      fc.property(looks, (list) => {
        const end = (level: Level): Phase => {
          let state: GuardState = { phase: 'calm', sinceMs: 0 };
          let now = 0;
          const steady = Array.from({ length: 4 }, () => ({ level, pauseMs: 60_000 }));
          for (const look of [...list, ...steady])
            state = nextState(state, look.level, (now += look.pauseMs), patience);
          return state.phase;
        };
        expect(end('over')).toBe('diverting');
        expect(end('below')).toBe('calm');
      }),
    );
  });
});
