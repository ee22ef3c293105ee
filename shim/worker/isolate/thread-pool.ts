/** A workflow host over several worker threads. A run stays in the thread where it was created. */
import type { coresdk } from '@temporalio/proto';
import { BranchlineError } from '../../common/branchline-error';
import { answerWhetherToPatch, type PatchActivationCallback } from './patch-answer';
import type { SinkFilter, ThreadRequest } from './thread-messages';
import type { ActivationResult, WorkflowBundle, WorkflowCreateOptions, WorkflowHost } from './types';
import { WorkflowThread, type ThreadEvents } from './workflow-thread';

export interface ThreadPoolOptions {
  /** Number of threads, at least 1. */
  threads: number;
  /** One V8 context per thread for all runs (default true), or one per run. */
  reuseV8Context?: boolean;
  registeredActivityNames?: Iterable<string>;
  /** Record stacks for the stack trace queries (default false: it costs a fifth of the CPU and more). */
  stackTraces?: boolean;
  patchActivationCallback?: PatchActivationCallback;
  /** Sink functions to report; all when undefined. */
  sinks?: SinkFilter;
  /** Workflow code that holds its thread for longer fails its workflow task (default 5 s). */
  executionTimeoutMs?: number;
  /** A thread ended by itself; its runs are lost and must be made again, a new thread takes its place. */
  onThreadLost?: (error: Error, runIds: string[]) => void;
  /** An error in a thread that belongs to no run. Fatal: not even to workflow code. */
  onStrayError?: (error: Error, fatal: boolean) => void;
}

export interface ThreadPool extends WorkflowHost {
  /** Names that the workflows module exports; undefined for bundles of the official bundler. */
  readonly workflowTypes: readonly string[] | undefined;
}

const DEFAULT_TIMEOUT_MS = 5000;
const WATCH_INTERVAL_MS = 250;
/** An activation enters its context some times, each with its own limit when timed. */
const TIMED_ENTRIES = 10;
/** Before anything is measured: about what a small workflow takes. */
const ASSUMED_BYTES_PER_RUN = 64 * 1024;
/** Below this many live runs, garbage hides what the runs take. */
const RUNS_TO_MEASURE = 32;

/**
 * Starts the threads and loads the bundle in each.
 *
 * @throws BranchlineError `BRANCHLINE_BUNDLE_THROWS` or `BRANCHLINE_BUNDLE_INVALID`
 */
export async function createThreadPool(bundle: WorkflowBundle, options: ThreadPoolOptions): Promise<ThreadPool> {
  const pool = new Pool(bundle, options);
  await pool.start();
  return pool;
}

class Pool implements ThreadPool {
  workflowTypes: string[] | undefined;
  readonly #threads: WorkflowThread[] = [];
  readonly #threadOf = new Map<string, WorkflowThread>();
  /** Runs that blocked a thread: from then on each entry into their code is timed. */
  readonly #timed = new Set<string>();
  readonly #timeoutMs: number;
  #watchdog: NodeJS.Timeout | undefined;
  #bytesPerRun = ASSUMED_BYTES_PER_RUN;
  #closed = false;

