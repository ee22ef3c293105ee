/** All connections of a store: one writes batches, a few read, one listens. Operations outlive restarts of Postgres. */
import { setMaxListeners } from 'node:events';
import { Client, Pool, type ClientBase, type PoolClient, type PoolConfig, type QueryResultRow } from 'pg';
import { CheckedOut } from './checked-out';
import { connectionOptions, describeTarget } from './connection-options';
import {
  codeOf,
  DatabaseConnectionError,
  INSUFFICIENT_PRIVILEGE,
  isConnectionLoss,
  isPassing,
  reasonOf,
  StoreClosedError,
} from './errors';
import { type Fence, TimelineMoved } from './fence';
import type { StoreObserver } from './measures';
import type { Statement } from './statement';
import { Turns } from './turns';
import type { StoreOptions } from './types';

export interface ConnectionBudget {
  /** Group commits. */
  flush: number;
  /** Everything else: loads, claims, leases, lists. */
  read: number;
  /** LISTEN. */
  listen: number;
  /** Transactions of activities, on top of the total. */
  transactions: number;
  total: number;
  /** The flush and read connections are borrowed from the application's pool. */
  shared: boolean;
}

export interface PoolUse {
  /** Connections that are open and free. */
  idle: number;
  active: number;
  /** Operations that wait for one. */
  waiting: number;
}

const smallestBudget = 3;
const defaultBudget = 6;
/** Connections for transactions of activities that one process may open, beside the engine's. */
const defaultMaxTransactions = 4;
const defaultConnectTimeoutMs = 10_000;
/** A round trip that takes longer has met a dead network path. */
const answerPatienceMs = 60_000;
const oldestServer = 140_000;

export class Connections {
  readonly budget: ConnectionBudget;
  readonly target: string;
  /** Somebody who measures. */
  observer: StoreObserver | undefined;
  /** Asked about each new connection, once there is a schema. */
  fence: Fence | undefined;
  private readonly flushPool: Pool;
  private readonly readPool: Pool;
  private readonly ownPools: boolean;
  /** Reads under way on the application's pool, and those that wait for one of ours to end. */
  private readonly reads: Turns;
  private readonly listenConfig: PoolConfig;
  private readonly connectTimeoutMs: number;
  private readonly closing = new AbortController();
  /** When operations began to wait for the database; undefined while it answers. */
  private awaySince: number | undefined;

  constructor(options: StoreOptions) {
    this.connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
    // While the database is away every operation waits on it.
    setMaxListeners(0, this.closing.signal);
    const listen = options.listen === false ? 0 : 1;
    const total = options.maxConnections ?? defaultBudget;
    if (!Number.isInteger(total) || total < smallestBudget) {
      throw new DatabaseConnectionError(
        `maxConnections is ${total}: it must be a whole number of at least ${smallestBudget}`,
      );
    }
    const transactions = options.maxTransactions ?? defaultMaxTransactions;
    if (!Number.isInteger(transactions) || transactions < 0) {
      throw new DatabaseConnectionError(`maxTransactions is ${transactions}: it must be a whole number, 0 or more`);
    }
    this.budget = {
      flush: 1,
      read: total - 1 - listen,
      listen,
      transactions,
      total,
      shared: options.pool !== undefined,
    };
    this.reads = new Turns(this.budget.read);
    if (options.pool !== undefined) {
      this.ownPools = false;
      this.flushPool = this.readPool = options.pool;
      this.listenConfig = options.pool.options;
      this.target = describeTarget(options.pool.options);
    } else {
      this.ownPools = true;
      const config: PoolConfig = {
        application_name: 'branchline',
        keepAlive: true,
        connectionTimeoutMillis: 10_000,
        query_timeout: answerPatienceMs,
        // A script that closes nothing ends when its calls are answered, as with Temporal's own client.
        allowExitOnIdle: true,
        ...connectionOptions(options.url),
      };
      this.target = describeTarget(config);
      this.flushPool = new Pool({ ...config, max: 1, min: 1, idleTimeoutMillis: 0 });
      this.readPool = new Pool({ ...config, max: this.budget.read, idleTimeoutMillis: 30_000 });
      this.listenConfig = { ...config, query_timeout: undefined };
    }
    // An idle connection that breaks is replaced on next use; without a listener it would end the process.
    this.flushPool.on('error', ignore);
    if (this.readPool !== this.flushPool) this.readPool.on('error', ignore);
  }

  /** How to open one more connection to the same database. */
  get clientConfig(): PoolConfig {
    return this.listenConfig;
  }

  /** Ms since operations have been waiting for the database; 0 while it answers. */
  get awayMs(): number {
    return this.awaySince === undefined ? 0 : performance.now() - this.awaySince;
  }

