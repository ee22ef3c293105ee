/** All changes to the disk, each file by itself; the record of the way there first, its end last. */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileReport, type FileReport } from './file-report';
import { readText, type TextFile, whole, writeText } from './files/text-file';
import { kindOf } from './files/walk-files';
import { JOURNAL } from './journal';
import { reasonOf } from './reason';

export interface Change {
  path: string;
  /** Undefined: it is new. */
  before: TextFile | undefined;
  /** Undefined: the file goes. */
  after: string | undefined;
}

/** What could not be written, and so stays as it was. */
export function writeChanges(root: string, changes: readonly Change[]): FileReport[] {
  const failed: FileReport[] = [];
  for (const change of changes) {
    const { path: file, before, after } = change;
    // What a package.json lacks is known from the record alone.
    if (file === JOURNAL && before !== undefined && failed.some((report) => kindOf(report.path) === 'package'))
      continue;
    try {
      writeOne(path.join(root, file), change);
    } catch (error) {
      failed.push(fileReport({ path: file, failed: `it could not be written: ${reasonOf(error)}` }));
      if (file === JOURNAL && before === undefined && after !== undefined)
        return [...failed, ...changes.filter((other) => other !== change).map(unwritten)];
    }
  }
  return failed;
}

/** @throws Error also when somebody has changed the file since it was read */
function writeOne(target: string, { before, after }: Change): void {
  const now = existsSync(target) ? whole(readText(target)) : undefined;
  if (now !== (before && whole(before))) throw new Error('it was changed in the meantime: run this again');
  if (after === undefined) rmSync(target);
  else writeText(target, { text: after, bom: false });
}

const unwritten = ({ path: file }: Change): FileReport =>
  fileReport({ path: file, failed: `nothing was written, as ${JOURNAL} could not be` });
