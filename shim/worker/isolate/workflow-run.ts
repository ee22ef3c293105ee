/** One workflow run in a context: Temporal's activation algorithm, step by step as the official host does it. */
import { convertDeploymentVersion } from '@temporalio/common';
import { suggestContinueAsNewReasonsFromProto } from '@temporalio/common/lib/continue-as-new';
import type { coresdk, temporal } from '@temporalio/proto';
import type { WorkflowInfo } from '@temporalio/workflow';
import { SdkFlags } from '@temporalio/workflow/lib/flags';
import type { Activator } from '@temporalio/workflow/lib/internals';
import { int64, ms } from '../../common/proto-values';
import { UnhandledRejectionError } from '../errors';
import { toPlainError } from './plain-error';
import { plainNumbers, sandboxJobs, type VariantJob } from './sandbox-values';
import type { SinkCall } from './types';

type Activation = coresdk.workflow_activation.IWorkflowActivation;
export type Completion = coresdk.workflow_completion.IWorkflowActivationCompletion;

/** Functions of `@temporalio/workflow/lib/worker-interface` that the host calls. */
export type ApiFunction =
  'initRuntime' | 'initialize' | 'activate' | 'tryUnblockConditions' | 'concludeActivation' | 'dispose' | 'destroy';

/** Calls into the run's context; all microtasks have run when it returns. */
export type CallIntoContext = (fn: ApiFunction, first?: unknown, second?: unknown) => unknown;

export class WorkflowRun {
  /** Whether the event loop turned since this run's code was last in work, so that its rejections have been reported. */
  settled = false;
  #unhandledRejection: UnhandledRejectionError | undefined;

  constructor(
    readonly runId: string,
    readonly activator: Activator,
    private readonly call: CallIntoContext,
    private readonly onDispose: () => void,
  ) {}

  /** Never rejects: what goes wrong becomes a failed completion. */
  async activate(activation: Activation): Promise<Completion> {
    this.settled = false;
    try {
      return plainNumbers(await this.#activate(activation));
    } catch (error) {
      return { runId: this.runId, failed: { failure: this.#toFailure(error) } };
    }
  }

  #toFailure(error: unknown): temporal.api.failure.v1.IFailure {
    try {
      return plainNumbers(this.activator.errorToFailure(error));
    } catch {
      // The user's converter threw, or the workflow spoiled what the conversion needs.
      const { message, stack } = toPlainError(error);
      return { message, stackTrace: stack, source: 'TypeScriptSDK' };
    }
  }

  async #activate(activation: Activation): Promise<Completion> {
    const jobs = sandboxJobs(activation.jobs ?? []);
    const queries = jobs.filter(({ variant }) => variant === 'queryWorkflow').length;
    if (queries > 0) {
      if (queries < jobs.length) throw new TypeError('Got both queries and other jobs in a single activation');
      return this.#answerQueries(activation, jobs);
    }
    const { activator } = this;
    this.#takeOver(activation);
    // The job stays in the list: the runtime starts the workflow function where it meets it.
    const init = jobs.find((job) => job.initializeWorkflow != null)?.initializeWorkflow;
    if (init != null) this.call('initialize', init);

    const hasSignals = jobs.some(({ signalWorkflow }) => signalWorkflow != null);
    const oneBatch = !hasSignals || activator.hasFlag(SdkFlags.ProcessWorkflowActivationJobsAsSingleBatch);
    for (const { notifyHasPatch } of jobs) {
      if (notifyHasPatch != null) activator.notifyHasPatch(notifyHasPatch);
    }
    const rest = jobs.filter(({ notifyHasPatch }) => notifyHasPatch == null);
    if (oneBatch) {
      // Before anything else, and without unblocking conditions in between. The batches of old did otherwise.
      const seed = rest.filter(({ updateRandomSeed }) => updateRandomSeed != null).at(-1)?.updateRandomSeed;
      if (seed != null) activator.updateRandomSeed(seed);
      this.#runBatch(activation, seed == null ? rest : rest.filter((job) => job.updateRandomSeed == null));
    } else {
      const signals = rest.filter(({ signalWorkflow }) => signalWorkflow != null);
      const others = rest.filter(({ signalWorkflow }) => signalWorkflow == null);
      [signals, others]
        .filter((batch) => batch.length > 0)
        .forEach((batch, index) => this.#runBatch(activation, batch, index));
    }
    const completion = this.call('concludeActivation') as Completion;
    // Rejections without a handler are reported once the event loop turns.
    await new Promise(setImmediate);
    this.settled = true;
    if (this.#unhandledRejection !== undefined) throw this.#unhandledRejection;
    return completion;
  }

  /** The time, the run's info and the flags of this activation, set before anything runs. */
  #takeOver(activation: Activation): void {
    const { activator } = this;
    if (activation.timestamp == null) {
      throw new TypeError('Expected activation.timestamp to be set for non-query activation');
    }
    // Truncated as the runtime's own conversion does.
    activator.now = Math.floor(ms(activation.timestamp));
    const isReplaying = activation.isReplaying ?? false;
    activator.mutateWorkflowInfo((info): WorkflowInfo => ({
      ...info,
      historyLength: activation.historyLength as number,
      historySize: int64(activation.historySizeBytes),
      continueAsNewSuggested: activation.continueAsNewSuggested ?? false,
      targetWorkerDeploymentVersionChanged: activation.targetWorkerDeploymentVersionChanged ?? false,
      suggestedContinueAsNewReasons: suggestContinueAsNewReasonsFromProto(activation.suggestContinueAsNewReasons),
      currentBuildId: activation.deploymentVersionForCurrentTask?.buildId ?? '',
      currentDeploymentVersion: convertDeploymentVersion(activation.deploymentVersionForCurrentTask),
      unsafe: { ...info.unsafe, isReplaying, isReplayingHistoryEvents: isReplaying },
    }));
    activator.addKnownFlags(activation.availableInternalFlags ?? []);
    if (activation.lastSdkVersion) activator.sdkVersion = activation.lastSdkVersion;
  }

  #runBatch(activation: Activation, jobs: VariantJob[], batchIndex?: number): void {
    const { activator } = this;
    this.call('activate', { ...activation, jobs }, batchIndex);
    do {
      // The call would find nothing to do, and entering a context is not free.
      if (activator.blockedConditions.size === 0 && activator.workflowTaskError === undefined) return;
    } while ((this.call('tryUnblockConditions') as number) > 0);
  }

  #answerQueries(activation: Activation, jobs: VariantJob[]): Completion {
    this.activator.mutateWorkflowInfo((info) => ({
      ...info,
      unsafe: { ...info.unsafe, isReplaying: true, isReplayingHistoryEvents: false },
    }));
    this.call('activate', { ...activation, jobs });
    return this.call('concludeActivation') as Completion;
  }

  /** A promise of this run was rejected unheard: the activation under way fails, and any later one. */
  rejectionUnhandled(reason: unknown): void {
    const error = new UnhandledRejectionError(`Unhandled Promise rejection: ${reason}`, reason);
    this.activator.workflowTaskError = error;
    this.#unhandledRejection = error;
  }

  takeSinkCalls(): SinkCall[] {
    return this.activator.getAndResetSinkCalls() as SinkCall[];
  }

  dispose(): void {
    // Only interceptors run code of the user's here.
    this.settled &&= this.activator.interceptors.internals.length === 0;
    try {
      this.call('dispose');
    } finally {
      this.onDispose();
    }
  }
}
