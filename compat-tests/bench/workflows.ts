import { condition, defineSignal, proxyActivities, setHandler, sleep } from 'branchline/workflow';

interface Payload {
  id: number;
  text: string;
}
const { echo } = proxyActivities<{ echo(input: Payload): Promise<Payload> }>({ startToCloseTimeout: '1 minute' });

export async function oneActivity(input: Payload): Promise<Payload> {
  return await echo(input);
}

export async function sequential(input: Payload, steps: number): Promise<Payload> {
  let last = input;
  for (let i = 0; i < steps; i++) last = await echo(last);
  return last;
}

export async function fanOut(input: Payload, width: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: width }, () => echo(input)));
  return all.length;
}

/** Returns how late its timer was, ms by the workflow's clock against the wish. */
export async function sleeper(ms: number): Promise<number> {
  const wish = Date.now() + ms;
  await sleep(ms);
  return Date.now() - wish;
}

export const poke = defineSignal<[Payload]>('poke');
export async function waiter(): Promise<Payload> {
  let got: Payload | undefined;
  setHandler(poke, (payload) => {
    got = payload;
  });
  await condition(() => got !== undefined);
  return got!;
}

const bookings = proxyActivities<Record<string, (account: string) => Promise<void>>>({ startToCloseTimeout: '1 hour' });
export async function oneBooking(kind: string, account: string): Promise<void> {
  await bookings[kind]!(account);
}
