/** Replays one recorded history. */
import type { Logger } from '@temporalio/common';
import { createCoreRun, type CoreRunOptions, type WorkflowTask } from '../../core';
import type { Rpc } from '../polling/rpc';
import { RunDriver, type Eviction, type RunDriverParts } from './run-driver';
import type { RunExecutors } from './run-executor';

export interface ReplayRunOptions {
  namespace: string;
  core: CoreRunOptions;
  executors: RunExecutors;
  coreLogger: Logger;
}

/** A replay sends nothing: its history is all there is. */
const noService: Rpc = {
  call: (method) => Promise.reject(new Error(`Unexpected ${method} during replay`)),
};

/** Local activities of a replay are resolved by their markers. */
const noLocalActivities: RunDriverParts['localActivities'] = {
  start: () => undefined,
  cancel: () => undefined,
  forget: () => undefined,
};

/** Resolves when the run has left, with the reason: how the replay came out. */
export function replayRun(task: WorkflowTask, options: ReplayRunOptions): Promise<Eviction> {
  const { namespace, executors, coreLogger } = options;
  return new Promise((resolve) => {
    const core = createCoreRun(task, { ...options.core, replayOnly: true });
    const driver = new RunDriver(core, executors.create(core.runId), {
      rpc: noService,
      namespace,
      localActivities: noLocalActivities,
      coreLogger,
      activations: () => undefined,
      taskDone: () => undefined,
      evicted: (_driver, eviction) => resolve(eviction),
      idle: () => undefined,
    });
    driver.handleTask(task);
  });
}
