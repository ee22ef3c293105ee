/** What a replayed history can come to. */
import { SymbolBasedInstanceOfError } from '@temporalio/common/lib/type-helpers';
import type { HistoryAndWorkflowId } from '@temporalio/client';
import { coresdk } from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import type { EvictionReason } from '../core/types';

/** Replay failed for another reason than nondeterminism. */
export class ReplayError extends Error {}
SymbolBasedInstanceOfError('ReplayError')(ReplayError);

export interface ReplayResult {
  readonly workflowId: string;
  readonly runId: string;
  readonly error?: ReplayError | DeterminismViolationError;
}

/** Histories and the ids of their workflows. */
export type ReplayHistoriesIterable = AsyncIterable<HistoryAndWorkflowId> | Iterable<HistoryAndWorkflowId>;

const Reason = coresdk.workflow_activation.RemoveFromCache.EvictionReason;

/** The error of a run that left the cache of a replay worker, if it is one. */
export function replayErrorOf(
  reason: EvictionReason,
  message: string,
): ReplayError | DeterminismViolationError | undefined {
  switch (reason) {
    case Reason.NONDETERMINISM:
      return new DeterminismViolationError(
        'Replay failed with a nondeterminism error. This means that the workflow code as written ' +
          `is not compatible with the history that was fed in. Details: ${message}`,
      );
    case Reason.LANG_FAIL:
      return new ReplayError(`Replay failed due workflow task failure. Details: ${message}`);
    case Reason.LANG_REQUESTED:
    case Reason.CACHE_FULL:
    case Reason.WORKFLOW_EXECUTION_ENDING:
      return undefined;
    default:
      return new ReplayError(`Replay failed due to internal SDK issue. Code: ${Reason[reason]}, Details: ${message}`);
  }
}
