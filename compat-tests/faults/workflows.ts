/** Mixed small workflows whose effects go to a ledger. What each must return is a pure function of its number: see `expected`. */
import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from 'branchline/workflow';
import type { LedgerActivities } from './activities';

const { effect, flaky } = proxyActivities<LedgerActivities>({
  startToCloseTimeout: '3 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '1 second' },
});
const { add } = proxyLocalActivities<LedgerActivities>({ startToCloseTimeout: '3 seconds' });

export const go = defineSignal<[n: number]>('go');
export const double = defineUpdate<number, [n: number]>('double');

export async function steps(n: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += await effect(`${workflowInfo().workflowId}/step-${i}`, n + i);
  return sum;
}

export async function fan(n: number): Promise<number> {
  const all = await Promise.all(
    Array.from({ length: 6 }, (_, i) => flaky(`${workflowInfo().workflowId}/fan-${i}`, n + i)),
  );
  return all.reduce((a, b) => a + b, 0);
}

export async function timers(n: number): Promise<number> {
  for (let i = 0; i < 3; i++) await sleep(300);
  return await effect(`${workflowInfo().workflowId}/after`, n);
}

/** Waits for three values, in whatever order and however often they come: a starter that was killed sends again. */
export async function signals(n: number): Promise<number> {
  const got = new Set<number>();
  setHandler(go, (value) => {
    got.add(value);
  });
  await condition(() => got.size === 3);
  const sum = [...got].reduce((a, b) => a + b, 0);
  return await effect(`${workflowInfo().workflowId}/signalled`, sum + n);
}

export async function parent(n: number): Promise<number> {
  const [a, b] = await Promise.all([
    executeChild(steps, { args: [n], workflowId: `${workflowInfo().workflowId}/steps` }),
    executeChild(timers, { args: [n], workflowId: `${workflowInfo().workflowId}/timers` }),
  ]);
  return a + b;
}

export async function chain(n: number, round = 0, sum = 0): Promise<number> {
  const next = sum + (await effect(`${workflowInfo().workflowId}/round-${round}`, n));
  if (round === 2) return next;
  return await continueAsNew<typeof chain>(n, round + 1, next);
}

export async function locals(n: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < 3; i++) sum += await add(n, i);
  await sleep(100);
  return await effect(`${workflowInfo().workflowId}/local`, sum);
}

export async function updates(n: number): Promise<number> {
  let result: number | undefined;
  setHandler(double, async (value) => {
    result = await effect(`${workflowInfo().workflowId}/update`, value * 2);
    return result;
  });
  await condition(() => result !== undefined);
  return result! + n;
}

/** Signals a child, and leaves another one behind that is cancelled by its close. */
export async function messenger(n: number): Promise<number> {
  const { workflowId } = workflowInfo();
  const listener = await startChild(signals, { args: [n], workflowId: `${workflowId}/listener` });
  await startChild(orphan, {
    args: [n],
    workflowId: `${workflowId}/orphan`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
  await Promise.all([0, 1, 2].map((i) => listener.signal(go, i)));
  return await listener.result();
}

export async function orphan(n: number): Promise<number> {
  try {
    await sleep('1 hour');
  } catch (err) {
    if (!isCancellation(err)) throw err;
    return await CancellationScope.nonCancellable(() => effect(`${workflowInfo().workflowId}/cancelled`, n));
  }
  throw new Error('its parent never closed');
}
