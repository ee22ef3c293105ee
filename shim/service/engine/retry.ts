/**
 * Retry policies of activities and workflows: defaults, validation, which failures may be retried, when the next attempt runs.
 * The rules are those of Temporal's server (common/retrypolicy, service/history/workflow/retry.go). Times in ms.
 */
import { temporal } from '@temporalio/proto';
import { fromMs, ms, optionalMs } from '../../common/proto-values';
import { invalidArgument } from '../errors';
import { durationProblem, plainDuration } from './durations';
import type { Failure, RetryPolicy } from './types';

export const RetryState = temporal.api.enums.v1.RetryState;
export type RetryState = temporal.api.enums.v1.RetryState;
const TimeoutType = temporal.api.enums.v1.TimeoutType;

/** In `nonRetryableErrorTypes`, this prefix and the name of a timeout type makes that timeout final. */
const TIMEOUT_TYPE_PREFIX = 'TemporalTimeout:';
const timeoutTypeNames = new Map<number, string>([
  [TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE, 'StartToClose'],
  [TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START, 'ScheduleToStart'],
  [TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, 'ScheduleToClose'],
  [TimeoutType.TIMEOUT_TYPE_HEARTBEAT, 'Heartbeat'],
]);
const screamingTimeoutTypes = new Set(
  Object.keys(TimeoutType).filter((name) => name.startsWith('TIMEOUT_TYPE_') && !name.endsWith('UNSPECIFIED')),
);

const DEFAULT_INITIAL_INTERVAL_MS = 1000;
const DEFAULT_BACKOFF_COEFFICIENT = 2;
const MAXIMUM_INTERVAL_FACTOR = 100;

/** The name of a timeout type as the server writes it in messages and policies (`StartToClose`). */
export function timeoutTypeName(type: temporal.api.enums.v1.TimeoutType): string {
  return timeoutTypeNames.get(type) ?? 'Unspecified';
}

/** A policy with the server's defaults in its unset fields: initial 1 s, coefficient 2, maximum 100 × initial, unlimited attempts. */
export function withRetryDefaults(policy: RetryPolicy | null | undefined): RetryPolicy {
  const initialMs = ms(policy?.initialInterval);
  const initialInterval =
    initialMs === 0 ? fromMs(DEFAULT_INITIAL_INTERVAL_MS) : plainDuration(policy!.initialInterval!);
  const maximumInterval =
    ms(policy?.maximumInterval) === 0
      ? fromMs((initialMs || DEFAULT_INITIAL_INTERVAL_MS) * MAXIMUM_INTERVAL_FACTOR)
      : plainDuration(policy!.maximumInterval!);
  const filled: RetryPolicy = {
    initialInterval,
    backoffCoefficient: policy?.backoffCoefficient || DEFAULT_BACKOFF_COEFFICIENT,
    maximumInterval,
    maximumAttempts: policy?.maximumAttempts ?? 0,
  };
  if (policy?.nonRetryableErrorTypes?.length) filled.nonRetryableErrorTypes = policy.nonRetryableErrorTypes;
  return filled;
}

/** Throws INVALID_ARGUMENT, worded as the server does, for a policy (defaults filled in) that makes no sense. */
export function validateRetryPolicy(policy: RetryPolicy): void {
  // One attempt means no retries: the server then ignores the rest.
  if (policy.maximumAttempts === 1) return;
  const initialProblem = durationProblem(policy.initialInterval);
  if (initialProblem !== null) throw invalidArgument(`invalid InitialInterval set on retry policy: ${initialProblem}`);
  if ((policy.backoffCoefficient ?? 0) < 1) {
    throw invalidArgument('BackoffCoefficient cannot be less than 1 on retry policy.');
  }
  const maximumProblem = durationProblem(policy.maximumInterval);
  if (maximumProblem !== null) throw invalidArgument(`invalid MaximumInterval set on retry policy: ${maximumProblem}`);
  const maximumMs = ms(policy.maximumInterval);
  if (maximumMs > 0 && maximumMs < ms(policy.initialInterval)) {
    throw invalidArgument('MaximumInterval cannot be less than InitialInterval on retry policy.');
  }
  if ((policy.maximumAttempts ?? 0) < 0) throw invalidArgument('MaximumAttempts cannot be negative on retry policy.');
  for (const type of policy.nonRetryableErrorTypes ?? []) {
    if (!type.startsWith(TIMEOUT_TYPE_PREFIX)) continue;
    const name = type.slice(TIMEOUT_TYPE_PREFIX.length);
    if (![...timeoutTypeNames.values()].includes(name) && !screamingTimeoutTypes.has(name)) {
      throw invalidArgument(`Invalid timeout type value: ${name}.`);
    }
  }
}

