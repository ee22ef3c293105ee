/** Options of the {@link Runtime}: logging, metrics and shutdown signals. */
import type { Logger, LogLevel } from '@temporalio/common';
import { msToNumber, type Duration } from '@temporalio/common/lib/time';
import { BranchlineOptionError } from '../common/errors';
import { compileMetricsOptions, type CompiledMetricsOptions, type MetricsExporterConfig } from './metrics/options';
import { DefaultLogger, FilteredLogger } from './logger';

export interface RuntimeOptions {
  /** Receives what the SDK logs, and workflows and activities through their `log`. Default: `new DefaultLogger('INFO')`. */
  logger?: Logger;
  /** Logs and metrics of the engine. */
  telemetryOptions?: TelemetryOptions;
  /** Only 0 (off) is supported: there is no worker registry to report to. */
  workerHeartbeatInterval?: Duration;
  /** Signals that shut down all workers. Default: SIGINT, SIGTERM, SIGQUIT, SIGUSR2. */
  shutdownSignals?: NodeJS.Signals[];
}

export interface TelemetryOptions {
  /** @deprecated Use `logging.filter`. */
  tracingFilter?: string;
  /** @deprecated Use `metrics.metricPrefix`. */
  noTemporalPrefixForMetrics?: boolean;
  /** Where the engine's own messages go. */
  logging?: LogExporterConfig;
  /** Where metrics go. Default: nothing is measured. */
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

export interface CompiledRuntimeOptions {
  shutdownSignals: NodeJS.Signals[];
  logger: Logger;
  /** Receives what the engine (Temporal's core) would log. */
  coreLogger: Logger;
  /** Undefined: nothing is measured. */
  metrics: CompiledMetricsOptions | undefined;
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
    metrics: compileMetricsOptions(telemetry.metrics, telemetry.noTemporalPrefixForMetrics),
    shutdownSignals: options.shutdownSignals ?? ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2'],
  };
}
