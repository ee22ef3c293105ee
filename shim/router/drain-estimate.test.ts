import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateDrain } from './drain-estimate';

describe('the estimate of a drain', () => {
  it('knows nothing without closed runs, or about runs older than all of them', () => {
    expect(estimateDrain([5], [])).toEqual({ beyond: 1 });
    expect(estimateDrain([5, 100], [10, 20, 30])).toEqual({ halfMs: 15, allMs: 25, beyond: 1 });
    expect(estimateDrain([], [1, 2])).toEqual({ beyond: 0 });
  });

  it('never says that runs close in the past, nor that all are closed before half of them are', () => {
    const ms = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 });
    fc.assert(
      fc.property(ms, ms, (ages, durations) => {
        const { halfMs, allMs, beyond } = estimateDrain(ages, durations);
        expect(beyond).toBe(ages.filter((age) => durations.every((duration) => duration <= age)).length);
        if (halfMs === undefined || allMs === undefined) {
          expect(beyond).toBe(ages.length);
          return;
        }
        expect(halfMs).toBeGreaterThan(0);
        expect(allMs).toBeGreaterThanOrEqual(halfMs);
      }),
    );
  });
});
