/**
 * Retention (C131): closed runs are deleted when their namespace's retention has passed since their close. Small batches, one process of
 * all at a time, and each batch goes on where the last one ended.
 */
import type { Store } from '../store/types';

/** How often expired runs are looked for, ms. */
const SWEEP_MS = 60_000;
/** How often the search begins anew at the oldest run: some may have owed something to others when it passed them. ms. */
const FROM_START_MS = 3_600_000;
/** Of one batch. */
const BATCH_RUNS = 100;
const BATCH_EVENTS = 20_000;
/** Rests between batches take this many times as long as the batch, and at least some ms: others work here too. */
const REST_FACTOR = 2;
const MIN_REST_MS = 20;

export class Retention {
  /** By namespace id: close time up to which everything was looked at, epoch ms. */
  private readonly done = new Map<number, number>();
  private fromStartAtMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(private readonly store: Store) {}

  start(): void {
    this.timer = setTimeout(() => {
      this.sweep()
        // The database is away; the next sweep finds the same.
        .catch(() => undefined)
        .finally(() => {
          if (!this.closed) this.start();
        });
    }, SWEEP_MS).unref();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Deletes what has expired by now, in all namespaces; the number of runs. Nothing unless this process is the one to do it. */
  async sweep(): Promise<number> {
    const { store } = this;
    // What a restore has left is evidence while an operator decides.
    if (!store.rights.expire || !this.leads() || store.fence.raised) return 0;
    const nowMs = store.nowMs();
    if (nowMs >= this.fromStartAtMs + FROM_START_MS) {
      this.done.clear();
      this.fromStartAtMs = nowMs;
    }
    let total = 0;
    for (const { id, retentionMs } of await store.namespaces.all()) {
      while (!this.closed && (await store.batchJobs.deleteClosed(id, nowMs - retentionMs)) > 0) await this.rest(0);
      for (;;) {
        if (this.closed) return total;
        const began = performance.now();
        const batch = await store.deleteExpired(
          id,
          this.done.get(id) ?? 0,
          nowMs - retentionMs,
          BATCH_RUNS,
          BATCH_EVENTS,
        );
        if (batch === null || batch.deleted === 0) break;
        total += batch.deleted;
        this.done.set(id, batch.lastCloseMs);
        await this.rest((performance.now() - began) * REST_FACTOR);
      }
    }
    return total;
  }

  /** The live process with the smallest id does it, so that several do not read the same; who sees some namespaces only, does it in these. */
  private leads(): boolean {
    const { store } = this;
    return (
      store.rights.restricted || store.liveProcesses().every(({ id, expires }) => !expires || id >= store.processId)
    );
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.max(ms, MIN_REST_MS)).unref());
  }
}
