import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueHeap } from './due-heap';

test('runs come out by due time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (times) => {
      const heap = new DueHeap();
      times.forEach((dueAtMs, i) => heap.push({ id: String(i), dueAtMs }));
      const out: number[] = [];
      for (let item = heap.pop(); item !== undefined; item = heap.pop()) out.push(item.dueAtMs);
      expect(out).toEqual([...times].sort((a, b) => a - b));
    }),
  );
});
