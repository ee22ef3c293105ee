/** Starting what runs workflow code. */
import { createInProcess } from './isolate/in-process';
import { createThreadPool } from './isolate/thread-pool';
import type { WorkflowHost } from './isolate/types';
import { sinkFilter } from './sink-filter';
import type { WorkerParts } from './worker-parts';

/** The threads (or, to be debugged, the main thread) that run workflow code. */
export async function startIsolates(
  parts: WorkerParts,
  onThreadLost: (runIds: string[], error: Error) => void,
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
    sinks: sinkFilter(options.sinks, parts.runtime.logger),
    executionTimeoutMs: options.isolateExecutionTimeoutMs,
    onThreadLost: (error, runIds) => {
      logger.error('A workflow thread ended and was replaced', { error, runIds });
      onThreadLost(runIds, error);
    },
    onStrayError: (error) => logger.error('Unhandled error in a workflow thread', { error }),
  });
}
