/** Which files of a folder are looked at. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { CODE_FILE } from '../source/parse';
import { filesOfGit } from './git';

/** Never source, whether git knows them or not. */
const SKIPPED = new Set(['node_modules', '.git', '.hg', '.yarn', '.pnpm-store']);
/** Output, where git does not say what is ignored. */
const OUTPUT = new Set(['dist', 'build', 'out', 'coverage', '.next', '.turbo']);

const HOLDS_CODE = /\.(?:vue|svelte|astro|mdx)$/;

export type FileKind = 'code' | 'package' | 'tsconfig' | 'json' | 'other-code';

/** Undefined: not looked at. */
export function kindOf(file: string): FileKind | undefined {
  const name = path.basename(file);
  if (name === 'package.json') return 'package';
  if (/^[jt]sconfig(?:\..+)?\.json$/.test(name)) return 'tsconfig';
  if (CODE_FILE.test(name)) return 'code';
  if (HOLDS_CODE.test(name)) return 'other-code';
  if (
    name.endsWith('.json') &&
    !/^(?:package-lock|npm-shrinkwrap|branchline-codemod|branchline-routes)\.json$/.test(name)
  )
    return 'json';
  return undefined;
}

/** Relative paths with `/`, sorted; symbolic links are not followed. Unreadable folders are given to `onFault`. */
export function walkFiles(root: string, onFault: (folder: string, reason: string) => void): string[] {
  const known = filesOfGit(root);
  const all = known ?? [...walkFolder(root, '', onFault)];
  return [...new Set(all)]
    .filter((file) => kindOf(file) !== undefined && !file.split('/').some((part) => SKIPPED.has(part)))
    .sort();
}

function* walkFolder(
  root: string,
  below: string,
  onFault: (folder: string, reason: string) => void,
): Generator<string> {
  let entries;
  try {
    entries = readdirSync(path.join(root, below), { withFileTypes: true });
  } catch (error) {
    onFault(below === '' ? '.' : below, (error as Error).message);
    return;
  }
  for (const entry of entries) {
    const file = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory() && !SKIPPED.has(entry.name) && !OUTPUT.has(entry.name))
      yield* walkFolder(root, file, onFault);
    else if (entry.isFile()) yield file;
  }
}
