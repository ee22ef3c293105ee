/** What can be measured of a store. Costs nothing until somebody watches. */
import type { Clock } from './clock';
import type { Committer } from './committer';
import type { Connections, PoolUse } from './connections';
import type { Leases } from './leases';
import { measures as statements } from './sql/measures';
import { prepareStatements, type Statement } from './statement';
import type { Transactions } from './transactions';

/** Is told of each event while it watches. */
export interface StoreObserver {
  /** A batch with the changes of so many runs is on disk, ms after it was sent. */
  committed(runs: number, ms: number): void;
  /** An operation got a connection, ms after it asked for one. */
  connected(pool: PoolName, ms: number): void;
  /** Another process's notice arrived, ms after it was made. */
  noticed(ms: number): void;
}

export interface BacklogRow {
  namespace: string;
  queue: string;
  kind: 'activity' | 'workflow';
  /** Tasks that no process has claimed; at most 100,000 are counted in all. */
  count: number;
  /** Seconds since the oldest of them was made. */
  age: number;
}

export interface TableRow {
  name: string;
  /** With indexes and TOAST. */
  bytes: number;
  /** As Postgres's statistics estimate them. */
  live: number;
  dead: number;
}

export interface StoreSample {
  backlog: BacklogRow[];
  /** Runs whose due time has passed, at most 10,000 counted, and for how many seconds the first has been waiting. */
  overdue: { count: number; age: number };
  tables: TableRow[];
}

/** The engine's two, and that of the application's transactions. */
export type PoolName = 'commit' | 'read' | 'transaction';

export class StoreMeasures {
  private readonly sql: { backlog: Statement; overdue: Statement; tables: Statement };

  constructor(
    private readonly connections: Connections,
    private readonly committer: Committer,
    private readonly leases: Leases,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    readonly schema: string,
    prepared: boolean,
  ) {
    this.sql = prepareStatements(schema, 'measures', statements(`"${schema}"`), prepared);
  }

  /** Host, port and database. */
  get database(): string {
    return this.connections.target;
  }

  /** From now on `observer` is told of each event; undefined ends it. */
  watch(observer: StoreObserver | undefined): void {
    this.connections.observer = observer;
  }

  pools(): Record<PoolName, PoolUse> {
    return { ...this.connections.use(), transaction: this.transactions.use };
  }

  /** Groups of changes that wait for their batch. */
  get commitsWaiting(): number {
    return this.committer.waitingGroups;
  }

  /** Ms since this process renewed its lease. */
  get leaseAgeMs(): number {
    return Math.max(0, this.clock.serverMs() - this.leases.renewedAtMs);
  }

  get processes(): number {
    return this.leases.liveProcesses().length;
  }

  /** Ms since operations have been waiting for the database; 0 while it answers. */
  get databaseAwayMs(): number {
    return this.connections.awayMs;
  }

  /** Three small statements on a read connection, once. */
  async sample(): Promise<StoreSample> {
    const backlog = await this.connections.queryOnce<BacklogRow>(this.sql.backlog, []);
    const [overdue] = await this.connections.queryOnce<{ count: number; age: number }>(this.sql.overdue, []);
    const tables = await this.connections.queryOnce<TableRow>(this.sql.tables, [this.schema]);
    return { backlog, overdue: overdue ?? { count: 0, age: 0 }, tables };
  }
}

type Watcher = (measures: StoreMeasures) => () => void;
const open = new Set<StoreMeasures>();
/** What ends each watcher's view of each store. */
const watchers = new Map<Watcher, Map<StoreMeasures, () => void>>();

/** Shows `watcher` the stores of this process, those that are open and those that will be; gives what ends it. */
export function watchStores(watcher: Watcher): () => void {
  watchers.set(watcher, new Map([...open].map((store) => [store, watcher(store)])));
  return () => {
    for (const end of watchers.get(watcher)?.values() ?? []) end();
    watchers.delete(watcher);
  };
}

export function storeOpened(store: StoreMeasures): void {
  open.add(store);
  for (const [watcher, views] of watchers) views.set(store, watcher(store));
}

export function storeClosed(store: StoreMeasures): void {
  open.delete(store);
  for (const views of watchers.values()) {
    views.get(store)?.();
    views.delete(store);
  }
}
