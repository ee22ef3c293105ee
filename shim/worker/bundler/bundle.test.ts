/** What workflow code may be made of, and how the rest is refused. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { bundleOf, decoded, DrivenRun, payload, resultOf, sourceFolder } from '../../../test/support/activations';
import { createInProcess } from '../isolate/in-process';
import type { WorkflowBundle } from '../isolate/types';
import { bundleWorkflowCode } from './bundle';
import type { BundleOptions } from './options';
import { temporalBundler } from './webpack';

/** Runs a workflow that needs one activation only. */
async function runOf(bundle: WorkflowBundle, type = 'main', args: unknown[] = []): Promise<unknown> {
  const host = createInProcess(bundle);
  try {
    return resultOf(await new DrivenRun(host, 'run').start(type, args));
  } finally {
    await host.close();
  }
}
/** The error of bundling these files. */
async function refused(
  files: Record<string, string>,
  options: Partial<BundleOptions> = {},
): Promise<Error & { code?: string }> {
  const workflowsPath = path.join(sourceFolder(files), 'workflows.ts');
  return bundleWorkflowCode({ workflowsPath, ...options }).then(
    () => expect.fail('it was bundled'),
    (error) => error as Error,
  );
}

describe('what the codemod left for a person', () => {
  const left = '// @branchline-todo(unknown-use): look at this\nexport async function main() { return 1; }';

  test('refuses the bundle, with file and line', async () => {
    const error = await refused({ 'workflows.ts': `export * from './more';`, 'more.ts': `\n${left}` });
    expect(error.code).toBe('BRANCHLINE_TODO_LEFT');
    expect(error.message).toMatch(/more\.ts:2 \[unknown-use\] look at this/);
  });

  test.each([
    ['in the line', left.replace('todo(', 'ignore(')],
    ['at its end', left.replace('this', 'this @branchline-ignore')],
    ['above it', `// @branchline-ignore: read, harmless\n${left}`],
  ])('takes it with @branchline-ignore %s', async (_, source) => {
    expect(await runOf(await bundleOf(source))).toBe(1);
  });
});

describe('forbidden imports', () => {
  test.each([
    ['fs', `import fs from 'fs'; fs;`],
    ['fs', `import { readFileSync } from 'node:fs'; readFileSync;`],
    ['fs/promises', `import { readFile } from 'fs/promises'; readFile;`],
    ['crypto', `export const load = () => require('crypto');`],
    ['http', `export const load = () => import('http');`],
    ['assert/strict', `import a from 'node:assert/strict'; a;`],
    ['pg', `import { Pool } from 'pg'; Pool;`],
    ['@temporalio/client', `import { Client } from '@temporalio/client'; Client;`],
    ['@temporalio/worker', `import { Worker } from '@temporalio/worker'; Worker;`],
    ['@temporalio/activity', `import { log } from '@temporalio/activity'; log;`],
    ['@temporalio/testing', `import * as t from '@temporalio/testing'; t;`],
    [
      '@temporalio/common/lib/internal-non-workflow',
      `import * as t from '@temporalio/common/lib/internal-non-workflow'; t;`,
    ],
    ['branchline/client', `import { Client } from 'branchline/client'; Client;`],
    ['branchline/worker', `import { Worker } from 'branchline/worker'; Worker;`],
    ['branchline/activity', `import { log } from 'branchline/activity'; log;`],
    ['branchline/testing', `import * as t from 'branchline/testing'; t;`],
  ])('%s', async (module, source) => {
    const error = await refused({ 'workflows.ts': `${source}\nexport async function main() {}` });
    expect(error.code).toBe('BRANCHLINE_FORBIDDEN_IMPORT');
    expect(error.message).toMatch(/is importing the following disallowed modules:/);
    expect(error.message).toContain(`  - '${module}' (imported by`);
    expect(error.message).toMatch(/ignoreModules/);
  });

  test('the message gives the chain of files that leads to the module', async () => {
    const error = await refused({
      'workflows.ts': `import { a } from './a'; export async function main() { return a; }`,
      'a.ts': `export { b as a } from './nested/b';`,
      'nested/b.ts': `import os from 'os'; export const b = os.cpus();`,
    });
    expect(error.message).toMatch(/'os' \(imported by \S*nested\/b\.ts <- \S*a\.ts <- \S*workflows\.ts\)/);
  });

  test('types do not count', async () => {
    const source = `
      import type { Client } from '@temporalio/client';
      import { ApplicationFailure } from '@temporalio/common';
      import { Stats } from 'node:fs';
      export async function main(given?: Client & Stats): Promise<string> { return typeof given + ApplicationFailure.name; }`;
    expect(await runOf(await bundleOf(source))).toBe('undefinedApplicationFailure');
  });

  test('ignoreModules makes them empty', async () => {
    const source = `import fs from 'node:fs'; import * as dns from 'dns/promises'; import { Pool } from 'pg';
      export async function main() { return [Object.keys(fs), Object.keys(dns).length, typeof Pool]; }`;
    const bundle = await bundleOf(source, {}, { ignoreModules: ['fs', 'dns', 'pg'] });
    expect(await runOf(bundle)).toEqual([[], expect.any(Number), 'undefined']);
  });

  test("a library's own guarded probe passes", async () => {
    const source = `
      let fs: unknown = null;
      try { fs = require(/* webpackIgnore: true */ 'fs'); } catch {}
      export async function main() { return fs === null; }`;
    expect(await runOf(await bundleOf(source))).toBe(true);
  });
});

