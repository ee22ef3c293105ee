/** `branchline-codemod.json`: what the move took out of package.json files, for the way back. To be committed. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Dependencies } from './transforms/package-json';

export const JOURNAL = 'branchline-codemod.json';

interface Kept {
  /** SHA-256 of the file as the move left it: then `before` is exact. */
  sha256: string;
  before: string;
  removed: Dependencies;
}

export interface Journal {
  about: string;
  packages: Record<string, Kept>;
}

const ABOUT =
  'What `branchline codemod` took out of package.json files. `branchline codemod --reverse` reads it and removes it.';

export const emptyJournal = (): Journal => ({ about: ABOUT, packages: {} });

/** Undefined when there is none. @throws SyntaxError when it is no JSON */
export function readJournal(root: string): Journal | undefined {
  const file = path.join(root, JOURNAL);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Journal) : undefined;
}

export const journalText = (journal: Journal): string => `${JSON.stringify(journal, null, 2)}\n`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const record = (before: string, after: string, removed: Dependencies): Kept => ({
  sha256: sha256(after),
  before,
  removed,
});

/** The text before the move, if the file is as the move left it. */
export const exactlyBefore = (kept: Kept | undefined, now: string): string | undefined =>
  kept?.sha256 === sha256(now) ? kept.before : undefined;
