/** One attempt of an activity: its context, interceptors, cancellation, and how its end is told. */
import { asyncLocalStorage, CompleteAsyncError, Context, type Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  type ActivityCancellationDetails,
  type ActivityFunction,
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  ensureApplicationFailure,
  type LoadedDataConverter,
  type Logger,
  type MetricMeter,
  type MetricTags,
  SdkComponent,
} from '@temporalio/common';
import type { ActivityCancellationDetailsHolder } from '@temporalio/common/lib/activity-cancellation-details';
import type { ActivitySerializationContext } from '@temporalio/common/lib/converter/serialization-context';
import { FAILURE_SOURCE } from '@temporalio/common/lib/failure';
import { composeInterceptors } from '@temporalio/common/lib/interceptors';
import {
  decodeFromPayloadsAtIndex,
  encodeErrorToFailure,
  encodeToPayload,
} from '@temporalio/common/lib/internal-non-workflow';
import { LoggerWithComposedMetadata } from '@temporalio/common/lib/logger';
import { MetricMeterWithComposedTags } from '@temporalio/common/lib/metrics';
import type { TypeInfo } from '@temporalio/common/lib/type-info';
import { isAbortError } from '@temporalio/common/lib/type-helpers';
import type { temporal } from '@temporalio/proto';
import { plainFailure } from '../../common/plain-failure';
import { NativeConnection } from '../connection';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityInterceptorsFactory,
  ActivityOutboundCallsInterceptor,
} from '../interceptors';
import { provideTransactions } from '../../activity/transaction-runner';
import type { ActivityResult, CancelReason } from './activity-executor';
import { AttemptTransaction, type AttemptTransactionOptions } from './attempt-transaction';
import { cutOwnFrames } from './own-frames';

type Failure = temporal.api.failure.v1.IFailure;

/** Attributes of log messages about an activity. */
export function activityLogAttributes(info: Info): Record<string, unknown> {
  const attributes: Record<string, unknown> = {
    isLocal: info.isLocal,
    attempt: info.attempt,
    namespace: info.namespace,
    taskToken: info.base64TaskToken,
    activityId: info.activityId,
    activityType: info.activityType,
    taskQueue: info.taskQueue,
  };
  if (info.inWorkflow) {
    attributes.workflowId = info.workflowExecution?.workflowId;
    attributes.workflowRunId = info.workflowExecution?.runId;
    attributes.workflowType = info.workflowType;
  } else {
    attributes.activityRunId = info.activityRunId;
  }
  return attributes;
}

export interface ActivityOptions {
  info: Info;
  fn: ActivityFunction;
  dataConverter: LoadedDataConverter;
  serializationContext: ActivitySerializationContext;
  outputType: TypeInfo | undefined;
  /** Called by user code, synchronously. */
  heartbeat: (details?: unknown) => void;
  client: Client | undefined;
  /** The worker's logger and meter. */
  logger: Logger;
  metricMeter: MetricMeter;
  interceptors: ActivityInterceptorsFactory[];
  /** Undefined: none are given here. */
  transactions?: Pick<AttemptTransactionOptions, 'rpc' | 'start' | 'namespace' | 'identity'>;
}

export class Activity {
  readonly info: Info;
  readonly context: Context;
  private readonly abortController = new AbortController();
  private readonly cancellationDetails: ActivityCancellationDetailsHolder = {};
  private readonly inbound: ActivityInboundCallsInterceptor[] = [];
  private readonly outbound: ActivityOutboundCallsInterceptor[] = [];
  private readonly logger: Logger;
  private rejectCancelled!: (error: CancelledFailure) => void;
  private cancelReason: CancelReason | undefined;
  private transaction: AttemptTransaction | undefined;

  constructor(private readonly options: ActivityOptions) {
    const { info } = options;
    this.info = info;
    this.logger = LoggerWithComposedMetadata.compose(options.logger, () => this.logAttributes());
    const cancelled = new Promise<never>((_, reject) => {
      this.rejectCancelled = reject;
    });
    cancelled.catch(() => undefined);
    this.context = new Context(
      info,
      cancelled,
      this.abortController.signal,
      options.heartbeat,
      options.client,
      LoggerWithComposedMetadata.compose(this.logger, { sdkComponent: SdkComponent.activity }),
      MetricMeterWithComposedTags.compose(options.metricMeter, () => this.metricTags()),
      this.cancellationDetails,
    );
    provideTransactions(this.context, () => this.transactions());
    for (const factory of options.interceptors) {
      const { inbound, outbound } = factory(this.context);
      if (inbound !== undefined) this.inbound.push(inbound);
      if (outbound !== undefined) this.outbound.push(outbound);
    }
  }

  /** Tell user code to stop; it may or may not. Only the first call counts. */
  cancel(reason: CancelReason, details: ActivityCancellationDetails): void {
    if (this.cancelReason !== undefined) return;
    this.cancelReason = reason;
    this.cancellationDetails.details = details;
    const error = new CancelledFailure(reason);
    this.abortController.abort(error);
    this.rejectCancelled(error);
  }

  /** Runs a function in the context; what it returns or throws comes back as it is. */
  runPlain(input: ActivityExecuteInput, fn: ActivityFunction): Promise<unknown> {
    return asyncLocalStorage.run(this.context, () => this.executeWithClient(input, fn));
  }

