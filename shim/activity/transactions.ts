/** Transactional activities: what an activity writes and its completion are one commit. */
import { Context } from '@temporalio/activity';
import { BranchlineError } from '../common/branchline-error';
import { IdempotentTransactions, type IdempotentTransactionsOptions } from '../store/idempotent-transactions';
import {
  transactionsOf,
  type TransactionClient,
  type TransactionOptions,
  type TransactionRunner,
} from './transaction-runner';

export type { TransactionClient, TransactionOptions };

let onTemporal: IdempotentTransactions | undefined;

/**
 * Runs `fn` in a transaction of the database that holds the workflows, and completes the activity with what it returns: its writes and the
 * completion are one commit. Return its value from the activity; what runs after it can no longer change the result. `fn` must neither end the
 * transaction nor keep `tx`; to roll back it throws, and the attempt fails with that error.
 *
 * An attempt that was cancelled, reset, timed out or taken over commits nothing. Serialisation failures and deadlocks fail the attempt,
 * which the activity's retry policy then repeats.
 *
 * In a local activity the result is kept with the writes, and its marker is made of it, however often the workflow task is repeated.
 *
 * On a worker of Temporal's own (see {@link configureTransactions}) it is an ordinary transaction that also keeps the result by activity id:
 * a repeated attempt gets that result instead of running `fn` again.
 *
 * @throws BranchlineError BRANCHLINE_SECOND_TRANSACTION when this attempt has committed one before; BRANCHLINE_TRANSACTION_ENDED when `fn`
 *   ended the transaction itself; BRANCHLINE_TRANSACTIONS_NOT_CONFIGURED on Temporal's worker without `configureTransactions`
 */
export function transaction<T>(
  fn: (tx: TransactionClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const context = Context.current();
  return runnerOf(context).run(fn, options);
}

/** An activity that is one transaction: `transactional(async (tx, from, to) => …)` is registered as `(from, to) => …`. See {@link transaction}. */
export function transactional<Args extends unknown[], R>(
  fn: (tx: TransactionClient, ...args: Args) => Promise<R>,
  options: TransactionOptions = {},
): (...args: Args) => Promise<R> {
  return (...args) => transaction((tx) => fn(tx, ...args), options);
}

/**
 * Where transactions of activities go on Temporal's own worker. The table of results is made by the first transaction, unless it is there.
 * Workers of Branchline do not look at it.
 */
export function configureTransactions(options: IdempotentTransactionsOptions): void {
  onTemporal = new IdempotentTransactions(options);
}

function runnerOf(context: Context): TransactionRunner {
  const ours = transactionsOf(context);
  if (ours !== undefined) return ours;
  if (onTemporal === undefined) {
    throw new BranchlineError(
      'BRANCHLINE_TRANSACTIONS_NOT_CONFIGURED',
      'This worker is not one of Branchline: call configureTransactions({ pool }) of branchline/activity before it starts',
    );
  }
  const { workflowExecution, namespace, activityId } = context.info;
  const key = [namespace, workflowExecution?.workflowId ?? '', workflowExecution?.runId ?? '', activityId] as const;
  return onTemporal.of(key, context.cancellationSignal);
}

/**
 * The transaction as a pool of one connection, for libraries that ask for a pool (kysely's PostgresDialect: `pool: asPool(tx)`). drizzle and knex
 * take the transaction itself: `drizzle(tx)`, `builder.connection(tx)`.
 */
export function asPool(tx: TransactionClient): {
  connect(): Promise<TransactionClient & { release(): void }>;
  end(): Promise<void>;
} {
  const borrowed = new Proxy(tx, {
    get: (target, key) => (key === 'release' ? () => undefined : (Reflect.get(target, key, target) as unknown)),
  }) as TransactionClient & { release(): void };
  return { connect: () => Promise.resolve(borrowed), end: () => Promise.resolve() };
}
