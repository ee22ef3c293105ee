import { expect, test } from 'vitest';
import { uuidv7 } from './ids';

test('ids are UUIDs of version 7, distinct, and sort by time', () => {
  const ids = Array.from({ length: 2000 }, uuidv7);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids[0]! < ids[1999]! || ids[0]!.slice(0, 13) === ids[1999]!.slice(0, 13)).toBe(true);
});
