/** Workflow code that cannot be bundled or loaded: the worker is not made, and says why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BranchlineError } from '../../shim/worker';
import { bench, errorOf } from './bench';

const directory = mkdtempSync(join(tmpdir(), 'branchline-bad-code-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const made = (workflowsPath: string): Promise<Error> => errorOf(bench({ workflowBundle: undefined, workflowsPath }));

describe('workflow code', () => {
  it.each([
    ['throws on load', "throw new Error('not today');", 'BRANCHLINE_BUNDLE_THROWS', 'not today'],
    ['is no JavaScript', 'export function (', 'BRANCHLINE_BUNDLE_FAILED', 'is-no-JavaScript.js:1:16'],
    ['imports what is not there', "require('no-such-module');", 'BRANCHLINE_BUNDLE_FAILED', '"no-such-module"'],
    ['imports fs', "exports.x = require('node:fs');", 'BRANCHLINE_FORBIDDEN_IMPORT', "'fs' (imported by"],
    [
      'imports the client',
      `exports.x = require(${JSON.stringify(require.resolve('@temporalio/client'))});`,
      'BRANCHLINE_FORBIDDEN_IMPORT',
      'disallowed modules',
    ],
  ])('that %s', async (name, text, code, message) => {
    const error = await made(file(`${name.replaceAll(' ', '-')}.js`, text));
    expect(error).toBeInstanceOf(BranchlineError);
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(message);
  });

  it('that is not there', async () => {
    const error = await made(join(directory, 'nowhere.js'));
    expect(error).toMatchObject({ code: 'BRANCHLINE_BUNDLE_FAILED' });
    expect(error.message).toContain('nowhere.js');
  });

  it.each([
    ['is no JavaScript', 'this is not js (', 'BRANCHLINE_BUNDLE_THROWS'],
    ['was not made by bundleWorkflowCode', 'globalThis.x = 1', 'BRANCHLINE_BUNDLE_INVALID'],
  ])('as a bundle that %s', async (_name, code, expected) => {
    const error = await errorOf(bench({ workflowBundle: { code } }));
    expect(error).toBeInstanceOf(BranchlineError);
    expect(error).toMatchObject({ code: expected });
  });
});
