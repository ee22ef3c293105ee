/** Postgres's clock, read between round trips with this machine's monotonic one. */
import { performance } from 'node:perf_hooks';

/** A sample is worth keeping this long: after that the two clocks may have drifted by more than it is exact. */
const keepMs = 60_000;
/** The server's clock went back further than any error of ours: follow it instead of standing still. */
const stepBackMs = 10_000;

export class Clock {
  private offsetMs = Date.now() - performance.now();
  private roundTripMs = Infinity;
  private takenAt = 0;
  private last = 0;
  /** How far a test environment is ahead of Postgres's clock. */
  private skipped = 0;

  /** `nowMs` was read by Postgres between `sentAt` and `receivedAt` (performance.now()). The quickest round trip of the last minute counts. */
  sample(nowMs: number, sentAt: number, receivedAt: number): void {
    const roundTripMs = receivedAt - sentAt;
    const offsetMs = nowMs - (sentAt + receivedAt) / 2;
    const jumped = Math.abs(offsetMs - this.offsetMs) > roundTripMs + this.roundTripMs;
    if (roundTripMs <= this.roundTripMs || receivedAt - this.takenAt > keepMs || jumped) {
      this.offsetMs = offsetMs;
      this.roundTripMs = roundTripMs;
      this.takenAt = receivedAt;
    }
  }

  /** Moves this process's time of workflows ahead; leases and wake-ups stay on Postgres's clock. */
  skip(ms: number): void {
    this.skipped += ms;
  }

  get skippedMs(): number {
    return this.skipped;
  }

  /** The time of workflows: epoch ms with fractions; never goes back in this process. */
  nowMs(): number {
    return this.serverMs() + this.skipped;
  }

  /** Postgres's clock itself. */
  serverMs(): number {
    const now = performance.now() + this.offsetMs;
    if (now > this.last || this.last - now > stepBackMs) this.last = now;
    return this.last;
  }
}