  use(): Record<'commit' | 'read', PoolUse> {
    const of = ({ idleCount, totalCount, waitingCount }: Pool, queued: number): PoolUse => ({
      idle: idleCount,
      active: totalCount - idleCount,
      waiting: waitingCount + queued,
    });
    return { commit: of(this.flushPool, 0), read: of(this.readPool, this.reads.waiting) };
  }

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Runs `work` on a first connection; retries for some seconds while the database is down or starting. */
  async open(work: (client: ClientBase) => Promise<void>): Promise<void> {
    const deadline = Date.now() + this.connectTimeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.borrow(this.readPool, async (client) => {
          const { rows } = await client.query<{ version: number }>(
            `SELECT current_setting('server_version_num')::int AS version`,
          );
          const version = rows[0]?.version ?? 0;
          if (version < oldestServer) {
            throw new DatabaseConnectionError(
              `${this.target} runs Postgres ${Math.floor(version / 10_000)}: branchline needs 14 or newer`,
            );
          }
          await work(client);
        });
        return;
      } catch (error) {
        if (error instanceof DatabaseConnectionError) throw error;
        const advice = adviceFor(error);
        if (advice !== undefined) throw new DatabaseConnectionError(`${this.target}: ${advice}`, { cause: error });
        if (!isConnectionLoss(error) && !isPassing(error)) throw error;
        if (Date.now() > deadline) {
          throw new DatabaseConnectionError(
            `Cannot reach the database at ${this.target} (${reasonOf(error)}). Is it running, and is the address right?`,
            { cause: error },
          );
        }
        await this.pause(attempt);
      }
    }
  }

  /** One statement on a read connection, repeated until Postgres answers. Only for statements that may run twice. */
  query<R extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<R[]> {
    return this.persist(() => this.queryOnce<R>(statement, values));
  }

  /** The same, once. */
  async queryOnce<R extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<R[]> {
    this.throwIfClosed();
    // Our own pool keeps the budget itself.
    if (!this.ownPools) await this.reads.take();
    try {
      return await this.borrow(this.readPool, async (client) => (await client.query<R>({ ...statement, values })).rows);
    } finally {
      if (!this.ownPools) this.reads.give();
    }
  }

  /** One statement on the flush connection, once. */
  async flush<R extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<R> {
    this.throwIfClosed();
    return this.borrow(
      this.flushPool,
      async (client) => (await client.query<R>({ ...statement, values })).rows[0] as R,
    );
  }

  /** Repeats an operation while the connection is lost or (a few times) the trouble passes; ends with StoreClosedError. */
  async persist<T>(operation: () => Promise<T>, troubles = 10): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      this.throwIfClosed();
      try {
        const result = await operation();
        this.awaySince = undefined;
        return result;
      } catch (error) {
        if (error instanceof TimelineMoved) continue;
        const passing = isPassing(error) && attempt < troubles;
        if (isConnectionLoss(error)) this.awaySince ??= performance.now();
        else if (!passing) throw error;
      }
      await this.pause(attempt);
    }
  }

  /** A connection of its own, for LISTEN. The caller ends it. */
  async listenClient(): Promise<Client> {
    const client = new Client(this.listenConfig);
    client.on('error', ignore);
    await client.connect();
    return client;
  }

  throwIfClosed(): void {
    if (this.closed) throw new StoreClosedError();
  }

  /** Waits 20 ms, 40 ms … 1 s, a little scattered; ends early when the store closes. */
  pause(attempt: number): Promise<void> {
    const ms = Math.min(1000, 20 * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 2);
    return this.delay(ms);
  }

  delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.closing.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (this.closed) done();
      else this.closing.signal.addEventListener('abort', done);
    });
  }

  /** From here on every operation fails with StoreClosedError. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closing.abort();
    this.flushPool.removeListener('error', ignore);
    this.readPool.removeListener('error', ignore);
    if (!this.ownPools) return;
    this.flushPool.on('error', ignore);
    this.readPool.on('error', ignore);
    await Promise.all([this.flushPool.end(), this.readPool.end()]);
  }

  /** A connection that failed is not given back: what is left on it is unknown. */
  private async borrow<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const { observer, fence } = this;
    const epoch = fence?.epoch;
    const askedAt = observer === undefined ? 0 : performance.now();
    const taken = await CheckedOut.from(pool);
    // A borrowed pool is one for both.
    observer?.connected(pool === this.readPool ? 'read' : 'commit', performance.now() - askedAt);
    try {
      if (fence?.hasMet(taken.client) === false) await fence.meet(taken.client);
      // Seen on this connection, or on another one while this was waited for.
      if (fence?.epoch !== epoch) throw new TimelineMoved();
      return await work(taken.client);
    } catch (error) {
      if (isConnectionLoss(error)) taken.broken = error as Error;
      throw error;
    } finally {
      taken.giveBack();
    }
  }
}

function ignore(): void {}

/** What to do about errors that waiting does not cure. */
function adviceFor(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return `the database refused the user (${message}). Check user and password in the URL`;
    case '3D000':
      return `${message}. Create it, or correct the name in the URL`;
    case INSUFFICIENT_PRIVILEGE:
      return `${message}. The user must own the schema, or be allowed to create it in this database; logins with less can connect once the owner has (docs/roles.md)`;
    default:
      return /SASL|password must be a string/.test(message)
        ? `the database asks for a password and the URL has none (${message})`
        : undefined;
  }
}
