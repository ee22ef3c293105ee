/** Checks that several commands share. They throw `CommandError` with the cause of the command that asked. */
import type { temporal } from '@temporalio/proto';
import { ServiceError } from '../../errors';
import type { EventExtras } from '../transition';
import { blobTooLarge, memoTooLarge } from '../limit-warnings';
import type { Command, EngineContext, Limits, Payload } from '../types';
import { messageSize } from '../size';
import { requireTaskQueue } from '../validate';
import { CommandError, type TaskFailedCause } from './command-error';

type TaskQueue = temporal.api.taskqueue.v1.ITaskQueue;

const QUEUE_KIND_NORMAL = 1;

/** Bytes, as Temporal counts ids. */
export const byteLength = (text: string): number => Buffer.byteLength(text);

/** Turns a refusal (INVALID_ARGUMENT) of a shared validator into the refusal of this command; `about` goes around its words. */
export function refusing<R>(cause: TaskFailedCause, check: () => R, about: (message: string) => string = (m) => m): R {
  try {
    return check();
  } catch (error) {
    if (error instanceof ServiceError) throw new CommandError(cause, about(error.details));
    throw error;
  }
}

/** As `refusing`, for sizes: too large terminates the workflow. */
export function terminating(cause: TaskFailedCause, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof ServiceError) throw new CommandError(cause, error.details, true);
    throw error;
  }
}

/** A payload larger than the limit terminates the workflow. `what` names it. */
export function checkBlobSize(cause: TaskFailedCause, size: number, ctx: EngineContext, what: string): void {
  if (blobTooLarge(size, ctx, what)) throw new CommandError(cause, `${what} exceeds size limit.`, true);
}

export function checkMemoSize(
  cause: TaskFailedCause,
  fields: Record<string, Payload> | null | undefined,
  ctx: EngineContext,
  what: string,
): void {
  if (!fields || !memoTooLarge(messageSize(fields), ctx, what)) return;
  throw new CommandError(cause, `${what} exceeds size limit.`, true);
}

/** At most `limit` of something may be pending. */
export function checkPending(cause: TaskFailedCause, count: number, limit: number, what: string): void {
  if (limit > 0 && count >= limit) {
    throw new CommandError(cause, `the number of ${what}, ${count}, has reached the per-workflow limit of ${limit}`);
  }
}

/** The queue a command names, or the default. Refused with the cause of the command; `about` goes around the words. */
export function checkedTaskQueue(
  cause: TaskFailedCause,
  queue: TaskQueue | null | undefined,
  defaultName: string,
  limits: Limits,
  about?: (message: string) => string,
): { name: string; kind: number } {
  const name = refusing(cause, () => requireTaskQueue(queue?.name || defaultName, limits), about);
  return { name, kind: queue?.kind || QUEUE_KIND_NORMAL };
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Number of entries, without making an array of the keys. */
export function countEntries(entries: Record<string, unknown>): number {
  let count = 0;
  for (const _key in entries) count += 1;
  return count;
}

/** What a command adds to its event besides attributes: the summary that UIs show. */
export function extrasOf(command: Command): EventExtras | undefined {
  return command.userMetadata ? { userMetadata: command.userMetadata } : undefined;
}
