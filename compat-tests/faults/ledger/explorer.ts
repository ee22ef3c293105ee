/** Explores crash points: a transfer is made again and again, and each time something else dies at another statement. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Pool } from 'pg';
import { Connection } from 'branchline/client';
import { bundleWorkflowCode } from 'branchline/worker';
import { startPostgres, type RunningPostgres } from '../../../lib/testing/embedded-postgres';
import { audit, BOOK, STEPS, transferOf, type Audit, type Transfer } from './book';
import { Crew, type Hand } from './crew';
import { wireProxy, type Moment, type WireProxy } from './wire-proxy';

/**
 * - worker: SIGKILL of the process that sent the statement; another one goes on
 * - connection: it breaks, both ways
 * - backend: pg_terminate_backend of the one that got the statement
 * - postgres: SIGKILL of the server, which is started again
 * - partition: the process hears and sends nothing until others have done its work; then all it had sent arrives
 */
export const VICTIMS = ['worker', 'connection', 'backend', 'postgres', 'partition'] as const;
export type Victim = (typeof VICTIMS)[number];

/** How long a transfer may take after its point, ms. */
const PATIENCE_MS = 45_000;
/** How long the others get to do a partitioned process's work; locks that it holds may keep them from it. */
const PARTITION_MS = 2500;

/** Who dies at which statement; `done` is told when it has. */
export interface Kill {
  victim: Exclude<Victim, 'partition'>;
  at: number;
  moment: Moment;
  done(victim: Victim): void;
}

export interface Explored {
  /** Points that were reached, by victim. */
  points: Record<string, number>;
  /** Statements in whose place or after which something died, with how often. */
  statements: Map<string, number>;
}