describe('kinds of files', () => {
  const body = `
import { proxyActivities } from '@temporalio/workflow';
const { greet } = proxyActivities({ startToCloseTimeout: '1m' });
export async function main(name) { return 'got ' + (await greet(name)); }`;
  const commonJs = `
const { proxyActivities } = require('@temporalio/workflow');
const { greet } = proxyActivities({ startToCloseTimeout: '1m' });
exports.main = async (name) => 'got ' + (await greet(name));`;
  test.each([
    ['workflows.js', body],
    ['workflows.mjs', body],
    ['workflows.mts', body.replace('(name)', '(name: string)')],
    ['workflows.ts', body.replace('(name)', '(name: string)')],
    ['workflows.cjs', commonJs],
    ['workflows.cts', commonJs],
    ['workflows.js', commonJs],
    ['workflows/index.ts', body],
  ])('%s', async (file, source) => {
    const folder = sourceFolder({ [file]: source });
    const workflowsPath = path.join(folder, file.replace('/index.ts', ''));
    const { code } = await bundleWorkflowCode({ workflowsPath });
    const host = createInProcess({ code, filename: 'bundle.js' });
    const run = new DrivenRun(host, 'run');
    const [command] = await run.start('main', ['x']);
    expect(decoded(command?.scheduleActivity?.arguments?.[0])).toBe('x');
    const done = await run.activate({ resolveActivity: { seq: 1, result: { completed: { result: payload('hi') } } } });
    expect(resultOf(done)).toBe('got hi');
    await host.close();
  });

  test('imports that name the compiled file, JSON, folders, dynamic imports, a default export', async () => {
    const bundle = await bundleOf(
      `import { a } from './a.js'; import data from './data.json'; import { index } from './folder';
       export default async function (): Promise<unknown> { const { late } = await import('./late'); return [a, data.value, index, late]; }`,
      {
        'a.ts': `export const a: number = 1;`,
        'data.json': `{ "value": 2 }`,
        'folder/index.ts': `export const index = 3;`,
        'late.mts': `export const late = 4;`,
      },
    );
    expect(await runOf(bundle, 'anyType')).toEqual([1, 2, 3, 4]);
  });

  test('workflow code is strict; names of functions and classes are kept', async () => {
    const source = `
      class Special extends Error {}
      function sloppy(this: unknown) { return this === undefined; }
      const arrow = () => {};
      export async function main() { return [Special.name, arrow.name, sloppy()]; }`;
    expect(await runOf(await bundleOf(source))).toEqual(['Special', 'arrow', true]);
  });

  test('a library that only runs in sloppy mode still loads', async () => {
    const bundle = await bundleOf(`import { octal } from './old.cjs'; export async function main() { return octal; }`, {
      'old.cjs': 'exports.octal = 010;',
      'old.d.cts': 'export const octal: number;',
    });
    expect(await runOf(bundle)).toBe(8);
  });

  test('the deterministic parts of assert, url and util', async () => {
    const source = `
      import assert from 'assert'; import { URL } from 'node:url'; import { TextEncoder } from 'util'; import * as util from 'util';
      export async function main() {
        assert(true);
        return [new URL('http://a/b').pathname, new TextEncoder().encode('x').length, Object.keys(util).sort()];
      }`;
    expect(await runOf(await bundleOf(source))).toEqual([
      '/b',
      1,
      expect.arrayContaining(['TextDecoder', 'TextEncoder']),
    ]);
  });

  test('the browser build of a package is taken, as the official bundler does', async () => {
    const bundle = await bundleOf(`import { where } from 'both'; export async function main() { return where; }`, {
      'node_modules/both/package.json': `{ "name": "both", "main": "node.js", "browser": "browser.js" }`,
      'node_modules/both/node.js': `exports.where = require('os').hostname();`,
      'node_modules/both/browser.js': `exports.where = 'browser';`,
    });
    expect(await runOf(bundle)).toBe('browser');
  });
});

