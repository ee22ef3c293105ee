/** What becomes of a run whose history outgrows the limits: it is terminated, as on Temporal (workflow.ContextImpl.UpdateWorkflowExecutionAsActive). */
import { invalidArgument } from '../errors';
import { terminate } from './close';
import { warnOfHistory } from './limit-warnings';
import type { RunTransition } from './transition';
import { SERVER_IDENTITY } from './workflow-task';

/** Terminates a run whose history has outgrown the limits, and warns before that. True when it did. */
export function enforceHistoryLimits(t: RunTransition): boolean {
  if (t.closed) return false;
  const reason = outgrown(t, 0);
  if (reason === null) {
    warnOfHistory(t.state, t.ctx);
    return false;
  }
  terminate(t, { reason, details: null, identity: SERVER_IDENTITY });
  return true;
}

/** A request that would bring more events than the limits allow terminates the run in its place, and is told why: INVALID_ARGUMENT. */
export function refuseIfHistoryFull(t: RunTransition, moreEvents: number): void {
  const reason = outgrown(t, moreEvents);
  if (reason === null) return;
  terminate(t, { reason, details: null, identity: SERVER_IDENTITY });
  throw invalidArgument(reason);
}

/** As on Temporal, the size is that before the change, the count the one that it would bring. */
function outgrown({ state, ctx, sizeBefore }: RunTransition, moreEvents: number): string | null {
  const { historySizeError, historyCountError } = ctx.limits;
  if (sizeBefore > historySizeError) return 'Workflow history size exceeds limit.';
  if (state.nextEventId - 1 + moreEvents > historyCountError) return 'Workflow history count exceeds limit.';
  return null;
}
