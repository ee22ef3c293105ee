/** Workflows of the gateway's tests: those of the worker's own tests, and some more. */
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities';

export * from '../../test/workflows';

const { echo, greet, gate } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '50ms', maximumAttempts: 5 },
});

export const nudge = defineSignal<[number]>('nudge');
export const finish = defineSignal('finish');
export const seen = defineQuery<number[]>('seen');
export const submit = defineUpdate<string, [string]>('submit');

/** Collects signals, answers queries, takes updates that do work, until it is told to finish. */
export async function collecting(): Promise<number[]> {
  const numbers: number[] = [];
  let done = false;
  setHandler(nudge, (value) => void numbers.push(value));
  setHandler(finish, () => void (done = true));
  setHandler(seen, () => numbers);
  setHandler(submit, async (name) => {
    await sleep(10);
    return greet(name);
  });
  await condition(() => done);
  return numbers;
}

/** Continues as new with the signals that it has got, until there are `enough`. */
export async function carryingOn(enough: number, numbers: number[] = [], runs = 1): Promise<[number[], number]> {
  const before = numbers.length;
  setHandler(nudge, (value) => void numbers.push(value));
  setHandler(seen, () => numbers);
  await condition(() => numbers.length > before);
  if (numbers.length < enough) await continueAsNew<typeof carryingOn>(enough, numbers, runs + 1);
  return [numbers, runs];
}

export async function waitsForever(): Promise<string> {
  try {
    await CancellationScope.current().cancelRequested;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    throw error;
  }
  return 'never';
}

/** Starts a child that waits, cancels it, and says what came of it. */
export async function cancelsChild(): Promise<string> {
  let child: ChildWorkflowHandle<typeof waitsForever> | undefined;
  try {
    await CancellationScope.cancellable(async () => {
      child = await startChild(waitsForever, {
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      });
      CancellationScope.current().cancel();
      await child.result();
    });
  } catch (error) {
    return isCancellation(error) ? 'child cancelled' : `unexpected: ${String(error)}`;
  }
  return 'child completed';
}

/** A child that is signalled by its parent, and one that runs an activity. */
export async function family(): Promise<unknown> {
  const child = await startChild(collecting);
  await child.signal(nudge, 1);
  await getExternalWorkflowHandle(child.workflowId).signal(nudge, 2);
  await child.signal(finish);
  return [await child.result(), await executeChild(echoing, { args: [7] })];
}

export async function echoing(value: number): Promise<number> {
  return echo(value);
}

/** Two activities with a gate between them: the test decides when it goes on. */
export async function gated(name: string): Promise<string[]> {
  const first = await greet(`${name} before`);
  await gate(workflowInfo().workflowId);
  const timer = sleep(20).then(() => 'timer');
  return [first, await greet(`${name} after`), await timer];
}

/** Activities on the worker's own queue: it may be given them with its answer. */
export async function eagerActivities(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => echo(i)));
}

export async function describing(): Promise<void> {
  upsertMemo({ note: 'from inside' });
  upsertSearchAttributes({ GatewayKeyword: ['set inside'] });
  await sleep(1);
}

/** Its result does not fit into one gRPC message. */
export async function tooBig(): Promise<string> {
  return 'x'.repeat(5 * 1024 * 1024);
}
