/** How many tasks a queue of this process got and gave out, per second, over the last half minute (Temporal: matching's taskTracker). */
const SLICE_MS = 5000;
const SLICES = 6;

export class TaskRates {
  private readonly added = new Array<number>(SLICES).fill(0);
  private readonly dispatched = new Array<number>(SLICES).fill(0);
  private slice = currentSlice();
  private readonly since = performance.now();

  /** Came in, whether it had to wait or not. */
  add(): void {
    this.move();
    this.added[this.slice % SLICES]!++;
  }

  dispatch(): void {
    this.move();
    this.dispatched[this.slice % SLICES]!++;
  }

  perSecond(): { added: number; dispatched: number } {
    this.move();
    const seconds = Math.min((SLICE_MS * SLICES) / 1000, Math.max(1, (performance.now() - this.since) / 1000));
    const rate = (counts: number[]): number => Math.round((1000 * sum(counts)) / seconds) / 1000;
    return { added: rate(this.added), dispatched: rate(this.dispatched) };
  }

  get moving(): boolean {
    this.move();
    return this.added.some((count) => count > 0) || this.dispatched.some((count) => count > 0);
  }

  private move(): void {
    const now = currentSlice();
    if (now === this.slice) return;
    for (let each = Math.max(this.slice + 1, now - SLICES + 1); each <= now; each++) {
      this.added[each % SLICES] = 0;
      this.dispatched[each % SLICES] = 0;
    }
    this.slice = now;
  }
}

const currentSlice = (): number => Math.floor(performance.now() / SLICE_MS);
const sum = (counts: number[]): number => counts.reduce((all, count) => all + count, 0);
