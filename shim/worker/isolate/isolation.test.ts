/**
 * Attempts of one workflow to reach another. Each runs two workflows in turns: whatever A does to its world, B must not
 * see it, and A must find it again in its next activation.
 */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleOf, type Command, DrivenRun, resultOf, sourceFolder } from '../../../test/support/activations';
import { createInProcess } from './in-process';
import type { WorkflowBundle, WorkflowHost } from './types';

const source = `
import { sleep, ApplicationFailure } from '@temporalio/workflow';
import * as common from '@temporalio/common';

type Any = any;
const G = globalThis as Any;
let moduleCounter = 0;
export const moduleObject: Any = {};

/** What each attempt does; \`read\` tells what is to be seen of it. */
const attempts: Record<string, { act(mark: string): void; read(): unknown }> = {
  moduleVariable: { act: () => void moduleCounter++, read: () => moduleCounter },
  moduleObject: { act: (m) => { moduleObject.a = m; }, read: () => moduleObject.a },
  globalString: { act: (m) => { G.mine = m; }, read: () => G.mine },
  globalIndex: { act: (m) => { G[0] = m; }, read: () => G[0] },
  globalSymbol: { act: (m) => { G[Symbol.for('mine')] = m; }, read: () => G[Symbol.for('mine')] },
  globalSymbolDefined: { act: (m) => { Object.defineProperty(G, Symbol.for('hard'), { value: m }); }, read: () => G[Symbol.for('hard')] },
  globalDefined: { act: (m) => { Object.defineProperty(G, 'defined', { value: m }); }, read: () => G.defined },
  globalAccessor: { act: (m) => { Object.defineProperty(G, 'accessor', { get: () => m }); }, read: () => G.accessor },
  globalOldGetter: { act: (m) => { G.__defineGetter__('oldGetter', () => m); }, read: () => G.oldGetter },
  globalByEval: { act: (m) => { (0, eval)('var byEval = "' + m + '"'); }, read: () => G.byEval },
  globalFunctionByEval: { act: (m) => { (0, eval)('function functionByEval() { return "' + m + '" }'); }, read: () => G.functionByEval?.() },
  globalByFunction: { act: (m) => { new Function('m', 'sloppy = m')(m); }, read: () => G.sloppy },
  globalAssigned: { act: (m) => { Object.assign(G, { assigned: m }); }, read: () => G.assigned },
  builtinReplaced: { act: (m) => { G.Math = Object.assign(Object.create(G.Math), { a: m }); }, read: () => G.Math.a },
  builtinFunctionReplaced: { act: (m) => { const own = G.Array; G.Array = Object.assign((...a: Any[]) => own(...a), { from: own.from, isArray: own.isArray, a: m }); }, read: () => G.Array.a },
  builtinDeleted: { act: () => { delete G.WebAssembly; }, read: () => ('WebAssembly' in G ? undefined : 'deleted') },
  sdkGlobalReplaced: { act: (m) => { G.console = { ...G.console, a: m }; }, read: () => G.console.a },
  setTimeoutReplaced: { act: (m) => { G.setTimeout = Object.assign(() => 0, { a: m }); }, read: () => G.setTimeout.a },
  dateReplaced: { act: (m) => { const D = G.Date; G.Date = class extends D {}; G.Date.a = m; }, read: () => G.Date.a },
  prototypeAssigned: { act: (m) => { (Array.prototype as Any).a = m; }, read: () => ([] as Any).a },
  prototypeDefined: { act: (m) => { Object.defineProperty(Array.prototype, 'b', { value: m }); }, read: () => ([] as Any).b },
  prototypesDefined: { act: (m) => { Object.defineProperties(String.prototype, { c: { value: m } }); }, read: () => ('' as Any).c },
  prototypeReflect: { act: (m) => { Reflect.defineProperty(Map.prototype, 'd', { value: m }); }, read: () => (new Map() as Any).d },
  prototypeSymbol: { act: (m) => { (Set.prototype as Any)[Symbol.for('e')] = m; }, read: () => (new Set() as Any)[Symbol.for('e')] },
  prototypeGetter: { act: (m) => { (RegExp.prototype as Any).__defineGetter__('f', () => m); }, read: () => (/x/ as Any).f },
  objectPrototype: { act: (m) => { (Object.prototype as Any).g = m; }, read: () => ({} as Any).g },
  functionPrototype: { act: (m) => { (Function.prototype as Any).h = m; }, read: () => ((() => 1) as Any).h },
  promisePrototype: { act: (m) => { (Promise.prototype as Any).i = m; }, read: () => (Promise.resolve() as Any).i },
  errorPrototype: { act: (m) => { (Error.prototype as Any).j = m; }, read: () => (new TypeError() as Any).j },
  iteratorPrototype: { act: (m) => { Object.getPrototypeOf(Object.getPrototypeOf([].values())).k = m; }, read: () => (new Map().keys() as Any).k },
  generatorPrototype: { act: (m) => { Object.getPrototypeOf(function* () {}).prototype.l = m; }, read: () => ((function* () {})() as Any).l },
  typedArrayPrototype: { act: (m) => { Object.getPrototypeOf(Uint8Array.prototype).n = m; }, read: () => (new Int16Array() as Any).n },
  bigintJson: { act: (m) => { (BigInt.prototype as Any).toJSON = () => m; }, read: () => (1n as Any).toJSON?.() },
  methodReplaced: { act: (m) => { (Array.prototype as Any).at = () => m; }, read: () => { const v: Any = [undefined].at(0); return v; } },
  accessorReplaced: { act: (m) => { Object.defineProperty(Map.prototype, 'size', { get: () => m }); }, read: () => { const v: Any = new Map().size; return v === 0 ? undefined : v; } },
  methodDeleted: { act: () => { delete (Array.prototype as Any).flat; }, read: () => (([] as Any).flat === undefined ? 'deleted' : undefined) },
  prototypeOfPrototype: { act: (m) => { Object.setPrototypeOf(Set.prototype, { o: m }); }, read: () => (new Set() as Any).o },
};

export async function attempt(name: string, mark: string): Promise<unknown[]> {
  const { act, read } = attempts[name]!;
  const seen: unknown[] = [read() ?? null];
  act(mark);
  seen.push(read() ?? null);
  await sleep(1);
  seen.push(read() ?? null);
  await sleep(1);
  seen.push(read() ?? null);
  return seen;
}
export async function look(name: string): Promise<unknown> {
  return attempts[name]!.read() ?? null;
}

/** Things that are frozen: the attempt throws, as with the official worker. */
const frozen: Record<string, () => object> = {
  Math: () => Math, Array: () => Array, JSON: () => JSON, Reflect: () => Reflect, Promise: () => Promise, Date: () => Date,
  'Array.from': () => Array.from, 'Array.prototype.map': () => Array.prototype.map, setTimeout: () => setTimeout,
  Intl: () => Intl, 'an SDK function': () => common.arrayFromPayloads, 'an SDK object': () => common.defaultPayloadConverter,
  console: () => console, 'the prototype of an SDK class': () => ApplicationFailure.prototype, 'a rarely patched prototype': () => Int8Array.prototype,
};
export async function writeFrozen(name: string): Promise<string> {
  try {
    (frozen[name]!() as Any).a = 1;
    return 'written';
  } catch (error) {
    return (error as Error).message;
  }
}
export async function seal(what: string): Promise<string> {
  try {
    if (what === 'globalThis') Object.freeze(globalThis);
    else Object.preventExtensions(Array.prototype);
    return 'done';
  } catch (error) {
    return (error as Error).message;
  }
}

export async function timerOf(clearAfter: string): Promise<string> {
  const state = { fired: false };
  const handle = setTimeout(() => { state.fired = true; }, 1000);
  await sleep(5);
  if (clearAfter === 'clear') clearTimeout(handle);
  await sleep(5);
  return state.fired ? 'fired' : 'not fired';
}
export async function randomAndTime(): Promise<unknown[]> {
  const values: unknown[] = [Math.random(), Date.now(), new Date().getTime()];
  await sleep(1);
  values.push(Math.random(), Date.now(), new Date().getTime());
  return values;
}
/** As much as a run can do to everything at once, to be followed by an ordinary one. */
export async function rampage(): Promise<number> {
  for (const key of Object.getOwnPropertyNames(globalThis)) {
    if (key.startsWith('__')) continue;
    try { delete G[key]; } catch {}
    try { G[key] = 1; } catch {}
  }
  return 1;
}
export async function ordinary(): Promise<unknown[]> {
  const list = [3, 1, 2].sort().map((x) => x * 2);
  await sleep(1);
  return [...new Set(list), JSON.stringify({ a: new Map([[1, 2]]).size }), typeof WebAssembly, new URL('http://h/p').pathname];
}
export const names = () => Object.keys(attempts);
`;

