import { describe, expect, it } from 'vitest';
import { Slots } from './slots';

const never = new AbortController().signal;

describe('slots', () => {
  it('are granted up to the limit, then in the order of asking', async () => {
    const slots = new Slots(2);
    const granted: number[] = [];
    for (const n of [1, 2, 3, 4]) slots.whenFree(() => granted.push(n));
    expect(granted).toEqual([1, 2]);
    slots.release();
    expect(granted).toEqual([1, 2, 3]);
    for (let i = 0; i < 3; i++) slots.release();
    expect(granted).toEqual([1, 2, 3, 4]);
    expect(slots.used).toBe(0);
  });

  it('are not lost to a waiter that gave up', async () => {
    const slots = new Slots(1);
    expect(await slots.take(never)).toBe(true);
    const abort = new AbortController();
    const waiting = slots.take(abort.signal);
    abort.abort();
    expect(await waiting).toBe(false);
    slots.release();
    expect(slots.used).toBe(0);
    expect(slots.tryTake()).toBe(true);
  });
});
