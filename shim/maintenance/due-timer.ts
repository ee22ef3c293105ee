/** Calls back for each of many ids when its time has come, by the store's clock: one timer for the earliest of them. */
import type { Store } from '../store/types';
import { DueHeap } from './due-heap';

/** Longest sleep of the timer, ms: then the clocks are compared again. */
const MAX_SLEEP_MS = 5000;

export class DueTimer {
  private readonly heap = new DueHeap();
  /** Earliest due time in the heap, by id. Heap entries that differ are old. */
  private readonly due = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;
  private timerAt = Infinity;
  private closed = false;

  constructor(
    private readonly store: Pick<Store, 'nowMs'>,
    private readonly fire: (id: string) => void,
  ) {}

  /** An earlier time that is planned for the id already stays. */
  plan(id: string, dueAtMs: number): void {
    const planned = this.due.get(id);
    if (planned !== undefined && planned <= dueAtMs) return;
    this.due.set(id, dueAtMs);
    this.heap.push({ id, dueAtMs });
    this.arm();
  }

  /** The clock was moved: what is planned is due sooner. */
  rearm(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.timerAt = Infinity;
    this.arm();
  }

  forget(id: string): void {
    this.due.delete(id);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private arm(): void {
    const next = this.heap.peek();
    if (next === undefined || this.closed || next.dueAtMs >= this.timerAt) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timerAt = next.dueAtMs;
    const sleep = Math.min(MAX_SLEEP_MS, Math.max(0, next.dueAtMs - this.store.nowMs()));
    this.timer = setTimeout(() => this.wake(), Math.ceil(sleep)).unref();
  }

  private wake(): void {
    this.timer = null;
    this.timerAt = Infinity;
    const now = this.store.nowMs();
    for (let next = this.heap.peek(); next !== undefined && next.dueAtMs <= now; next = this.heap.peek()) {
      this.heap.pop();
      if (this.due.get(next.id) !== next.dueAtMs) continue;
      this.due.delete(next.id);
      this.fire(next.id);
    }
    this.arm();
  }
}
