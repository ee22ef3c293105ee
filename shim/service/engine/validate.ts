/** Checks that several requests share, worded as Temporal's server words them. */
import type { google } from '@temporalio/proto';
import { Code, ServiceError, invalidArgument } from '../errors';
import { durationProblem } from './durations';
import { blobTooLarge, memoTooLarge } from './limit-warnings';
import type { EngineContext, Limits } from './types';

export const BLOB_TOO_LARGE = 'Blob data size exceeds limit.';

/** Lengths of ids count bytes. */
export function tooLong(id: string, limits: Limits): boolean {
  return id.length > limits.idLength || (id.length * 3 > limits.idLength && Buffer.byteLength(id) > limits.idLength);
}

export function requireId(id: string | null | undefined, field: string, limits: Limits): string {
  if (!id) throw invalidArgument(`${field} is not set on request.`);
  if (tooLong(id, limits)) throw invalidArgument(`${field} length exceeds limit.`);
  return id;
}

export function requireTaskQueue(name: string | null | undefined, limits: Limits): string {
  if (!name) throw invalidArgument('missing task queue name');
  if (tooLong(name, limits)) throw invalidArgument('taskQueue length exceeds limit');
  if (name.startsWith('/_sys/')) throw invalidArgument('task queue name cannot start with reserved prefix /_sys/');
  return name;
}

export function requireDuration(duration: google.protobuf.IDuration | null | undefined, field: string): void {
  const problem = durationProblem(duration);
  if (problem !== null) throw invalidArgument(`An invalid ${field}Seconds is set on request. cause: ${problem}`);
}

export function requireBlobSize(size: number, ctx: EngineContext, operation: string): void {
  if (blobTooLarge(size, ctx, operation)) throw invalidArgument(BLOB_TOO_LARGE);
}

export function requireMemoSize(size: number, ctx: EngineContext, operation: string): void {
  if (memoTooLarge(size, ctx, operation)) throw invalidArgument('Memo size exceeds limit.');
}

/** An option of Temporal's API that this engine does not honour. */
export function unsupported(option: string): ServiceError {
  return new ServiceError(Code.UNIMPLEMENTED, `BRANCHLINE_UNSUPPORTED_OPTION: ${option} is not supported.`);
}
