/** Bundles that cannot be run are refused when the worker starts, in words that say why. */
import { expect, test } from 'vitest';
import { bundleOf } from '../../../test/support/activations';
import { createInProcess } from './in-process';
import { createThreadPool } from './thread-pool';

test.each([
  ['at its top level', `throw new RangeError('bad configuration'); export {}`, /RangeError: bad configuration/],
  ['in a module it imports', `import './other'; export async function a() {}`, /TypeError: other fails/],
  [
    'when it sets a handler outside of a workflow',
    `import { setHandler, defineSignal } from '@temporalio/workflow'; setHandler(defineSignal('x'), () => {}); null!.x; export {}`,
    /TypeError: Cannot read prop/,
  ],
])('a bundle that throws %s', async (_, source, message) => {
  const bundle = await bundleOf(source, { 'other.ts': `throw new TypeError('other fails')` });
  expect(() => createInProcess(bundle)).toThrow(message);
  await expect(createThreadPool(bundle, { threads: 2 })).rejects.toMatchObject({
    code: 'BRANCHLINE_BUNDLE_THROWS',
    message: expect.stringMatching(message),
  });
  await expect(createThreadPool(bundle, { threads: 1 })).rejects.toThrow(/(workflows|other)\.ts:1/);
});

test('what is not JavaScript, and what is not a bundle', () => {
  const host =
    (code: string, reuseV8Context = true) =>
    () =>
      createInProcess({ code, filename: 'x.js' }, { reuseV8Context });
  expect(host('const = 1')).toThrow(expect.objectContaining({ code: 'BRANCHLINE_BUNDLE_THROWS' }));
  expect(host('var a = 1', false)).toThrow(expect.objectContaining({ code: 'BRANCHLINE_BUNDLE_INVALID' }));
  expect(host('var a = 1')).toThrow(/globalThis.__webpack_module_cache__.*reuseV8Context/);
});

test('top-level code may use the workflow API, time and randomness', async () => {
  const bundle = await bundleOf(`
    import { proxyActivities, workflowInfo, uuid4 } from '@temporalio/workflow';
    export const activities = proxyActivities({ startToCloseTimeout: '1m' });
    const at = [Date.now(), Math.random(), uuid4(), workflowInfo().taskQueue];
    export async function a() { return at; }
  `);
  expect(() => createInProcess(bundle)).not.toThrow();
});
