/** Why runs leave the cache. */
import { coresdk } from '@temporalio/proto';
import type { EvictionReason as EvictionReasonType } from './types';

export const EvictionReason = coresdk.workflow_activation.RemoveFromCache.EvictionReason;

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;

/** The reason when the service refused the answer to a task (a gRPC status error). */
export function evictionReasonOf(error: unknown): EvictionReasonType {
  const { code, details, message } = error as { code?: unknown; details?: unknown; message?: unknown };
  if (code === NOT_FOUND) return EvictionReason.TASK_NOT_FOUND;
  const text = `${String(details ?? '')} ${String(message ?? '')}`;
  if (code === INVALID_ARGUMENT && text.includes('UnhandledCommand')) return EvictionReason.UNHANDLED_COMMAND;
  return EvictionReason.FATAL;
}

/** Whether the run leaves in good order, so that its state still answers the queries that wait. */
export function isOrderly(reason: EvictionReasonType): boolean {
  return reason === EvictionReason.CACHE_FULL || reason === EvictionReason.WORKFLOW_EXECUTION_ENDING;
}
