/** Workflows that wait for long. */
import { condition, defineSignal, defineUpdate, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

const { charge, nap } = proxyActivities<{ charge(month: number): Promise<number>; nap(): Promise<void> }>({
  startToCloseTimeout: '1 day',
  retry: { initialInterval: '1 hour', backoffCoefficient: 1 },
});

export async function yearOfBilling(): Promise<number> {
  let sum = 0;
  for (let month = 1; month <= 12; month++) {
    await sleep('30 days');
    sum += await charge(month);
  }
  return sum;
}

/** Epoch ms by workflow time, after it has slept. */
export async function slept(ms: number): Promise<number> {
  await sleep(ms);
  return Date.now();
}

export async function race(timerMs: number): Promise<string> {
  return Promise.race([sleep(timerMs).then(() => 'timer'), nap().then(() => 'activity')]);
}

export const addUpdate = defineUpdate<number, [number]>('add');
export const endSignal = defineSignal('end');
export async function updated(): Promise<number> {
  let sum = 0;
  let ended = false;
  setHandler(addUpdate, async (value) => {
    await sleep('1 day');
    return (sum += value);
  });
  setHandler(endSignal, () => void (ended = true));
  await condition(() => ended);
  return sum;
}
