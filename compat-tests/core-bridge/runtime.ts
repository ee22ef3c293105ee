/** The native runtime: here it is only where the core's log lines go. */
import type { native } from '@temporalio/core-bridge';
import type { Logger, LogLevel } from '@temporalio/common';

export class Runtime {
  readonly type = 'runtime';
  readonly logger: Logger;

  constructor(options: native.RuntimeOptions) {
    this.logger = forwardingLogger(options.logExporter);
  }
}

export function newRuntime(options: native.RuntimeOptions): Runtime {
  return new Runtime(options);
}

export function runtimeShutdown(_runtime: Runtime): void {}

export function getTimeOfDay(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

const levels: LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

/** The level that the filter gives the core (`temporalio_sdk_core=WARN`), else that of everything. */
function levelOf(filter: string): number {
  const parts = filter.split(',').map((part) => part.split('='));
  const found = parts.find(([target]) => target?.endsWith('sdk_core')) ?? parts.find((part) => part.length === 1);
  return Math.max(0, levels.indexOf((found?.at(-1) ?? 'WARN').toUpperCase() as LogLevel));
}

function forwardingLogger(exporter: native.LogExporterOptions): Logger {
  const least = levelOf(exporter.filter);
  const log = (level: LogLevel, message: string, fields: Record<string, unknown> = {}): void => {
    if (levels.indexOf(level) < least) return;
    if (exporter.type === 'console') {
      console.error(level, message, fields);
      return;
    }
    const entry = {
      target: 'temporalio_sdk_core',
      message,
      timestamp: String(getTimeOfDay()),
      level,
      fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
      spanContexts: [],
    };
    exporter.receiver([JSON.stringify(entry)]);
  };
  return {
    log,
    trace: (...args) => log('TRACE', ...args),
    debug: (...args) => log('DEBUG', ...args),
    info: (...args) => log('INFO', ...args),
    warn: (...args) => log('WARN', ...args),
    error: (...args) => log('ERROR', ...args),
  };
}
