/** This process's lease, the other processes and what they poll; frees what dead ones had. */
import { performance } from 'node:perf_hooks';
import type { Clock } from './clock';
import type { Connections } from './connections';
import { StoreClosedError, TimeSkippedError } from './errors';
import type { Fence, Met } from './fence';
import type { Statement } from './statement';
import type { PollerInfo, ProcessInfo } from './types';

interface ProcessRow extends Met {
  id: string | null;
  identity: string;
  listens: boolean;
  pollers: Omit<PollerInfo, 'processId'>[];
  skips_time: boolean;
  expires: boolean;
  lease_until_ms: number;
  dead: boolean;
  /** This process had no row. */
  fresh: boolean;
  now_ms: number;
}

/** A lease that ended is looked at this long after its end, ms. */
const afterLeaseMs = 50;
/** Runs freed per call: a process may have left ten thousand. */
const reapPortion = 1000;

export interface OtherProcess extends ProcessInfo {
  listens: boolean;
  pollers: PollerInfo[];
  skipsTime: boolean;
}

export class Leases {
  private others: OtherProcess[] = [];
  private own: Omit<PollerInfo, 'processId'>[] = [];
  private leaseUntilMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | undefined;
  /** Its row is gone for good: a renewal would make it anew. */
  private left = false;
  private warned = false;

  constructor(
    private readonly connections: Connections,
    private readonly clock: Clock,
    private readonly processId: string,
    private readonly identity: string,
    private readonly leaseMs: number,
    private readonly listens: boolean,
    private readonly skipsTime: boolean,
    private readonly expires: boolean,
    private readonly statements: { renew: Statement; reap: Statement; expire: Statement },
    private readonly fence: Fence,
    /** A process died; its runs and tasks are free. */
    private readonly onDeath: () => void,
    /** The others took this process for dead; it is back. */
    private readonly onForgotten: () => void,
  ) {}

  /** @throws TimeSkippedError where this process would not have the time of the others */
  async start(): Promise<void> {
    await this.renew();
    const odd = this.others.find(({ skipsTime }) => skipsTime || this.skipsTime);
    if (odd !== undefined) {
      await this.leave();
      throw new TimeSkippedError(odd.identity, odd.skipsTime);
    }
    this.schedule();
  }

  /** Renews at once: somebody said that there is something new. */
  async renewNow(): Promise<void> {
    // One that is under way was sent before the news.
    await this.renewing?.catch(() => {});
    if (!this.left) await this.renewOrWarn();
  }

  /** As of the last renewal: while Postgres is away nobody can renew, and nobody has gone. */
  live(): OtherProcess[] {
    return this.others;
  }

  liveProcesses(): ProcessInfo[] {
    const { identity, leaseUntilMs, expires } = this;
    return [
      { id: this.processId, identity, leaseUntilMs, expires },
      ...this.live().map(({ id, identity, leaseUntilMs, expires }) => ({ id, identity, leaseUntilMs, expires })),
    ];
  }

  /** Server time, ms. */
  get renewedAtMs(): number {
    return this.leaseUntilMs - this.leaseMs;
  }

  /** True when others should know before the next renewal: a queue is polled that was not before. */
  setPollers(pollers: Omit<PollerInfo, 'processId'>[]): boolean {
    const key = (poller: Omit<PollerInfo, 'processId'>): string =>
      `${poller.kind}:${poller.namespaceId}:${poller.queue}`;
    const polling = pollers.filter(({ lastPollMs }) => lastPollMs > 0);
    const before = new Set(this.own.filter(({ lastPollMs }) => lastPollMs > 0).map(key));
    this.own = pollers;
    return this.live().length > 0 && polling.some((poller) => !before.has(key(poller)));
  }

  ownPollers(): readonly Omit<PollerInfo, 'processId'>[] {
    return this.own;
  }

