/**
 * The transforms, in their order: each sees the text as the file holds it, their edits are put together. Names are resolved by the original specifiers,
 * so the order is that of the report only: specifiers, set-up, what is refused, then (on the way back) what was set aside. The incremental way has its own.
 */
import { type Residue, residueIn } from '../residue';
import { applyEdits, type Edit } from '../source/edits';
import { markerEdits } from '../source/marker-place';
import { positionOf, withParsed } from '../source/parse';
import { routed } from '../routed/routed';
import { undoRouted } from '../routed/undo';
import { connections } from './connections';
import { dynamicNames } from './dynamic-names';
import { imports } from './imports';
import { restore } from './restore';
import { thirdParty } from './third-party';
import type { Context, Note } from './transform';
import { unsupported, unsupportedForBoth } from './unsupported';

const everything = [imports, connections, dynamicNames, thirdParty, unsupported, undoRouted, restore];
const incremental = [routed, dynamicNames, thirdParty, unsupportedForBoth];

export interface CodeResult {
  text: string;
  /** How many spans were replaced, without markers. */
  changes: number;
  /** The markers in the text as it is afterwards that nobody has handled. */
  leftovers: Residue[];
  /** Lines of the text as it is afterwards. */
  notes: (Omit<Note, 'offset'> & { line: number })[];
}

/** One code file. @throws SyntaxFault for text that does not parse, before or after */
export function transformCode(path: string, text: string, context: Context): CodeResult {
  const transforms = context.routing === undefined ? everything : incremental;
  const concerned = transforms.filter((transform) => transform.concerns(text, context.direction));
  if (concerned.length === 0) return { text, changes: 0, leftovers: residueIn(text), notes: [] };
  return withParsed(path, text, (file) => {
    const outcomes = concerned.map((transform) => transform.apply(file, context));
    const edits = outermost(outcomes.flatMap((outcome) => outcome.edits));
    const outside = ({ offset }: { offset: number }): boolean =>
      !edits.some(
        ({ start, end, text: now }) => start <= offset && offset < end && (now === '' || now.startsWith('/*')),
      );
    const leftovers = outcomes.flatMap((outcome) => outcome.leftovers).filter(outside);
    const notes = outcomes.flatMap((outcome) => outcome.notes);
    const all = [...edits, ...markerEdits(file, leftovers)];
    const result = applyEdits(text, all);
    if (result !== text) withParsed(path, result, () => undefined);
    const lineAfter = (offset: number): number => positionOf(file.ast, offset).line + linesAdded(all, offset);
    return {
      text: result,
      changes: edits.length,
      leftovers: residueIn(result),
      notes: notes.map(({ reason, offset }) => ({ reason, line: lineAfter(offset) })),
    };
  });
}

/** What is set aside as a whole is not changed inside. What is put in at its edge is outside. */
const outermost = (edits: Edit[]): Edit[] => edits.filter((edit) => !edits.some((other) => holds(other, edit)));

function holds(outer: Edit, { start, end }: Edit): boolean {
  if (start === end) return outer.start < start && end < outer.end;
  return (outer.start < start && end <= outer.end) || (outer.start === start && end < outer.end);
}

const newlines = (text: string): number => text.split('\n').length - 1;

function linesAdded(edits: readonly Edit[], offset: number): number {
  return edits
    .filter(({ start }) => start <= offset)
    .reduce((sum, { text, start, end }) => sum + (start === end ? newlines(text) : 0), 0);
}
