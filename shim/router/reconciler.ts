/** Settles what deaths and lost answers left open, by asking the engines; and forgets ids that no engine knows any more. */
import type { Logger } from '@temporalio/common';
import type { RoutedKey, RoutingStore } from '../store/routing-types';
import { isGrpcError } from './errors';
import type { Owners } from './owners';
import type { Starts, Unsettled } from './starts';

export interface ReconcilerOptions {
  store: RoutingStore;
  owners: Owners;
  starts: Starts;
  logger: Logger;
  /** A start that nobody knows the end of is asked after when it began that long ago, ms. */
  graceMs: number;
}

const AT_ONCE = 100;
/** Ids that nobody started for that long are looked at: their runs may be past retention. */
const AGE_MS = 24 * 3600 * 1000;
const AGED_EVERY_MS = 60_000;

export class Reconciler {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private agedAt = performance.now();

  constructor(private readonly options: ReconcilerOptions) {}

  start(): void {
    const everyMs = Math.max(100, Math.min(5000, this.options.graceMs / 2));
    this.timer = setInterval(() => void this.look(), everyMs);
    this.timer.unref();
  }

  /** One look at a time; never throws. */
  look(): Promise<void> {
    return (this.looking ??= this.lookOnce()
      .catch((error: unknown) => this.options.logger.warn('Starts left open could not be looked at', { error }))
      .finally(() => (this.looking = undefined)));
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async lookOnce(): Promise<void> {
    const { store, starts, graceMs } = this.options;
    const before = performance.now() - graceMs;
    const own = [...starts.unsettled].filter(({ sinceMs }) => sinceMs < before);
    await Promise.all(own.map((open) => this.settleOwn(open)));
    for (const { key, engine, tokens } of await store.abandonedStarts(graceMs, starts.tokens, AT_ONCE)) {
      const over = tokens.filter((token) => !starts.isUnderWay(token));
      if (over.length === 0) continue;
      const known = await this.knows(engine, key);
      if (known !== undefined) await store.endStart(key, over, known);
    }
    if (performance.now() - this.agedAt < AGED_EVERY_MS) return;
    this.agedAt = performance.now();
    await this.forgetGone(AGE_MS);
  }

  private async settleOwn(open: Unsettled): Promise<void> {
    const known = await this.knows(open.engine, open.key);
    if (known === undefined) return;
    this.options.starts.settled(open);
    await this.options.store.endStart(open.key, [open.token], known);
  }

  /** Ids of that age that none of their engines knows. Returns how many went. */
  async forgetGone(ageMs: number): Promise<number> {
    let gone = 0;
    for (const { key, engine, past, version } of await this.options.store.agedIds(ageMs, AT_ONCE)) {
      const answers = await Promise.all([engine, ...past].map((name) => this.knows(name, key)));
      if (answers.some((known) => known !== false)) continue;
      await this.options.store.forgetId(key, version);
      gone++;
    }
    return gone;
  }

  /** Undefined: the engine is away. It is asked again at the next look. */
  private async knows(engine: string, key: RoutedKey): Promise<boolean | undefined> {
    const { owners, logger } = this.options;
    try {
      return await owners.isKnown(engine, key);
    } catch (error) {
      if (!isGrpcError(error)) throw error;
      logger.warn(`Whether engine '${engine}' has ${key.kind} ${key.id} cannot be settled yet`, { error });
      return undefined;
    }
  }
}
