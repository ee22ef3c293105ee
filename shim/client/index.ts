/**
 * Drop-in for `@temporalio/client`: the same names, with {@link Connection} and the clients' default connection on Postgres.
 *
 * ```ts
 * import { Client, Connection } from 'branchline/client';
 * const connection = await Connection.connect({ url: 'postgres://localhost/app' });
 * const client = new Client({ connection });
 * ```
 * @module
 */
import '../common/sdk-version';
export * from '@temporalio/client';
export { Connection, type ConnectionOptions } from './connection';
export { TaskQueueLimits, type FairnessKeyLimit, type FairnessKeyOnQueue } from './task-queue-limits';
export {
  ActivityClient,
  AsyncCompletionClient,
  Client,
  ScheduleClient,
  TaskQueueClient,
  WorkflowClient,
} from './client';
export { BranchlineError, BranchlineOptionError } from '../common/errors';
