/** What `transaction()` of branchline/activity does in an attempt that this worker runs. */
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { TransactionClient, TransactionRunner } from '../../activity/transaction-runner';
import { BranchlineError } from '../../common/branchline-error';
import type { StoreTransaction, TransactionOptions } from '../../store/types';
import { Code } from '../../service/errors';
import { codeOf, type Rpc } from '../polling/rpc';
import type { ActivityResult, CancelReason } from './activity-executor';
import type { ActivityStart } from './activity-start';

type Payload = temporal.api.common.v1.IPayload;

export interface AttemptTransactionOptions {
  rpc: Rpc;
  start: ActivityStart;
  namespace: string;
  identity: string;
  signal: AbortSignal;
  /** The attempt turned out to be unwanted: it is cancelled as a heartbeat's answer would. */
  cancel(reason: CancelReason, details: ActivityCancellationDetails): void;
  encode(value: unknown): Promise<Payload>;
  decode(payload: Payload): Promise<unknown>;
}

/** Why the service takes no completion within a transaction. */
const refusals: Partial<
  Record<Code, { reason: CancelReason; details: ConstructorParameters<typeof ActivityCancellationDetails>[0] }>
> = {
  [Code.CANCELLED]: { reason: 'CANCELLED', details: { cancelRequested: true } },
  [Code.ABORTED]: { reason: 'RESET', details: { reset: true } },
  [Code.NOT_FOUND]: { reason: 'NOT_FOUND', details: { notFound: true } },
};

export class AttemptTransaction implements TransactionRunner {
  private committed: Payload | undefined;
  private open = false;

  constructor(private readonly options: AttemptTransactionOptions) {}

  /** How the attempt has ended, once that is durable. */
  result(): ActivityResult | undefined {
    if (this.committed === undefined) return undefined;
    return this.options.start.isLocal
      ? { status: 'completed', result: this.committed, inTransaction: true }
      : { status: 'completedAlready' };
  }

  async run<T>(fn: (tx: TransactionClient) => Promise<T>, options: TransactionOptions): Promise<T> {
    if (this.open || this.committed !== undefined) {
      throw new BranchlineError(
        'BRANCHLINE_SECOND_TRANSACTION',
        'An attempt of an activity has one transaction, which completes it: do all its writes in that one, or make two activities of it',
      );
    }
    this.open = true;
    try {
      return this.options.start.isLocal ? await this.runLocal(fn, options) : await this.runInHistory(fn, options);
    } finally {
      this.open = false;
    }
  }

  /** The completion is written in the transaction. */
  private async runInHistory<T>(fn: (tx: TransactionClient) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { rpc, start, namespace, identity } = this.options;
    return this.inTransaction(fn, options, async (payload, within) => {
      const request = { taskToken: start.taskToken, namespace, identity, result: { payloads: [payload] } };
      await rpc.call('respondActivityTaskCompleted', request, { metadata: {}, within }).catch((error: unknown) => {
        const refusal = refusals[codeOf(error)];
        if (refusal === undefined) throw error;
        this.options.cancel(refusal.reason, new ActivityCancellationDetails(refusal.details));
        throw new CancelledFailure(refusal.reason);
      });
    });
  }

  /** The result is written in the transaction: the marker follows with the workflow task, of whichever attempt. */
  private async runLocal<T>(fn: (tx: TransactionClient) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { rpc, start, decode } = this.options;
    const [runId, activityId] = [start.workflow?.runId ?? '', start.activityId];
    const kept = await rpc.transactions!.localResult(runId, activityId);
    if (kept !== null) {
      this.committed = kept;
      return (await decode(kept)) as T;
    }
    return this.inTransaction(fn, options, async (payload, within) => {
      await within.keepLocalResult(runId, activityId, payload);
    });
  }

  private async inTransaction<T>(
    fn: (tx: TransactionClient) => Promise<T>,
    options: TransactionOptions,
    commit: (payload: Payload, within: StoreTransaction) => Promise<void>,
  ): Promise<T> {
    const { rpc, signal, encode } = this.options;
    const within = await rpc.transactions!.beginTransaction(options);
    try {
      signal.throwIfAborted();
      const value = await fn(within.client);
      const payload = await encode(value);
      signal.throwIfAborted();
      await commit(payload, within);
      this.committed = payload;
      return value;
    } catch (error) {
      await within.rollback();
      throw error;
    }
  }
}
