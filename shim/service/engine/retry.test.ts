import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMs, ms } from '../../common/proto-values';
import {
  RetryState,
  isRetryableFailure,
  nextBackoff,
  validateRetryPolicy,
  withRetryDefaults,
  workflowRetry,
} from './retry';
import type { Failure, RetryPolicy } from './types';

const policy = (more: RetryPolicy = {}): RetryPolicy => withRetryDefaults(more);

describe('defaults of a retry policy', () => {
  it.each<[string, RetryPolicy | null, RetryPolicy]>([
    [
      'nothing set',
      null,
      { initialInterval: fromMs(1000), maximumInterval: fromMs(100_000), backoffCoefficient: 2, maximumAttempts: 0 },
    ],
    [
      'the maximum follows the initial interval',
      { initialInterval: fromMs(200), maximumAttempts: 3 },
      { initialInterval: fromMs(200), maximumInterval: fromMs(20_000), backoffCoefficient: 2, maximumAttempts: 3 },
    ],
    [
      'what is set stays',
      {
        initialInterval: fromMs(5),
        maximumInterval: fromMs(6),
        backoffCoefficient: 1.5,
        maximumAttempts: 9,
        nonRetryableErrorTypes: ['E'],
      },
      {
        initialInterval: fromMs(5),
        maximumInterval: fromMs(6),
        backoffCoefficient: 1.5,
        maximumAttempts: 9,
        nonRetryableErrorTypes: ['E'],
      },
    ],
  ])('%s', (_, given, filled) => expect(withRetryDefaults(given)).toEqual(filled));
});

describe('a retry policy is refused', () => {
  it.each<[string, RetryPolicy]>([
    ['BackoffCoefficient cannot be less than 1 on retry policy.', { backoffCoefficient: 0.5 }],
    [
      'MaximumInterval cannot be less than InitialInterval on retry policy.',
      { initialInterval: fromMs(2000), maximumInterval: fromMs(1000) },
    ],
    ['MaximumAttempts cannot be negative on retry policy.', { maximumAttempts: -1 }],
    ['invalid InitialInterval set on retry policy: negative duration', { initialInterval: fromMs(-1000) }],
    ['Invalid timeout type value: Nonsense.', { nonRetryableErrorTypes: ['TemporalTimeout:Nonsense'] }],
  ])('%s', (message, given) => expect(() => validateRetryPolicy(policy(given))).toThrow(message));

  it('not for what a single attempt makes irrelevant, nor for known timeout types', () => {
    expect(() => validateRetryPolicy(policy({ maximumAttempts: 1, backoffCoefficient: 0.1 }))).not.toThrow();
    expect(() =>
      validateRetryPolicy(
        policy({ nonRetryableErrorTypes: ['TemporalTimeout:Heartbeat', 'TemporalTimeout:TIMEOUT_TYPE_HEARTBEAT'] }),
      ),
    ).not.toThrow();
  });
});

describe('a failure is retryable', () => {
  it.each<[string, Failure | null, string[], boolean]>([
    ['none at all', null, [], true],
    ['application failure', { applicationFailureInfo: { type: 'E' } }, ['F'], true],
    ['application failure of a listed type', { applicationFailureInfo: { type: 'E' } }, ['E'], false],
    ['non-retryable application failure', { applicationFailureInfo: { type: 'E', nonRetryable: true } }, [], false],
    ['start-to-close timeout', { timeoutFailureInfo: { timeoutType: 1 } }, ['StartToClose'], true],
    [
      'listed start-to-close timeout',
      { timeoutFailureInfo: { timeoutType: 1 } },
      ['TemporalTimeout:StartToClose'],
      false,
    ],
    ['heartbeat timeout', { timeoutFailureInfo: { timeoutType: 4 } }, ['TemporalTimeout:StartToClose'], true],
    ['schedule-to-start timeout', { timeoutFailureInfo: { timeoutType: 2 } }, [], false],
    ['schedule-to-close timeout', { timeoutFailureInfo: { timeoutType: 3 } }, [], false],
    ['cancellation', { canceledFailureInfo: {} }, [], false],
    ['termination', { terminatedFailureInfo: {} }, [], false],
    ['server failure', { serverFailureInfo: {} }, [], true],
    ['non-retryable server failure', { serverFailureInfo: { nonRetryable: true } }, [], false],
    ['wrapper of an activity failure', { activityFailureInfo: {} }, [], true],
  ])('%s', (_, failure, nonRetryableErrorTypes, expected) =>
    expect(isRetryableFailure(failure, { nonRetryableErrorTypes })).toBe(expected),
  );
});

const anyPolicy = fc
  .record({
    initial: fc.integer({ min: 1, max: 100_000 }),
    factor: fc.integer({ min: 1, max: 1000 }),
    coefficient: fc.double({ min: 1, max: 10, noNaN: true }),
    maximumAttempts: fc.integer({ min: 0, max: 50 }),
  })
  .map(({ initial, factor, coefficient, maximumAttempts }) =>
    policy({
      initialInterval: fromMs(initial),
      maximumInterval: fromMs(initial * factor),
      backoffCoefficient: coefficient,
      maximumAttempts,
    }),
  );

describe('backoff of any policy', () => {
  it('lies between the initial and the maximum interval and never shrinks from attempt to attempt', () => {
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 40 }), (given, attempt) => {
        const unlimited = { ...given, maximumAttempts: 0 };
        const at = (n: number): number => {
          const decision = nextBackoff({ nowMs: 0, attempt: n, policy: unlimited, expiresAtMs: 0 });
          return decision.retry ? decision.backoffMs : NaN;
        };
        const backoff = at(attempt);
        return (
          backoff >= ms(given.initialInterval) && backoff <= ms(given.maximumInterval) && at(attempt + 1) >= backoff
        );
      }),
    );
  });

  it('is given exactly while attempts are left', () => {
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 60 }), (given, attempt) => {
        const decision = nextBackoff({ nowMs: 0, attempt, policy: given, expiresAtMs: 0 });
        const left = given.maximumAttempts === 0 || attempt < given.maximumAttempts!;
        return (
          decision.retry === left &&
          (decision.retry || decision.state === RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED)
        );
      }),
    );
  });

  it('never leads past the expiration', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (given, attempt, expiresAtMs) => {
          const decision = nextBackoff({ nowMs: 0, attempt, policy: { ...given, maximumAttempts: 0 }, expiresAtMs });
          return decision.retry ? decision.backoffMs <= expiresAtMs : decision.state === RetryState.RETRY_STATE_TIMEOUT;
        },
      ),
    );
  });
});

describe('retry of a workflow', () => {
  const ask = (more: Partial<Parameters<typeof workflowRetry>[0]>) =>
    workflowRetry({ nowMs: 0, attempt: 1, policy: policy(), expiresAtMs: 0, failure: {}, ...more });
  it.each<[string, Parameters<typeof ask>[0], ReturnType<typeof ask>]>([
    [
      'does not happen without a policy',
      { policy: null },
      { retry: false, state: RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET },
    ],
    ['waits the backoff of its attempt', { attempt: 3 }, { retry: true, backoffMs: 4000 }],
    [
      'caps a requested delay by the maximum interval',
      { failure: { applicationFailureInfo: { nextRetryDelay: fromMs(500_000) } } },
      { retry: true, backoffMs: 100_000 },
    ],
    ['does not outlive the execution', { expiresAtMs: 999 }, { retry: false, state: RetryState.RETRY_STATE_TIMEOUT }],
  ])('%s', (_, more, expected) => expect(ask(more)).toEqual(expected));
});
