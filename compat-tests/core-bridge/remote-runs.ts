/** Runs executed by Temporal's worker: activations go out with its polls, completions come back by their run's id. */
import { coresdk } from '@temporalio/proto';
import type { Activation, ActivationCompletion } from '../../shim/core/types';
import type { RunExecutor, RunExecutors } from '../../shim/worker/workflow/run-executor';
import type { PollQueue } from './poll-queue';

const { WorkflowActivation, RemoveFromCache } = coresdk.workflow_activation;
const { WorkflowActivationCompletion } = coresdk.workflow_completion;

/** Cached runs live in the heap of Temporal's worker, which bounds them by number alone. */
const unmeasured = 1;

export class RemoteRuns implements RunExecutors {
  private readonly answers = new Map<string, (completion: ActivationCompletion) => void>();

  constructor(private readonly polls: PollQueue) {}

  create(runId: string): RunExecutor {
    let known = false;
    return {
      activate: (activation) => {
        known = true;
        return this.send(runId, activation);
      },
      dispose: async (removal) => {
        if (known) await this.send(runId, removal ?? broken(runId));
      },
    };
  }

  /** Temporal's worker answers an activation: a length-delimited WorkflowActivationCompletion. */
  complete(bytes: Uint8Array): void {
    const completion = WorkflowActivationCompletion.toObject(WorkflowActivationCompletion.decodeDelimited(bytes));
    const { runId } = completion as { runId: string };
    const answer = this.answers.get(runId);
    this.answers.delete(runId);
    answer?.(completion);
  }

  /** Its sinks are called before a completion reaches us. */
  readonly aheadOfStart = false;

  bytesPerRun(): number {
    return unmeasured;
  }

  close(): Promise<void> {
    this.polls.close();
    return Promise.resolve();
  }

  private send(runId: string, activation: Activation): Promise<ActivationCompletion> {
    return new Promise((resolve) => {
      this.answers.set(runId, resolve);
      this.polls.push(WorkflowActivation.encode(activation).finish());
    });
  }
}

function broken(runId: string): Activation {
  const reason = RemoveFromCache.EvictionReason.FATAL;
  return { runId, jobs: [{ removeFromCache: { reason, message: 'The core cannot go on with this run' } }] };
}
