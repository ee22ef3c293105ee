/** A process whose wall clock is wrong: `Date` is off, and may jump; monotonic clocks are not touched. */
import { afterTest } from './database';

/** Until the test ends. The answer sets how far off it is, ms. */
export function skewedDate(offMs: number): (offMs: number) => void {
  const Real = globalThis.Date;
  let off = offMs;
  class Skewed extends Real {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(Real.now() + off);
      else super(...(given as [number]));
    }
    static override now(): number {
      return Real.now() + off;
    }
  }
  globalThis.Date = Skewed as DateConstructor;
  afterTest(async () => void (globalThis.Date = Real));
  return (ms) => (off = ms);
}
