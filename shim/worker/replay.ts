/** Replaying recorded histories against workflow code. */
import { createInProcess } from './isolate/in-process';
import { ActivityRunner } from './activity/activity-runner';
import type { CompiledWorkerOptions } from './compiled-options';
import type { WorkflowHost } from './isolate/types';
import { Slots } from './polling/slots';
import type { Rpc } from './polling/rpc';
import { replayErrorOf, type ReplayHistoriesIterable, type ReplayResult } from './replay-errors';
import { coreRunOptions, isolateParts, type WorkerParts } from './worker-parts';
import { LocalActivityManager } from './workflow/local-activity-manager';
import { replayTask, validateHistory } from './workflow/replay-task';
import { RunDriver, type Eviction } from './workflow/run-driver';
import { RunIsolate } from './workflow/run-isolate';
import { createCoreRun, type WorkflowTask } from '../core';

/** A replay sends nothing: its history is all there is. */
const noService: Rpc = {
  call: (method) => Promise.reject(new Error(`Unexpected ${method} during replay`)),
};

/** Replays one history after the other; yields what each came to. */
export async function* replayHistories(
  parts: WorkerParts,
  histories: ReplayHistoriesIterable,
): AsyncIterableIterator<ReplayResult> {
  const host = createInProcess(parts.bundle!, {
    reuseV8Context: parts.options.reuseV8Context,
    stackTraces: parts.options.showStackTraceSources,
  });
  try {
    for await (const { history, workflowId } of histories) {
      const task = replayTask(validateHistory(history), workflowId);
      const { reason, message } = await replay(parts, host, task);
      yield {
        workflowId,
        runId: task.workflowExecution?.runId ?? '',
        error: replayErrorOf(reason, message),
      };
    }
  } finally {
    await host.close();
  }
}

function replay(parts: WorkerParts, host: WorkflowHost, task: WorkflowTask): Promise<Eviction> {
  const { options } = parts;
  return new Promise((resolve) => {
    const core = createCoreRun(task, { ...coreRunOptions(parts), replayOnly: true });
    const runner = new ActivityRunner(runnerOptions(options, parts));
    const driver = new RunDriver(core, new RunIsolate(isolateParts(parts, host, true), core.runId), {
      rpc: noService,
      namespace: options.namespace,
      localActivities: new LocalActivityManager(runner, new Slots(1), options.namespace),
      coreLogger: parts.coreLogger,
      activations: () => undefined,
      taskDone: () => undefined,
      evicted: (_driver, eviction) => resolve(eviction),
      idle: () => undefined,
    });
    driver.handleTask(task);
  });
}

/** No activity runs in a replay; the runner exists because drivers have one. */
function runnerOptions(
  options: CompiledWorkerOptions,
  parts: WorkerParts,
): ConstructorParameters<typeof ActivityRunner>[0] {
  return {
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    activities: new Map(),
    dataConverter: options.loadedDataConverter,
    interceptors: [],
    logger: parts.logger,
    metricMeter: parts.metricMeter,
    client: () => undefined,
  };
}