  /** Runs the function. Never rejects. */
  async run(input: ActivityExecuteInput): Promise<ActivityResult> {
    try {
      const value = await this.runPlain(input, this.options.fn);
      const committed = this.transaction?.result();
      if (committed !== undefined) return committed;
      const { dataConverter, serializationContext, outputType } = this.options;
      return {
        status: 'completed',
        result: await encodeToPayload(dataConverter, value, serializationContext, outputType),
      };
    } catch (error) {
      const committed = this.transaction?.result();
      if (committed === undefined) return this.endOf(error);
      this.logger.warn('Activity failed after its transaction was committed: it stays completed', { error });
      return committed;
    }
  }

  private transactions(): AttemptTransaction | undefined {
    const { transactions, dataConverter, serializationContext, outputType } = this.options;
    if (transactions === undefined) return undefined;
    return (this.transaction ??= new AttemptTransaction({
      ...transactions,
      signal: this.abortController.signal,
      cancel: (reason, details) => this.cancel(reason, details),
      encode: (value) => encodeToPayload(dataConverter, value, serializationContext, outputType),
      decode: (payload) => decodeFromPayloadsAtIndex(dataConverter, 0, [payload], serializationContext, outputType),
    }));
  }

  private executeWithClient(input: ActivityExecuteInput, fn: ActivityFunction): Promise<unknown> {
    const { client } = this.options;
    // As in Temporal's worker, whose connection knows no abort signals: a cancelled activity can still clean up through its client.
    if (client === undefined || client.connection instanceof NativeConnection) return this.execute(input, fn);
    // A client of a test's own, on another connection: its calls end with the activity's cancellation.
    return client.withAbortSignal(this.abortController.signal, () => this.execute(input, fn));
  }

  private async execute(input: ActivityExecuteInput, fn: ActivityFunction): Promise<unknown> {
    const startedAt = performance.now();
    this.logger.debug('Activity started');
    try {
      const run = composeInterceptors(this.inbound, 'execute', async ({ args }) => fn(...args));
      const value = await run(input);
      this.logger.debug('Activity completed', { durationMs: Math.floor(performance.now() - startedAt) });
      return value;
    } catch (error) {
      cutOwnFrames(error);
      this.logEnd(error, Math.floor(performance.now() - startedAt));
      throw error;
    }
  }

  private logEnd(error: unknown, durationMs: number): void {
    if ((error instanceof CancelledFailure || isAbortError(error)) && this.abortController.signal.aborted) {
      const details = this.cancellationDetails.details;
      if (details?.cancelRequested !== true && details?.reset === true) {
        this.logger.debug('Activity reset', { durationMs });
      } else if (details?.cancelRequested !== true && details?.paused === true) {
        this.logger.debug('Activity paused', { durationMs });
      } else {
        this.logger.debug('Activity completed as cancelled', { durationMs });
      }
    } else if (error instanceof CompleteAsyncError) {
      this.logger.debug('Activity will complete asynchronously', { durationMs });
    } else if (error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN) {
      this.logger.debug('Activity failed', { error, durationMs });
    } else {
      this.logger.warn('Activity failed', { error, durationMs });
    }
  }

  private async endOf(error: unknown): Promise<ActivityResult> {
    const failed = async (cause: unknown): Promise<ActivityResult> => ({
      status: 'failed',
      failure: await this.failureOf(cause),
    });
    if (error instanceof CompleteAsyncError) return { status: 'willCompleteAsync' };
    if (this.cancelReason === 'HEARTBEAT_DETAILS_CONVERSION_FAILED') {
      // What the activity threw is most likely the cancellation, which nobody asked for.
      return failed(ApplicationFailure.retryable(this.cancelReason, 'CancelledFailure'));
    }
    if (this.cancelReason !== undefined) {
      if (error instanceof CancelledFailure) {
        const details = this.cancellationDetails.details;
        // The service expects an attempt that was reset or paused to fail, as only requested cancellations may be confirmed.
        if (details?.reset) return failed(new ApplicationFailure('Activity reset', 'ActivityReset'));
        if (details?.paused) return failed(new ApplicationFailure('Activity paused', 'ActivityPause'));
        return { status: 'cancelled', failure: { ...(await this.failureOf(error)), stackTrace: undefined } };
      }
      if (isAbortError(error)) {
        return { status: 'cancelled', failure: { source: FAILURE_SOURCE, canceledFailureInfo: {} } };
      }
    }
    return failed(ensureApplicationFailure(error));
  }

  private async failureOf(error: unknown): Promise<Failure> {
    const { dataConverter, serializationContext } = this.options;
    try {
      return plainFailure(await encodeErrorToFailure(dataConverter, error, serializationContext));
    } catch (encodeError) {
      // A converter or codec that fails on failures must not leave the activity without an answer.
      return {
        source: FAILURE_SOURCE,
        message: `Failed to encode the activity's failure: ${String(encodeError)}`,
        applicationFailureInfo: {},
      };
    }
  }

  private logAttributes(): Record<string, unknown> {
    const attributes = activityLogAttributes(this.info);
    return this.outbound.length === 0
      ? attributes
      : composeInterceptors(this.outbound, 'getLogAttributes', (a) => a)(attributes);
  }

  private metricTags(): MetricTags {
    const { namespace, taskQueue, activityType } = this.info;
    const tags = { namespace, taskQueue, activityType };
    return this.outbound.length === 0 ? tags : composeInterceptors(this.outbound, 'getMetricTags', (t) => t)(tags);
  }
}
