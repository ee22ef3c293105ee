/** Asks the main thread, from inside workflow code, whether a patch is to be activated: the thread sleeps until it answers. */
import { TypedSearchAttributes } from '@temporalio/common';
import type { WorkflowInfo } from '@temporalio/workflow';
import { createUnsafeRandomSource } from '@temporalio/workflow/lib/random-helpers';

const ANSWERED = 0;
const VERDICT = 1;
const LENGTH = 2;
const HEADER_BYTES = 3 * Int32Array.BYTES_PER_ELEMENT;
const ERROR_BYTES = 4096;
enum Verdict {
  ACTIVATE = 1,
  LEAVE = 2,
  ERROR = 3,
}

export type PatchActivationCallback = (input: { workflowInfo: WorkflowInfo; patchId: string }) => boolean;

/** In the workflow thread. Blocks until the main thread wrote its answer. */
export function askWhetherToPatch(
  info: WorkflowInfo,
  patchId: string,
  post: (message: { type: 'patch'; info: WorkflowInfo; patchId: string; answer: SharedArrayBuffer }) => void,
): boolean {
  const answer = new SharedArrayBuffer(HEADER_BYTES + ERROR_BYTES);
  const header = new Int32Array(answer, 0, 3);
  post({ type: 'patch', info: portableInfo(info), patchId, answer });
  Atomics.wait(header, ANSWERED, 0);
  if (header[VERDICT] !== Verdict.ERROR) return header[VERDICT] === Verdict.ACTIVATE;
  const text = new Uint8Array(answer, HEADER_BYTES, header[LENGTH]).slice();
  throw new Error(new TextDecoder().decode(text));
}

/** In the main thread. An error of the callback fails the workflow task. */
export function answerWhetherToPatch(
  callback: PatchActivationCallback,
  { info, patchId, answer }: { info: WorkflowInfo; patchId: string; answer: SharedArrayBuffer },
): void {
  const header = new Int32Array(answer, 0, 3);
  try {
    header[VERDICT] = callPatchCallback(callback, info, patchId) ? Verdict.ACTIVATE : Verdict.LEAVE;
  } catch (error) {
    const text = new TextEncoder().encode(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    const kept = text.subarray(0, ERROR_BYTES);
    new Uint8Array(answer, HEADER_BYTES).set(kept);
    header[LENGTH] = kept.length;
    header[VERDICT] = Verdict.ERROR;
  } finally {
    Atomics.store(header, ANSWERED, 1);
    Atomics.notify(header, ANSWERED);
  }
}

/** Calls the user's callback with a frozen copy of the info that went through {@link portableInfo}. */
export function callPatchCallback(callback: PatchActivationCallback, info: WorkflowInfo, patchId: string): boolean {
  const unsafe = Object.freeze({
    ...info.unsafe,
    now: Date.now,
    random: Object.freeze(createUnsafeRandomSource(Math.random)),
  });
  const typedSearchAttributes = new TypedSearchAttributes(info.typedSearchAttributes as never);
  const workflowInfo = Object.freeze({ ...info, typedSearchAttributes, unsafe }) as WorkflowInfo;
  const verdict: unknown = callback(Object.freeze({ workflowInfo, patchId }));
  if (typeof verdict !== 'boolean')
    throw new TypeError(`patchActivationCallback must return a boolean, got ${typeof verdict}`);
  return verdict;
}

/** A copy without functions and classes. */
export function portableInfo(info: WorkflowInfo): WorkflowInfo {
  const { isReplaying, isReplayingHistoryEvents } = info.unsafe;
  return structuredClone({
    ...info,
    unsafe: { isReplaying, isReplayingHistoryEvents },
    typedSearchAttributes: info.typedSearchAttributes?.toJSON?.() ?? [],
  }) as unknown as WorkflowInfo;
}
