/** One task queue of one kind in this process: who waits for work, and what work waits for somebody. */
import { Fifo } from './fifo';
import type { Poller } from './poller';
import type { RateLimit } from './rate-limit';

export type TaskKind = 'workflow' | 'activity';

/** A scheduled task that waits in this process for a poller. */
export interface BacklogEntry {
  runId: string;
  scheduledEventId: number;
  attempt: number;
  /** Its row, when it came from the store. */
  rowId: string | null;
}

/** A query on its way to any poller of the queue. */
export interface DirectQuery {
  done: boolean;
  deliver(poller: Poller): void;
}

/** A queue counts as polled this long after its last poll, ms (Temporal: 10 s for sticky queues). */
export const POLLED_WINDOW_MS = 10_000;

export class TaskQueue {
  readonly backlog = new Fifo<BacklogEntry>();
  /** Tasks that were started for a poll which then went away: for the next one. */
  readonly started = new Fifo<object>();
  readonly queries = new Fifo<DirectQuery>();
  /** Monotonic ms of the last poll; -Infinity = never, or all pollers have gone. */
  lastPollAt = -Infinity;
  lastIdentity = '';
  /** There may be rows in the store for this queue. */
  rowsMayWait = true;
  claiming = false;
  rateLimit: RateLimit | null = null;
  /** Waits for its rate limit. */
  throttled = false;
  private readonly waiting = new Fifo<Poller>();

  constructor(
    readonly key: string,
    readonly namespaceId: number,
    readonly name: string,
    readonly kind: TaskKind,
  ) {}

  /** Somebody of this process works on this queue. */
  get polled(): boolean {
    return performance.now() - this.lastPollAt < POLLED_WINDOW_MS || this.hasWaiting;
  }

  /** Nobody works on it and nothing waits here. */
  get idle(): boolean {
    return !this.polled && this.backlog.length === 0 && this.queries.length === 0;
  }

  get hasWaiting(): boolean {
    for (let first = this.waiting.peek(); first !== undefined; first = this.waiting.peek()) {
      if (!first.done) return true;
      this.waiting.shift();
    }
    return false;
  }

  get waitingCount(): number {
    return this.hasWaiting ? this.waiting.length : 0;
  }

  addPoller(poller: Poller): void {
    this.lastPollAt = performance.now();
    this.lastIdentity = poller.identity;
    this.waiting.push(poller);
  }

  /** The poller that has waited longest, out of the list. */
  takePoller(): Poller | undefined {
    return this.hasWaiting ? this.waiting.shift() : undefined;
  }

  /** It got nothing after all. */
  returnPoller(poller: Poller): void {
    if (!poller.done) this.waiting.unshift(poller);
  }

  /** All pollers have gone for good (a worker shut down). */
  pollerLeft(): void {
    if (!this.hasWaiting) this.lastPollAt = -Infinity;
  }

  /** Long polls that are over, and all of them when `all`. */
  expirePollers(all: boolean): void {
    const now = performance.now();
    for (const poller of this.waiting.take((each) => each.done || all || each.expiresAt <= now)) poller.expire();
  }

  nextQuery(): DirectQuery | undefined {
    for (let query = this.queries.shift(); query !== undefined; query = this.queries.shift()) {
      if (!query.done) return query;
    }
    return undefined;
  }
}
