/** Starting what runs workflow code. */
import { UnexpectedError } from './errors';
import { createInProcess } from './isolate/in-process';
import { createThreadPool } from './isolate/thread-pool';
import type { WorkflowHost } from './isolate/types';
import { sinkFilter } from './sink-filter';
import type { WorkerParts } from './worker-parts';

export interface IsolateEvents {
  onThreadLost: (runIds: string[], error: Error) => void;
  /** Something went wrong in a thread that cannot be blamed on a run: the worker must not go on. */
  onCrash: (error: UnexpectedError) => void;
}

/** The threads (or, to be debugged, the main thread) that run workflow code. */
export async function startIsolates(
  parts: WorkerParts,
  { onThreadLost, onCrash }: IsolateEvents,
): Promise<WorkflowHost | undefined> {
  const { bundle, options, logger } = parts;
  if (bundle === undefined) return undefined;
  const stackTraces = options.debugMode || options.showStackTraceSources;
  const registeredActivityNames = options.activities.keys();
  const patch = options.patchActivationCallback;
  if (options.debugMode) {
    return createInProcess(bundle, {
      reuseV8Context: options.reuseV8Context,
      registeredActivityNames,
      stackTraces,
      patchActivationCallback: patch,
    });
  }
  return createThreadPool(bundle, {
    threads: options.workflowThreadPoolSize,
    reuseV8Context: options.reuseV8Context,
    registeredActivityNames,
    stackTraces,
    patchActivationCallback: patch,
    sinks: sinkFilter(options.sinks, parts.runtime.logger, parts.runtime.metrics !== undefined),
    executionTimeoutMs: options.isolateExecutionTimeoutMs,
    onThreadLost: (error, runIds) => {
      logger.error('A workflow thread ended and was replaced', { error, runIds });
      onThreadLost(runIds, error);
    },
    onStrayError: (error, fatal) => {
      if (fatal) onCrash(new UnexpectedError(`Workflow Worker Thread exited prematurely: ${String(error)}`, error));
      else logger.error('Unhandled error in a workflow thread', { error });
    },
  });
}
