/** Running a worker beside a piece of work, and which of their errors to tell. */
import { msToNumber, type Duration } from '@temporalio/common/lib/time';
import { CombinedWorkerRunError, PromiseCompletionTimeoutError } from './errors';

export interface RunUntilOptions {
  /** How long to wait for the promise once the worker has stopped. Default: not at all. */
  promiseCompletionTimeout?: Duration;
}

/** @param stop shuts the worker down if it is still running */
export async function runUntil<R>(
  fnOrPromise: Promise<R> | (() => Promise<R>),
  options: RunUntilOptions | undefined,
  run: () => Promise<void>,
  stop: () => void,
): Promise<R> {
  const running = run();
  let settled: { value: R } | { reason: unknown } | undefined;
  const inner = (async () => {
    try {
      settled = { value: await (typeof fnOrPromise === 'function' ? fnOrPromise() : fnOrPromise) };
    } catch (reason) {
      settled = { reason };
    }
    stop();
  })();
  let workerError: { error: unknown } | undefined;
  try {
    await running;
  } catch (error) {
    workerError = { error };
  }
  const timeoutMs = msToNumber(options?.promiseCompletionTimeout ?? 0);
  if (settled === undefined && timeoutMs > 0) await withTimeout(inner, timeoutMs);
  const outcome = (settled as { value: R } | { reason: unknown } | undefined) ?? {
    reason: new PromiseCompletionTimeoutError(
      `Promise did not resolve within ${timeoutMs}ms after Worker completed shutdown`,
    ),
  };
  if (workerError === undefined) {
    if ('value' in outcome) return outcome.value;
    throw outcome.reason;
  }
  if ('value' in outcome) throw workerError.error;
  throw new CombinedWorkerRunError('Worker terminated with fatal error in `runUntil`', {
    cause: { workerError: workerError.error, innerError: outcome.reason },
  });
}

async function withTimeout(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    promise,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
