/** The runtime's default logger: text lines on stderr. */
import { formatWithOptions } from 'node:util';
import type { Logger, LogLevel, LogMetadata } from '@temporalio/common';

export type { Logger, LogLevel, LogMetadata };

export interface LogEntry {
  message: string;
  level: LogLevel;
  /** Nanoseconds since the epoch. */
  timestampNanos: bigint;
  meta?: LogMetadata;
}

/** Key in a message's metadata that carries its time (bigint, ns), for messages made earlier or elsewhere. */
export const LogTimestamp: unique symbol = Symbol.for('log_timestamp') as never;

const severities: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

function stderrHasColors(): boolean {
  return process.stderr.isTTY === true && process.stderr.hasColors();
}

function writeToStderr({ level, timestampNanos, message, meta }: LogEntry): void {
  const format = (value: unknown): string => formatWithOptions({ colors: stderrHasColors() }, value);
  const time = format(new Date(Number(timestampNanos / 1_000_000n)));
  process.stderr.write(`${time} [${level}] ${message}${meta === undefined ? '' : ` ${format(meta)}`}\n`);
}

/** Nanoseconds since the epoch, to the microsecond. */
export function timeOfDayNanos(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

/**
 * Logs entries of `level` and above through `logFunction`.
 * Defaults: `INFO`, one line per entry on stderr.
 */
export class DefaultLogger implements Logger {
  protected readonly severity: number;

  constructor(
    public readonly level: LogLevel = 'INFO',
    protected readonly logFunction: (entry: LogEntry) => void = writeToStderr,
  ) {
    this.severity = severities.indexOf(level);
  }

  log(level: LogLevel, message: string, meta?: LogMetadata): void {
    if (severities.indexOf(level) < this.severity) return;
    const { [LogTimestamp]: timestampNanos, ...rest } = meta ?? {};
    this.logFunction({
      level,
      message,
      meta: Object.keys(rest).length === 0 ? undefined : rest,
      timestampNanos: (timestampNanos as bigint | undefined) ?? timeOfDayNanos(),
    });
  }

  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }

  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }

  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }

  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }

  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}

/** A logger that buffers. */
export interface FlushableLogger extends Logger {
  flush(): void;
  close?(): void;
}

export function isFlushableLogger(logger: Logger): logger is FlushableLogger {
  return 'flush' in logger && typeof logger.flush === 'function';
}

/** Passes on the messages of `level` and above, marked with `meta`. */
export class FilteredLogger implements Logger {
  private readonly severity: number;

  constructor(
    private readonly target: Logger,
    level: LogLevel,
    private readonly meta: LogMetadata,
  ) {
    this.severity = severities.indexOf(level);
  }

  log(level: LogLevel, message: string, meta?: LogMetadata): void {
    if (severities.indexOf(level) >= this.severity) this.target.log(level, message, { ...this.meta, ...meta });
  }

  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }

  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }

  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }

  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }

  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}
