/** The runs of one thread: made, activated one after another, dropped. Used by the worker threads and by the in-process host. */
import { BranchlineError } from '../../common/branchline-error';
import { BundleScript } from './bundle-script';
import {
  ContextPerRun,
  ReusableContext,
  runEntered,
  type ContextPool,
  type InitOptions,
  type RuntimeOptions,
} from './context';
import { recordPromiseStacks } from './stack-traces';
import type { ActivationResult, WorkflowBundle, WorkflowCreateOptions } from './types';
import type { coresdk } from '@temporalio/proto';
import type { WorkflowRun } from './workflow-run';

export interface IsolateSettings extends RuntimeOptions {
  /** One context for all runs (quick, small), or one for each. */
  reuseV8Context: boolean;
  /** Whether this thread runs nothing but workflows, so that host objects the sandbox sees may be frozen. */
  ownsThread: boolean;
  /** For runs that blocked their thread before: bound on each entry into their context, ms. */
  executionTimeoutMs: number;
}

export class IsolateService {
  readonly #script: BundleScript;
  readonly #pool: ContextPool;
  readonly #runs = new Map<string, WorkflowRun>();
  readonly #runtime: Omit<RuntimeOptions, 'patchActivationCallback'> & {
    patchActivationCallback?: RuntimeOptions['patchActivationCallback'];
    getTimeOfDay: () => bigint;
  };
  readonly #stopRecording: (() => void) | undefined;
  #sources: { sources: string[]; sourcesContent: (string | null)[] } | undefined;
  /** The run that an unhandled rejection reported now belongs to. */
  #inCharge: WorkflowRun | undefined;

  /** @throws BranchlineError when the bundle cannot be loaded */
  constructor(
    bundle: WorkflowBundle,
    private readonly settings: IsolateSettings,
  ) {
    this.#script = new BundleScript(bundle);
    this.#pool = settings.reuseV8Context
      ? new ReusableContext(this.#script, settings.ownsThread)
      : new ContextPerRun(this.#script);
    const { registeredActivityNames, stackTracesEnabled, patchActivationCallback } = settings;
    this.#runtime = { registeredActivityNames, stackTracesEnabled, patchActivationCallback, getTimeOfDay };
    if (stackTracesEnabled) this.#stopRecording = recordPromiseStacks(runEntered);
  }

  get liveRuns(): number {
    return this.#runs.size;
  }

  /** Loads the user's code once, as a run would. @throws BranchlineError `BRANCHLINE_BUNDLE_THROWS` */
  probe(): string[] | undefined {
    return this.#pool.exportedNames(this.#init(probeOptions));
  }

  /** @param timed the run blocked its thread before: it gets a context of its own and a time limit */
  async create(runId: string, options: WorkflowCreateOptions, timed: boolean): Promise<void> {
    await this.#settle(undefined);
    if (this.#runs.has(runId))
      throw new BranchlineError('BRANCHLINE_RUN_EXISTS', `Workflow run ${runId} is in the cache already`);
    const pool = timed ? new ContextPerRun(this.#script, this.settings.executionTimeoutMs) : this.#pool;
    try {
      const run = pool.start(runId, this.#init(options));
      this.#runs.set(runId, run);
      this.#inCharge = run;
    } catch (error) {
      // Rejections that the code left behind belong to no run.
      await new Promise(setImmediate);
      throw error;
    }
  }

  async activate(
    runId: string,
    activation: coresdk.workflow_activation.IWorkflowActivation,
  ): Promise<ActivationResult> {
    const run = this.#runs.get(runId);
    if (run === undefined)
      throw new BranchlineError('BRANCHLINE_RUN_UNKNOWN', `Workflow run ${runId} is not in the cache`);
    await this.#settle(run);
    const completion = await run.activate(activation);
    return { completion, sinkCalls: run.takeSinkCalls() };
  }

  async dispose(runId: string): Promise<void> {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    await this.#settle(run);
    this.#runs.delete(runId);
    run.dispose();
  }

  /**
   * To be called from the thread's `unhandledRejection` event.
   * - `run`: blamed on the run in charge.
   * - `nobody`: of workflow code, but no run is in charge.
   * - `thread`: a promise of the thread's own realm, not of workflow code's; anybody may have made it.
   */
  rejectionUnhandled(reason: unknown, promise: Promise<unknown>): 'run' | 'nobody' | 'thread' {
    if (promise instanceof Promise) return 'thread';
    this.#inCharge?.rejectionUnhandled(reason);
    return this.#inCharge === undefined ? 'nobody' : 'run';
  }

  close(): void {
    this.#stopRecording?.();
    this.#runs.clear();
    this.#pool.close();
  }

  /** Before another run's code: lets rejections of the one before be reported while it is still in charge. */
  async #settle(next: WorkflowRun | undefined): Promise<void> {
    const last = this.#inCharge;
    if (last !== undefined && last !== next && !last.settled) {
      await new Promise(setImmediate);
      last.settled = true;
    }
    this.#inCharge = next;
  }

  #init(options: WorkflowCreateOptions): InitOptions {
    if (options.showStackTraceSources) this.#sources ??= this.#script.sources();
    return { ...options, ...this.#runtime, sourceMap: this.#sources } as unknown as InitOptions;
  }
}

/** Nanoseconds since epoch; the runtime orders log lines by it. */
function getTimeOfDay(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

const now = 0;
const noone = { workflowId: 'load-check', runId: 'load-check' };
/** Options of the run that only loads the code, at the worker's start. */
const probeOptions: WorkflowCreateOptions = {
  info: {
    ...noone,
    workflowType: 'load-check',
    firstExecutionRunId: noone.runId,
    namespace: 'default',
    taskQueue: 'load-check',
    attempt: 1,
    memo: {},
    searchAttributes: {},
    historyLength: 0,
    historySize: 0,
    continueAsNewSuggested: false,
    startTime: new Date(now),
    runStartTime: new Date(now),
    unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
  } as unknown as WorkflowCreateOptions['info'],
  randomnessSeed: [0, 0, 0, 0, 0, 0, 0, 0],
  now,
  showStackTraceSources: false,
  failureExceptionTypeNames: [],
};
