/** What goes between the main thread and a workflow thread: plain objects, several per message when several runs are active. */
import type { coresdk } from '@temporalio/proto';
import type { WorkflowInfo } from '@temporalio/workflow';
import type { PlainError } from './plain-error';
import type { ActivationResult, WorkflowBundle, WorkflowCreateOptions } from './types';

export interface ThreadSettings {
  bundle: WorkflowBundle;
  reuseV8Context: boolean;
  registeredActivityNames: string[];
  stackTraces: boolean;
  hasPatchActivationCallback: boolean;
  sinks: SinkFilter | undefined;
  executionTimeoutMs: number;
  /** Load the user's code once before any run needs it. */
  probe: boolean;
  /** Two 32-bit words: see {@link ClockWord}. */
  clock: SharedArrayBuffer;
}

/**
 * Sink functions that exist, and whether each is called during replay, or `dropped`: its calls are not wanted. Calls of others
 * cross as well, so that the worker can complain.
 */
export type SinkFilter = Record<string, Record<string, { callDuringReplay: boolean } | 'dropped'>>;

/** The request that a thread works on, for the main thread to see that it is stuck. */
export const CLOCK_REQUEST = 0;

export type ThreadRequest =
  | { id: number; op: 'create'; runId: string; options: WorkflowCreateOptions; timed: boolean }
  | { id: number; op: 'activate'; runId: string; activation: coresdk.workflow_activation.IWorkflowActivation }
  | { id: number; op: 'dispose'; runId: string };

export type ThreadReply = { id: number } & ({ result?: ActivationResult } | { error: PlainError });

export type FromThread =
  | { type: 'ready'; workflowTypes: string[] | undefined }
  | { type: 'notReady'; error: PlainError }
  | { type: 'replies'; replies: ThreadReply[]; memory: MemorySample | undefined }
  | { type: 'patch'; info: WorkflowInfo; patchId: string; answer: SharedArrayBuffer }
  /** Something went wrong that no run can be blamed for. Fatal: that may have come from anywhere in the thread. */
  | { type: 'stray'; error: PlainError; fatal: boolean };

export interface MemorySample {
  /** Bytes of the thread's heap in use beyond those at its start. */
  heapGrowth: number;
  runs: number;
}