export class Explorer {
  readonly transfers: Transfer[] = [];
  /** Processes that ended by themselves. */
  readonly crashes: string[] = [];
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'branchline-explorer-'));
  private readonly bundle = path.join(this.folder, 'workflows.js');
  private readonly lanes: Lane[] = [];
  private restarting: Promise<void> | undefined;

  private constructor(
    readonly postgres: RunningPostgres,
    readonly db: Pool,
  ) {}

  static async start(): Promise<Explorer> {
    const postgres = await startPostgres({ useEnvironment: false, settings: { fsync: 'off' } });
    const db = new Pool({ connectionString: postgres.url, max: 6 });
    db.on('error', () => undefined);
    const explorer = new Explorer(postgres, db);
    await db.query(BOOK);
    await (await Connection.connect({ url: postgres.url })).close();
    const { code } = await bundleWorkflowCode({ workflowsPath: path.join(__dirname, 'workflows.ts') });
    writeFileSync(explorer.bundle, code);
    return explorer;
  }

  async lane(name: string): Promise<Lane> {
    const proxy = await wireProxy(() => this.postgres.url);
    const lane = new Lane(this, name, proxy, this.bundle);
    this.lanes.push(lane);
    return lane;
  }

  newTransfer(id: string): Transfer {
    const transfer = transferOf(id, this.transfers.length);
    this.transfers.push(transfer);
    return transfer;
  }

  /** SIGKILL, and started again. */
  killPostgres(): Promise<void> {
    return (this.restarting ??= this.postgres
      .kill()
      .then(() => this.postgres.start())
      .finally(() => (this.restarting = undefined)));
  }

  /** While `work` runs, transactions are begun at once after each restart of Postgres: it gives them the numbers of those that died. */
  async amongOtherTransactions(work: () => Promise<void>): Promise<void> {
    let over = false;
    const others = async (): Promise<void> => {
      while (!over) {
        await this.db.query('SELECT pg_current_xact_id()').catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    await Promise.all([others(), work().finally(() => (over = true))]);
  }

  audit(): Promise<Audit> {
    return audit(this.db, this.transfers);
  }

  /** How many of these have not completed. */
  async open(ids: string[]): Promise<number> {
    const { rows } = await this.db.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM branchline.executions WHERE workflow_id = ANY ($1) AND status = 2',
      [ids],
    );
    return ids.length - rows[0]!.n;
  }

  async end(): Promise<void> {
    for (const lane of this.lanes) await lane.end();
    await this.db.end();
    await this.postgres.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export class Lane {
  private readonly crew: Crew;
  /** Connected without the proxy: it goes on while the first one is partitioned. */
  private readonly others: Crew;
  private count = 0;

  constructor(
    private readonly explorer: Explorer,
    private readonly name: string,
    private readonly proxy: WireProxy,
    bundle: string,
  ) {
    const crashed = (how: string): void => void explorer.crashes.push(how);
    this.crew = new Crew(proxy.url, name, bundle, crashed);
    this.others = new Crew(explorer.postgres.url, name, bundle, crashed);
  }

  /** The statements of one transfer that nothing disturbs. */
  async reference(waits = false): Promise<string[]> {
    for (const warm of [true, false]) {
      void this.proxy.arm();
      const { id } = await this.begin(`warm-${warm}`, waits);
      if (waits) await this.bookings(id, PATIENCE_MS);
      else await this.completed(id);
      const seen = [...this.proxy.seen];
      if (waits) await this.settled(id);
      if (!warm) return seen;
    }
    throw new Error('unreachable');
  }

  /** Something dies at each of these statements, before and after it. Points that are not reached (statements may share a batch) are not counted. */
  async explore(victim: Victim, at: Iterable<number>, into: Explored): Promise<void> {
    for (const n of at) {
      for (const moment of ['before', 'after'] as const) {
        const text = await this.point(victim, n, moment, PATIENCE_MS);
        if (text === undefined) continue;
        into.points[victim] = (into.points[victim] ?? 0) + 1;
        into.statements.set(text, (into.statements.get(text) ?? 0) + 1);
      }
    }
  }

  /** Gives the statement, or undefined when it was not reached. @throws Error when the transfer does not end within `patienceMs` */
  async point(victim: Victim, at: number, moment: Moment, patienceMs: number): Promise<string | undefined> {
    await this.crew.working();
    if (victim === 'partition') await this.others.working(false);
    let over: Promise<unknown> | undefined;
    let text: string | undefined;
    const reached = this.proxy.arm({
      at,
      moment,
      act: (backend) => this.act(victim, backend, (acted) => (over = acted)),
    });
    void reached.then((statement) => (text = statement));
    const label = `${victim}-${moment}-${at}`;
    const waits = victim === 'partition';
    const transfer = this.explorer.newTransfer(`${this.name}-${label}-${this.count++}`);
    const { id } = transfer;
    const hand = await this.crew.working();
    const started = hand.tell({ start: [transfer], waits });
    const done = waits ? this.bookings(id, patienceMs) : this.completed(id, patienceMs);
    done.catch(() => undefined);
    await Promise.race([reached, done]);
    if (text === undefined) void this.proxy.arm();
    await over;
    if (victim === 'worker' && text !== undefined) {
      const next = await this.crew.working();
      await next.tell({ start: [transfer], waits });
    } else if (waits) {
      const other = await this.others.working(true);
      if (text !== undefined) {
        await other.tell({ start: [transfer], waits });
        await this.bookings(id, PARTITION_MS).catch(() => undefined);
        this.proxy.thaw();
      }
      await started;
    }
    await done.catch((error: Error) => {
      throw new Error(`${label}: ${error.message}; the statement was ${text}`);
    });
    if (waits) await this.settled(id, patienceMs);
    return text;
  }

  /** So many transfers at once while `next` says who dies at which statement; each kill is followed by another, until all have completed. */
  async storm(count: number, next: () => Kill): Promise<void> {
    const transfers = Array.from({ length: count }, (_, i) => this.explorer.newTransfer(`${this.name}-${i}`));
    const ids = transfers.map(({ id }) => id);
    const all = until(`${count} transfers`, 10 * PATIENCE_MS, async () => (await this.explorer.open(ids)) === 0);
    let over = false;
    const ended = all.finally(() => (over = true));
    let told: Hand | undefined;
    while (!over) {
      const hand = await this.crew.working();
      // Those that are there already stay as they are.
      if (told !== hand) void hand.tell({ start: transfers, waits: false });
      told = hand;
      const { victim, at, moment, done } = next();
      let acting: Promise<unknown> | undefined;
      const act = (backend: number): boolean => this.act(victim, backend, (acted) => (acting = acted));
      const reached = this.proxy.arm({ at, moment, act }).then(() => done(victim));
      await Promise.race([reached, ended, hand.gone]);
      await acting;
    }
    void this.proxy.arm();
    await ended;
  }

  async end(): Promise<void> {
    await this.proxy.close();
    await this.crew.end();
    await this.others.end();
  }

  private act(victim: Victim, backend: number, over: (acted: Promise<unknown>) => void): boolean {
    switch (victim) {
      case 'worker':
        over(this.crew.killWorking());
        return false;
      case 'connection':
        this.proxy.cut(backend);
        return false;
      case 'backend':
        over(this.explorer.db.query('SELECT pg_terminate_backend($1)', [backend]));
        return false;
      case 'postgres':
        over(this.explorer.killPostgres());
        return false;
      case 'partition':
        this.proxy.freeze();
        return true;
    }
  }

  private async begin(label: string, waits: boolean): Promise<Transfer> {
    const hand = await this.crew.working();
    const transfer = this.explorer.newTransfer(`${this.name}-${label}`);
    await hand.tell({ start: [transfer], waits });
    return transfer;
  }

  private async settled(id: string, patienceMs = PATIENCE_MS): Promise<void> {
    const hand = await this.others.working(false);
    await hand.tell({ settle: id });
    await this.completed(id, patienceMs);
    await hand.tell({ poll: false });
  }

  private completed(id: string, patienceMs = PATIENCE_MS): Promise<void> {
    return until(`${id} to complete`, patienceMs, async () => (await this.explorer.open([id])) === 0);
  }

  /** Until each step was booked, however often. */
  private bookings(id: string, patienceMs: number): Promise<void> {
    return until(`the bookings of ${id}`, patienceMs, async () => {
      const { rows } = await this.explorer.db.query('SELECT DISTINCT step FROM book.entries WHERE transfer = $1', [id]);
      return rows.length === STEPS.length;
    });
  }
}

/** Polls; a database that is away has not answered yet. */
async function until(what: string, patienceMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
}
