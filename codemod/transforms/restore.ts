/** The way back, second part: what the way there had set aside stands again, and its markers are gone. */
import { MARKER_LINE, TODO, IGNORE } from '../residue';
import { findAsides } from '../source/set-aside';
import { type ParsedFile, tokenAt } from '../source/parse';
import { nothing, type Outcome, type Transform } from './transform';

const ours = (text: string): boolean =>
  text.includes('@branchline-was') || text.includes(TODO) || text.includes(IGNORE);

export const restore: Transform = {
  id: 'restore',
  concerns: (text, direction) => direction === 'reverse' && ours(text),
  apply({ text, ast }: ParsedFile): Outcome {
    const outcome = nothing();
    const inComment = (offset: number): boolean => tokenAt(ast, offset) === undefined;
    const asides = findAsides(text).filter(({ start }) => inComment(start));
    for (const { start, end, code } of asides) outcome.edits.push({ start, end, text: code });
    for (const { 0: line, index } of text.matchAll(MARKER_LINE)) {
      const within = asides.some(({ start, end }) => start <= index && index < end);
      if (!within && inComment(index + line.indexOf('//')))
        outcome.edits.push({ start: index, end: index + line.length, text: '' });
    }
    return outcome;
  },
};
