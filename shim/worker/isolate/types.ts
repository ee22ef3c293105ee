/** The isolate's door: workflow code bundled once, many runs beside one another, activations in and completions out. */
import type { coresdk } from '@temporalio/proto';
import type { WorkflowInfo } from '@temporalio/workflow';

/** A bundle made by `bundleWorkflowCode` or given by the user (official webpack bundles load as well). */
export interface WorkflowBundle {
  code: string;
  /** Where the code came from, for messages and stack traces. */
  filename: string;
  sourceMap?: string;
}

export interface WorkflowCreateOptions {
  info: WorkflowInfo;
  /** 8 bytes, big-endian, as the core gives them. */
  randomnessSeed: number[];
  /** ms since epoch. */
  now: number;
  showStackTraceSources: boolean;
  /** Names of error classes that fail the workflow instead of its task. */
  failureExceptionTypeNames: string[];
}

/** A sink call made by workflow code, to be carried out on the main thread. */
export interface SinkCall {
  ifaceName: string;
  fnName: string;
  args: unknown[];
  workflowInfo: WorkflowInfo;
}

export interface ActivationResult {
  completion: coresdk.workflow_completion.IWorkflowActivationCompletion;
  sinkCalls: SinkCall[];
}

/** A loaded bundle that runs workflows; `createInProcess` in tests, worker threads otherwise. */
export interface WorkflowHost {
  /** Makes the run's context; the activation that initialises it follows by `activate`. */
  create(runId: string, options: WorkflowCreateOptions): Promise<void>;
  activate(runId: string, activation: coresdk.workflow_activation.IWorkflowActivation): Promise<ActivationResult>;
  dispose(runId: string): Promise<void>;
  /** Ends the threads. Runs that are alive are dropped. */
  close(): Promise<void>;
  /** Approximate bytes held by one cached run, measured over the host's life (for the byte-bounded cache). */
  bytesPerRun(): number;
}
