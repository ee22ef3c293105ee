/** A database that stays away: calls that wait for it are answered after a while, instead of hanging for as long as it is gone. */
import type { Store } from '../store/types';
import { Code, ServiceError } from './errors';

/** How long a call waits for a database that is away, ms. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 1000;

interface Waiting {
  since: number;
  reject(error: ServiceError): void;
}

export class Outage {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: Pick<Store, 'awayMs'>) {}

  /** @throws ServiceError UNAVAILABLE when the database has been away for longer than a call waits */
  check(): void {
    if (this.store.awayMs() > PATIENCE_MS) throw this.unavailable();
  }

  /** The answer of `work`, or UNAVAILABLE once the database has been away for too long; `work` itself goes on. */
  bound<T>(work: Promise<T>): Promise<T> {
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    return new Promise((resolve, reject) => {
      const entry = { since: performance.now(), reject };
      this.waiting.add(entry);
      work.then(
        (value) => {
          this.waiting.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.waiting.delete(entry);
          reject(error as Error);
        },
      );
    });
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    if (this.waiting.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    if (this.store.awayMs() <= PATIENCE_MS) return;
    const before = performance.now() - PATIENCE_MS;
    for (const entry of this.waiting) {
      if (entry.since > before) continue;
      this.waiting.delete(entry);
      entry.reject(this.unavailable());
    }
  }

  private unavailable(): ServiceError {
    const seconds = Math.round(this.store.awayMs() / 1000);
    return new ServiceError(
      Code.UNAVAILABLE,
      `The database has been out of reach for ${seconds} s. What was asked for may still be carried out when it is back.`,
    );
  }
}
