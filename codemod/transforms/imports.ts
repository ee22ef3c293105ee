/** Module specifiers: `@temporalio/client` ⇄ `branchline/client`, in every form that loads a module. */
import { counterpart } from '../packages';
import { findMentions, mentions } from '../source/mentions';
import type { ParsedFile } from '../source/parse';
import { type Context, nothing, type Outcome, type Transform } from './transform';

export const imports: Transform = {
  id: 'imports',
  concerns: mentions,
  apply(file: ParsedFile, { direction }: Context): Outcome {
    const outcome = nothing();
    for (const { kind, specifier, start, end } of findMentions(file, direction)) {
      if (kind === 'words') {
        if (direction === 'forward')
          outcome.notes.push({ reason: `the text names a package of Temporal's`, offset: start });
        continue;
      }
      const other = counterpart(specifier, direction);
      if (kind === 'value') {
        // What is only a name may be left to its own meaning when the package stays.
        if (other?.kind !== 'kept' && (direction === 'forward' || other?.kind === 'module')) {
          outcome.leftovers.push({ code: 'unknown-use', reason: unknownUse(specifier), offset: start });
        }
      } else if (other?.kind === 'module') {
        outcome.edits.push({ start, end, text: other.specifier });
      } else if (other?.kind === 'none') {
        outcome.leftovers.push({ code: other.code, reason: other.reason, offset: start });
      } else if (other?.kind === 'kept') {
        outcome.notes.push({ reason: `${specifier} stays: ${other.reason}`, offset: start });
      }
    }
    return outcome;
  },
};

const unknownUse = (specifier: string): string =>
  `'${specifier}' is used in a way the codemod does not follow: change it by hand`;
