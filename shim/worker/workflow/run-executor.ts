/** Who runs the activations of the runs that a core drives: the isolates of this worker, or (compat-tests/core-bridge) Temporal's own worker. */
import type { Activation, ActivationCompletion } from '../../core/types';

/** Executes one run. */
export interface RunExecutor {
  /** Runs the activation. Never rejects: what goes wrong is a failed completion. */
  activate(activation: Activation): Promise<ActivationCompletion>;
  /** Forgets the run: `removal` says why, and is absent when the core itself failed. Never rejects. */
  dispose(removal?: Activation): Promise<void>;
}

export interface RunExecutors {
  create(runId: string): RunExecutor;
  /** Approximate bytes held by one cached run. */
  bytesPerRun(): number;
  /** No run will be executed any more. */
  close(): Promise<void>;
}