  constructor(
    private readonly bundle: WorkflowBundle,
    private readonly options: ThreadPoolOptions,
  ) {
    this.#timeoutMs = options.executionTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  async start(): Promise<void> {
    const [first] = Array.from({ length: Math.max(1, this.options.threads) }, (_, index) => this.#add(index === 0));
    try {
      await Promise.all(this.#threads.map(({ ready }) => ready));
      this.workflowTypes = await first?.ready;
    } catch (error) {
      await this.close();
      throw error;
    }
    const interval = Math.min(WATCH_INTERVAL_MS, Math.ceil(this.#timeoutMs / 4));
    this.#watchdog = setInterval(() => this.#watch(), interval).unref();
  }

  async create(runId: string, options: WorkflowCreateOptions): Promise<void> {
    if (this.#closed) throw new BranchlineError('BRANCHLINE_WORKFLOW_HOST_CLOSED', 'The workflow host is closed');
    const thread = this.#threads.reduce((least, other) => (other.runs.size < least.runs.size ? other : least));
    this.#threadOf.set(runId, thread);
    thread.runs.add(runId);
    try {
      await thread.send({ op: 'create', runId, options: portable(options), timed: this.#timed.has(runId) });
    } catch (error) {
      this.#forget(runId, thread);
      throw error;
    }
  }

  activate(runId: string, activation: coresdk.workflow_activation.IWorkflowActivation): Promise<ActivationResult> {
    const thread = this.#threadOf.get(runId);
    if (thread === undefined) {
      const message = `Workflow run ${runId} is not in the cache`;
      return Promise.reject(new BranchlineError('BRANCHLINE_RUN_UNKNOWN', message));
    }
    return thread.send({ op: 'activate', runId, activation: withVariants(activation) }) as Promise<ActivationResult>;
  }

  async dispose(runId: string): Promise<void> {
    const thread = this.#threadOf.get(runId);
    if (thread === undefined) return;
    this.#forget(runId, thread);
    // What fails while a run is dropped concerns nobody any more.
    await thread.send({ op: 'dispose', runId }).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watchdog);
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  bytesPerRun(): number {
    return this.#bytesPerRun;
  }

  #add(probe: boolean): WorkflowThread {
    const { options } = this;
    const events: ThreadEvents = {
      onPatchQuestion: (question) =>
        answerWhetherToPatch(options.patchActivationCallback as PatchActivationCallback, question),
      onStray: (error, fatal) => options.onStrayError?.(error, fatal),
      onExit: (error) => this.#lost(thread, error),
      onMemorySample: ({ heapGrowth, runs }) => {
        if (runs < RUNS_TO_MEASURE) return;
        // Samples hold garbage as well: lean to the lower ones, follow a rise slowly.
        const sample = Math.max(1024, heapGrowth / runs);
        this.#bytesPerRun = sample < this.#bytesPerRun ? sample : this.#bytesPerRun * 0.9 + sample * 0.1;
      },
    };
    const thread: WorkflowThread = new WorkflowThread(
      {
        bundle: this.bundle,
        reuseV8Context: options.reuseV8Context ?? true,
        registeredActivityNames: [...(options.registeredActivityNames ?? [])],
        stackTraces: options.stackTraces ?? false,
        hasPatchActivationCallback: options.patchActivationCallback !== undefined,
        sinks: options.sinks,
        executionTimeoutMs: this.#timeoutMs,
        probe,
      },
      events,
    );
    this.#threads.push(thread);
    return thread;
  }

  #forget(runId: string, thread: WorkflowThread): void {
    thread.runs.delete(runId);
    if (this.#threadOf.get(runId) === thread) this.#threadOf.delete(runId);
  }

  #lost(thread: WorkflowThread, error: Error): void {
    const runIds = [...thread.runs];
    for (const runId of runIds) this.#forget(runId, thread);
    const index = this.#threads.indexOf(thread);
    if (index !== -1) this.#threads.splice(index, 1);
    // A thread that never got ready would only fail again.
    if (!this.#closed && this.#watchdog !== undefined) this.#add(false);
    this.options.onThreadLost?.(error, runIds);
  }

  #watch(): void {
    const now = performance.now();
    for (const thread of [...this.#threads]) {
      const stuck = thread.stuckRequest(now, this.#timeoutMs);
      if (stuck === undefined) continue;
      // A timed run is stopped from inside, at each of its entries.
      if (this.#timed.has(stuck.runId) && thread.stuckRequest(now, this.#timeoutMs * TIMED_ENTRIES) === undefined)
        continue;
      this.#breakOff(thread, stuck);
    }
  }

  /** Code that does not yield can only be stopped with its thread. Its own task fails; the other runs are lost and come back by replay. */
  #breakOff(thread: WorkflowThread, stuck: ThreadRequest): void {
    const message = `Script execution timed out after ${this.#timeoutMs}ms: workflow code did not yield`;
    this.#timed.add(stuck.runId);
    const failure = {
      message,
      source: 'TypeScriptSDK',
      applicationFailureInfo: { type: 'Error', nonRetryable: false },
    };
    thread.settle(
      stuck.id,
      stuck.op === 'activate'
        ? { completion: { runId: stuck.runId, failed: { failure } }, sinkCalls: [] }
        : new Error(message),
    );
    void thread.terminate();
    this.#lost(
      thread,
      new BranchlineError(
        'BRANCHLINE_WORKFLOW_THREAD_ENDED',
        `Workflow thread was ended: ${message} (run ${stuck.runId})`,
      ),
    );
  }
}

/** Functions cannot go to a thread; the runtime there puts in its own. */
function portable(options: WorkflowCreateOptions): WorkflowCreateOptions {
  const { now: _now, random: _random, ...unsafe } = options.info.unsafe;
  return { ...options, info: { ...options.info, unsafe } as WorkflowCreateOptions['info'] };
}

/** `variant` of protobufjs's classes is a getter, which a structured clone drops. */
function withVariants(
  activation: coresdk.workflow_activation.IWorkflowActivation,
): coresdk.workflow_activation.IWorkflowActivation {
  const jobs = activation.jobs ?? [];
  if (jobs.every((job) => Object.hasOwn(job, 'variant'))) return activation;
  return {
    ...activation,
    jobs: jobs.map((job) => Object.assign({}, job, { variant: (job as { variant?: string }).variant })),
  };
}
