/** V8 contexts that run a bundle: one per workflow, or one that many take turns in. */
import vm from 'node:vm';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkflowInfo } from '@temporalio/workflow';
import type { Activator } from '@temporalio/workflow/lib/internals';
import { BranchlineError } from '../../common/branchline-error';
import { notLoadable, type BundleScript } from './bundle-script';
import { ContextGuard, type Bag } from './context-guard';
import { addSandboxGlobals, contextDestructors, hostGlobals } from './sandbox-globals';
import { prepareStackTraces } from './stack-traces';
import { keepTimersPerRun } from './timers-per-run';
import { cacheModulesPerRun } from './webpack-modules';
import { WorkflowRun, type ApiFunction, type CallIntoContext } from './workflow-run';

/** What the runtime in the sandbox is given besides the run's own options. */
export interface RuntimeOptions {
  registeredActivityNames: ReadonlySet<string>;
  stackTracesEnabled: boolean;
  patchActivationCallback: ((info: WorkflowInfo, patchId: string) => boolean) | undefined;
}

/** `initRuntime`'s argument. */
export type InitOptions = ConstructorParameters<typeof Activator>[0];

interface BundleGlobal {
  api: Record<ApiFunction, ((first?: unknown, second?: unknown) => unknown) | undefined>;
  preloadModules?: () => void;
  /** Ours only: exports of the modules that are shared by the context's runs. */
  sharedModules?: () => unknown[];
  /** Ours only: names that the workflows module exports; loads interceptors and workflows as a run would. */
  exportedNames?: (options: InitOptions) => string[];
  rawValue?: (value: unknown) => unknown;
}

/** Written by the host before each entry, read inside. */
interface Mailbox {
  fn: ApiFunction;
  first: unknown;
  second: unknown;
}

const door = new vm.Script('__branchlineDoor()', { filename: 'branchline-door' });
/** A lexical binding: no property of the global object, and cheaper to find than one. */
const doorSource = new vm.Script(
  `let __branchlineDoor; (mailbox) => {
    const { api } = __TEMPORAL__;
    __branchlineDoor = () => api[mailbox.fn](mailbox.first, mailbox.second);
  }`,
  { filename: 'branchline-door' },
);

interface Opened {
  script: BundleScript;
  context: vm.Context;
  bundle: BundleGlobal;
  mailbox: Mailbox;
  guard: ContextGuard | undefined;
}

function open(script: BundleScript, shared: boolean, freezeHost: boolean): Opened {
  const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
  addSandboxGlobals(context);
  prepareStackTraces(context, script);
  let webpackModules: (() => unknown[]) | undefined;
  if (script.kind === 'webpack') {
    if (shared) webpackModules = cacheModulesPerRun(context);
    else (context as Record<string, unknown>).__webpack_module_cache__ = {};
  }
  let bundle: BundleGlobal | undefined;
  try {
    script.script.runInContext(context);
    bundle = (context as { __TEMPORAL__?: BundleGlobal }).__TEMPORAL__;
    bundle?.preloadModules?.();
  } catch (error) {
    throw notLoadable(script.filename, error);
  }
  if (typeof bundle?.api?.initRuntime !== 'function') {
    throw new BranchlineError(
      'BRANCHLINE_BUNDLE_INVALID',
      `'${script.filename}' is not a workflow bundle: make it with bundleWorkflowCode of branchline/worker or @temporalio/worker`,
    );
  }
  const mailbox: Mailbox = { fn: 'initRuntime', first: undefined, second: undefined };
  let guard: ContextGuard | undefined;
  if (shared) {
    const roots = bundle.sharedModules?.() ?? webpackModules?.() ?? [];
    keepTimersPerRun(context, roots);
    guard = new ContextGuard(context, roots, [...hostObjects(freezeHost), contextDestructors(context)]);
  }
  (doorSource.runInContext(context) as (mailbox: Mailbox) => void)(mailbox);
  return { script, context, bundle, mailbox, guard };
}

/** Objects of the host's realm that a context reaches and that stay as they are; in a thread shared with other code, all of them. */
function hostObjects(freezeHost: boolean): unknown[] {
  // Node itself, and the recording of stacks, write to Error.
  const always = [Error, Error.prototype, Function.prototype, Object.prototype];
  if (freezeHost) return always;
  const classes = [...Object.values(hostGlobals), AsyncLocalStorage];
  return [...always, ...classes, ...classes.map(({ prototype }) => prototype)];
}

/** The context that this thread entered last. */
let entered: Opened | undefined;

/** The run that this thread is in, for the promise hooks. */
export function runEntered(): { activator: Activator; script: BundleScript } | undefined {
  const activator = (entered?.context as { __TEMPORAL_ACTIVATOR__?: Activator } | undefined)?.__TEMPORAL_ACTIVATOR__;
  return entered === undefined || activator === undefined ? undefined : { activator, script: entered.script };
}

