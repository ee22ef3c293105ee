/** A scratch folder for the codemod, and the codemod on it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CodemodReport, FileReport } from '../../codemod/file-report';
import { runCodemod } from '../../codemod/run';

export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], {
    encoding: 'utf8',
  });
}

export function folderWith(contents: Record<string, string | Buffer>, inGit = true): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-codemod-'));
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  if (inGit) {
    git(folder, 'init', '-q');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'before');
  }
  return folder;
}

export function read(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !`${entry.parentPath}/`.includes('/.git/'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

export const forward = (root: string, more = {}): Promise<CodemodReport> =>
  runCodemod({ root, direction: 'forward', write: true, ...more });
export const reverse = (root: string, more = {}): Promise<CodemodReport> =>
  runCodemod({ root, direction: 'reverse', write: true, ...more });
export const of = (report: CodemodReport, name: string): FileReport => report.files.find((file) => file.path === name)!;
