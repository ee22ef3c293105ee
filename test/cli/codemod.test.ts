/** `branchline codemod` and `branchline check` as they are called: output, exit codes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const main = path.resolve(__dirname, '../../lib/cli/main.js');
const source = `import { Client } from '@temporalio/client';\nexport default Client;\n`;

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-cli-codemod-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

function branchline(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
}

describe('branchline codemod', () => {
  it('prints a diff that git applies, alone on stdout', () => {
    const folder = folderWith({ 'a.ts': source });
    const { status, stdout, stderr } = branchline('codemod', folder, '--all', '--dry-run');
    expect(status).toBe(0);
    execFileSync('git', ['-C', folder, 'apply', '--check', '-'], { input: stdout });
    expect(stderr).toContain('a.ts: changed: 1 place');
    expect(readFileSync(path.join(folder, 'a.ts'), 'utf8')).toBe(source);
  });

  it('ends with 2 from --check while something would change, then with 0', () => {
    const folder = folderWith({ 'a.ts': source });
    expect(branchline('codemod', folder, '--all', '--check').status).toBe(2);
    expect(branchline('codemod', folder, '--all').status).toBe(0);
    expect(branchline('codemod', folder, '--all', '--check').status).toBe(0);
    expect(branchline('codemod', folder, '--reverse', '--check').status).toBe(2);
  });

  it('ends with 1 when a file failed, with the others changed', () => {
    const folder = folderWith({ 'a.ts': source, 'b.ts': `import '@temporalio/client'; export const = 1;` });
    const { status, stdout } = branchline('codemod', folder, '--all');
    expect(status).toBe(1);
    expect(stdout).toMatch(/^b\.ts: failed: line 1, column \d+ does not parse/m);
    expect(readFileSync(path.join(folder, 'a.ts'), 'utf8')).toContain('branchline/client');
  });

  it('reports as JSON', () => {
    const folder = folderWith({ 'a.ts': source });
    const report = JSON.parse(branchline('codemod', folder, '--all', '--json').stdout) as object;
    expect(report).toMatchObject({
      written: true,
      totals: { changed: 1 },
      files: [{ path: 'a.ts', status: 'changed' }],
    });
  });

  it.each([
    ['without a mode', ['codemod', '.'], /Say what to move.*\(BRANCHLINE_CODEMOD_MODE\)/],
    ['with two modes', ['codemod', '.', '--all', '--reverse'], /cannot be used with/],
    ['for a folder that is not there', ['codemod', '/no/such/folder', '--all'], /\(BRANCHLINE_NO_FOLDER\)/],
  ])('refuses to begin %s', (_, args, words) => {
    const { status, stderr } = branchline(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(words);
  });
});

describe('branchline check', () => {
  it('ends with 2 while something is left, with 0 when it is ignored', () => {
    const folder = folderWith({ 'a.ts': `mystery('@temporalio/client');\n` });
    branchline('codemod', folder, '--all');
    const { status, stdout } = branchline('check', folder);
    expect(status).toBe(2);
    expect(stdout).toMatch(/^a\.ts:1 \[unknown-use\]/);
    const file = path.join(folder, 'a.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace('todo', 'ignore'));
    expect(branchline('check', folder).status).toBe(0);
  });
});

it('loads no compiler with the doors of the runtime', () => {
  const doors = ['client', 'worker', 'workflow', 'activity', 'testing', 'common'].map(
    (door) => `require('branchline/${door}')`,
  );
  const script = `${doors.join(';')};console.log(Object.keys(require.cache).filter((f) => /ts-morph|typescript/.test(f)).length)`;
  const output = execFileSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    cwd: path.resolve(__dirname, '../..'),
  });
  expect(output.trim()).toBe('0');
});
