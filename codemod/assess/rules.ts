/** What workflow code must not do, and what makes a workflow wide: shared by `branchline assess` and the ESLint plugin, so they never disagree. */

/** Node modules that workflow code may import: as the bundler allows. */
const ALLOWED_BUILTINS = ['assert', 'url', 'util'];
const BUILTINS =
  /^(?:node:)?(?:assert|async_hooks|buffer|child_process|cluster|console|constants|crypto|dgram|diagnostics_channel|dns|domain|events|fs|http|http2|https|inspector|module|net|os|path|perf_hooks|process|punycode|querystring|readline|repl|stream|string_decoder|timers|tls|trace_events|tty|url|util|v8|vm|wasi|worker_threads|zlib)(?:\/.+)?$/;
const DOORS = /^(?:@temporalio|branchline)\/(?:activity|client|worker|testing)(?:\/|$)/;

/** Why workflow code must not import the module; undefined: it may. */
export function forbiddenModule(specifier: string): string | undefined {
  if (DOORS.test(specifier))
    return `${specifier} is not for workflow code: use \`import type\`, or move the code into an activity`;
  if (specifier === 'pg') return 'a database is read in activities';
  if (!BUILTINS.test(specifier) || ALLOWED_BUILTINS.includes(specifier.replace(/^node:/, ''))) return undefined;
  return `${specifier} is a module of Node's: what it does belongs into an activity`;
}

/** Global names whose use differs from one replay to the next, or that workflow code does not have. Members: `process.*` is any. */
const HAZARDS: [RegExp, string][] = [
  [/^process\./, 'the process is not the same at replay: pass what is needed as an argument'],
  [/^(?:fetch|XMLHttpRequest|WebSocket)$/, 'the network is reached in activities'],
  [/^crypto\./, 'randomness of the process: use uuid4() or Math.random(), which replay alike'],
  [/^performance\./, "the clock of the process: use Date.now(), which is the workflow's"],
  [/^(?:WeakRef|FinalizationRegistry)$/, 'depends on garbage collection: not there in workflows'],
  [/^(?:setInterval|setImmediate|queueMicrotask)$/, 'not a timer of the workflow: use sleep() or condition()'],
  [/^(?:require|eval|Function)$/, 'code that is loaded at run time is not in the bundle'],
  [/^Atomics\.wait/, 'blocks the thread of the workflow'],
];

/** `name` as written: `process.env`, `fetch`. */
export const hazardOf = (name: string): string | undefined => HAZARDS.find(([pattern]) => pattern.test(name))?.[1];

/** Of @temporalio/workflow: their results are activities to call. */
export const PROXIES = ['proxyActivities', 'proxyLocalActivities'];
/** Of @temporalio/workflow: they start another workflow. */
export const CHILD_STARTS = ['executeChild', 'startChild'];
/** Array methods whose callback runs for every element at once. */
export const EACH = ['map', 'forEach', 'flatMap'];
/** Promise functions that wait for several. */
export const TOGETHER = ['all', 'allSettled', 'race', 'any'];
