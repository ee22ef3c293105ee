/** What git knows of the folder; a folder without git is no error. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CodemodError } from '../failure';

/** Undefined outside of git. @throws CodemodError BRANCHLINE_GIT where git is and refuses: what it would protect is not known then */
function git(folder: string, args: string[]): string | undefined {
  const { status, stdout, stderr, error } = spawnSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status === 0) return stdout;
  const none = error === undefined ? stderr.includes('not a git repository') : !belowGit(folder);
  if (none) return undefined;
  const words = error?.message ?? stderr.trim();
  throw new CodemodError('BRANCHLINE_GIT', `git does not answer for ${folder}: ${words}`);
}

function belowGit(folder: string): boolean {
  const above = path.dirname(path.resolve(folder));
  return existsSync(path.join(folder, '.git')) || (above !== path.resolve(folder) && belowGit(above));
}

export const isInGit = (folder: string): boolean =>
  git(folder, ['rev-parse', '--is-inside-work-tree'])?.trim() === 'true';

/** Paths below the folder with changes that are not committed, untracked files among them. */
export function uncommitted(folder: string): string[] {
  const shown = git(folder, ['status', '--porcelain', '-z', '--', '.']) ?? '';
  return shown
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => entry.slice(3));
}

/** Tracked files and new ones that are not ignored, relative to the folder; undefined outside of git. */
export function filesOfGit(folder: string): string[] | undefined {
  if (!isInGit(folder)) return undefined;
  const listed = git(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  return listed?.split('\0').filter((name) => name !== '');
}
