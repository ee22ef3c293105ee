/** Carrying out, on the main thread, what workflow code called on its sinks. */
import type { Logger } from '@temporalio/common';
import type { InjectedSinks } from '../sinks';
import type { SinkCall } from '../isolate/types';

export interface SinkCallsOptions {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each sink has its own argument types
  sinks: InjectedSinks<any>;
  logger: Logger;
  /** On a replay worker only sinks that ask for replay are called. */
  isReplayWorker: boolean;
  logAttributes: () => Record<string, unknown>;
}

/**
 * Calls the sink functions in order. Never fails: what they throw is logged. The result is undefined when none of them is
 * asynchronous, else settles with the last.
 */
export function processSinkCalls(calls: SinkCall[], options: SinkCallsOptions): Promise<unknown> | undefined {
  const pending: Promise<void>[] = [];
  for (const call of calls) {
    const { fnName, workflowInfo, args } = call;
    const ifaceName = call.ifaceName === 'defaultWorkerLogger' ? '__temporal_logger' : call.ifaceName;
    const sink = options.sinks[ifaceName]?.[fnName];
    const failed = (error: unknown): void => {
      options.logger.error('External sink function threw an error', {
        ...options.logAttributes(),
        ifaceName,
        fnName,
        error,
        workflowInfo,
      });
    };
    if (sink === undefined) {
      options.logger.error('Workflow referenced an unregistered external sink', {
        ...options.logAttributes(),
        ifaceName,
        fnName,
      });
      continue;
    }
    // Judged per call, not per activation: queries and update validators log live while history is replayed.
    if (!sink.callDuringReplay && (options.isReplayWorker || workflowInfo.unsafe.isReplayingHistoryEvents)) continue;
    try {
      const result = sink.fn(workflowInfo, ...args) as void | Promise<void>;
      if (result instanceof Promise) pending.push(result.catch(failed));
    } catch (error) {
      failed(error);
    }
  }
  return pending.length === 0 ? undefined : Promise.all(pending);
}
