/** Which sink calls are worth crossing from a workflow thread to the main one. */
import type { Logger } from '@temporalio/common';
import type { SinkFilter } from './isolate/thread-messages';
import { DefaultLogger } from './logger';
import type { InjectedSinks } from './sinks';

/**
 * The worker's sink functions. Messages that the runtime's own logger would drop for their level stay in the thread: each
 * carries a copy of the workflow's info. So do metrics when nobody measures.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each sink has its own argument types
export function sinkFilter(sinks: InjectedSinks<any>, logger: Logger, measured: boolean): SinkFilter {
  const filter: SinkFilter = {};
  for (const [sink, functions] of Object.entries(sinks)) {
    filter[sink] = Object.fromEntries(
      Object.entries(functions).map(([name, { callDuringReplay }]) => [
        name,
        { callDuringReplay: callDuringReplay ?? false },
      ]),
    );
  }
  if (!measured) {
    for (const name of Object.keys(filter.__temporal_metrics ?? {})) filter.__temporal_metrics![name] = 'dropped';
  }
  const log = filter.__temporal_logger;
  // A sink or a subclass of the user's own may want what the level would drop.
  const isOurs = sinks.defaultWorkerLogger === undefined && Object.getPrototypeOf(logger) === DefaultLogger.prototype;
  if (log !== undefined && isOurs && logger instanceof DefaultLogger) {
    const levels = ['trace', 'debug', 'info', 'warn', 'error'];
    for (const level of levels.slice(0, levels.indexOf(logger.level.toLowerCase()))) log[level] = 'dropped';
  }
  return filter;
}
