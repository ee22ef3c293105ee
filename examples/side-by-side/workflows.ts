import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { ShopActivities } from './activities';

const { record } = proxyActivities<ShopActivities>({
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '1 second' },
});

export interface Seen {
  notes: number;
  seats: number;
}

export const note = defineSignal('note');
export const finish = defineSignal('finish');
export const seen = defineQuery<Seen>('seen');
export const addSeats = defineUpdate<number, [more: number]>('addSeats');

/** What both kinds answer to; each call counts, so that a lost or doubled one shows in the result. */
function listen(): { state: Seen; finished: () => boolean } {
  const state: Seen = { notes: 0, seats: 0 };
  let finished = false;
  setHandler(note, () => void state.notes++);
  setHandler(finish, () => void (finished = true));
  setHandler(seen, () => state);
  setHandler(addSeats, (more) => (state.seats += more));
  return { state, finished: () => finished };
}

export const SIGNUP_EFFECTS = ['reserve', 'welcome'];

/** Holds a name until its owner is done with it. */
export async function signup(): Promise<Seen> {
  const { state, finished } = listen();
  await record('reserve');
  await condition(finished);
  await record('welcome');
  return state;
}

const PERIODS = 3;
export const BILLING_EFFECTS = [...Array.from({ length: PERIODS }, (_, i) => `charge-${i + 1}`), 'close'];

/** A charge each period, by timers. */
export async function billing(): Promise<Seen> {
  const { state, finished } = listen();
  for (let period = 1; period <= PERIODS; period++) {
    await sleep('2 seconds');
    await record(`charge-${period}`);
  }
  await condition(finished);
  await record('close');
  return state;
}
