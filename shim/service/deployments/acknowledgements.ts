/** Waits until the other processes go by a change of routing too, as Temporal's server waits for its task queues. */
import { randomUUID } from 'node:crypto';
import type { Notice, Store } from '../../store/types';

/** A process that does not answer is dead, or will look by itself, ms. */
const PATIENCE_MS = 5000;

export class Acknowledgements {
  private readonly awaited = new Map<string, { from: Set<string>; done: () => void }>();

  constructor(private readonly store: Pick<Store, 'liveProcesses' | 'notify' | 'processId'>) {}

  /** Tells of the change. With `waits`, resolves when all processes alive have seen it. */
  tell(waits: boolean): Promise<void> {
    const { store } = this;
    const from = new Set(waits ? store.liveProcesses().map(({ id }) => id) : []);
    from.delete(store.processId);
    const change = from.size === 0 ? '' : randomUUID();
    store.notify({ kind: 'deployments', change });
    if (from.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(patience);
        this.awaited.delete(change);
        resolve();
      };
      const patience = setTimeout(done, PATIENCE_MS);
      this.awaited.set(change, { from, done });
    });
  }

  /** This process goes by a change that another one has made. */
  seen(change: string): void {
    if (change === '') return;
    this.store.notify({ kind: 'deploymentsSeen', change, processId: this.store.processId });
  }

  heard({ change, processId }: Extract<Notice, { kind: 'deploymentsSeen' }>): void {
    const awaited = this.awaited.get(change);
    if (awaited?.from.delete(processId) === true && awaited.from.size === 0) awaited.done();
  }
}
