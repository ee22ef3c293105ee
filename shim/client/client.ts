/** `Client` and the sub-clients that can be made alone: Temporal's, with a connection to Postgres by default. */
import {
  ActivityClient as TemporalActivityClient,
  type ActivityClientOptions,
  AsyncCompletionClient as TemporalAsyncCompletionClient,
  type AsyncCompletionClientOptions,
  Client as TemporalClient,
  type ClientOptions,
  ScheduleClient as TemporalScheduleClient,
  type ScheduleClientOptions,
  TaskQueueClient as TemporalTaskQueueClient,
  type TaskQueueClientOptions,
  WorkflowClient as TemporalWorkflowClient,
  type WorkflowClientOptions,
} from '@temporalio/client';
import { BranchlineError } from '../common/branchline-error';
import type { CallerConnection } from '../store/types';
import { Connection } from './connection';

/** Without a connection: the database of BRANCHLINE_URL, DATABASE_URL or PG*. */
const connected = <T extends { connection?: unknown }>(options: T | undefined): T =>
  ({ ...options, connection: options?.connection ?? Connection.lazy() }) as T;

/** Temporal's high-level client. */
export class Client extends TemporalClient {
  private readonly given: ClientOptions;

  constructor(options?: ClientOptions) {
    super(connected(options));
    this.given = options ?? {};
  }

  /**
   * The same client, its starts, signals, updates (`startUpdate`), cancel requests, terminations and new schedules being part of the transaction that `tx` has (`Connection.using`).
   * @throws BranchlineError BRANCHLINE_NOT_IN_TRANSACTION on a connection that is not Branchline's
   */
  withTransaction(tx: CallerConnection): Client {
    const { connection } = this;
    if (!(connection instanceof Connection)) {
      throw new BranchlineError(
        'BRANCHLINE_NOT_IN_TRANSACTION',
        'withTransaction() needs a client on a Connection of branchline/client: other engines have no part in the transaction',
      );
    }
    return new Client({ ...this.given, connection: connection.using(tx) });
  }
}

export class WorkflowClient extends TemporalWorkflowClient {
  constructor(options?: WorkflowClientOptions) {
    super(connected(options));
  }
}

export class ScheduleClient extends TemporalScheduleClient {
  constructor(options?: ScheduleClientOptions) {
    super(connected(options));
  }
}

export class ActivityClient extends TemporalActivityClient {
  constructor(options?: ActivityClientOptions) {
    super(connected(options));
  }
}

export class AsyncCompletionClient extends TemporalAsyncCompletionClient {
  constructor(options?: AsyncCompletionClientOptions) {
    super(connected(options));
  }
}

export class TaskQueueClient extends TemporalTaskQueueClient {
  constructor(options?: TaskQueueClientOptions) {
    super(connected(options));
  }
}
