/** One task queue of one kind in this process: who waits for work, and what work waits for somebody. */
import type { QueueStats } from '../../store/types';
import { Backlog } from './backlog';
import { Fifo } from './fifo';
import type { DeploymentVersion } from '../engine/versioning/version';
import { splitName } from './physical-queue';
import type { Poller } from './poller';
import type { QueueLimits } from './queue-limits';
import { TaskRates } from './task-rates';

export type TaskKind = 'workflow' | 'activity';

/** A query on its way to any poller of the queue. */
export interface DirectQuery {
  done: boolean;
  deliver(poller: Poller): void;
}

/** A queue counts as polled this long after its last poll, ms (Temporal: 10 s for sticky queues). */
export const POLLED_WINDOW_MS = 10_000;

export class TaskQueue {
  readonly backlog = new Backlog();
  /** Tasks that were started for a poll which then went away: for the next one. */
  readonly started = new Fifo<object>();
  readonly queries = new Fifo<DirectQuery>();
  /** Monotonic ms of the last poll; -Infinity = never, or all pollers have gone. */
  lastPollAt = -Infinity;
  /** A worker's own queue, for the runs that it has in its cache. */
  sticky = false;
  /** There may be rows in the store for this queue. */
  rowsMayWait = true;
  claiming = false;
  /** Starts per second that its workers ask for (maxTaskQueueActivitiesPerSecond); null = no limit. */
  workerRate: number | null = null;
  /** Null: nothing limits it. */
  limits: QueueLimits | null = null;
  readonly rates = new TaskRates();
  /** The name that workers and runs give it, and the version whose workers it is for (null: without one, or a sticky queue). */
  readonly taskQueue: string;
  readonly version: DeploymentVersion | null;
  private readonly waiting = new Fifo<Poller>();
  /** Monotonic ms of each identity's last poll. */
  private readonly lastPolls = new Map<string, number>();

  constructor(
    readonly key: string,
    readonly namespaceId: number,
    readonly name: string,
    readonly kind: TaskKind,
  ) {
    ({ taskQueue: this.taskQueue, version: this.version } = splitName(name));
  }

  /** Somebody of this process works on this queue. */
  get polled(): boolean {
    return performance.now() - this.lastPollAt < POLLED_WINDOW_MS || this.hasWaiting;
  }

  /** Nobody works on it and nothing waits here. */
  get idle(): boolean {
    return !this.polled && this.backlog.length === 0 && this.started.length === 0 && this.queries.length === 0;
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
    this.lastPolls.set(poller.identity, this.lastPollAt);
    this.sticky = poller.sticky;
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
    if (this.hasWaiting) return;
    this.lastPollAt = -Infinity;
    this.lastPolls.clear();
  }

  /** Who polls: each identity with the monotonic ms when it was seen last. Those not seen for a while are forgotten. */
  pollers(): { identity: string; at: number }[] {
    const now = performance.now();
    for (const poller of this.waiting) if (!poller.done) this.lastPolls.set(poller.identity, now);
    for (const [identity, at] of this.lastPolls) if (now - at > POLLED_WINDOW_MS) this.lastPolls.delete(identity);
    return [...this.lastPolls].map(([identity, at]) => ({ identity, at }));
  }

  /** Long polls that are over, and those that `also` names. */
  expirePollers(also?: (poller: Poller) => boolean): void {
    const now = performance.now();
    const over = (poller: Poller): boolean => poller.done || poller.expiresAt <= now || also?.(poller) === true;
    for (const poller of this.waiting.take(over)) poller.expire();
  }

  /** What there is to tell other processes; undefined = nothing. */
  stats(): QueueStats | undefined {
    const waiting = this.backlog.length > 0 ? this.backlog.waiting() : undefined;
    const { added, dispatched } = this.rates.perSecond();
    if (waiting === undefined && added === 0 && dispatched === 0 && this.workerRate === null) return undefined;
    return {
      ...(waiting === undefined ? {} : { waiting }),
      ...(added === 0 ? {} : { added }),
      ...(dispatched === 0 ? {} : { dispatched }),
      ...(this.workerRate === null ? {} : { workerRate: this.workerRate }),
    };
  }

  nextQuery(): DirectQuery | undefined {
    for (let query = this.queries.shift(); query !== undefined; query = this.queries.shift()) {
      if (!query.done) return query;
    }
    return undefined;
  }
}
