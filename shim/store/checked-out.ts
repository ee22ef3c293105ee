/** A connection taken out of a pool, with somebody who listens when it breaks: unheard, that ends the process. */
import type { Pool, PoolClient } from 'pg';

export class CheckedOut {
  /** Why it is not to be used again. */
  broken: Error | undefined;

  private constructor(readonly client: PoolClient) {
    client.on('error', this.onError);
  }

  static from(pool: Pool): Promise<CheckedOut> {
    return new Promise((resolve, reject) => {
      pool.connect((error, connected) => {
        if (connected === undefined) return reject(error ?? new Error('The pool gave no connection'));
        // In the very turn in which it connects: the same packet may bring the server's last words.
        resolve(new CheckedOut(connected));
      });
    });
  }

  giveBack(): void {
    this.client.removeListener('error', this.onError);
    this.client.release(this.broken);
  }

  private readonly onError = (error: Error): void => {
    this.broken ??= error;
  };
}
