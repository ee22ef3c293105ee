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
import { Connection } from './connection';

/** Without a connection: the database of BRANCHLINE_URL, DATABASE_URL or PG*. */
const connected = <T extends { connection?: unknown }>(options: T | undefined): T =>
  ({ ...options, connection: options?.connection ?? Connection.lazy() }) as T;

/** Temporal's high-level client. */
export class Client extends TemporalClient {
  constructor(options?: ClientOptions) {
    super(connected(options));
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
