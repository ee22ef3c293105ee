/** What Temporal keeps for code of before version 1.9, which set up logging itself. */
import type { Context } from '@temporalio/activity';
import { SdkComponent, type Logger } from '@temporalio/common';
import type { Next } from '@temporalio/common';
import { LoggerWithComposedMetadata } from '@temporalio/common/lib/logger';
import type { LoggerSinks } from '@temporalio/workflow';
import { activityLogAttributes } from './activity/activity';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, WorkerInterceptors } from './interceptors';
import { Runtime } from './runtime';
import { loggerSink, type InjectedSinks } from './sinks';

/** @deprecated Activities log by themselves. With a logger of its own, or subclassed, it still replaces the context's `log`. */
export class ActivityInboundLogInterceptor implements ActivityInboundCallsInterceptor {
  protected readonly logger: Logger;

  constructor(
    protected readonly ctx: Context,
    logger?: Logger,
  ) {
    const runtimeLogger = Runtime.instance().logger;
    this.logger = logger ?? runtimeLogger;
    const isPlain = Object.getPrototypeOf(this) === ActivityInboundLogInterceptor.prototype;
    if (this.logger === runtimeLogger && isPlain) return;
    ctx.log = LoggerWithComposedMetadata.compose(this.logger, () => ({
      sdkComponent: SdkComponent.activity,
      ...this.logAttributes(),
    }));
  }

  protected logAttributes(): Record<string, unknown> {
    return activityLogAttributes(this.ctx.info);
  }

  execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    return next(input);
  }
}

/** @deprecated No longer required: set the runtime's logger. */
export function defaultSinks(logger?: Logger): InjectedSinks<LoggerSinks> {
  // Without a logger the worker's own sink stays in place.
  if (logger === undefined) return {} as InjectedSinks<LoggerSinks>;
  return { defaultWorkerLogger: loggerSink(logger).__temporal_logger } as unknown as InjectedSinks<LoggerSinks>;
}

/** @deprecated No longer required: set the runtime's logger. */
export function appendDefaultInterceptors(interceptors: WorkerInterceptors, logger?: Logger): WorkerInterceptors {
  if (logger === undefined || logger === Runtime.instance().logger) return interceptors;
  return {
    ...interceptors,
    activityInbound: [(ctx) => new ActivityInboundLogInterceptor(ctx, logger), ...(interceptors.activityInbound ?? [])],
  };
}
