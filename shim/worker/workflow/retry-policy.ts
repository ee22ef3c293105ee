/** When a failed attempt of a local activity is retried. */
import type { temporal } from '@temporalio/proto';
import { ms, optionalMs } from '../../common/proto-values';

/**
 * Delay in ms before the attempt after `attempt`, or undefined when there is none.
 * Absent or senseless fields count as 1 s, factor 2, at most 100 times the initial interval, no end.
 */
export function retryDelayMs(
  policy: temporal.api.common.v1.IRetryPolicy | null | undefined,
  attempt: number,
  failure: temporal.api.failure.v1.IApplicationFailureInfo | null | undefined,
): number | undefined {
  const maximumAttempts = policy?.maximumAttempts ?? 0;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return undefined;
  if (failure?.nonRetryable) return undefined;
  const type = (failure?.type ?? '').toLowerCase();
  if (policy?.nonRetryableErrorTypes?.some((pattern) => pattern.toLowerCase() === type)) return undefined;
  if (failure?.nextRetryDelay) return ms(failure.nextRetryDelay);
  const initial = optionalMs(policy?.initialInterval) ?? 1000;
  if (attempt === 1) return initial;
  const factor = policy?.backoffCoefficient && policy.backoffCoefficient >= 1 ? policy.backoffCoefficient : 2;
  const maximum = Math.max(optionalMs(policy?.maximumInterval) ?? initial * 100, initial);
  return Math.min(initial * factor ** (attempt - 1), maximum);
}
