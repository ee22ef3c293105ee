/** Where a marker line for a place in the code can stand without changing what the code means. */
import { type ParsedFile, ts } from './parse';
import type { Edit } from './edits';
import { IGNORE, todoLine } from '../residue';

/** Comments that speak of the line below them must stay next to it. */
const DIRECTIVE =
  /^\s*\/\/\s*(?:eslint-disable-next-line|@ts-|prettier-ignore|biome-ignore|deno-lint-ignore|oxlint-disable-next-line|istanbul ignore|c8 ignore|v8 ignore|@branchline-)/;

export interface Marked {
  code: string;
  reason: string;
  offset: number;
}

/** One line per place and reason, above the line of the statement or member that holds the offset. Those that are there already are not doubled. */
export function markerEdits(file: ParsedFile, marked: readonly Marked[]): Edit[] {
  const { text, ast } = file;
  const places = new Map<number, Set<string>>();
  for (const { code, reason, offset } of marked) {
    const { start, existing } = above(text, lineStartFor(ast, text, offset));
    const lines = places.get(start) ?? new Set<string>();
    places.set(start, lines);
    const line = todoLine(code, reason);
    if (!existing.some((there) => there === line || there.startsWith(`// ${IGNORE}(${code})`))) lines.add(line);
  }
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return [...places].flatMap(([start, lines]) => {
    if (lines.size === 0) return [];
    const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
    return [{ start, end: start, text: [...lines].map((line) => indent + line + newline).join('') }];
  });
}

function lineStartFor(ast: ts.SourceFile, text: string, offset: number): number {
  for (let node: ts.Node | undefined = nodeAt(ast, offset); node !== undefined; node = node.parent) {
    const line = canStandAlone(node) ? freeLine(ast, text, node) : undefined;
    if (line !== undefined) return line;
  }
  // Behind something else on its line: above the nearest statement before it.
  const before = ast.statements.filter((statement) => statement.getStart(ast) < offset).reverse();
  return (
    before.map((statement) => freeLine(ast, text, statement)).find((line) => line !== undefined) ?? afterShebang(text)
  );
}

const canStandAlone = (node: ts.Node): boolean =>
  ts.isStatement(node) ||
  ts.isClassElement(node) ||
  (ts.isObjectLiteralElement(node) && !ts.isJsxAttribute(node) && !ts.isJsxSpreadAttribute(node)) ||
  ts.isEnumMember(node) ||
  (node.parent !== undefined && ts.isArrayLiteralExpression(node.parent));

/** The start of the node's line when nothing but blanks stands before it there. */
function freeLine(ast: ts.SourceFile, text: string, node: ts.Node): number | undefined {
  const start = node.getStart(ast);
  const line = text.lastIndexOf('\n', start - 1) + 1;
  return text.slice(line, start).trim() === '' ? line : undefined;
}

function nodeAt(ast: ts.SourceFile, offset: number): ts.Node {
  let node: ts.Node = ast;
  for (;;) {
    const inner: ts.Node | undefined = ts.forEachChild(node, (child) =>
      child.getStart(ast) <= offset && offset < child.end ? child : undefined,
    );
    if (inner === undefined) return node;
    node = inner;
  }
}

const afterShebang = (text: string): number => (text.startsWith('#!') ? text.indexOf('\n') + 1 : 0);

/** Past directives and markers that stand above the line (at the top of a file: below it); those markers. */
function above(text: string, line: number): { start: number; existing: string[] } {
  let start = line;
  while (start > 0) {
    const previous = text.lastIndexOf('\n', start - 2) + 1;
    if (!DIRECTIVE.test(text.slice(previous, start))) break;
    start = previous;
  }
  const below = /^(?:[ \t]*\/\/ @branchline-[^\n]*\n)*/.exec(text.slice(line))?.[0] ?? '';
  const existing = (text.slice(start, line) + below).split('\n').map((words) => words.trim());
  return { start, existing: existing.filter((words) => words.startsWith('// @branchline-')) };
}
