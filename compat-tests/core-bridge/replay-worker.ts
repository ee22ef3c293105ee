/** The native replay worker: histories pushed to it are replayed one after the other. */
import type { native } from '@temporalio/core-bridge';
import { temporal } from '@temporalio/proto';
import type { WorkflowTask } from '../../shim/core';
import { replayRun } from '../../shim/worker/workflow/replay-run';
import { replayTask } from '../../shim/worker/workflow/replay-task';
import type { Runtime } from './runtime';
import { WorkerPolls, coreOptions } from './worker';

export class ReplayWorker {
  readonly type = 'worker';
  readonly polls = new WorkerPolls();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly runtime: Runtime,
    private readonly options: native.WorkerOptions,
  ) {
    this.polls.activities.close();
  }

  push(task: WorkflowTask): void {
    const { options, polls, runtime } = this;
    this.last = this.last.then(() =>
      replayRun(task, {
        namespace: options.namespace,
        core: coreOptions(options),
        executors: polls.runs,
        coreLogger: runtime.logger,
      }),
    );
  }

  pollWorkflows(): Promise<Buffer> {
    return this.polls.workflows.next();
  }

  pollActivities(): Promise<Buffer> {
    return this.polls.activities.next();
  }

  initiateShutdown(): void {
    void this.last.finally(() => this.polls.workflows.close());
  }

  async finalizeShutdown(): Promise<void> {
    this.initiateShutdown();
    await this.last;
  }
}

export class HistoryPusher {
  readonly type = 'history-pusher';
  constructor(readonly worker: ReplayWorker) {}
}

export function newReplayWorker(runtime: Runtime, options: native.WorkerOptions): [ReplayWorker, HistoryPusher] {
  const worker = new ReplayWorker(runtime, options);
  return [worker, new HistoryPusher(worker)];
}

/** A length-delimited History. */
export function pushHistory(pusher: HistoryPusher, workflowId: string, bytes: Buffer): Promise<void> {
  const { History } = temporal.api.history.v1;
  const history = History.toObject(History.decodeDelimited(bytes)) as temporal.api.history.v1.IHistory;
  try {
    pusher.worker.push(replayTask(history, workflowId));
    return Promise.resolve();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

export function closeHistoryStream(pusher: HistoryPusher): void {
  pusher.worker.initiateShutdown();
}
