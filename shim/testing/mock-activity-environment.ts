/** Runs activity functions in a context of their own, without a worker. */
import { EventEmitter } from 'node:events';
import type { Context, Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  ActivityCancellationDetails,
  type ActivityFunction,
  defaultFailureConverter,
  defaultPayloadConverter,
  type Logger,
  type MetricMeter,
  noopMetricMeter,
  SdkComponent,
} from '@temporalio/common';
import { LoggerWithComposedMetadata } from '@temporalio/common/lib/logger';
import { Activity } from '../worker/activity/activity';
import type { CancelReason } from '../worker/activity/activity-executor';
import type { ActivityInterceptorsFactory } from '../worker/interceptors';
import { DefaultLogger } from '../worker/logger';

export interface MockActivityEnvironmentOptions {
  interceptors?: ActivityInterceptorsFactory[];
  /** Default: the worker's default logger. */
  logger?: Logger;
  metricMeter?: MetricMeter;
  client?: Client;
}

/** What `activityInfo()` says where the test gave nothing else. */
export const defaultActivityInfo: Info = {
  attempt: 1,
  taskQueue: 'test',
  isLocal: false,
  taskToken: Buffer.from('test'),
  activityId: 'test',
  activityType: 'unknown',
  workflowType: 'test',
  base64TaskToken: Buffer.from('test').toString('base64'),
  heartbeatTimeoutMs: undefined,
  heartbeatDetails: undefined,
  activityNamespace: 'default',
  workflowNamespace: 'default',
  workflowExecution: { workflowId: 'test', runId: '00000000-0000-0000-0000-000000000000' },
  scheduledTimestampMs: 1,
  startToCloseTimeoutMs: 1000,
  scheduleToCloseTimeoutMs: 1000,
  currentAttemptScheduledTimestampMs: 1,
  priority: undefined,
  retryPolicy: undefined,
  namespace: 'test',
  activityRunId: undefined,
  inWorkflow: true,
};

/**
 * An environment for activity functions. Emits `heartbeat` with the details of each heartbeat. One context serves all functions run here: after
 * `cancel()` every further one finds itself cancelled from the start.
 */
export class MockActivityEnvironment extends EventEmitter {
  /** Cancels what runs. Default: as a cancellation that the workflow requested. */
  cancel: (reason?: CancelReason, details?: ActivityCancellationDetails) => void;
  readonly context: Context;
  private readonly activity: Activity;

  constructor(info?: Partial<Info>, options: MockActivityEnvironmentOptions = {}) {
    super();
    const whole: Info = { ...defaultActivityInfo, ...info };
    this.activity = new Activity({
      info: whole,
      // Each call of `run` brings its own.
      fn: () => Promise.resolve(),
      dataConverter: {
        payloadConverter: defaultPayloadConverter,
        payloadCodecs: [],
        failureConverter: defaultFailureConverter,
      },
      serializationContext: {
        type: 'activity',
        namespace: whole.namespace,
        activityId: whole.activityId,
        workflowId: whole.workflowExecution?.workflowId,
        isLocal: whole.isLocal,
      },
      outputType: undefined,
      heartbeat: (details) => void this.emit('heartbeat', details),
      client: options.client,
      logger: LoggerWithComposedMetadata.compose(options.logger ?? new DefaultLogger(), {
        sdkComponent: SdkComponent.worker,
      }),
      metricMeter: options.metricMeter ?? noopMetricMeter,
      interceptors: options.interceptors ?? [],
    });
    this.context = this.activity.context;
    this.cancel = (reason = 'CANCELLED', details = new ActivityCancellationDetails({ cancelRequested: true })) =>
      this.activity.cancel(reason, details);
  }

  /** Runs a function in the activity's context; what it returns or throws comes back as it is. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- Temporal's signature
  async run<P extends any[], R, F extends ActivityFunction<P, R>>(fn: F, ...args: P): Promise<R> {
    return (await this.activity.runPlain({ args, headers: {} }, fn)) as R;
  }
}