test('the unsafe source of random numbers has nothing to do with the seed of the run', async () => {
  const bundle = await bundleOf(`import { workflowInfo } from '@temporalio/workflow';
    export async function main() { return [Math.random(), workflowInfo().unsafe.random.random()]; }`);
  const [first, second] = [await runOf(bundle), await runOf(bundle)] as [number, number][];
  expect(first[0]).toBe(second[0]);
  expect(first[1]).not.toBe(second[1]);
});

test('files that resolve other modules when they are loaded can be bundled', async () => {
  const source = `const activities = require.resolve('./activities'); export async function main() { return typeof activities; }`;
  expect(await runOf(await bundleOf(source, { 'activities.ts': 'export {};' }))).toBe('string');
});

describe("Temporal's packages", () => {
  test('branchline/workflow and branchline/common are @temporalio/workflow and @temporalio/common, in one copy', async () => {
    const source = `
      import * as ours from 'branchline/workflow'; import * as theirs from '@temporalio/workflow';
      import { ApplicationFailure as A } from 'branchline/common'; import { ApplicationFailure as B } from '@temporalio/common';
      import { u8 } from 'branchline/common/lib/encoding'; import { u8 as u8B } from '@temporalio/common/lib/encoding';
      import { RandomHelpers } from './helper.cjs';
      export async function main() {
        return [ours.sleep === theirs.sleep, A === B, A === ours.ApplicationFailure, u8 === u8B, RandomHelpers === theirs.sleep];
      }`;
    const bundle = await bundleOf(source, {
      'helper.cjs': `exports.RandomHelpers = require('@temporalio/workflow/lib/workflow').sleep;`,
    });
    expect(await runOf(bundle)).toEqual([true, true, true, true, true]);
  });

  test('a copy under the workflow files is preferred to ours', async () => {
    const folder = sourceFolder({
      'workflows.ts': `import { mark } from '@temporalio/workflow'; export async function main() { return mark; }`,
    });
    const scope = path.join(folder, 'node_modules', '@temporalio');
    fs.mkdirSync(scope, { recursive: true });
    fs.cpSync(path.resolve('node_modules/@temporalio/workflow/lib'), path.join(scope, 'workflow/lib'), {
      recursive: true,
    });
    fs.cpSync(
      path.resolve('node_modules/@temporalio/workflow/package.json'),
      path.join(scope, 'workflow/package.json'),
    );
    fs.appendFileSync(path.join(scope, 'workflow/lib/index.js'), '\nexports.mark = "their copy";\n');
    for (const name of ['@temporalio/common', '@temporalio/proto', 'nexus-rpc', 'long', 'ms']) {
      fs.mkdirSync(path.dirname(path.join(folder, 'node_modules', name)), { recursive: true });
      fs.symlinkSync(path.resolve('node_modules', name), path.join(folder, 'node_modules', name));
    }
    const { code } = await bundleWorkflowCode({ workflowsPath: path.join(folder, 'workflows.ts') });
    expect(await runOf({ code, filename: 'bundle.js' })).toBe('their copy');
  });
});

