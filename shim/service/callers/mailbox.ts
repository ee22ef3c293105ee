/**
 * Does what transactions of callers have left: grows the runs that they started, and takes the inbox of open runs. Woken by their NOTIFY; what was missed is found by
 * looking. Each message goes in the commit that writes its event, so it does no harm when several processes take one.
 */
import type { InboxMessage, Store } from '../../store/types';
import type { Engine } from '../engine/api';
import { Status, type Transition } from '../engine/types';
import { Code, ServiceError } from '../errors';
import type { Change } from '../runs/change';
import { isHeld } from '../restore/held';
import type { Decide, RunRegistry } from '../runs/registry';
import type { MutateOptions } from '../types';
import { applyMessage } from './messages';

/** How often the inbox is looked through, and how soon what failed is tried again, ms. */
const LOOK_MS = 5000;
const RETRY_MS = 1000;
const LOOK_LIMIT = 1000;

/** Passes by itself: the run is just closing, or the database is away. */
const PASSING = new Set<Code>([Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE]);

export class Mailbox {
  private readonly delivering = new Map<string, Promise<void>>();
  /** Heard of while it was being delivered. */
  private readonly again = new Set<string>();
  private readonly stopNotices: () => void;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly engine: Engine,
    private readonly runs: RunRegistry,
  ) {
    this.stopNotices = store.onNotice((notice) => {
      if (notice.kind === 'missed') void this.look();
      if (notice.kind !== 'inbox' || store.fence.raised) return;
      for (const runId of notice.runIds) if (this.isForUs(runId)) void this.deliver(runId);
    });
  }

  start(): void {
    void this.look();
  }

  close(): void {
    this.closed = true;
    this.stopNotices();
    clearTimeout(this.timer);
  }

  deliver(runId: string): Promise<void> {
    let delivery = this.delivering.get(runId);
    if (delivery !== undefined) {
      this.again.add(runId);
      return delivery;
    }
    delivery = this.deliverAll(runId).finally(() => this.delivering.delete(runId));
    this.delivering.set(runId, delivery);
    return delivery;
  }

  /** One process is to do it: whoever has the run in memory, or else one that all agree on. If that fails, looking finds it. */
  private isForUs(runId: string): boolean {
    if (this.runs.loaded(runId)?.mine === true) return true;
    const ids = this.store.liveProcesses().map(({ id }) => id);
    if (!ids.includes(this.store.processId)) ids.push(this.store.processId);
    ids.sort();
    return ids[parseInt(runId.slice(-6), 16) % ids.length] === this.store.processId;
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const waiting = this.store.fence.raised ? [] : await this.store.inbox.waiting(LOOK_LIMIT);
      await Promise.all(waiting.map((runId) => this.deliver(runId)));
    } catch {
      // The database is away; the next look finds the same.
    }
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.look(), LOOK_MS).unref();
  }

  private async deliverAll(runId: string): Promise<void> {
    do {
      this.again.delete(runId);
      if (this.closed) return;
      try {
        // A seed grows by being loaded.
        await this.submit(runId, (_t, change) => change.unchanged(), { allowClosed: true });
      } catch {
        // Closed, or gone: what its inbox holds is told below.
      }
      try {
        const messages = await this.store.inbox.of(runId);
        if (messages.length > 0) await this.take(runId, messages);
      } catch {
        this.later(runId);
      }
    } while (this.again.has(runId));
  }

  /** In one change, so that they keep their order. */
  private async take(runId: string, messages: InboxMessage[]): Promise<void> {
    const refused = new Map<InboxMessage, unknown>();
    const take = (t: Transition, change: Change, message: InboxMessage): void => {
      const { seq, kind, requestId } = message;
      const { taken, signalIds } = change.run;
      if (taken.has(seq)) return;
      if (kind !== 'signal') applyMessage(this.engine, t, message);
      else if (signalIds?.has(requestId) !== true) {
        applyMessage(this.engine, t, message);
        change.rememberSignal(requestId);
        signalIds?.add(requestId);
      }
      change.takes(seq);
    };
    try {
      const decided = await this.submit(
        runId,
        (t, change) => {
          refused.clear();
          for (const message of messages) {
            try {
              take(t, change, message);
            } catch (error) {
              refused.set(message, error);
            }
          }
          if (change.inbox === null) change.unchanged();
        },
        // Which signals were taken before is to be known.
        { signalRequestId: '' },
      );
      if (!decided) {
        // Another process may have taken some: the inbox is read again.
        this.again.add(runId);
        return;
      }
    } catch (error) {
      for (const message of messages) refused.set(message, error);
    }
    for (const [message, error] of refused) await this.refused(runId, message, error);
  }

  /** False when the race was lost: what was lost with it waits for this delivery, so it is not for the registry to decide again. */
  private submit(runId: string, decide: Decide<void>, options: MutateOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.runs.submit({ runId, decide, options, resolve: () => resolve(true), reject, dropped: () => resolve(false) });
    });
  }

  private async refused(runId: string, { kind, seq }: InboxMessage, error: unknown): Promise<void> {
    // Found again when it is resumed.
    if (isHeld(error)) return;
    if (!(error instanceof ServiceError) || PASSING.has(error.code)) return this.later(runId);
    const state = await this.store.loadState(runId);
    const open = state !== null && !('request' in state.state) && state.state.status === Status.Running;
    // The close is decided in memory only, and will not be committed before this.
    if (error.code === Code.NOT_FOUND && open) return this.later(runId);
    const needsNothing = kind === 'cancel' || kind === 'terminate';
    if (error.code === Code.NOT_FOUND && needsNothing) return this.store.inbox.drop(runId, seq);
    await this.store.inbox.fail(runId, seq, error.message);
  }

  private later(runId: string): void {
    if (!this.closed) setTimeout(() => void this.deliver(runId), RETRY_MS).unref();
  }
}
