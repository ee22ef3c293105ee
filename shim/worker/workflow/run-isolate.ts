/** The isolate's side of one run: creation, payload codecs, activations, sink calls, disposal. */
import { encodeErrorToFailure } from '@temporalio/common/lib/internal-non-workflow';
import type { LoadedDataConverter, Logger } from '@temporalio/common';
import type { WorkflowInfo } from '@temporalio/workflow';
import { workflowLogAttributes } from '@temporalio/workflow/lib/logs';
import Long from 'long';
import { ms } from '../../common/proto-values';
import { workflowInfo } from '../../core';
import type { Activation, ActivationCompletion } from '../../core/types';
import type { StartDurable } from '../../service/matching/ahead-of-start';
import type { ActivationResult, WorkflowHost } from '../isolate/types';
import type { InjectedSinks } from '../sinks';
import { refuseReferences, retrieveActivation, storeCompletion } from '../external-storage';
import { RunPayloadCodecs } from './payload-codecs';
import type { RunExecutor, RunExecutors } from './run-executor';
import { processSinkCalls } from './sink-calls';

/** What all runs of a worker share. */
export interface IsolateParts {
  host: WorkflowHost;
  namespace: string;
  taskQueue: string;
  dataConverter: LoadedDataConverter;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each sink has its own argument types
  sinks: InjectedSinks<any>;
  logger: Logger;
  isReplayWorker: boolean;
  showStackTraceSources: boolean;
  failureExceptionTypeNames: (workflowType: string) => string[];
}

/** The isolates as the place where a worker's runs are executed. */
export function isolateExecutors(parts: IsolateParts): RunExecutors {
  return {
    aheadOfStart: true,
    create: (runId) => new RunIsolate(parts, runId),
    bytesPerRun: () => parts.host.bytesPerRun(),
    close: () => parts.host.close(),
  };
}

class RunIsolate implements RunExecutor {
  private codecs: RunPayloadCodecs | undefined;
  private created = false;
  private info: WorkflowInfo | undefined;
  private logAttributes: Record<string, unknown>;

  constructor(
    private readonly parts: IsolateParts,
    private readonly runId: string,
  ) {
    this.logAttributes = { runId };
  }

  async activate(activation: Activation, startDurable?: StartDurable): Promise<ActivationCompletion> {
    const { parts } = this;
    try {
      const init = activation.jobs?.find((job) => job.initializeWorkflow != null)?.initializeWorkflow;
      const { payloadCodecs } = parts.dataConverter;
      if (this.codecs === undefined && init != null && payloadCodecs.length > 0) {
        const { namespace } = parts;
        this.codecs = new RunPayloadCodecs(payloadCodecs, {
          type: 'workflow',
          namespace,
          workflowId: init.workflowId!,
        });
      }
      const { externalStorage } = parts.dataConverter;
      let retrieved = activation;
      if (externalStorage === undefined) refuseReferences(activation);
      else retrieved = await retrieveActivation(externalStorage, activation);
      const decoded = this.codecs === undefined ? retrieved : await this.codecs.decodeActivation(retrieved);
      const { completion, sinkCalls } = await this.run(decoded);
      if (sinkCalls.length > 0 && ((await startDurable?.()) ?? true)) {
        const { sinks, logger, isReplayWorker } = parts;
        await processSinkCalls(sinkCalls, { sinks, logger, isReplayWorker, logAttributes: () => this.logAttributes });
      }
      const encoded = this.codecs === undefined ? completion : await this.codecs.encodeCompletion(completion);
      // What a replay brings is not sent: its payloads are stored already.
      if (externalStorage !== undefined && !parts.isReplayWorker) {
        await storeCompletion(externalStorage, encoded, parts.namespace, this.info!);
      }
      return encoded;
    } catch (error) {
      parts.logger.error('Failed to process Workflow Activation', { ...this.logAttributes, error });
      return {
        runId: this.runId,
        failed: { failure: await encodeErrorToFailure(parts.dataConverter, error) },
      };
    }
  }

  private run(activation: Activation): Promise<ActivationResult> {
    const { host } = this.parts;
    if (this.created) return host.activate(this.runId, activation);
    const init = activation.jobs?.find((job) => job.initializeWorkflow != null)?.initializeWorkflow;
    if (init == null) {
      throw new Error('Received workflow activation for an untracked workflow with no init workflow job');
    }
    const info = workflowInfo(activation, this.parts);
    this.info = info;
    this.logAttributes = workflowLogAttributes(info);
    this.created = true;
    const creation = host.create(this.runId, {
      info,
      randomnessSeed: Long.fromValue(init.randomnessSeed ?? 0).toBytesBE(),
      now: ms(activation.timestamp),
      showStackTraceSources: this.parts.showStackTraceSources,
      failureExceptionTypeNames: this.parts.failureExceptionTypeNames(info.workflowType),
    });
    // Sent together: the host works through its requests in order.
    creation.catch(() => undefined);
    return host.activate(this.runId, activation).catch(async (error: unknown) => {
      // A run that could not be made is unknown to the activation: the first error says why.
      await creation;
      throw error;
    });
  }

  async dispose(): Promise<void> {
    if (!this.created) return;
    this.created = false;
    try {
      await this.parts.host.dispose(this.runId);
    } catch (error) {
      this.parts.logger.error('Failed to dispose Workflow during eviction', { ...this.logAttributes, error });
    }
  }
}
