/** At most so many of something per second in this process: a token bucket of one second. */
export class RateLimit {
  private tokens: number;
  private at = performance.now();

  constructor(public perSecond: number) {
    this.tokens = Math.max(1, perSecond);
  }

  /** Takes one start; else gives the ms until the next is allowed. */
  take(): number {
    const now = performance.now();
    this.tokens = Math.min(Math.max(1, this.perSecond), this.tokens + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return 0;
    }
    return this.perSecond <= 0 ? 1000 : Math.max(1, ((1 - this.tokens) / this.perSecond) * 1000);
  }
}
