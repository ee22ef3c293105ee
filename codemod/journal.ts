/** `branchline-codemod.json`: which way things were moved, and what that took out of JSON files, for the way back. To be committed. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Dependencies } from './transforms/package-json';

export const JOURNAL = 'branchline-codemod.json';

interface Kept {
  /** SHA-256 of the file as the move left it: then `before` is exact. */
  sha256: string;
  /** Null: it was edited between two moves, and `removed` alone is given back. */
  before: string | null;
  removed: Dependencies;
}

interface KeptRoutes {
  sha256: string;
  /** Null: there was none. */
  before: string | null;
}

export interface Journal {
  about: string;
  mode: 'all' | 'workflows';
  /** Of the route file. */
  routes?: KeptRoutes;
  packages: Record<string, Kept>;
}

const ABOUT =
  'What `branchline codemod` changed in JSON files. `branchline codemod --reverse` reads it and removes it.';

export const emptyJournal = (mode: Journal['mode']): Journal => ({ about: ABOUT, mode, packages: {} });

/** Undefined when there is none. @throws SyntaxError when it is no JSON */
export function readJournal(root: string): Journal | undefined {
  const file = path.join(root, JOURNAL);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Journal) : undefined;
}

export const journalText = (journal: Journal): string => `${JSON.stringify(journal, null, 2)}\n`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** @param kept of a move before this one */
export function record(kept: Kept | undefined, before: string, after: string, removed: Dependencies): Kept {
  const asLeft = kept === undefined || kept.sha256 === sha256(before);
  return {
    sha256: sha256(after),
    before: asLeft ? (kept === undefined ? before : kept.before) : null,
    removed: together(kept?.removed ?? {}, removed),
  };
}

function together(first: Dependencies, second: Dependencies): Dependencies {
  const sections = [...Object.keys(first), ...Object.keys(second)] as (keyof Dependencies)[];
  return Object.fromEntries(sections.map((section) => [section, { ...second[section], ...first[section] }]));
}

/** The text before the move, if the file is as the move left it. */
export const exactlyBefore = (kept: Kept | undefined, now: string): string | undefined =>
  kept?.sha256 === sha256(now) ? (kept.before ?? undefined) : undefined;

/** @param kept of a move before this one, after which the file may have been edited: then it is as nobody left it. */
export function recordRoutes(kept: KeptRoutes | undefined, before: string | undefined, after: string): KeptRoutes {
  if (kept === undefined) return { sha256: sha256(after), before: before ?? null };
  const asLeft = before !== undefined && isAsLeft(kept, before);
  return { sha256: asLeft ? sha256(after) : '', before: kept.before };
}

export const isAsLeft = (kept: KeptRoutes, now: string): boolean => kept.sha256 === sha256(now);
