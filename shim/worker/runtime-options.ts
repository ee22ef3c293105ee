/** Options of the {@link Runtime}: logging and shutdown signals. Metrics exporters are refused by name. */
import type { Logger, LogLevel } from '@temporalio/common';
import { msToNumber, type Duration } from '@temporalio/common/lib/time';
import { BranchlineOptionError } from '../common/errors';
import { DefaultLogger, FilteredLogger } from './logger';

export interface RuntimeOptions {
  /** Receives what the SDK logs, and workflows and activities through their `log`. Default: `new DefaultLogger('INFO')`. */
  logger?: Logger;
  /** Logs of the engine; metrics exporters are not supported. */
  telemetryOptions?: TelemetryOptions;
  /** Only 0 (off) is supported: there is no worker registry to report to. */
  workerHeartbeatInterval?: Duration;
  /** Signals that shut down all workers. Default: SIGINT, SIGTERM, SIGQUIT, SIGUSR2. */
  shutdownSignals?: NodeJS.Signals[];
}

export interface TelemetryOptions {
  /** @deprecated Use `logging.filter`. */
  tracingFilter?: string;
  /** @deprecated Only meaningful with metrics. */
  noTemporalPrefixForMetrics?: boolean;
  /** Where the engine's own messages go. */
  logging?: LogExporterConfig;
  /** Not supported: refused with a {@link BranchlineOptionError}. */
  metrics?: MetricsExporterConfig;
  /** @deprecated Ignored by Temporal as well. */
  tracing?: unknown;
}

export type LogExporterConfig = {
  /** An env filter string or levels. Default: `{ core: 'WARN', other: 'ERROR' }`. */
  filter?: string | CoreLogFilterOptions;
} & Partial<ConsoleLogger | ForwardLogger>;

/** The engine logs to the console. */
export interface ConsoleLogger {
  console: { format?: 'compact' | 'pretty' | 'json' };
}

/** The engine logs to the runtime's logger. */
export interface ForwardLogger {
  forward: {
    /** @deprecated Use `logging.filter`. */
    level?: LogLevel;
  };
}

export interface CoreLogFilterOptions {
  core: LogLevel;
  other?: LogLevel;
}

/** @deprecated Use {@link CoreLogFilterOptions}. */
export type MakeTelemetryFilterStringOptions = CoreLogFilterOptions;

export type MetricsExporterConfig = {
  temporality?: 'cumulative' | 'delta';
  metricPrefix?: string;
  globalTags?: Record<string, string>;
  attachServiceName?: boolean;
} & (PrometheusMetricsExporter | OtelCollectorExporter | BufferedMetricsExporter);

export interface OtelCollectorExporter {
  otel: {
    url: string;
    http?: boolean;
    headers?: Record<string, string>;
    metricsExportInterval?: Duration;
    useSecondsForDurations?: boolean;
    temporality?: 'cumulative' | 'delta';
    histogramBucketOverrides?: Record<string, number[]>;
  };
}

export interface PrometheusMetricsExporter {
  prometheus: {
    bindAddress: string;
    countersTotalSuffix?: boolean;
    unitSuffix?: boolean;
    useSecondsForDurations?: boolean;
    histogramBucketOverrides?: Record<string, number[]>;
  };
}

export interface BufferedMetricsExporter {
  buffer: object;
}

export interface CompiledRuntimeOptions {
  shutdownSignals: NodeJS.Signals[];
  logger: Logger;
  /** Receives what the engine (Temporal's core) would log. */
  coreLogger: Logger;
}

/** The env-filter string for `telemetryOptions.logging.filter`. */
export function makeTelemetryFilterString(options: CoreLogFilterOptions): string {
  const { core, other } = options;
  return `${other ?? 'ERROR'},temporalio_sdk_core=${core},temporalio_client=${core},temporalio_common=${core}`;
}

const levels: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

function levelOfFilter(filter: string | CoreLogFilterOptions | undefined): LogLevel | undefined {
  if (filter === undefined || filter === '') return undefined;
  if (typeof filter === 'object') return filter.core;
  if (typeof filter !== 'string') throw new TypeError('Invalid logging filter');
  const core = /temporal(?:io)?_sdk_core=(\w+)/.exec(filter)?.[1] ?? filter.split(',')[0];
  const level = core.toUpperCase() as LogLevel;
  return levels.includes(level) ? level : undefined;
}

export function compileRuntimeOptions(options: RuntimeOptions): CompiledRuntimeOptions {
  const telemetry = options.telemetryOptions ?? {};
  if (telemetry.metrics !== undefined) {
    const exporter = ['prometheus', 'otel', 'buffer'].find((name) => name in (telemetry.metrics as object)) ?? '';
    throw new BranchlineOptionError(
      `telemetryOptions.metrics${exporter && '.'}${exporter}`,
      'remove it, and measure in interceptors or sinks instead.',
    );
  }
  if (options.workerHeartbeatInterval !== undefined && msToNumber(options.workerHeartbeatInterval) !== 0) {
    throw new BranchlineOptionError('workerHeartbeatInterval', 'remove it or set it to 0.');
  }
  const logger = options.logger ?? new DefaultLogger('INFO');
  const logging = telemetry.logging;
  const forward = logging !== undefined && 'forward' in logging ? logging.forward : undefined;
  const level = levelOfFilter(logging?.filter) ?? forward?.level ?? levelOfFilter(telemetry.tracingFilter) ?? 'WARN';
  return {
    logger,
    coreLogger: new FilteredLogger(forward === undefined ? new DefaultLogger(level) : logger, level, {
      sdkComponent: 'core',
    }),
    shutdownSignals: options.shutdownSignals ?? ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2'],
  };
}