  /** Of one queue, or of all. */
  pollers(namespaceId: number, queue?: string): PollerInfo[] {
    const own = this.own.map((poller) => ({ processId: this.processId, ...poller }));
    const all = [...own, ...this.live().flatMap((process) => process.pollers)];
    return all.filter((poller) => poller.namespaceId === namespaceId && (queue ?? poller.queue) === poller.queue);
  }

  /** Gives everything back, as if this process had died, but at once. */
  async leave(): Promise<void> {
    this.left = true;
    clearTimeout(this.timer);
    await this.giveBack();
  }

  /** The same, and goes on: what memory knew of its runs is void. */
  async startAnew(): Promise<void> {
    await this.giveBack();
    this.onDeath();
    await this.renewNow();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private async giveBack(): Promise<void> {
    await this.renewing?.catch(() => {});
    await this.connections.query(this.statements.expire, [this.processId]);
    await this.reap();
  }

  private schedule(): void {
    // One that has missed its renewals is looked after as soon as its lease ends.
    const ends = this.others.map(({ leaseUntilMs }) => leaseUntilMs - this.clock.serverMs() + afterLeaseMs);
    const wait = Math.max(afterLeaseMs, Math.min(this.leaseMs / 3, ...(this.warned ? [] : ends)));
    this.timer = setTimeout(() => {
      void this.renewOrWarn().then(() => {
        if (!this.left && !this.connections.closed) this.schedule();
      });
    }, wait).unref();
  }

  /** What keeps this process from its lease (a right taken away, a dropped schema) is said once, and tried again: it may be given back. */
  private async renewOrWarn(): Promise<void> {
    try {
      await this.renew();
      this.warned = false;
    } catch (error) {
      if (this.warned || error instanceof StoreClosedError) return;
      this.warned = true;
      process.emitWarning(`The lease of this process could not be renewed: ${(error as Error).message}`, {
        code: 'BRANCHLINE_LEASE_NOT_RENEWED',
      });
    }
  }

  private renew(): Promise<void> {
    this.renewing ??= this.renewOnce().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async renewOnce(): Promise<void> {
    let sentAt = 0;
    let atFence = false;
    const rows = await this.connections.persist(() => {
      sentAt = performance.now();
      atFence = this.fence.raised;
      return this.connections.query<ProcessRow>(this.statements.renew, [
        this.processId,
        this.identity,
        this.leaseMs,
        this.listens,
        JSON.stringify(this.own),
        this.skipsTime,
        this.expires,
        atFence,
      ]);
    });
    const nowMs = rows[0]?.now_ms ?? 0;
    this.clock.sample(nowMs, sentAt, performance.now());
    // We could not renew in time: Postgres was away, so the others could not either. They get until our next renewal.
    const lapsed = this.leaseUntilMs > 0 && nowMs > this.leaseUntilMs;
    const forgotten = this.leaseUntilMs > 0 && rows[0]?.fresh === true;
    this.leaseUntilMs = nowMs + this.leaseMs;
    this.others = rows
      .filter((row): row is ProcessRow & { id: string } => row.id !== null && (!row.dead || lapsed))
      .map((row) => ({
        id: row.id,
        identity: row.identity,
        listens: row.listens,
        skipsTime: row.skips_time,
        expires: row.expires,
        leaseUntilMs: row.lease_until_ms,
        pollers: row.pollers.map((poller) => ({ ...poller, processId: row.id })),
      }));
    if (rows[0] !== undefined) this.fence.saw(rows[0]);
    // Who waits for this process to stand still is told at once.
    if (this.fence.raised !== atFence) setImmediate(() => void this.renewNow());
    if (forgotten) this.onForgotten();
    if (!lapsed && rows.some((row) => row.dead)) {
      await this.reap();
      this.onDeath();
    }
  }

  private async reap(): Promise<void> {
    for (;;) {
      const rows = await this.connections.query<{ done: boolean }>(this.statements.reap, [reapPortion]);
      if (rows[0]?.done !== false) return;
    }
  }
}
