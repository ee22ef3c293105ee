import { expect, it } from 'vitest';
import { OneAtATime } from './one-at-a-time';

it('Work runs once at a time, and once more for all that asked while it ran', async () => {
  const begun: (() => void)[] = [];
  const work = new OneAtATime(() => new Promise<void>((resolve) => void begun.push(resolve)));
  const first = work.run();
  const later = [work.run(), work.run(), work.run()];
  expect(begun).toHaveLength(1);
  begun[0]!();
  await first;
  await Promise.resolve();
  expect(begun).toHaveLength(2);
  let settled = false;
  const all = work.settled().then(() => (settled = true));
  expect(settled).toBe(false);
  begun[1]!();
  await Promise.all([...later, all]);
  expect(begun).toHaveLength(2);
  void work.run();
  expect(begun).toHaveLength(3);
});
