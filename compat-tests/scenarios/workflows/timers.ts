/** Timers, conditions and scopes. */
import { CancellationScope, condition, defineSignal, isCancellation, setHandler, sleep } from '@temporalio/workflow';

export const go = defineSignal('go');

/** A timer that is cancelled by the workflow itself. */
export async function cancelledTimer(inSameTask: boolean): Promise<string> {
  const scope = new CancellationScope();
  const timer = scope
    .run(() => sleep('1 hour'))
    .then(
      () => 'fired',
      (error: unknown) => (isCancellation(error) ? 'cancelled' : 'failed'),
    );
  if (!inSameTask) await sleep(50);
  scope.cancel();
  return timer;
}

export async function timersAtOnce(...ms: number[]): Promise<number[]> {
  const fired: number[] = [];
  await Promise.all(ms.map((one) => sleep(one).then(() => void fired.push(one))));
  return fired;
}

export async function conditionTimeout(ms: number): Promise<string> {
  let told = false;
  setHandler(go, () => void (told = true));
  const met = await condition(() => told, ms);
  return met ? 'told' : 'timed out';
}

/** Races a timer with the signal, then goes on. */
export async function signalOrTimer(ms: number): Promise<string> {
  let told = false;
  setHandler(go, () => void (told = true));
  return Promise.race([sleep(ms).then(() => 'timer'), condition(() => told).then(() => 'signal')]);
}

export async function scopeTimeout(ms: number): Promise<string> {
  return CancellationScope.withTimeout(ms, () => sleep('1 hour').then(() => 'slept')).catch((error: unknown) =>
    isCancellation(error) ? 'timed out' : 'failed',
  );
}

export const more = defineSignal<[number]>('more');

/** Collects signals until one is negative. */
export async function collecting(): Promise<number[]> {
  const got: number[] = [];
  setHandler(more, (value) => void got.push(value));
  await condition(() => got.some((value) => value < 0));
  return got;
}

/** No handler at first: the signals wait for it. */
export async function lateHandler(): Promise<number[]> {
  const got: number[] = [];
  await sleep(300);
  setHandler(more, (value) => void got.push(value));
  await condition(() => got.length === 2);
  return got;
}
