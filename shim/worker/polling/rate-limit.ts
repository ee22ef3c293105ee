/** At most `perSecond` starts per second, spread by a token bucket of one second. */
export class RateLimit {
  private tokens: number;
  private filledAt = performance.now();

  constructor(private readonly perSecond: number) {
    if (!(perSecond > 0)) throw new TypeError(`A rate limit must be above 0, got ${perSecond}`);
    this.tokens = Math.max(1, perSecond);
  }

  /** Takes a start; gives the ms to wait before it may happen (0: now). */
  reserve(): number {
    const now = performance.now();
    this.tokens = Math.min(Math.max(1, this.perSecond), this.tokens + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
    this.tokens -= 1;
    return this.tokens >= 0 ? 0 : (-this.tokens / this.perSecond) * 1000;
  }
}
