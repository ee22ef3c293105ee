import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { Clock } from './clock';

describe("Postgres's clock", () => {
  it('follows the quickest round trip', () => {
    const clock = new Clock();
    const at = performance.now();
    clock.sample(5_000_000_010, at - 20, at);
    clock.sample(5_000_000_001, at - 2, at);
    clock.sample(5_000_000_030, at - 100, at);
    const now = clock.nowMs();
    expect(now).toBeGreaterThanOrEqual(5_000_000_002);
    expect(now).toBeLessThan(5_000_000_002 + 50);
  });

  it('never goes back', () => {
    const clock = new Clock();
    const at = performance.now();
    clock.sample(5_000_000_000, at - 1, at);
    const before = clock.nowMs();
    clock.sample(4_999_999_000, at, at);
    expect(clock.nowMs()).toBe(before);
  });

  it('follows a server whose clock was set back far', () => {
    const clock = new Clock();
    const at = performance.now();
    clock.sample(5_000_000_000, at - 1, at);
    clock.nowMs();
    clock.sample(4_000_000_000, at - 1, at);
    expect(clock.nowMs()).toBeLessThan(4_000_001_000);
  });
});
