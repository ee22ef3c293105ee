/**
 * Transactions of activities where Postgres does not hold the workflows (Temporal's own worker): the row of a result, written in the same
 * transaction, keeps a repeated attempt from doing the work again. Between this commit and Temporal's the attempt may still be repeated.
 */
import type { ClientBase, Pool } from 'pg';
import { BranchlineError } from '../common/branchline-error';
import { CheckedOut } from './checked-out';
import { activityResults } from './sql/activity-results';
import { beginStatements, guarded } from './transactions';
import type { TransactionOptions } from './types';

export interface IdempotentTransactionsOptions {
  /** Of the database that the transactions are for. */
  pool: Pool;
  /** Table of the results, perhaps with a schema before a dot. Default `branchline_activity_results`. */
  table?: string;
}

type Key = readonly [namespace: string, workflowId: string, runId: string, activityId: string];

export class IdempotentTransactions {
  private readonly sql: ReturnType<typeof activityResults>;
  private readonly pool: Pool;
  private made: Promise<unknown> | undefined;

  constructor({ pool, table = 'branchline_activity_results' }: IdempotentTransactionsOptions) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/.test(table)) {
      throw new BranchlineError(
        'BRANCHLINE_TABLE_NAME',
        `Table ${JSON.stringify(table)}: use letters, digits and underscores`,
      );
    }
    this.pool = pool;
    this.sql = activityResults(
      table
        .split('.')
        .map((part) => `"${part}"`)
        .join('.'),
    );
  }

  of(
    key: Key,
    signal: AbortSignal,
  ): { run<T>(fn: (tx: ClientBase) => Promise<T>, options: TransactionOptions): Promise<T> } {
    return { run: (fn, options) => this.run(key, signal, fn, options) };
  }

  private async run<T>(
    key: Key,
    signal: AbortSignal,
    fn: (tx: ClientBase) => Promise<T>,
    options: TransactionOptions,
  ): Promise<T> {
    this.made ??= this.pool.query(this.sql.create).catch((error: unknown) => {
      this.made = undefined;
      throw error;
    });
    await this.made;
    const taken = await CheckedOut.from(this.pool);
    const { client } = taken;
    try {
      await client.query(beginStatements[options.isolation ?? 'read committed']);
      if (options.statementTimeoutMs) {
        await client.query(this.sql.limitStatements, [String(Math.ceil(options.statementTimeoutMs))]);
      }
      // An attempt that is still at it is waited for here.
      const { rowCount } = await client.query(this.sql.claim, [...key]);
      if (rowCount === 0) {
        const { rows } = await client.query<{ result: string | null }>(this.sql.load, [...key]);
        await client.query('ROLLBACK');
        return (rows[0]?.result == null ? undefined : JSON.parse(rows[0].result)) as T;
      }
      const value = await fn(guarded(client));
      signal.throwIfAborted();
      await client.query(this.sql.keep, [...key, value === undefined ? null : JSON.stringify(value)]);
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT')
        throw new BranchlineError('BRANCHLINE_TRANSACTION_ENDED', 'The transaction had failed, and was rolled back');
      return value;
    } catch (error) {
      await client.query('ROLLBACK').catch((lost: Error) => (taken.broken = lost));
      throw error;
    } finally {
      taken.giveBack();
    }
  }
}
