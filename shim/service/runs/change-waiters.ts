/** Those who wait for a run to move: long polls of history and updates. */

export class ChangeWaiters {
  private readonly byRun = new Map<string, Set<() => void>>();

  /** Resolves at the next wake of the run, after `ms`, or when the signal aborts. */
  wait(runId: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      let waiters = this.byRun.get(runId);
      if (waiters === undefined) this.byRun.set(runId, (waiters = new Set()));
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        const set = this.byRun.get(runId);
        if (set?.delete(done) === true && set.size === 0) this.byRun.delete(runId);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      waiters.add(done);
    });
  }

  wake(runId: string): void {
    const waiters = this.byRun.get(runId);
    if (waiters === undefined) return;
    for (const done of [...waiters]) done();
  }

  wakeAll(): void {
    for (const runId of [...this.byRun.keys()]) this.wake(runId);
  }
}
