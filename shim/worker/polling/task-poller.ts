/** Polls of one task queue: some loops that ask for a task, hand it over and ask again. */
import { setMaxListeners } from 'node:events';
import type { Logger } from '@temporalio/common';
import { Code } from '../../service/errors';
import { codeOf, isRetryable, pollDelayMs, type Rpc } from './rpc';

interface TaskLike {
  taskToken?: Uint8Array | null;
}

export interface TaskPollerOptions<Task extends TaskLike> {
  rpc: Rpc;
  method: 'pollWorkflowTaskQueue' | 'pollActivityTaskQueue';
  request: object;
  /** Polls kept waiting at once. */
  polls: number;
  /** Take workflow tasks of runs whose start is not durable. Default false. */
  aheadOfStart?: boolean;
  logger: Logger;
  /** Before each poll: resolves to false when no more polls are wanted. Undefined: poll at once. */
  beforePoll?: () => Promise<boolean> | undefined;
  /** A task came: start it. The loop that brought it polls again when the result (if any) resolves. */
  onTask: (task: Task) => void | Promise<void>;
  /** What `beforePoll` took is given back: the poll brought no task. */
  onNoTask?: () => void;
  /** A poll came to its end in order, and empty. */
  onEmpty?: () => void;
  /** The service refused the poll for good. */
  onFatal: (error: unknown) => void;
}

/** How long one poll may wait for a task. */
const pollTimeoutMs = 60_000;

/** Polls until {@link TaskPoller.stop}; errors that may pass are retried with a growing delay. */
export class TaskPoller<Task extends TaskLike> {
  private readonly stopping = new AbortController();
  private outstanding = 0;
  private failures = 0;
  private done: Promise<void> | undefined;

  constructor(private readonly options: TaskPollerOptions<Task>) {
    // Each waiting poll listens.
    setMaxListeners(0, this.stopping.signal);
  }

  /** Polls that wait. */
  get outstandingPolls(): number {
    return this.outstanding;
  }

  get hasOutstandingPoll(): boolean {
    return this.outstanding > 0;
  }

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  start(): void {
    this.done = Promise.all(Array.from({ length: this.options.polls }, () => this.loop())).then(() => undefined);
  }

  /** Ends the polls that wait. Resolves when each has returned; tasks that arrived meanwhile were handed over. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }

  private async loop(): Promise<void> {
    const { beforePoll, onTask, onNoTask, onEmpty, onFatal } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const ready = beforePoll?.();
      if (ready !== undefined && !(await ready)) return;
      let task: Task;
      this.outstanding += 1;
      try {
        task = await this.poll();
        this.outstanding -= 1;
        this.failures = 0;
      } catch (error) {
        this.outstanding -= 1;
        onNoTask?.();
        if (signal.aborted) return;
        const code = codeOf(error);
        if (!isRetryable(error) && code !== Code.CANCELLED && code !== Code.DEADLINE_EXCEEDED) {
          this.stopping.abort();
          onFatal(error);
          return;
        }
        await this.backOff(error);
        continue;
      }
      if (task.taskToken == null || task.taskToken.length === 0) {
        onEmpty?.();
        onNoTask?.();
        continue;
      }
      const started = onTask(task);
      if (started !== undefined) await started;
    }
  }

  /** A response without a token says that there was no task. */
  private poll(): Promise<Task> {
    const { rpc, method, request } = this.options;
    const context = {
      deadlineMs: Date.now() + pollTimeoutMs,
      signal: this.stopping.signal,
      metadata: {},
      aheadOfStart: this.options.aheadOfStart ?? false,
    };
    return rpc.call(method, request, context) as Promise<Task>;
  }

  private async backOff(error: unknown): Promise<void> {
    this.failures += 1;
    // One line per round of failures, not one per loop.
    const round = Math.ceil(this.failures / this.options.polls);
    if (this.failures % this.options.polls === 1 || this.options.polls === 1) {
      this.options.logger.warn(`${this.options.method} failed, polling again after a delay`, {
        error,
        failures: round,
      });
    }
    const { signal } = this.stopping;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, pollDelayMs(round));
      signal.addEventListener('abort', finish, { once: true });
    });
  }
}
