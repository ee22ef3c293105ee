/** Transactions of application code that commits of runs join: business rows and a step of a workflow become durable together, or not at all. */
import { randomUUID } from 'node:crypto';
import { Pool, type ClientBase, type PoolClient, type PoolConfig } from 'pg';
import { BranchlineError } from '../common/branchline-error';
import { CheckedOut } from './checked-out';
import { batchParameters, encodeCommit } from './commit-batch';
import type { Connections, PoolUse } from './connections';
import { isConnectionLoss } from './errors';
import { toJson } from './json';
import type { Statement } from './statement';
import { Turns } from './turns';
import type { Payload } from '../service/engine/types';
import type { CommitOutcome, RunCommit, StoreTransaction, TransactionOptions } from './types';

export const beginStatements = {
  'read committed': 'BEGIN ISOLATION LEVEL READ COMMITTED',
  'repeatable read': 'BEGIN ISOLATION LEVEL REPEATABLE READ',
  serializable: 'BEGIN ISOLATION LEVEL SERIALIZABLE',
} as const;

/** How long a commit whose answer was lost is asked after, ms: until Postgres is back, and no longer than this. */
const fatePatienceMs = 60_000;
const fateLookMs = 50;
const INVALID_PARAMETER_VALUE = '22023';

interface Statements {
  beginTransaction: Statement;
  commitWithin: Statement;
  transactionFate: Statement;
  eventsAreThere: Statement;
  localResultIsThere: Statement;
  /** Of local results. */
  keep: Statement;
  prove: Statement;
}

export class Transactions {
  private readonly pool: Pool;
  /** Not the pool's own: its waits end with its time limit for connecting. */
  private readonly turns: Turns;

  constructor(
    private readonly connections: Connections,
    private readonly processId: string,
    private readonly leaseMs: number,
    private readonly statements: Statements,
  ) {
    const { clientConfig, budget } = connections;
    const config: PoolConfig = {
      ...clientConfig,
      // pg hides it from copies.
      password: clientConfig.password,
      application_name: 'branchline transactions',
      // A statement may take as long as the code that sends it wants.
      query_timeout: undefined,
      max: budget.transactions,
      min: 0,
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: true,
    };
    this.turns = new Turns(budget.transactions);
    this.pool = new Pool(config);
    this.pool.on('error', () => undefined);
  }

  /** Its connections, and the transactions that wait for their turn. */
  get use(): PoolUse {
    const { idleCount, totalCount } = this.pool;
    return { idle: idleCount, active: totalCount - idleCount, waiting: this.turns.waiting };
  }

  /** Transactions under way, and those that wait for their turn. */
  get load(): { open: number; waiting: number } {
    return { open: this.turns.open, waiting: this.turns.waiting };
  }