/** May an attempt that ended so be followed by another one, as far as the failure says? No failure at all may. */
export function isRetryableFailure(failure: Failure | null | undefined, policy: RetryPolicy): boolean {
  if (!failure) return true;
  const listed = (type: string): boolean => policy.nonRetryableErrorTypes?.includes(type) ?? false;
  if (failure.terminatedFailureInfo || failure.canceledFailureInfo) return false;
  if (failure.timeoutFailureInfo) {
    const type = failure.timeoutFailureInfo.timeoutType ?? TimeoutType.TIMEOUT_TYPE_UNSPECIFIED;
    if (type !== TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE && type !== TimeoutType.TIMEOUT_TYPE_HEARTBEAT) return false;
    return !listed(TIMEOUT_TYPE_PREFIX + timeoutTypeName(type));
  }
  if (failure.serverFailureInfo) return !failure.serverFailureInfo.nonRetryable;
  if (failure.applicationFailureInfo) {
    return !failure.applicationFailureInfo.nonRetryable && !listed(failure.applicationFailureInfo.type ?? '');
  }
  return true;
}

/** The delay the application asked for (`ApplicationFailure.nextRetryDelay`), ms. */
export function requestedRetryDelayMs(failure: Failure | null | undefined): number | undefined {
  return optionalMs(failure?.applicationFailureInfo?.nextRetryDelay);
}

/** Either ms until the next attempt, or why there is none. */
export type RetryDecision = { retry: true; backoffMs: number } | { retry: false; state: RetryState };

const stop = (state: RetryState): RetryDecision => ({ retry: false, state });

export interface BackoffInput {
  nowMs: number;
  /** 1-based attempt that just ended. */
  attempt: number;
  policy: RetryPolicy;
  /** Epoch ms after which no attempt may begin; 0 = none. */
  expiresAtMs: number;
  /** Replaces the exponential interval; capped by `maximumIntervalMs` like it. */
  requestedDelayMs?: number;
  /** Instead of the policy's maximum; 0 = none. */
  maximumIntervalMs?: number;
}

/** When the next attempt begins by attempts, interval and expiration alone. */
export function nextBackoff(input: BackoffInput): RetryDecision {
  const { policy } = input;
  const attempt = Math.max(input.attempt, 1);
  const maximumAttempts = policy.maximumAttempts ?? 0;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) {
    return stop(RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  }
  const maximumMs = input.maximumIntervalMs ?? ms(policy.maximumInterval);
  let intervalMs = input.requestedDelayMs ?? retryIntervalMs(policy, attempt);
  if (maximumMs === 0 && intervalMs <= 0) return stop(RetryState.RETRY_STATE_TIMEOUT);
  if (maximumMs !== 0 && (intervalMs <= 0 || intervalMs > maximumMs)) intervalMs = maximumMs;
  if (input.expiresAtMs > 0 && input.nowMs + intervalMs > input.expiresAtMs) {
    return stop(RetryState.RETRY_STATE_TIMEOUT);
  }
  return { retry: true, backoffMs: intervalMs };
}

/** The policy's pause after that attempt, not capped. Whole nanoseconds, as the server keeps them; not rounded to ms or seconds. */
export function retryIntervalMs(policy: RetryPolicy, attempt: number): number {
  const nanos = ms(policy.initialInterval) * 1e6 * (policy.backoffCoefficient ?? 0) ** (attempt - 1);
  return Math.max(0, Math.min(Math.floor(nanos), Number.MAX_SAFE_INTEGER)) / 1e6;
}

/** The retry of a whole workflow after a failure (or run timeout). Its requested delay is capped by the policy's maximum. */
export function workflowRetry(input: {
  nowMs: number;
  attempt: number;
  policy: RetryPolicy | null;
  /** Of the execution, over the chain; 0 = none. */
  expiresAtMs: number;
  failure: Failure | null | undefined;
}): RetryDecision {
  const { policy, failure } = input;
  if (policy === null) return stop(RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET);
  if (!isRetryableFailure(failure, policy)) return stop(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE);
  const requestedDelayMs = requestedRetryDelayMs(failure);
  return nextBackoff({
    nowMs: input.nowMs,
    attempt: input.attempt,
    policy,
    expiresAtMs: input.expiresAtMs,
    requestedDelayMs,
  });
}
