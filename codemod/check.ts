/** `branchline check`: the markers that nobody has handled yet. */
import path from 'node:path';
import { readText, sizeOfRegularFile, MAX_BYTES } from './files/text-file';
import { kindOf, walkFiles } from './files/walk-files';
import { type Residue, residueIn } from './residue';

export interface ResidueAt extends Residue {
  path: string;
}

export interface CheckReport {
  residue: ResidueAt[];
  /** Files that could not be looked into, and why. */
  failed: { path: string; reason: string }[];
}

export function checkResidue(root: string): CheckReport {
  const report: CheckReport = { residue: [], failed: [] };
  const files = walkFiles(root, (folder, reason) => report.failed.push({ path: folder, reason }));
  for (const file of files) {
    const kind = kindOf(file);
    if (kind !== 'code' && kind !== 'tsconfig') continue;
    try {
      const size = sizeOfRegularFile(path.join(root, file));
      if (size === undefined || size > MAX_BYTES) continue;
      report.residue.push(
        ...residueIn(readText(path.join(root, file)).text).map((found) => ({ path: file, ...found })),
      );
    } catch (error) {
      report.failed.push({ path: file, reason: (error as Error).message });
    }
  }
  return report;
}
