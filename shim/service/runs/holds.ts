/** Batches that wait a little for a running workflow task, so that its start and its completion are one commit. */
import { temporal } from '@temporalio/proto';
import type { WorkflowTaskState } from '../engine/types';
import type { Batch } from './batch';

/** Longest wait of a start, ms: an idle isolate runs a first task in about one, and who starts a workflow should not wait for its code. */
const HOLD_NEW_RUN_MS = 5;
/** Longest wait when a caller waits for the commit, ms (decision 0001). A full isolate thread answers within about 30 ms. */
const HOLD_MS = 50;
/** Longest wait of a batch that only says a workflow task was started, ms: nobody waits for that, its timeout is counted from memory. */
const HOLD_START_MS = 500;

const { EVENT_TYPE_WORKFLOW_TASK_STARTED } = temporal.api.enums.v1.EventType;

/** What a batch is held for: a workflow task of this process, started by a request or still waiting for a free poller. */
export const startedTask = (requestId: string): string => requestId;
export const waitingTask = (scheduledEventId: number): string => `#${scheduledEventId}`;

/** Is the task that the batch is held for still on its way? */
export function heldTaskRemains(heldFor: string, task: WorkflowTaskState | null): boolean {
  if (task === null) return false;
  return heldFor === (task.startedEventId === 0 ? waitingTask(task.scheduledEventId) : startedTask(task.requestId));
}

export class Holds {
  /** By how long they wait, so that each list is in order of heldUntil. A batch may stand in several. */
  private readonly lists = new Map<number, Batch[]>([HOLD_NEW_RUN_MS, HOLD_MS, HOLD_START_MS].map((ms) => [ms, []]));
  private timer: NodeJS.Timeout | null = null;
  private timerAt = Infinity;

  constructor(private readonly expired: (batch: Batch) => void) {}

  add(batch: Batch, heldFor: string): void {
    const onlyStarted = batch.events.length === 1 && batch.events[0]!.eventType === EVENT_TYPE_WORKFLOW_TASK_STARTED;
    batch.heldFor = heldFor;
    this.wait(batch, batch.create !== null ? HOLD_NEW_RUN_MS : onlyStarted ? HOLD_START_MS : HOLD_MS);
  }

  /** Something that a caller waits for joined a held batch. */
  hurry(batch: Batch): void {
    if (batch.heldUntil > performance.now() + HOLD_MS) this.wait(batch, HOLD_MS);
  }

  private wait(batch: Batch, ms: number): void {
    batch.heldUntil = performance.now() + ms;
    this.lists.get(ms)!.push(batch);
    this.arm(batch.heldUntil);
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
    for (const list of this.lists.values()) {
      let done = 0;
      for (; done < list.length; done++) {
        const batch = list[done]!;
        if (batch.heldFor === '') continue;
        if (batch.heldUntil > now) break;
        batch.heldFor = '';
        this.expired(batch);
      }
      list.splice(0, done);
      if (list[0] !== undefined) this.arm(list[0].heldUntil);
    }
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
