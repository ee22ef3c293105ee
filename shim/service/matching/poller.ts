/** One long poll that waits for a task. */
import { setMaxListeners } from 'node:events';
import type { DeploymentVersion } from '../engine/versioning/version';
import type { CallContext } from '../types';

/** A poll answers with nothing after this long, ms (Temporal: matching.longPollExpirationInterval). */
export const LONG_POLL_MS = 60_000;
/** It answers this long before the caller's own deadline, ms. */
const DEADLINE_MARGIN_MS = 500;

export class Poller {
  /** Answered, or its caller went away. */
  done = false;
  /** Monotonic ms. */
  readonly expiresAt: number;
  private timer: NodeJS.Timeout | null = null;
  private readonly onAbort = (): void => {
    if (this.answer({})) this.ended('aborted');
  };

  constructor(
    readonly namespace: string,
    readonly identity: string,
    readonly sticky: boolean,
    /** Names the worker in its ShutdownWorker; '' when it has no such name. */
    readonly workerKey: string,
    /** Of its worker deployment; null without one. */
    readonly version: DeploymentVersion | null,
    readonly ctx: CallContext,
    private readonly resolve: (response: object) => void,
    /** Told when it ends without a task. */
    private readonly ended: (why: 'aborted' | 'expired') => void,
  ) {
    let left = LONG_POLL_MS;
    if (ctx.deadlineMs !== undefined) {
      const untilDeadline = ctx.deadlineMs - Date.now();
      left = Math.min(left, Math.max(0, untilDeadline - Math.min(DEADLINE_MARGIN_MS, untilDeadline / 2)));
    }
    this.expiresAt = performance.now() + left;
    // Whole long polls are ended by the sweep, without a timer each.
    if (left < LONG_POLL_MS - 2000) this.timer = setTimeout(() => this.expire(), left);
    if (ctx.signal === undefined) return;
    // All polls of a worker share its signal.
    setMaxListeners(0, ctx.signal);
    if (ctx.signal.aborted) this.answer({});
    else ctx.signal.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Time is up: answers with nothing. */
  expire(): void {
    if (this.answer({})) this.ended('expired');
  }

  /** False when it is too late: the task must go to somebody else. */
  answer(response: object): boolean {
    if (this.done) return false;
    this.done = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.ctx.signal?.removeEventListener('abort', this.onAbort);
    this.resolve(response);
    return true;
  }
}
