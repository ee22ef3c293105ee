/** Waiting for a run to reach a point: the long polls of history and updates. */
import { Code, ServiceError } from './errors';
import type { CallContext, Runs } from './types';

/** How long the server holds a long poll before it answers with nothing, ms (Temporal: history.longPollExpirationInterval). */
export const LONG_POLL_MS = 20_000;

/** Throws the status of a caller that went away or ran out of time. */
export function throwIfGone(ctx: CallContext): void {
  if (ctx.signal?.aborted !== true) return;
  const late = ctx.deadlineMs !== undefined && Date.now() >= ctx.deadlineMs;
  throw late
    ? new ServiceError(Code.DEADLINE_EXCEEDED, 'context deadline exceeded')
    : new ServiceError(Code.CANCELLED, 'context canceled');
}

/**
 * Calls `check` now and after each commit of the run, until it gives something other than undefined or `ms` went by.
 * `forClose`: it can only be the close that `check` waits for. Undefined = time is up. Throws when the caller is gone.
 */
export async function pollRun<T>(
  runs: Runs,
  runId: string,
  ms: number,
  ctx: CallContext,
  check: () => T | undefined | Promise<T | undefined>,
  forClose = false,
): Promise<T | undefined> {
  const until = performance.now() + ms;
  for (;;) {
    const left = until - performance.now();
    // Listen first, then look: a commit in between must not be missed.
    const watch = left > 0 ? runs.watch(runId, left, ctx.signal, forClose) : undefined;
    try {
      const looked = check();
      const value = looked instanceof Promise ? await looked : looked;
      if (value !== undefined || watch === undefined) return value;
      await watch.moved;
    } finally {
      watch?.stop();
    }
    throwIfGone(ctx);
  }
}
