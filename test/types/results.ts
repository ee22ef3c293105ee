/**
 * What the drop-ins give back is at least what Temporal's give: compiled by `npm run typecheck`, never run. (What they take is compared
 * option by option in api.test.ts.)
 */
import type * as client from '@temporalio/client';
import type * as worker from '@temporalio/worker';
import type * as ourClient from '../../shim/client';
import type * as ourWorker from '../../shim/worker';

/** A compile error unless `Ours` can be used where `Theirs` is asked for. */
type Gives<Theirs, Ours extends Theirs> = [Theirs, Ours];

export type Checks = [
  Gives<client.ConnectionLike, ourClient.Connection>,
  Gives<client.Client, ourClient.Client>,
  Gives<worker.WorkerStatus, ourWorker.WorkerStatus>,
  Gives<worker.ReplayResult, ourWorker.ReplayResult>,
  Gives<worker.WorkflowBundleWithSourceMap, ourWorker.WorkflowBundleWithSourceMap>,
];
