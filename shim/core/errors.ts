/** What can go wrong while history and workflow code are matched. Both fail the workflow task and drop the cached run. */
import type { Failure } from './messages';

/** The code does not do what the history says it did; the workflow task fails with NON_DETERMINISTIC_ERROR. */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError';
  constructor(detail: string) {
    super(`[TMPRL1100] Nondeterminism error: ${detail}`);
  }
}

/** The history is malformed, or lang sent something impossible. */
export class FatalMachineError extends Error {
  override readonly name = 'FatalMachineError';
  constructor(detail: string) {
    super(`Fatal error in workflow machines: ${detail}`);
  }
}

/** An application failure as Temporal's core makes them: message only, retryable unless said otherwise. */
export function applicationFailure(message: string, nonRetryable = false): Failure {
  return { message, applicationFailureInfo: { nonRetryable } };
}
