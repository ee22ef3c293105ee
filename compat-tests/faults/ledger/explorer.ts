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
import { kindsOf, type Kind } from './kinds';
import { open, signaledOtherwise, standing, unpaid } from './progress';
import { wireProxy, type Moment, type Passed, type WireProxy } from './wire-proxy';

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

/** A statement of a transfer: the n-th, from 1, of that kind. */
export interface Place {
  at: number;
  of?: Kind;
}

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
  /** The same by what the statement was part of; one may count for several. */
  kinds: Map<Kind, Record<string, number>>;
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
    const { code } = await bundleWorkflowCode({ workflowsPath: path.join(__dirname, 'workflows.ts') });
    writeFileSync(explorer.bundle, code);
    return explorer;
  }

  async lane(name: string, options: LaneOptions = {}): Promise<Lane> {
    const { schema = 'branchline' } = options;
    await (await Connection.connect({ url: this.postgres.url, schema })).close();
    const proxy = await wireProxy(() => this.postgres.url);
    const lane = new Lane(this, name, proxy, this.bundle, { ...options, schema });
    this.lanes.push(lane);
    return lane;
  }

  newTransfer(id: string, byCaller: boolean): Transfer {
    const transfer = transferOf(id, this.transfers.length, byCaller);
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

  async end(): Promise<void> {
    for (const lane of this.lanes) await lane.end();
    await this.db.end();
    await this.postgres.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export interface LaneOptions {
  /** Its transfers are made by transactions of the application. */
  byCaller?: boolean;
  /** They are made by a mutation of those. */
  beside?: boolean;
  /** Where Branchline's tables are. In one of its own a lane's processes do everything themselves. Default 'branchline'. */
  schema?: string;
}

export class Lane {
  private readonly transfers: Transfer[] = [];
  private readonly crew: Crew;
  /** Connected without the proxy: it goes on while the first one is partitioned. */
  private readonly others: Crew;
  private count = 0;

  constructor(
    private readonly explorer: Explorer,
    private readonly name: string,
    private readonly proxy: WireProxy,
    bundle: string,
    private readonly options: LaneOptions & { schema: string },
  ) {
    const crashed = (how: string): void => void explorer.crashes.push(how);
    this.crew = new Crew(proxy.url, options.schema, name, bundle, crashed);
    this.others = new Crew(explorer.postgres.url, options.schema, name, bundle, crashed);
  }

  /** The statements of one transfer that nothing disturbs. */
  async reference(waits = false): Promise<Passed[]> {
    for (const warm of [true, false]) {
      void this.proxy.arm();
      const transfer = await this.begin(`warm-${warm}`, waits);
      if (waits) await this.bookings(transfer, PATIENCE_MS);
      else await this.completed(transfer);
      const seen = [...this.proxy.seen];
      if (waits) await this.settled(transfer);
      if (!warm) return seen;
    }
    throw new Error('unreachable');
  }

  /** Something dies at each of these statements, before and after it. Points that are not reached (statements may share a batch) are not counted. */
  async explore(victim: Victim, places: Iterable<Place>, into: Explored): Promise<void> {
    for (const place of places) {
      for (const moment of ['before', 'after'] as const) {
        const statement = await this.point(victim, place, moment, PATIENCE_MS);
        if (statement === undefined) continue;
        into.points[victim] = (into.points[victim] ?? 0) + 1;
        into.statements.set(statement.text, (into.statements.get(statement.text) ?? 0) + 1);
        for (const kind of kindsOf(statement)) {
          const points = into.kinds.get(kind) ?? {};
          into.kinds.set(kind, { ...points, [victim]: (points[victim] ?? 0) + 1 });
        }
      }
    }
  }

  /** A partition ends when the others have booked everything, or closed the run. Gives the statement, or undefined when it was not reached. @throws Error when the transfer does not end within `patienceMs` */
  async point(
    victim: Victim,
    { at, of }: Place,
    moment: Moment,
    patienceMs: number,
    thawsAt: 'booked' | 'closed' = 'booked',
  ): Promise<Passed | undefined> {
    await this.crew.working();
    if (victim === 'partition') await this.others.working(false);
    let over: Promise<unknown> | undefined;
    let statement: Passed | undefined;
    const reached = this.proxy.arm({
      at,
      counts: of && ((passed) => kindsOf(passed).has(of)),
      moment,
      act: (backend) => this.act(victim, backend, (acted) => (over = acted)),
    });
    void reached.then((passed) => (statement = passed));
    const label = `${victim}-${moment}-${of ?? 'statement'}-${at}`;
    const waits = victim === 'partition';
    const transfer = this.newTransfer(`${label}-${this.count++}`);
    const start = { start: [transfer], waits, beside: this.options.beside };
    const hand = await this.crew.working();
    const started = hand.tell(start);
    const done = waits ? this.bookings(transfer, patienceMs) : this.completed(transfer, patienceMs);
    done.catch(() => undefined);
    await Promise.race([reached, done.catch(() => undefined)]);
    if (statement === undefined) void this.proxy.arm();
    await over;
    if (victim === 'worker' && statement !== undefined) {
      const next = await this.crew.working();
      await next.tell(start);
    } else if (waits) {
      const other = await this.others.working(true);
      if (statement !== undefined) {
        // It may have to wait for a lock of the one that is cut off.
        const again = other.tell(start);
        const worked = thawsAt === 'booked' ? this.bookings(transfer, PARTITION_MS) : this.closed(transfer, patienceMs);
        await worked.catch(() => undefined);
        this.proxy.thaw();
        await again;
      }
      await started;
    }
    await done.catch(async (error: Error) => {
      const how = await standing(this.explorer.db, this.options.schema, transfer).catch(String);
      throw new Error(`${label}: ${error.message}; the statement was ${statement?.text}\n${how}`);
    });
    if (waits) await this.settled(transfer, patienceMs);
    return statement;
  }

  /** So many transfers at once while `next` says who dies at which statement; each kill is followed by another, until all have completed. */
  async storm(count: number, next: () => Kill): Promise<void> {
    const transfers = Array.from({ length: count }, (_, i) => this.newTransfer(String(i)));
    const all = until(`${count} transfers`, 10 * PATIENCE_MS, async () => (await this.open(transfers)) === 0);
    let over = false;
    const ended = all.finally(() => (over = true));
    let told: Hand | undefined;
    while (!over) {
      const hand = await this.crew.working();
      // Those that are there already stay as they are.
      if (told !== hand) {
        void unpaid(this.explorer.db, transfers).then((start) => hand.tell({ start, waits: false }));
      }
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

  /** Transfers by callers whose signal is not in history exactly once. */
  signaledOtherwise(): Promise<string[]> {
    return signaledOtherwise(this.explorer.db, this.options.schema, this.transfers);
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
    const transfer = this.newTransfer(label);
    await hand.tell({ start: [transfer], waits, beside: this.options.beside });
    return transfer;
  }

  private newTransfer(label: string): Transfer {
    const transfer = this.explorer.newTransfer(`${this.name}-${label}`, this.options.byCaller === true);
    this.transfers.push(transfer);
    return transfer;
  }

  private open(transfers: Transfer[]): Promise<number> {
    return open(this.explorer.db, this.options.schema, transfers);
  }

  private async settled(transfer: Transfer, patienceMs = PATIENCE_MS): Promise<void> {
    const hand = await this.others.working(false);
    await hand.tell({ settle: transfer.id });
    await this.completed(transfer, patienceMs);
    await hand.tell({ poll: false });
  }

  /** Until its run has closed, paid or not. */
  private closed(transfer: Transfer, patienceMs: number): Promise<void> {
    const unpaid = { ...transfer, byCaller: false };
    return until(`${transfer.id} to close`, patienceMs, async () => (await this.open([unpaid])) === 0);
  }

  private completed(transfer: Transfer, patienceMs = PATIENCE_MS): Promise<void> {
    return until(`${transfer.id} to complete`, patienceMs, async () => (await this.open([transfer])) === 0);
  }

  /** Until each step was booked, however often. */
  private bookings({ id }: Transfer, patienceMs: number): Promise<void> {
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
