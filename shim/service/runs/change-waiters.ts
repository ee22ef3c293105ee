/** Those who wait for a run to move: long polls of history and updates. */

import type { Watch } from '../types';

/** Waits of at least so long are ended by a sweep and not by a timer each, ms: there may be thousands. They may last that much longer. */
const SWEEP_MS = 500;

class Waiter implements Watch {
  readonly moved: Promise<void>;
  readonly until: number;
  private resolve!: () => void;
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly runId: string,
    ms: number,
    private readonly signal: AbortSignal | undefined,
    private readonly byRun: Map<string, Set<Waiter>>,
    readonly forClose: boolean,
  ) {
    this.moved = new Promise((resolve) => (this.resolve = resolve));
    this.until = performance.now() + ms;
    if (ms < SWEEP_MS) this.timer = setTimeout(this.stop, ms);
    signal?.addEventListener('abort', this.stop, { once: true });
  }

  readonly stop = (): void => {
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.stop);
    const waiters = this.byRun.get(this.runId);
    if (waiters?.delete(this) === true && waiters.size === 0) this.byRun.delete(this.runId);
    this.resolve();
  };
}

export class ChangeWaiters {
  private readonly byRun = new Map<string, Set<Waiter>>();
  private sweeper: NodeJS.Timeout | undefined;

  /** Waits for the next wake of the run (`forClose`: one that may be its close), for about `ms` at most, or until the signal aborts. */
  watch(runId: string, ms: number, signal: AbortSignal | undefined, forClose: boolean): Watch {
    const waiter = new Waiter(runId, ms, signal, this.byRun, forClose);
    if (signal?.aborted === true) {
      waiter.stop();
      return waiter;
    }
    const waiters = this.byRun.get(runId);
    if (waiters === undefined) this.byRun.set(runId, new Set([waiter]));
    else waiters.add(waiter);
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
    return waiter;
  }

  /** `open`: it is certain that the run is still open. */
  wake(runId: string, open = false): void {
    const waiters = this.byRun.get(runId);
    if (waiters === undefined) return;
    for (const waiter of [...waiters]) if (!open || !waiter.forClose) waiter.stop();
  }

  wakeAll(): void {
    for (const runId of [...this.byRun.keys()]) this.wake(runId);
    this.rest();
  }

  private sweep(): void {
    const now = performance.now();
    for (const waiters of [...this.byRun.values()]) {
      for (const waiter of [...waiters]) if (waiter.until <= now) waiter.stop();
    }
    this.rest();
  }

  private rest(): void {
    if (this.byRun.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}
