/** Workflows that run activities, local ones too. */
import {
  ActivityFailure,
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import type { Activities } from '../activities';

type Name = keyof Activities;
const call = (options: ActivityOptions, name: Name, args: unknown[]): Promise<unknown> =>
  (proxyActivities<Activities>(options)[name] as (...args: unknown[]) => Promise<unknown>)(...args);
const callLocal = (options: LocalActivityOptions, name: Name, args: unknown[]): Promise<unknown> =>
  (proxyLocalActivities<Activities>(options)[name] as (...args: unknown[]) => Promise<unknown>)(...args);

/** One activity; its failure is the workflow's. */
export function activity(options: ActivityOptions, name: Name, ...args: unknown[]): Promise<unknown> {
  return call(options, name, args);
}

export function localActivity(options: LocalActivityOptions, name: Name, ...args: unknown[]): Promise<unknown> {
  return callLocal(options, name, args);
}

/** Several at once. */
export function activities(options: ActivityOptions, name: Name, count: number): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => call(options, name, [i])));
}

export function localActivities(options: LocalActivityOptions, name: Name, ...argss: unknown[][]): Promise<unknown[]> {
  return Promise.all(argss.map((args) => callLocal(options, name, args)));
}

/** What of a failure a workflow sees. */
function described(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, cause } = error;
  const fields = error instanceof ActivityFailure ? { type: error.activityType, retryState: error.retryState } : {};
  return { name, message, ...fields, ...(cause === undefined ? {} : { cause: described(cause) }) };
}

export const cancelIt = defineSignal('cancelIt');

/** Cancels an activity `afterMs` (or by the signal) and says what came of it. */
export async function cancelActivity(
  options: ActivityOptions,
  afterMs: number | 'signal',
  name: Name,
  ...args: unknown[]
): Promise<unknown> {
  let told = false;
  setHandler(cancelIt, () => void (told = true));
  const scope = new CancellationScope();
  const running = scope
    .run(() => call(options, name, args))
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ cancelled: isCancellation(error), error: described(error) }),
    );
  if (afterMs === 'signal') await condition(() => told);
  else if (afterMs > 0) await sleep(afterMs);
  scope.cancel();
  return running;
}

export async function cancelLocalActivity(
  options: LocalActivityOptions,
  afterMs: number,
  name: Name,
  ...args: unknown[]
): Promise<unknown> {
  const scope = new CancellationScope();
  const running = scope
    .run(() => callLocal(options, name, args))
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ cancelled: isCancellation(error), error: described(error) }),
    );
  if (afterMs > 0) await sleep(afterMs);
  scope.cancel();
  return running;
}

/** Catches what an activity throws. */
export async function caughtActivity(options: ActivityOptions, name: Name, ...args: unknown[]): Promise<unknown> {
  return call(options, name, args).catch(described);
}
