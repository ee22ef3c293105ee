/** Limits with a warning below them, as Temporal's server checks and words them (common.CheckEventBlobSizeLimit, workflow.ContextImpl). */
import type { EngineContext, RunState } from './types';

export function blobTooLarge(size: number, ctx: EngineContext, operation: string): boolean {
  const { blobSizeWarn, blobSizeError } = ctx.limits;
  if (size > blobSizeWarn) warn(ctx, 'Blob data size exceeds the warning limit.', size, operation);
  return size > blobSizeError;
}

/** The server's own words, which do not tell a memo from other blobs. */
export function memoTooLarge(size: number, ctx: EngineContext, operation: string): boolean {
  const { memoSizeWarn, memoSizeError } = ctx.limits;
  if (size > memoSizeWarn) warn(ctx, 'Blob data size exceeds the warning limit.', size, operation);
  return size > memoSizeError;
}

export function warnOfHistory(state: RunState, ctx: EngineContext): void {
  const { historySizeWarn, historyCountWarn } = ctx.limits;
  if (state.historySizeBytes > historySizeWarn) {
    warn(ctx, 'history size exceeds warn limit.', state.historySizeBytes);
  }
  if (state.nextEventId - 1 > historyCountWarn) warn(ctx, 'history count exceeds warn limit.', state.nextEventId - 1);
}

function warn(ctx: EngineContext, message: string, size: number, operation?: string): void {
  (ctx.warnings ??= []).push({ message, size, ...(operation === undefined ? {} : { operation }) });
}
