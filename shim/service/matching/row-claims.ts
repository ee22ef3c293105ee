/** Work from other processes: rows of the queues polled here, taken on notice and by a slow look-around. */
import type { PollerInfo, Store } from '../../store/types';
import type { Dispatcher } from './dispatcher';
import type { Admissions } from './admissions';
import type { Queries } from './queries';
import type { QueueConfigs } from './queue-configs';
import type { TaskQueues } from './queues';
import { type TaskQueue } from './task-queue';

const TICK_MS = 2000;
/** Look-around for rows that no notice told of, ms. */
const LOOK_LISTENING_MS = 5000;
const LOOK_POLLING_MS = 1000;
/** Rows taken at once. */
const MAX_CLAIM = 50;

export class RowClaims {
  private readonly stopNotices: () => void;
  private ticker: NodeJS.Timeout | null = null;
  private lookedAt = 0;
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly queues: TaskQueues,
    private readonly dispatcher: Dispatcher,
    private readonly queries: Queries,
    private readonly configs: QueueConfigs,
    private readonly admissions: Admissions,
    private readonly worksOn: (runId: string) => boolean,
  ) {
    dispatcher.claimed = (queue) => void this.claim(queue);
    this.stopNotices = store.onNotice((notice) => {
      if (notice.kind === 'tasks') {
        for (const { namespaceId, queue, kind } of notice.queues) {
          const known = this.queues.find(namespaceId, queue, kind);
          if (known === undefined) continue;
          known.rowsMayWait = true;
          if (known.limits !== null) this.limitsMoved(known);
          void this.claim(known);
        }
      } else if (notice.kind === 'processDied' || notice.kind === 'missed') {
        for (const queue of this.queues.all()) if (queue.polled) void this.claim(queue);
        if (notice.kind === 'missed') this.configs.read().catch(() => undefined);
      } else if (notice.kind === 'queueConfig') {
        this.configs.read().catch(() => undefined);
      } else if (notice.kind === 'query') {
        const known = this.queues.find(notice.namespaceId, notice.queue, 'workflow');
        if (known?.polled === true) void this.queries.claim(known).catch(() => undefined);
      } else if (notice.kind === 'queryAnswered') this.queries.answerPosted(notice.id);
    });
  }

  /** A poll has come: from now on the queue is looked after. */
  polled(queue: TaskQueue): void {
    if (queue.rowsMayWait && queue.hasWaiting) void this.claim(queue);
    this.start();
  }

  /** Tells other processes at once who polls here. */
  announce(): void {
    const now = this.store.nowMs();
    const seen = performance.now();
    const pollers: Omit<PollerInfo, 'processId'>[] = [];
    for (const queue of this.queues.all()) {
      const { namespaceId, name, kind, sticky } = queue;
      const polling = queue.polled ? queue.pollers() : [];
      // Told once for each queue, with the first of its pollers.
      let stats = queue.stats();
      if (stats !== undefined && polling.length === 0) {
        pollers.push({ namespaceId, queue: name, kind, identity: '', lastPollMs: 0, stats });
      }
      for (const { identity, at } of polling) {
        const lastPollMs = now - Math.max(0, seen - at);
        pollers.push({
          namespaceId,
          queue: name,
          kind,
          identity,
          lastPollMs,
          ...(sticky ? { sticky } : {}),
          ...(stats === undefined ? {} : { stats }),
        });
        stats = undefined;
      }
    }
    this.store.setPollers(pollers);
  }

  async claim(queue: TaskQueue): Promise<void> {
    this.start();
    if (queue.claiming || this.closed) return;
    queue.claiming = true;
    try {
      while (queue.hasWaiting && this.mayTakeMore(queue) && !this.closed) {
        const limit = Math.min(queue.waitingCount, MAX_CLAIM);
        queue.rowsMayWait = false;
        const closedKeys = queue.limits === null ? [] : queue.backlog.waitingKeys();
        const rows = await this.store.claimTasks(queue.namespaceId, queue.name, queue.kind, limit, {
          ...queue.backlog.passes(),
          weights: queue.backlog.weights,
          closedKeys,
        });
        // Told of while the statement ran, which may not have seen it.
        const more = queue.rowsMayWait;
        if (rows.length === limit || closedKeys.length > 0) queue.rowsMayWait = true;
        for (const row of rows) {
          queue.backlog.push({
            runId: row.runId,
            scheduledEventId: row.scheduledEventId,
            attempt: row.attempt,
            rowId: row.id,
            place: { level: row.priority, fairnessKey: row.fairnessKey, weight: row.fairnessWeight },
            addedAtMs: row.createdMs,
            admitted: false,
          });
        }
        this.dispatcher.serve(queue);
        if (rows.length < limit && !more) return;
      }
    } catch {
      // The database is away: the next look-around tries again.
      queue.rowsMayWait = true;
    } finally {
      queue.claiming = false;
    }
  }

  /** Nothing waits here, or only keys whose limits keep them from starting. */
  private mayTakeMore(queue: TaskQueue): boolean {
    return queue.backlog.length === 0 || queue.limits?.open === true;
  }

  private limitsMoved(queue: TaskQueue): void {
    this.admissions.worthAsking(queue);
    this.dispatcher.serve(queue);
  }

  private start(): void {
    if (this.ticker !== null || this.closed) return;
    this.announce();
    const every = Math.min(TICK_MS, this.store.listening ? TICK_MS : LOOK_POLLING_MS);
    this.ticker = setInterval(() => this.tick(), every);
    this.ticker.unref();
  }

  private tick(): void {
    for (const queue of this.queues.all()) {
      queue.expirePollers();
      if (!queue.polled && queue.backlog.length > 0) void Promise.all(this.dispatcher.spill(queue));
      // What came and went lately is still told.
      if (queue.idle && !queue.rates.moving) this.queues.forget(queue);
    }
    this.announce();
    this.configs.refreshIfOld();
    this.admissions.forget((runId) => this.worksOn(runId));
    const now = performance.now();
    const look = this.store.listening ? LOOK_LISTENING_MS : LOOK_POLLING_MS;
    if (now - this.lookedAt < look) return;
    this.lookedAt = now;
    for (const queue of this.queues.all()) {
      if (!queue.polled) continue;
      void this.claim(queue);
      if (queue.kind === 'workflow' && !this.queues.alone) void this.queries.claim(queue).catch(() => undefined);
    }
  }

  close(): void {
    this.closed = true;
    this.stopNotices();
    if (this.ticker !== null) clearInterval(this.ticker);
  }
}