const attempts = [...source.matchAll(/^ {2}(\w+): \{ act/gm)].map(([, name]) => name as string);
const frozen = [...source.slice(source.indexOf('const frozen')).matchAll(/(?:^|, |\n {2})'?([\w. ]+)'?: \(\) =>/g)].map(
  ([, name]) => name as string,
);

describe.each(['ours, shared context', 'ours, context per run', 'webpack, shared context'])('isolation: %s', (kind) => {
  const shared = !kind.endsWith('run');
  let host: WorkflowHost;
  let count = 0;
  const run = () => new DrivenRun(host, `${kind}-${++count}`);

  beforeAll(async () => {
    host = createInProcess(kind.startsWith('webpack') ? await officialBundle() : await bundleOf(source), {
      reuseV8Context: shared,
    });
  });
  afterAll(() => host.close());

  // A context of its own needs no proof for each of them, and takes its time.
  test.each(shared ? attempts : attempts.slice(0, 8))('%s stays with its workflow', async (name) => {
    const before = resultOf(await run().start('look', [name]));
    const [a, b] = [run(), run()];
    await a.start('attempt', [name, 'of a']);
    await b.start('attempt', [name, 'of b']);
    expect(resultOf(await run().start('look', [name]))).toEqual(before);
    await a.fireTimer(1);
    await b.fireTimer(1);
    const [seenByA, seenByB] = [resultOf(await a.fireTimer(2)), resultOf(await b.fireTimer(2))] as unknown[][];
    const after = (mark: string) => {
      if (name === 'moduleVariable') return 1;
      return /Deleted$/.test(name) ? 'deleted' : mark;
    };
    expect(seenByA).toEqual([before, after('of a'), after('of a'), after('of a')]);
    expect(seenByB).toEqual([before, after('of b'), after('of b'), after('of b')]);
    expect(resultOf(await run().start('look', [name]))).toEqual(before);
  });

  test.runIf(shared).each(frozen)('%s is frozen', async (name) => {
    expect(resultOf(await run().start('writeFrozen', [name]))).toBe('Cannot add property a, object is not extensible');
  });

  test.runIf(shared).each(['globalThis', 'Array.prototype'])('%s cannot be sealed for everybody', async (what) => {
    expect(resultOf(await run().start('seal', [what]))).toMatch(/all workflows of this worker share: .*reuseV8Context/);
  });

  test('clearTimeout does not reach the timer of another workflow', async () => {
    const [a, b] = [run(), run()];
    for (const [driven, mode] of [
      [a, 'clear'],
      [b, 'keep'],
    ] as const) {
      const commands = await driven.start('timerOf', [mode]);
      expect(commands.map(({ startTimer }) => startTimer?.seq)).toEqual([1, 2]);
    }
    const cancelled = (commands: Command[]) => commands.flatMap(({ cancelTimer }) => cancelTimer?.seq ?? []);
    expect(cancelled(await a.fireTimer(2))).toEqual([1]);
    expect(cancelled(await b.fireTimer(2))).toEqual([]);
    await b.fireTimer(1);
    expect(resultOf(await b.fireTimer(3))).toBe('fired');
    expect(resultOf(await a.fireTimer(3))).toBe('not fired');
  });

  test('random numbers and time do not depend on who else runs', async () => {
    const alone = run();
    await alone.start('randomAndTime');
    const expected = resultOf(await alone.fireTimer(1));
    const [a, b, other] = [run(), run(), run()];
    other.now += 86_400_000;
    await a.start('randomAndTime');
    await other.start('randomAndTime', [], { randomnessSeed: [9, 9, 9, 9, 9, 9, 9, 9] });
    await b.start('randomAndTime');
    const ofOther = resultOf(await other.fireTimer(1)) as unknown[];
    expect(resultOf(await b.fireTimer(1))).toEqual(expected);
    expect(resultOf(await a.fireTimer(1))).toEqual(expected);
    expect(ofOther[1]).toBe(other.now);
    expect(ofOther[0]).not.toBe((expected as unknown[])[0]);
  });

  test('a workflow that wrecks its whole world leaves the others alone', async () => {
    const [before, wrecker] = [run(), run()];
    await before.start('ordinary');
    await wrecker.start('rampage').catch(() => {});
    const expected = [2, 4, 6, '{"a":1}', 'object', '/p'];
    expect(resultOf(await before.fireTimer(1))).toEqual(expected);
    const after = run();
    await after.start('ordinary');
    expect(resultOf(await after.fireTimer(1))).toEqual(expected);
    await host.dispose(wrecker.runId).catch(() => {});
    const last = run();
    await last.start('ordinary');
    expect(resultOf(await last.fireTimer(1))).toEqual(expected);
  });

  async function officialBundle(): Promise<WorkflowBundle> {
    // Webpack resolves Temporal's packages from the file: it has to be inside of the repository.
    const folder = sourceFolder({ 'workflows.ts': source });
    const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
    const { code } = await bundleWorkflowCode({
      workflowsPath: path.join(folder, 'workflows.ts'),
      logger: new DefaultLogger('ERROR'),
      webpackConfigHook: (config) => ({
        ...config,
        resolve: { ...config.resolve, modules: [...(config.resolve?.modules ?? []), path.resolve('node_modules')] },
      }),
    });
    return { code, filename: path.join(folder, 'workflow-bundle.js') };
  }
});
