/** Workflows that most topics need. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';

export async function echo<T>(value: T): Promise<T> {
  return value;
}

export async function failing(message: string, nonRetryable = false): Promise<void> {
  throw ApplicationFailure.create({ message, type: 'Failing', nonRetryable, details: [message, 1] });
}

export const finish = defineSignal<[string]>('finish');
export const add = defineUpdate<number, [number]>('add');
export const received = defineQuery<string[]>('received');

/** Waits for `finish`, however often it is told otherwise by a cancellation. */
export async function untilFinished(): Promise<string> {
  let end: string | undefined;
  let sum = 0;
  setHandler(finish, (value) => void (end = value));
  setHandler(add, (value) => (sum += value), {
    validator: (value) => {
      if (value < 0) throw ApplicationFailure.create({ message: 'negative', type: 'Negative' });
    },
  });
  setHandler(received, () => [String(sum), end ?? 'open']);
  await CancellationScope.nonCancellable(() => condition(() => end !== undefined));
  return end!;
}

/** Sleeps for an hour; a cancellation ends it as `answer` says. */
export async function untilCancelled(
  answer: 'throw' | 'result' | 'fail' | 'sleep then throw' = 'throw',
): Promise<string> {
  try {
    await sleep('1 hour');
    return 'slept';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    if (answer === 'result') return 'cancelled, but completed';
    if (answer === 'fail') throw ApplicationFailure.create({ message: 'failed when cancelled', type: 'Cleanup' });
    if (answer === 'sleep then throw') await CancellationScope.nonCancellable(() => sleep(100));
    throw error;
  }
}

export async function sleeping(ms: number): Promise<string> {
  await sleep(ms);
  return `slept ${ms}`;
}
