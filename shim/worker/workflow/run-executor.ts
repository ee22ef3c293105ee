/** Who runs the activations of the runs that a core drives: the isolates of this worker, or (compat-tests/core-bridge) Temporal's own worker. */
import type { Activation, ActivationCompletion } from '../../core/types';
import type { StartDurable } from '../../service/matching/ahead-of-start';

/** Executes one run. */
export interface RunExecutor {
  /**
   * Runs the activation. Never rejects: what goes wrong is a failed completion. What it calls on sinks waits for the run's start to be
   * durable; of a run that was never there nothing is heard.
   */
  activate(activation: Activation, startDurable?: StartDurable): Promise<ActivationCompletion>;
  /** Forgets the run: `removal` says why, and is absent when the core itself failed. Never rejects. */
  dispose(removal?: Activation): Promise<void>;
}

export interface RunExecutors {
  /** Sink calls wait for `startDurable`: runs may be executed before their start is durable. */
  readonly aheadOfStart: boolean;
  create(runId: string): RunExecutor;
  /** Approximate bytes held by one cached run. */
  bytesPerRun(): number;
  /** No run will be executed any more. */
  close(): Promise<void>;
}