describe('options', () => {
  test('interceptors and converters belong to the run', async () => {
    const source = `export async function main(text: string) { return text + '!'; }`;
    const files = {
      'interceptors.ts': `
        let calls = 0;
        export const interceptors = () => ({ inbound: [{ async execute(input: any, next: any) { return (await next(input)) + ++calls; } }] });`,
      'payload-converter.ts': `
        import { DefaultPayloadConverter } from '@temporalio/common';
        let made = 0;
        class Shouting extends DefaultPayloadConverter {
          toPayload(value: unknown): any { return super.toPayload(String(value).toUpperCase() + ++made); }
        }
        export const payloadConverter = new Shouting();`,
      'failure-converter.ts': `
        import { DefaultFailureConverter } from '@temporalio/common';
        class Own extends DefaultFailureConverter {
          errorToFailure(...args: any[]) { return { ...(super.errorToFailure as any)(...args), message: 'converted' }; }
        }
        export const failureConverter = new Own();`,
    };
    const folder = sourceFolder(files);
    const at = (file: string) => path.join(folder, file);
    const bundle = await bundleOf(
      source + `export async function fails() { throw new Error('x'); }`,
      {},
      {
        workflowInterceptorModules: [at('interceptors.ts'), at('interceptors.ts')],
        payloadConverterPath: at('payload-converter.ts'),
        failureConverterPath: at('failure-converter.ts'),
      },
    );
    const host = createInProcess(bundle);
    for (const runId of ['one', 'two']) {
      expect(resultOf(await new DrivenRun(host, runId).start('main', ['hi']))).toBe('HI!11');
    }
    await expect(new DrivenRun(host, 'three').start('fails')).rejects.toThrow('converted');
    await host.close();
  });

  test('preloaded modules are evaluated once and shared, what they import as well', async () => {
    const folder = sourceFolder({
      'preloaded.ts': `import { inner } from './inner'; export const cell = { evaluated: inner.count }; export const marks = new Map();`,
      'inner.ts': `(globalThis as any).evaluations = ((globalThis as any).evaluations ?? 0) + 1; export const inner = { count: (globalThis as any).evaluations };`,
      'workflows.ts': `
        import { marks } from './preloaded'; import { inner } from './inner';
        let own = 0;
        export async function main() { marks.set(marks.size, 1); return [marks.size, inner.count, ++own]; }`,
    });
    const preloadModules = [path.join(folder, 'preloaded.ts')];
    const { code } = await bundleWorkflowCode({ workflowsPath: path.join(folder, 'workflows.ts'), preloadModules });
    const host = createInProcess({ code, filename: 'bundle.js' });
    expect(resultOf(await new DrivenRun(host, 'one').start('main'))).toEqual([1, 1, 1]);
    expect(resultOf(await new DrivenRun(host, 'two').start('main'))).toEqual([2, 1, 1]);
    await host.close();
    const both = { preloadModules: ['lodash'], ignoreModules: ['lodash'] };
    expect((await refused({ 'workflows.ts': '' }, both)).message).toBe(
      "Cannot preload modules that are also ignored: 'lodash'",
    );
  });

  test('plugins change the options', async () => {
    const plugin = {
      name: 'ignore',
      configureBundler: (options: BundleOptions) => ({ ...options, ignoreModules: ['fs'] }),
    };
    const source = `import fs from 'fs'; export async function main() { return typeof fs; }`;
    expect(await runOf(await bundleOf(source, {}, { plugins: [plugin] }))).toBe('object');
  });

  test('a webpackConfigHook is called: webpack makes the bundle, with the other options', async () => {
    const folder = sourceFolder({
      'workflows.ts': `import fs from 'fs'; import { word } from 'dictionary'; export async function main() { return word + typeof fs; }`,
      'word.ts': `export const word = 'told ';`,
    });
    // Webpack resolves Temporal's packages from the file, which lies outside of the repository.
    const modules = [path.resolve('node_modules')];
    const bundle = await bundleWorkflowCode({
      workflowsPath: path.join(folder, 'workflows.ts'),
      ignoreModules: ['fs'],
      webpackConfigHook: (config: { resolve: { alias: object } }) => {
        const alias = { ...config.resolve.alias, dictionary: path.join(folder, 'word.ts') };
        return { ...config, resolve: { ...config.resolve, alias, modules } };
      },
    });
    expect(bundle.code).toContain('__webpack_module_cache__');
    expect(await runOf({ ...bundle, filename: 'bundle.js' })).toBe('told object');
  });

  test('a webpackConfigHook is refused by name where Temporal’s bundler is not installed', () => {
    expect(() => temporalBundler([tmpdir()])).toThrow(
      expect.objectContaining({ code: 'BRANCHLINE_UNSUPPORTED_OPTION', option: 'webpackConfigHook' }),
    );
  });

  test('the logger hears of the bundle and of what failed', async () => {
    const logger = { trace: vi.fn(), debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn(), log: vi.fn() };
    await bundleOf('export async function main() {}', {}, { logger });
    expect(logger.info).toHaveBeenCalledWith('Workflow bundle created', { size: expect.stringMatching(/MB$/) });
    const error = await refused({ 'workflows.ts': `import './missing'` }, { logger });
    expect(error).toMatchObject({ code: 'BRANCHLINE_BUNDLE_FAILED' });
    expect(error.message).toMatch(/Could not resolve ".\/missing"[^]*workflows\.ts:1/);
    expect(logger.error).toHaveBeenCalled();
    expect((await refused({ 'workflows.ts': 'const = 1' })).message).toMatch(/workflows\.ts:1:6/);
    expect((await refused({})).message).toMatch(/Could not resolve ".*workflows\.ts"/);
  });
});

test('bundling twice gives the same code', async () => {
  const workflowsPath = path.join(sourceFolder({ 'workflows.ts': 'export async function main() {}' }), 'workflows.ts');
  const [a, b] = [await bundleWorkflowCode({ workflowsPath }), await bundleWorkflowCode({ workflowsPath })];
  expect(a).toEqual(b);
});
