/** Replaying recorded histories against workflow code. */
import { createInProcess } from './isolate/in-process';
import { replayErrorOf, type ReplayHistoriesIterable, type ReplayResult } from './replay-errors';
import { coreRunOptions, isolateParts, type WorkerParts } from './worker-parts';
import { isolateExecutors } from './workflow/run-isolate';
import { replayRun } from './workflow/replay-run';
import { replayTask, validateHistory } from './workflow/replay-task';

/** Replays one history after the other; yields what each came to. */
export async function* replayHistories(
  parts: WorkerParts,
  histories: ReplayHistoriesIterable,
): AsyncIterableIterator<ReplayResult> {
  const host = createInProcess(parts.bundle!, {
    reuseV8Context: parts.options.reuseV8Context,
    stackTraces: parts.options.showStackTraceSources,
  });
  const executors = isolateExecutors(isolateParts(parts, host, true));
  const { namespace } = parts.options;
  try {
    for await (const { history, workflowId } of histories) {
      const task = replayTask(validateHistory(history), workflowId);
      const options = { namespace, core: coreRunOptions(parts), executors, coreLogger: parts.coreLogger };
      const { reason, message } = await replayRun(task, options);
      yield {
        workflowId,
        runId: task.workflowExecution?.runId ?? '',
        error: replayErrorOf(reason, message),
      };
    }
  } finally {
    await executors.close();
  }
}
