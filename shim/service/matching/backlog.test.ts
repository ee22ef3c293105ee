import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backlog, type BacklogEntry } from './backlog';

let count = 0;
const entry = (level: number, fairnessKey = '', weight = 1): BacklogEntry => ({
  runId: String(++count),
  scheduledEventId: 5,
  attempt: 1,
  rowId: null,
  place: { level, fairnessKey, weight },
  addedAtMs: count,
  admitted: false,
});
const all = (backlog: Backlog): BacklogEntry[] => {
  const taken: BacklogEntry[] = [];
  for (let next = backlog.take(); next !== undefined; next = backlog.take()) taken.push(next);
  return taken;
};
const anyEntry = fc
  .record({
    level: fc.integer({ min: 1, max: 5 }),
    key: fc.constantFrom('', 'a', 'b', 'c'),
  })
  .map(({ level, key }) => ({ level, key }));

test('all that went in comes out: by priority, and within a key in the order in which it came', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 60 }), (entries) => {
      const backlog = new Backlog();
      const pushed = entries.map(({ level, key }) => entry(level, key));
      for (const each of pushed) backlog.push(each);
      const taken = all(backlog);
      expect(new Set(taken)).toEqual(new Set(pushed));
      expect(taken.map(({ place }) => place.level)).toEqual(pushed.map(({ place }) => place.level).sort());
      for (const key of ['', 'a', 'b', 'c']) {
        for (let level = 1; level <= 5; level++) {
          const of = (list: BacklogEntry[]) =>
            list.filter(({ place }) => place.fairnessKey === key && place.level === level);
          expect(of(taken)).toEqual(of(pushed));
        }
      }
    }),
  );
});

test('while several keys wait, none gets more than one task ahead of its share', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 }), (weights) => {
      const backlog = new Backlog();
      const each = 60;
      weights.forEach((weight, i) => {
        for (let n = 0; n < each; n++) backlog.push(entry(3, `key-${i}`, weight));
      });
      const served = weights.map(() => 0);
      // Until the first key has nothing left.
      while (served.every((n) => n < each)) {
        const { place } = backlog.take()!;
        served[Number(place.fairnessKey.slice(4))]! += 1;
        const rounds = served.map((n, i) => n / weights[i]!);
        expect(Math.max(...rounds) - Math.min(...rounds)).toBeLessThanOrEqual(1 + 1e-9);
      }
    }),
  );
});

test('a key that comes late begins where the others are', () => {
  const backlog = new Backlog();
  for (let i = 0; i < 20; i++) backlog.push(entry(3, 'early'));
  for (let i = 0; i < 10; i++) backlog.take();
  for (let i = 0; i < 10; i++) backlog.push(entry(3, 'late'));
  const next = Array.from({ length: 10 }, () => backlog.take()!.place.fairnessKey);
  expect(next.filter((key) => key === 'late')).toHaveLength(5);
});

test('an overriding weight counts in place of the own one', () => {
  const backlog = new Backlog();
  backlog.weights = { a: 3 };
  for (let i = 0; i < 12; i++) for (const key of ['a', 'b']) backlog.push(entry(3, key));
  const next = Array.from({ length: 8 }, () => backlog.take()!.place.fairnessKey);
  expect(next.filter((key) => key === 'a')).toHaveLength(6);
});

test('a closed key is stepped over, and what is put back is the next one', () => {
  const backlog = new Backlog();
  const first = entry(1, 'closed');
  const second = entry(3, 'open');
  backlog.push(first);
  backlog.push(second);
  expect(backlog.take((key) => key !== 'closed')).toBe(second);
  expect(backlog.take((key) => key !== 'closed')).toBeUndefined();
  backlog.push(entry(1, 'closed'));
  expect(backlog.take()).toBe(first);
  backlog.putBack(first);
  expect(backlog.take()).toBe(first);
  expect(backlog.length).toBe(1);
});

test('it counts what waits by priority, with the age of the oldest', () => {
  const backlog = new Backlog();
  const [a, b, c] = [entry(3, 'a'), entry(3, 'b'), entry(5)];
  for (const each of [b, a, c]) backlog.push(each);
  expect(backlog.waiting()).toEqual([
    [3, 2, a.addedAtMs],
    [5, 1, c.addedAtMs],
  ]);
});
