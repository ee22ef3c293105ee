/** What git knows of the folder; a folder without git is no error. */
import { spawnSync } from 'node:child_process';

function git(folder: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return status === 0 ? stdout : undefined;
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
