/** Temporal's packages and what stands for each in Branchline: one table, read both ways. */

/** Packages with a drop-in of the same name: `@temporalio/client` is `branchline/client`. */
export const DROP_INS = ['activity', 'client', 'common', 'envconfig', 'testing', 'worker', 'workflow'] as const;

export type Direction = 'forward' | 'reverse';

export type Counterpart =
  | { kind: 'module'; specifier: string }
  /** Goes on as it is beside Branchline. */
  | { kind: 'kept'; reason: string }
  /** Cannot go on: a person must decide. */
  | { kind: 'none'; code: string; reason: string };

const KEPT: Record<string, string> = {
  proto: 'Branchline uses the same messages',
  nexus: 'Branchline refuses Nexus operations when they are called',
};
/** Their types name `@temporalio/worker`, though at run time nothing asks for it. */
const TYPED_BY_WORKER = [
  'ai-sdk',
  'interceptors-opentelemetry',
  'interceptors-opentelemetry-v2',
  'langsmith',
  'nyc-test-coverage',
  'openai-agents',
  'workflow-streams',
];
const WORKER_TYPES =
  'has no drop-in and goes on as it is; its types name @temporalio/worker, which `paths` in tsconfig.json must lead to branchline/lib/worker';
export const namesTypedByWorker = new RegExp(`['"\`]@temporalio/(?:${TYPED_BY_WORKER.join('|')})(?=[/'"\`])`);
/** They load Temporal's native library as soon as they are imported. */
const NATIVE = ['core-bridge', 'lambda-worker'];

/** What takes the place of a module specifier; undefined: it is none of ours. */
export function counterpart(specifier: string, direction: Direction): Counterpart | undefined {
  return direction === 'forward' ? inBranchline(specifier) : inTemporal(specifier);
}

function inBranchline(specifier: string): Counterpart | undefined {
  const [, name = '', deep] = /^@temporalio\/([\w-]+)(\/.+)?$/.exec(specifier) ?? [];
  if (name === '') return undefined;
  if (NATIVE.includes(name)) {
    return {
      kind: 'none',
      code: 'no-counterpart',
      reason: `${specifier} needs Temporal's native library, which Branchline has not`,
    };
  }
  if (!isDropIn(name)) {
    return {
      kind: 'kept',
      reason:
        KEPT[name] ??
        (TYPED_BY_WORKER.includes(name) ? WORKER_TYPES : undefined) ??
        'has no drop-in and goes on as it is: try what it does with the worker',
    };
  }
  if (deep === undefined || (name === 'common' && deep.startsWith('/lib/'))) {
    return { kind: 'module', specifier: `branchline/${name}${deep ?? ''}` };
  }
  if (name === 'worker' || name === 'testing' || /^\/lib\/connection(\.js)?$/.test(deep)) {
    return {
      kind: 'none',
      code: 'deep-import',
      reason: `Branchline has no module for ${specifier}: import what you need from branchline/${name}`,
    };
  }
  return { kind: 'kept', reason: `the module that branchline/${name} itself uses` };
}

function inTemporal(specifier: string): Counterpart | undefined {
  const [, name = '', deep = ''] = /^branchline\/([\w-]+)(\/.+)?$/.exec(specifier) ?? [];
  if (name === '') return undefined;
  if (isDropIn(name)) return { kind: 'module', specifier: `@temporalio/${name}${deep}` };
  return { kind: 'none', code: 'only-branchline', reason: `Temporal has no module for ${specifier}` };
}

export const isDropIn = (name: string): boolean => (DROP_INS as readonly string[]).includes(name);
