/** The way back, second part: what the way there had set aside stands again, and its markers are gone. */
import { MARKER_LINE, TODO, IGNORE } from '../residue';
import { findAsides } from '../source/set-aside';
import { type ParsedFile, tokenAt, ts, walk } from '../source/parse';
import { nothing, type Outcome, type Transform } from './transform';

const ours = (text: string): boolean =>
  text.includes('@branchline-was') || text.includes(TODO) || text.includes(IGNORE);

/** Where a formatter puts the comment when it is alone between the braces. */
const OUT_OF_BRACES = /\{\s*\}\s*from\s*$/;

export const restore: Transform = {
  id: 'restore',
  concerns: (text, direction) => direction === 'reverse' && ours(text),
  apply({ text, ast }: ParsedFile): Outcome {
    const outcome = nothing();
    const inComment = (offset: number): boolean => tokenAt(ast, offset) === undefined;
    const asides = findAsides(text).filter(({ start }) => inComment(start));
    for (const { start, end, code } of asides) {
      const [out] = OUT_OF_BRACES.exec(text.slice(0, start)) ?? [];
      outcome.edits.push(
        out === undefined
          ? { start, end, text: separated(code, text, start, end, ast) }
          : { start: start - out.length, end, text: `{ ${code} } from` },
      );
    }
    for (const { 0: line, index } of text.matchAll(MARKER_LINE)) {
      const within = asides.some(({ start, end }) => start <= index && index < end);
      if (!within && inComment(index + line.indexOf('//')))
        outcome.edits.push({ start: index, end: index + line.length, text: '' });
    }
    return outcome;
  },
};

/** A formatter takes out commas that separate nothing but a comment: as an entry of a list again, the code needs them. */
function separated(code: string, text: string, start: number, end: number, ast: ts.SourceFile): string {
  if (!isEntry(ast, start)) return code;
  const blanks = /(?:\s|\/\*[^]*?\*\/|\/\/[^\n]*)*/.source;
  const before = new RegExp(`[,{]${blanks}$`).test(text.slice(0, start));
  const after = new RegExp(`^${blanks}[,}]`).test(text.slice(end)) || code.endsWith(',');
  return `${before ? '' : ', '}${code}${after ? '' : ','}`;
}

/** Between the braces of an object or of imported names, and in none of their entries. */
function isEntry(ast: ts.SourceFile, offset: number): boolean {
  let innermost: ts.Node = ast;
  walk(ast, (node) => {
    if (node.getStart(ast) < offset && offset < node.end) innermost = node;
  });
  return ts.isObjectLiteralExpression(innermost) || ts.isNamedImports(innermost);
}
