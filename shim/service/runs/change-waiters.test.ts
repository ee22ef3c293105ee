import { expect, it } from 'vitest';
import { ChangeWaiters } from './change-waiters';

/** What has resolved by the next turn of the event loop. */
async function moved(waits: Record<string, { moved: Promise<void> }>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, watch] of Object.entries(waits)) void watch.moved.then(() => names.push(name));
  await new Promise((resolve) => setImmediate(resolve));
  return names.sort();
}

it('wakes those who wait for that run, and of an open run not those who wait for its close', async () => {
  const waiters = new ChangeWaiters();
  const any = waiters.watch('a', 10_000, undefined, false);
  const close = waiters.watch('a', 10_000, undefined, true);
  const other = waiters.watch('b', 10_000, undefined, false);
  waiters.wake('a', true);
  expect(await moved({ any, close, other })).toEqual(['any']);
  waiters.wake('a');
  expect(await moved({ close, other })).toEqual(['close']);
  waiters.wakeAll();
  expect(await moved({ other })).toEqual(['other']);
});

it('ends a wait when it is stopped, when its caller goes away, and when time is up', async () => {
  const waiters = new ChangeWaiters();
  const caller = new AbortController();
  const stopped = waiters.watch('a', 10_000, undefined, false);
  const left = waiters.watch('a', 10_000, caller.signal, true);
  expect(await moved({ stopped, left })).toEqual([]);
  stopped.stop();
  caller.abort('gone');
  expect(await moved({ stopped, left })).toEqual(['left', 'stopped']);
  expect(await moved({ late: waiters.watch('a', 10_000, caller.signal, false) })).toEqual(['late']);
  await waiters.watch('a', 5, undefined, false).moved;
  await waiters.watch('a', 600, undefined, true).moved;
});
