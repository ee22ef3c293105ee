/** What workflow code finds in its global scope beside JavaScript itself. */
import assert from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { URL, URLSearchParams } from 'node:url';
import { TextDecoder, TextEncoder } from 'node:util';
import vm from 'node:vm';
import type { WorkflowInfo } from '@temporalio/workflow';

interface SandboxActivator {
  info: WorkflowInfo;
  workflowSandboxDestructors?: (() => void)[];
}
interface SandboxGlobal {
  __TEMPORAL_ACTIVATOR__?: SandboxActivator;
  __temporal_globalSandboxDestructors: (() => void)[];
}

/** Objects of the host's realm that every sandbox sees. */
export const hostGlobals = { URL, URLSearchParams, assert, TextEncoder, TextDecoder, AbortController };

const missingSymbols = new vm.Script(
  ['dispose', 'asyncDispose']
    .map(
      (name) => `Symbol.${name} ?? Object.defineProperty(Symbol, '${name}', { value: Symbol.for('nodejs.${name}') });`,
    )
    .join('\n'),
);

/** Puts the deterministic host functions, `console` and `AsyncLocalStorage` into a new context. */
export function addSandboxGlobals(context: vm.Context): void {
  const sandbox = context as SandboxGlobal;
  const fixed = (name: string, value: unknown) =>
    Object.defineProperty(sandbox, name, { value, writable: false, enumerable: true, configurable: false });
  Object.defineProperty(sandbox, '__temporal_globalSandboxDestructors', { value: [] });
  for (const [name, value] of Object.entries(hostGlobals)) fixed(name, value);
  fixed('AsyncLocalStorage', storageClass(sandbox));
  Object.defineProperty(sandbox, 'console', {
    value: sandboxConsole(sandbox),
    writable: true,
    enumerable: false,
    configurable: true,
  });
  missingSymbols.runInContext(context);
}

function sandboxConsole(sandbox: SandboxGlobal): object {
  const levels = ['log', 'warn', 'error', 'info', 'debug'] as const;
  return Object.fromEntries(
    levels.map((level) => [
      level,
      (...args: unknown[]) => {
        const info = sandbox.__TEMPORAL_ACTIVATOR__?.info;
        if (info === undefined) console[level]('[not in workflow context]', ...args);
        else if (!info.unsafe.isReplayingHistoryEvents)
          console[level](`[${info.workflowType}(${info.workflowId})]`, ...args);
      },
    ]),
  );
}

/** Node's own class, whose instances end with the run (or with the context, when made outside of any run). */
function storageClass(sandbox: SandboxGlobal): typeof AsyncLocalStorage {
  return class<T> extends AsyncLocalStorage<T> {
    constructor(readonly name = 'anonymous') {
      super();
      const end = () => this.disable();
      const activator = sandbox.__TEMPORAL_ACTIVATOR__;
      if (activator !== undefined) {
        activator.workflowSandboxDestructors?.push(end);
        return;
      }
      sandbox.__temporal_globalSandboxDestructors.push(end);
    }
  };
}

/** What the runtime calls when the context ends, and empties: it must not be frozen. */
export const contextDestructors = (context: vm.Context): unknown =>
  (context as SandboxGlobal).__temporal_globalSandboxDestructors;
