/** Polls for work that never comes (Nexus tasks): they wait as long as others do, and find nothing. */
import type { CallContext } from '../types';
import { Poller } from './poller';

export class IdlePolls {
  private readonly waiting = new Map<Poller, NodeJS.Timeout>();

  poll(workerKey: string, ctx: CallContext): Promise<object> {
    return new Promise((resolve) => {
      const answer = (response: object): void => {
        clearTimeout(this.waiting.get(poller));
        this.waiting.delete(poller);
        resolve(response);
      };
      const poller = new Poller('', '', false, workerKey, null, ctx, answer, () => undefined);
      const left = poller.expiresAt - performance.now();
      this.waiting.set(poller, setTimeout(() => poller.expire(), left).unref());
    });
  }

  end(which: (poller: Poller) => boolean): void {
    for (const poller of this.waiting.keys()) if (which(poller)) poller.expire();
  }
}
