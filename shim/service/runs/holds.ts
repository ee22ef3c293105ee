/** Batches that wait a little for a running workflow task, so that its start and its completion are one commit. */
import { temporal } from '@temporalio/proto';
import type { Batch } from './batch';

/** Longest wait when a caller waits for the commit, ms (decision 0001). A full isolate thread answers within about 30 ms. */
export const HOLD_MS = 50;
/** Longest wait of a batch that only says a workflow task was started, ms: nobody waits for that, its timeout is counted from memory. */
export const HOLD_START_MS = 500;

const { EVENT_TYPE_WORKFLOW_TASK_STARTED } = temporal.api.enums.v1.EventType;

export class Holds {
  /** Both in order of heldUntil; a batch may stand in both. */
  private readonly awaited: Batch[] = [];
  private readonly started: Batch[] = [];
  private timer: NodeJS.Timeout | null = null;
  private timerAt = Infinity;

  constructor(private readonly expired: (batch: Batch) => void) {}

  add(batch: Batch, requestId: string): void {
    const onlyStarted = batch.events.length === 1 && batch.events[0]!.eventType === EVENT_TYPE_WORKFLOW_TASK_STARTED;
    batch.heldFor = requestId;
    batch.heldUntil = performance.now() + (onlyStarted ? HOLD_START_MS : HOLD_MS);
    (onlyStarted ? this.started : this.awaited).push(batch);
    this.arm(batch.heldUntil);
  }

  /** Something that a caller waits for joined a held batch. */
  hurry(batch: Batch): void {
    const until = performance.now() + HOLD_MS;
    if (batch.heldUntil <= until) return;
    batch.heldUntil = until;
    this.awaited.push(batch);
    this.arm(until);
  }

  private arm(at: number): void {
    if (at >= this.timerAt) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => this.sweep(), Math.max(1, Math.ceil(at - performance.now())));
  }

  private sweep(): void {
    this.timer = null;
    this.timerAt = Infinity;
    const now = performance.now();
    for (const queue of [this.awaited, this.started]) {
      let done = 0;
      for (; done < queue.length; done++) {
        const batch = queue[done]!;
        if (batch.heldFor === '') continue;
        if (batch.heldUntil > now) break;
        batch.heldFor = '';
        this.expired(batch);
      }
      queue.splice(0, done);
      if (queue[0] !== undefined) this.arm(queue[0].heldUntil);
    }
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
