/** What a native poll function gives out: items in order, then ShutdownError for every poll. */
import { errors } from './errors';

export class PollQueue {
  private readonly items: Buffer[] = [];
  private readonly polls: { resolve: (item: Buffer) => void; reject: (error: Error) => void }[] = [];
  private closed = false;

  push(item: Uint8Array): void {
    const bytes = Buffer.from(item.buffer, item.byteOffset, item.byteLength);
    const poll = this.polls.shift();
    if (poll === undefined) this.items.push(bytes);
    else poll.resolve(bytes);
  }

  next(): Promise<Buffer> {
    const item = this.items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.closed) return Promise.reject(shutdown());
    return new Promise((resolve, reject) => this.polls.push({ resolve, reject }));
  }

  /** What is queued is still given out. */
  close(): void {
    this.closed = true;
    for (const poll of this.polls.splice(0)) poll.reject(shutdown());
  }
}

const shutdown = (): Error => new errors.ShutdownError('Core is shut down');
