/** Calls to the service with Temporal's retries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '../../service/errors';
import type { CallContext, Service } from '../../service/types';

/** What the worker needs of a connection. */
export interface Rpc {
  call(method: string, request: object, context: CallContext): Promise<object>;
  /** For `within` of a call; only in the process of the service. */
  readonly transactions?: Service['transactions'];
}

const noContext: CallContext = { metadata: {} };

const retryable: ReadonlySet<number> = new Set([
  Code.DATA_LOSS,
  Code.INTERNAL,
  Code.UNKNOWN,
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
  Code.OUT_OF_RANGE,
  Code.UNAVAILABLE,
]);

/** gRPC status code of what a call threw; UNKNOWN for errors that are not the service's. */
export function codeOf(error: unknown): Code {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? (code as Code) : Code.UNKNOWN;
}

export function isRetryable(error: unknown): boolean {
  return retryable.has(codeOf(error));
}

interface Backoff {
  initialMs: number;
  factor: number;
  maximumMs: number;
}

const callBackoff: Backoff = { initialMs: 100, factor: 1.7, maximumMs: 5_000 };
const pollBackoff: Backoff = { initialMs: 200, factor: 2, maximumMs: 10_000 };
const jitter = 0.2;

function delayOf(backoff: Backoff, failures: number): number {
  const base = Math.min(backoff.initialMs * backoff.factor ** (failures - 1), backoff.maximumMs);
  return base * (1 - jitter + 2 * jitter * Math.random());
}

/** Wait before the next poll after so many failed ones in a row. */
export function pollDelayMs(failures: number): number {
  return delayOf(pollBackoff, failures);
}

const maxAttempts = 10;
const maxElapsedMs = 10_000;

/**
 * Call, and again on passing errors (database away, overloaded…): at most 10 times within 10 s, as Temporal's core does.
 * Throws the last error.
 */
export function callWithRetry<Response extends object>(
  rpc: Rpc,
  method: string,
  request: object,
  context: CallContext = noContext,
): Promise<Response> {
  const startedAt = performance.now();
  const attempt = () => rpc.call(method, request, context) as Promise<Response>;
  const retry = async (failures: number, error: unknown): Promise<Response> => {
    const delay = delayOf(callBackoff, failures);
    const outOfTime = performance.now() - startedAt + delay > maxElapsedMs;
    if (!isRetryable(error) || failures >= maxAttempts || outOfTime || context.signal?.aborted) throw error;
    await sleep(delay);
    return attempt().catch((again: unknown) => retry(failures + 1, again));
  };
  return attempt().catch((error: unknown) => retry(1, error));
}
