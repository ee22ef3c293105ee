import { condition, defineSignal, proxyActivities, setHandler, sleep } from 'branchline/workflow';
import type { RestoreActivities } from './activities';

const { charge, mail, print, book } = proxyActivities<RestoreActivities>({
  startToCloseTimeout: '4 seconds',
  retry: { initialInterval: 50, maximumInterval: 500 },
});

export const deliver = defineSignal('deliver');

/** An effect outside, rows in the database, a pause, another effect outside. */
export async function order(cents: number, pauseMs: number): Promise<number> {
  await charge();
  await book(cents);
  await sleep(pauseMs);
  await mail();
  return cents;
}

/** A timer that is under way for long, then an effect outside. */
export async function sleeper(ms: number): Promise<string> {
  await sleep(ms);
  await mail();
  return 'slept';
}

/** An effect outside once it is signalled. */
export async function waiter(): Promise<string> {
  let signalled = false;
  setHandler(deliver, () => void (signalled = true));
  await condition(() => signalled);
  await mail();
  return 'delivered';
}

/** An effect outside that takes long. */
export async function printer(): Promise<string> {
  await print();
  return 'printed';
}

/** Started by a schedule: rows in the database alone. */
export async function tick(): Promise<void> {
  await book(1);
}
