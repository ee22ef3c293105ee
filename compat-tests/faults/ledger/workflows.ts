import { condition, defineSignal, proxyActivities, proxyLocalActivities, setHandler, sleep } from 'branchline/workflow';
import type { LedgerActivities } from './book';

const options = { startToCloseTimeout: '1 second', retry: { initialInterval: 10, maximumInterval: 100 } } as const;
const { withdraw, deposit } = proxyActivities<LedgerActivities>(options);
const { charge } = proxyLocalActivities<LedgerActivities>(options);

export const settle = defineSignal('settle');
/** Cents that are on their way. */
export const pay = defineSignal<[cents: number]>('pay');
/** How long an order waits to be paid, ms: longer than its caller takes, shorter than what happens to it. */
const PATIENCE_MS = 100;

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

/** Deposits each payment. Closes when it has none, or, if it `waits`, when it is told to settle. */
export async function order(to: string, waits: boolean): Promise<number> {
  const payments: number[] = [];
  let settled = !waits;
  setHandler(settle, () => void (settled = true));
  setHandler(pay, (cents) => void payments.push(cents));
  await condition(() => payments.length > 0, PATIENCE_MS);
  let deposited = 0;
  do {
    while (deposited < payments.length) await deposit(to, payments[deposited++]!);
    if (deposited > 0) await condition(() => settled || deposited < payments.length);
  } while (deposited < payments.length);
  return deposited;
}
