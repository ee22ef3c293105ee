/** Stack traces of workflow code: positions in the user's sources, and (when asked for) where each open promise was made. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { cutoffStackTrace } from '@temporalio/common';
import type { Activator } from '@temporalio/workflow/lib/internals';
import type { BundleScript } from './bundle-script';

interface Frame {
  file_path: string | undefined;
  function_name: string | undefined;
  line: number | undefined;
  column: number | undefined;
  internal_code: boolean;
}
type CallSite = NodeJS.CallSite;

/** Makes the errors of a context show positions in the sources. Worked out when `stack` is first read. */
export function prepareStackTraces(context: vm.Context, script: BundleScript): void {
  const { Error: SandboxError } = vm.runInContext('({ Error })', context) as { Error: ErrorConstructor };
  SandboxError.prepareStackTrace = (error, sites) =>
    [String(error), ...sites.map((site) => shown(site, script))].join('\n');
}

function frame(site: CallSite, script: BundleScript): Frame & { mapped: boolean } {
  const line = site.getLineNumber() ?? undefined;
  const column = site.getColumnNumber() ?? undefined;
  const file = site.getFileName() ?? undefined;
  const name = callSiteName(site);
  if (file === script.filename && line !== undefined && column !== undefined) {
    const entry = script.sourceMap?.findEntry(line - 1, column - 1);
    if (entry !== undefined && 'originalSource' in entry) {
      return {
        file_path: entry.originalSource,
        function_name: name,
        line: entry.originalLine + 1,
        column: entry.originalColumn + 1,
        internal_code: false,
        mapped: true,
      };
    }
  }
  return { file_path: file, function_name: name, line, column, internal_code: false, mapped: false };
}

function shown(site: CallSite, script: BundleScript): string {
  const { mapped, function_name, file_path, line, column } = frame(site, script);
  if (!mapped) return `    at ${site.toString()}`;
  const position = `${file_path}:${line}:${column}`;
  return function_name === undefined ? `    at ${position}` : `    at ${function_name} (${position})`;
}

function callSiteName(site: CallSite): string | undefined {
  const [type, method, name] = [site.getTypeName(), site.getMethodName(), site.getFunctionName()];
  if (type && method) return `${type}.${method}`;
  return (site.isConstructor() && name ? `new ${name}` : name) ?? undefined;
}

/** Where a promise was made. Formatted when the stack trace query reads it, not for each promise. */
class PromiseStack {
  constructor(
    private readonly sites: CallSite[],
    private readonly script: BundleScript,
  ) {}

  get formatted(): string {
    return cutoffStackTrace(this.sites.map((site) => shown(site, this.script)).join('\n'));
  }
  get structured(): Frame[] {
    const lines = this.formatted === '' ? 0 : this.formatted.split('\n').length;
    return this.sites.slice(0, lines).map((site) => {
      const { mapped: _, ...rest } = frame(site, this.script);
      return rest;
    });
  }
}

const AGGREGATE = /^(?:Function|Promise)\.(?:race|all|allSettled|any) \(<anonymous>\)/;

/**
 * Records where promises of workflow code are made, for the `__stack_trace` queries.
 * Costs a fifth of the CPU and more, and acts on the whole thread.
 *
 * @param current the run that the thread is in, and its script
 * @returns stops recording
 */
export function recordPromiseStacks(
  current: () => { activator: Activator; script: BundleScript } | undefined,
): () => void {
  // Promises that `Promise.all` and the like make inside count as the one they return.
  let aggregate: object | undefined;
  type Stores = { promiseToStack: Map<object, object>; childToParent: Map<object, Set<object>> };
  const storesOf = (promise: object) => {
    // Promises of this realm are the host's own.
    if (promise instanceof Promise) return undefined;
    const now = current();
    return now === undefined ? undefined : { ...now, stores: now.activator.promiseStackStore as unknown as Stores };
  };
  const stop = v8.promiseHooks.createHook({
    init(promise, parent) {
      const found = storesOf(promise);
      if (found === undefined) return;
      const { promiseToStack, childToParent } = found.stores;
      const sites = captureSites();
      let stack: object | undefined = new PromiseStack(sites, found.script);
      let owner: object = promise;
      const [first, second] = sites.slice(0, 2).map(String);
      if (aggregate !== undefined && first?.startsWith('Promise.then (<anonymous>)') && AGGREGATE.test(second ?? '')) {
        owner = aggregate;
        stack = promiseToStack.get(aggregate);
      } else {
        aggregate = AGGREGATE.test(first ?? '') ? promise : undefined;
      }
      if (stack === undefined || owner === parent) return;
      promiseToStack.set(owner, stack);
      const parents = childToParent.get(owner) ?? new Set();
      if (parent !== undefined) parents.add(parent);
      childToParent.set(owner, parents);
    },
    settled(promise) {
      const found = storesOf(promise);
      found?.stores.childToParent.delete(promise);
      found?.stores.promiseToStack.delete(promise);
    },
  }) as unknown as () => void;
  return stop;
}

function captureSites(): CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.prepareStackTrace = (_, sites) => sites;
  Error.stackTraceLimit = stackTraceLimit + 3;
  try {
    const sites = new Error().stack as unknown as CallSite[];
    // This function, the hook, and Node's function that calls it.
    const own = sites.findIndex(
      (site, index) => index >= 2 && !site.getFileName()?.startsWith('node:internal/promise_hooks'),
    );
    return own === -1 ? [] : sites.slice(own);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
