/** The worker's end of sinks: functions that workflow code calls without getting an answer. */
import type { Sink, SinkFunction, Sinks, WorkflowInfo } from '@temporalio/workflow';
import { SdkComponent, type Logger, type MetricMeter, type MetricTags } from '@temporalio/common';
import { LoggerWithComposedMetadata } from '@temporalio/common/lib/logger';

/** What a sink function does on the worker. */
export interface InjectedSinkFunction<F extends SinkFunction> {
  fn(info: WorkflowInfo, ...args: Parameters<F>): void | Promise<void>;
  /** Call it while history is replayed as well. Default: false. */
  callDuringReplay?: boolean;
}

export type InjectedSink<T extends Sink> = {
  [P in keyof T]: InjectedSinkFunction<T[P]>;
};

export type InjectedSinks<T extends Sinks> = {
  [P in keyof T]: InjectedSink<T[P]>;
};

type LogSinkFunction = InjectedSinkFunction<(message: string, attributes?: Record<string, unknown>) => void>;

/** The sink behind `log` of workflow code. */
export function loggerSink(workerLogger: Logger): Record<string, Record<string, LogSinkFunction>> {
  const logger = LoggerWithComposedMetadata.compose(workerLogger, { sdkComponent: SdkComponent.workflow });
  const level = (name: 'trace' | 'debug' | 'info' | 'warn' | 'error'): LogSinkFunction => ({
    fn: (_info, message, attributes) => logger[name](message, attributes),
  });
  return {
    __temporal_logger: {
      trace: level('trace'),
      debug: level('debug'),
      info: level('info'),
      warn: level('warn'),
      error: level('error'),
    },
  };
}

/** The sink behind `metricMeter` of workflow code, which calls it outside of replay only. */
export function metricSink(meter: MetricMeter): Record<string, Record<string, InjectedSinkFunction<SinkFunction>>> {
  return {
    __temporal_metrics: {
      addMetricCounterValue: {
        fn: (_info, name: string, unit: string, description: string, value: number, tags: MetricTags) =>
          meter.createCounter(name, unit, description).add(value, tags),
      },
      recordMetricHistogramValue: {
        fn: (
          _info,
          name: string,
          type: 'int' | 'float',
          unit: string,
          description: string,
          value: number,
          tags: MetricTags,
        ) => meter.createHistogram(name, type, unit, description).record(value, tags),
      },
      setMetricGaugeValue: {
        fn: (
          _info,
          name: string,
          type: 'int' | 'float',
          unit: string,
          description: string,
          value: number,
          tags: MetricTags,
        ) => meter.createGauge(name, type, unit, description).set(value, tags),
      },
    },
  };
}
