/** Who runs the transactions of an activity attempt: a worker of ours says so; on Temporal's own worker nobody does. */
import type { Context } from '@temporalio/activity';
import type { StoreTransaction, TransactionOptions } from '../store/types';

/** The transaction as code in it gets it: a connection of `pg`, without `release` and `end`. */
export type TransactionClient = StoreTransaction['client'];
export type { TransactionOptions };

export interface TransactionRunner {
  run<T>(fn: (tx: TransactionClient) => Promise<T>, options: TransactionOptions): Promise<T>;
}

const RUNNER = Symbol('branchline.transactions');

/** `runner` is asked when a transaction is wanted: few activities have one. */
export function provideTransactions(context: Context, runner: () => TransactionRunner | undefined): void {
  (context as { [RUNNER]?: typeof runner })[RUNNER] = runner;
}

export const transactionsOf = (context: Context): TransactionRunner | undefined =>
  (context as { [RUNNER]?: () => TransactionRunner | undefined })[RUNNER]?.();