  async begin(options: TransactionOptions = {}): Promise<StoreTransaction> {
    this.connections.throwIfClosed();
    if (this.connections.budget.transactions === 0) {
      throw new BranchlineError(
        'BRANCHLINE_NO_TRANSACTIONS',
        'maxTransactions of this connection is 0: transaction() needs at least 1',
      );
    }
    const { observer } = this.connections;
    const askedAt = observer === undefined ? 0 : performance.now();
    await this.turns.take();
    const connection = await CheckedOut.from(this.pool).catch((error: unknown) => {
      this.turns.give();
      throw error;
    });
    observer?.connected('transaction', performance.now() - askedAt);
    const { client } = connection;
    const transaction = new OpenTransaction(
      connection,
      this.connections,
      this.statements,
      [this.processId, this.leaseMs],
      () => this.turns.give(),
    );
    try {
      await this.connections.fence?.meet(client);
      await client.query(beginStatements[options.isolation ?? 'read committed']);
      await client.query({
        ...this.statements.beginTransaction,
        values: [transaction.token, options.statementTimeoutMs ?? 0],
      });
      return transaction;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

class OpenTransaction implements StoreTransaction {
  readonly token = randomUUID();
  readonly client: ClientBase;
  private readonly connection: PoolClient;
  private ended = false;

  constructor(
    private readonly taken: CheckedOut,
    private readonly connections: Connections,
    private readonly statements: Statements,
    private readonly process: [id: string, leaseMs: number],
    private readonly whenEnded: () => void,
  ) {
    this.connection = taken.client;
    this.client = guarded(taken.client);
  }

  async commit(group: RunCommit[]): Promise<CommitOutcome> {
    if (this.ended) throw endedByOthers();
    const [processId, leaseMs] = this.process;
    const { rows } = await this.connection.query<{ verdicts: number[] | null; xid: string }>({
      ...this.statements.commitWithin,
      values: [this.token, processId, 0, leaseMs, ...batchParameters([group.map(encodeCommit)])],
    });
    const { verdicts, xid } = rows[0] ?? { verdicts: null, xid: '' };
    switch (verdicts?.[0]) {
      case undefined:
        throw endedByOthers();
      case 0:
        await this.endProvably(xid, group);
        return { kind: 'committed' };
      case 2:
        return { kind: 'idTaken' };
      case 3:
        // Somebody holds a row of it for a moment: it is tried again, the transaction goes on.
        await this.connections.delay(2);
        return this.commit(group);
      case 4:
        return { kind: 'inbox' };
      default:
        return { kind: 'conflict' };
    }
  }

  async keepLocalResult(runId: string, activityId: string, result: Payload): Promise<void> {
    if (this.ended) throw endedByOthers();
    const values = [runId, activityId, toJson(result)];
    const { rows } = await this.connection.query<{ xid: string }>({ ...this.statements.keep, values });
    if (rows[0] === undefined) {
      throw new BranchlineError(
        'BRANCHLINE_RUN_GONE',
        'The workflow has closed: nothing is committed for its local activity',
      );
    }
    await this.end(rows[0].xid, this.statements.localResultIsThere, [runId, activityId]);
  }

  async rollback(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.connection.query('ROLLBACK').catch((error: Error) => (this.taken.broken ??= error));
    this.release();
  }

  /** Events are proof of their commit. Those of an activity that ends while a workflow task is under way wait in the state, and a row of its own is. */
  private async endProvably(xid: string, group: RunCommit[]): Promise<void> {
    const { eventsAreThere, localResultIsThere, prove } = this.statements;
    const written = group.find(({ events }) => events.length > 0);
    if (written !== undefined)
      return this.end(xid, eventsAreThere, [written.runId, Number(written.events[0]!.eventId)]);
    const proof = [group[0]!.runId, `transaction ${this.token}`];
    await this.connection.query({ ...prove, values: proof });
    await this.end(xid, localResultIsThere, proof);
  }

  /** COMMIT, until it is known whether it took place: `proof`, with its values and the transaction's number, looks for a row that it wrote. */
  private async end(xid: string, proof: Statement, values: unknown[]): Promise<void> {
    this.ended = true;
    try {
      const { command } = await this.connection.query('COMMIT');
      // Postgres answers a COMMIT of a failed transaction by rolling back.
      if (command !== 'COMMIT') throw endedByOthers();
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      this.taken.broken = error as Error;
      if (!(await this.wasCommitted(xid, proof, values))) throw error;
    } finally {
      this.release();
    }
  }

  private async wasCommitted(xid: string, proof: Statement, values: unknown[]): Promise<boolean> {
    for (const until = performance.now() + fatePatienceMs; performance.now() < until;) {
      const fate = await this.fateOf(xid);
      if (fate !== 'in progress') {
        const [written] = await this.connections.query<{ there: boolean }>(proof, [...values, xid]);
        return written?.there === true;
      }
      await this.connections.delay(fateLookMs);
    }
    throw new BranchlineError(
      'BRANCHLINE_COMMIT_UNKNOWN',
      'The connection was lost during the commit of a transaction, and Postgres does not say what became of it. Reload the run',
    );
  }

  private async fateOf(xid: string): Promise<string | null> {
    try {
      const [row] = await this.connections.query<{ fate: string | null }>(this.statements.transactionFate, [xid]);
      return row?.fate ?? null;
    } catch (error) {
      // It lies in the future, once a crash has taken it back.
      if ((error as { code?: unknown }).code === INVALID_PARAMETER_VALUE) return null;
      throw error;
    }
  }

  private release(): void {
    this.taken.giveBack();
    this.whenEnded();
  }
}

const endedByOthers = (): BranchlineError =>
  new BranchlineError(
    'BRANCHLINE_TRANSACTION_ENDED',
    'The transaction was ended (COMMIT, ROLLBACK or an error) by the code that was given it. Leave both to transaction(), and throw to roll back',
  );

/** The connection as application code gets it: whoever took it gives it back. */
export function guarded(connection: PoolClient): ClientBase {
  return new Proxy(connection, {
    get(target, key) {
      if (key === 'release' || key === 'end') {
        return () => {
          throw new BranchlineError('BRANCHLINE_TRANSACTION_ENDED', `${key}() is not for code inside a transaction`);
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
