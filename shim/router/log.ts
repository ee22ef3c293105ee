/** The log of a routed connection that was given no logger. */
import type { LogLevel, LogMetadata, Logger } from '@temporalio/common';

function write(level: LogLevel, message: string, meta?: LogMetadata): void {
  if (level !== 'WARN' && level !== 'ERROR') return;
  const { error, ...rest } = meta ?? {};
  const more = { ...rest, ...(error instanceof Error ? { error: error.message } : {}) };
  process.stderr.write(`${new Date().toISOString()} ${level} ${message} ${JSON.stringify(more)}\n`);
}

export const stderrLogger: Logger = {
  log: write,
  trace: (message, meta) => write('TRACE', message, meta),
  debug: (message, meta) => write('DEBUG', message, meta),
  info: (message, meta) => write('INFO', message, meta),
  warn: (message, meta) => write('WARN', message, meta),
  error: (message, meta) => write('ERROR', message, meta),
};
