/** A bundle that still holds what the codemod left for a person is not run. */
import path from 'node:path';
import { residueIn } from '#codemod/residue';
import { BranchlineError } from '../../common/branchline-error';
import type { SourceMap } from './source-map';

/** @throws BranchlineError `BRANCHLINE_TODO_LEFT`, with file and line of each `@branchline-todo` */
export function refuseResidue({ sources, sourcesContent = [] }: SourceMap): void {
  const left = sources.flatMap((source, index) =>
    residueIn(sourcesContent[index] ?? '').map(
      ({ line, code, reason }) => `  - ${path.relative(process.cwd(), source)}:${line} [${code}] ${reason}\n`,
    ),
  );
  if (left.length === 0) return;
  throw new BranchlineError(
    'BRANCHLINE_TODO_LEFT',
    `Your Workflow code still holds what \`branchline codemod\` left for a person:\n${left.join('')}` +
      'Change the code and remove the line, or write @branchline-ignore into it when it may stay.',
  );
}