function caller(opened: Opened, bag: Bag | undefined, timeout: number | undefined): CallIntoContext {
  const { context, mailbox, guard } = opened;
  const options = timeout === undefined ? undefined : { timeout };
  return (fn, first, second) => {
    if (bag !== undefined) guard?.enter(bag);
    mailbox.fn = fn;
    mailbox.first = first;
    mailbox.second = second;
    try {
      entered = opened;
      return door.runInContext(context, options);
    } finally {
      mailbox.first = mailbox.second = undefined;
    }
  };
}

function startRun(
  opened: Opened,
  runId: string,
  call: CallIntoContext,
  options: InitOptions,
  onDispose: () => void,
): WorkflowRun {
  call('initRuntime', options);
  const { __TEMPORAL_ACTIVATOR__: activator } = opened.context as { __TEMPORAL_ACTIVATOR__: Activator };
  if (!options.stackTracesEnabled) describeWaiting(opened.bundle, activator);
  return new WorkflowRun(runId, activator, call, onDispose);
}

/** Makes runs of one bundle. */
export interface ContextPool {
  start(runId: string, options: InitOptions): WorkflowRun;
  /** Names that the workflows module exports; undefined when the bundle's maker gives no way to ask. */
  exportedNames(options: InitOptions): string[] | undefined;
  close(): void;
}

/** All runs share one context, each with its own module state, globals and changes of built-in objects. */
export class ReusableContext implements ContextPool {
  #opened: Opened;

  /** @param freezeHost whether objects of this thread's realm may be frozen (not where other code lives in it) */
  constructor(
    private readonly script: BundleScript,
    private readonly freezeHost: boolean,
  ) {
    if (script.kind === 'plain') {
      throw new BranchlineError(
        'BRANCHLINE_BUNDLE_INVALID',
        `Workflow bundle '${script.filename}' does not route its module cache through 'globalThis.__webpack_module_cache__', so ` +
          "module state of workflows cannot be kept apart in a shared context. Make it with bundleWorkflowCode, or set 'reuseV8Context' to false.",
      );
    }
    this.#opened = open(script, true, freezeHost);
  }

  start(runId: string, options: InitOptions): WorkflowRun {
    // A run did what cannot be undone: those inside stay, new ones get a clean context.
    if (this.#opened.guard?.spoiled === true) this.#opened = open(this.script, true, this.freezeHost);
    const opened = this.#opened;
    const call = caller(opened, { activator: undefined, changes: [] }, undefined);
    return startRun(opened, runId, call, options, () => {});
  }

  exportedNames(options: InitOptions): string[] | undefined {
    return namesIn(this.script, options);
  }

  close(): void {
    const opened = this.#opened;
    // The functions that end the context expect no run inside.
    (opened.context as Record<string, unknown>).__TEMPORAL_ACTIVATOR__ = undefined;
    opened.bundle.api.destroy?.();
  }
}

/** A new context for each run: slower to make (about 10 ms) and larger, nothing shared. */
export class ContextPerRun implements ContextPool {
  /** @param timeoutMs bound on each entry, for runs that blocked their thread before (costs 70 µs an entry) */
  constructor(
    private readonly script: BundleScript,
    private readonly timeoutMs?: number,
  ) {}

  start(runId: string, options: InitOptions): WorkflowRun {
    const opened = open(this.script, false, false);
    const call = caller(opened, undefined, this.timeoutMs);
    return startRun(opened, runId, call, options, () => opened.bundle.api.destroy?.());
  }

  exportedNames(options: InitOptions): string[] | undefined {
    return namesIn(this.script, options);
  }

  close(): void {}
}

/** Loads interceptors and workflows in a context of its own, which is then dropped: the code may have changed it. */
function namesIn(script: BundleScript, options: InitOptions): string[] | undefined {
  const { bundle } = open(script, false, false);
  try {
    return bundle.exportedNames?.(options);
  } catch (error) {
    throw notLoadable(script.filename, error);
  }
}

/** `__stack_trace` without promise hooks: what the run waits on, and how to get stacks. */
function describeWaiting({ rawValue }: BundleGlobal, activator: Activator): void {
  if (rawValue === undefined) return;
  const handlers = activator.queryHandlers;
  const answer = (name: string, value: () => unknown) => {
    const handler = handlers.get(name);
    if (handler !== undefined) handlers.set(name, { ...handler, handler: () => rawValue(value()) });
  };
  answer('__stack_trace', () => waitingText(activator));
  answer('__enhanced_stack_trace', () => ({ sdk: { name: 'typescript' }, stacks: [], sources: {} }));
}

function waitingText({ completions, blockedConditions }: Activator): string {
  const waiting = Object.entries(completions).flatMap(([kind, map]) =>
    [...map.keys()].map((seq) => `    waiting on ${kind} (seq ${seq})`),
  );
  if (blockedConditions.size > 0) waiting.push(`    waiting on ${blockedConditions.size} condition(s)`);
  const lines = waiting.length > 0 ? waiting : ['    waiting on nothing'];
  return `${lines.join('\n')}\n(no stacks: they cost CPU, turn them on with the worker option 'showStackTraceSources')`;
}
