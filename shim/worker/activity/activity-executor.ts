/** Who executes activity attempts: the functions of this worker, or (compat-tests/core-bridge) those of Temporal's own worker. */
import type { ActivityCancellationDetails } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { ActivityStart } from './activity-start';

type Failure = temporal.api.failure.v1.IFailure;

/** How an attempt ended. */
export type ActivityResult =
  /** `inTransaction`: it was committed with what the attempt wrote into the database (of a local activity). */
  | { status: 'completed'; result: temporal.api.common.v1.IPayload; inTransaction?: true }
  | { status: 'failed'; failure: Failure }
  | { status: 'cancelled'; failure: Failure }
  | { status: 'willCompleteAsync' }
  /** Its transaction has committed the completion. */
  | { status: 'completedAlready' };

/** Why an attempt was cancelled: names of coresdk's ActivityCancelReason, or heartbeat details that could not be encoded. */
export type CancelReason =
  | 'NOT_FOUND'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'WORKER_SHUTDOWN'
  | 'PAUSED'
  | 'RESET'
  | 'HEARTBEAT_DETAILS_CONVERSION_FAILED';

/** An attempt that is ready to run. */
export interface PreparedActivity {
  activity: { cancel(reason: CancelReason, details: ActivityCancellationDetails): void };
  run: () => Promise<ActivityResult>;
}

export interface ActivityExecutor {
  /** The attempt, or the result of one that cannot be run (no such function, unreadable arguments). Never rejects. */
  prepare(start: ActivityStart, heartbeat: (details?: unknown) => void): Promise<PreparedActivity | ActivityResult>;
  /** What `heartbeat` was given, as the service takes it. */
  encodeHeartbeat(start: ActivityStart, details: unknown): Promise<temporal.api.common.v1.IPayload[]>;
}
