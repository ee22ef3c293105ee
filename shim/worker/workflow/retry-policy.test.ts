import { describe, expect, it } from 'vitest';
import { fromMs } from '../../common/proto-values';
import { retryDelayMs } from './retry-policy';

describe('delay before a local activity is retried', () => {
  it('grows by the factor up to the maximum', () => {
    const policy = { initialInterval: fromMs(100), backoffCoefficient: 3, maximumInterval: fromMs(500) };
    expect([1, 2, 3, 4].map((attempt) => retryDelayMs(policy, attempt, undefined))).toEqual([100, 300, 500, 500]);
  });

  it('defaults to 1 s, factor 2, at most 100 s, without end', () => {
    expect([1, 2, 50].map((attempt) => retryDelayMs(undefined, attempt, undefined))).toEqual([1000, 2000, 100_000]);
  });

  it.each([
    ['the last attempt', { maximumAttempts: 3 }, 3, undefined],
    ['a failure that says so', {}, 1, { nonRetryable: true }],
    [
      'a type that the policy names, whatever its case',
      { nonRetryableErrorTypes: ['MyError'] },
      1,
      { type: 'myerror' },
    ],
  ])('is none after %s', (_, policy, attempt, failure) => {
    expect(retryDelayMs(policy, attempt, failure)).toBeUndefined();
  });

  it('is what the failure asks for', () => {
    expect(retryDelayMs({ initialInterval: fromMs(100) }, 1, { nextRetryDelay: fromMs(7000) })).toBe(7000);
  });
});
