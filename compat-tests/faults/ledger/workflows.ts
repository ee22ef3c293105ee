import { condition, defineSignal, proxyActivities, proxyLocalActivities, setHandler, sleep } from 'branchline/workflow';
import type { LedgerActivities } from './book';

const options = { startToCloseTimeout: '1 second', retry: { initialInterval: 10, maximumInterval: 100 } } as const;
const { withdraw, deposit } = proxyActivities<LedgerActivities>(options);
const { charge } = proxyLocalActivities<LedgerActivities>(options);

export const settle = defineSignal('settle');

/** Moves `cents` in three bookings with a timer between them; one that `waits` stays open until it is told to settle. */
export async function transfer(from: string, to: string, cents: number, waits: boolean): Promise<number> {
  let settled = !waits;
  setHandler(settle, () => void (settled = true));
  await withdraw(from, cents);
  await charge(from);
  await sleep(5);
  await deposit(to, cents);
  await condition(() => settled);
  return cents;
}
