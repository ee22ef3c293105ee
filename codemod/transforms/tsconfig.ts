/** tsconfig.json: `paths` and `types` that name Temporal's packages. */
import { counterpart, DROP_INS, type Direction } from '../packages';
import { applyEdits, type Edit } from '../source/edits';
import { parseJson } from '../source/json-text';
import { mentions } from '../source/mentions';
import { ts, walk } from '../source/parse';
import { MARKER_LINE, residueIn, todoLine } from '../residue';
import { ADDED_LINE, isAdded } from './worker-types';
import type { CodeResult } from './index';

const DOORS = DROP_INS.join('|');
const PATHS: Record<Direction, { from: RegExp; to: string }> = {
  forward: { from: new RegExp(`(?<=(?:^|/)node_modules/)@temporalio/(${DOORS})(?=/?$)`), to: 'branchline/lib/$1' },
  reverse: { from: new RegExp(`(?<=(?:^|/)node_modules/)branchline/lib/(${DOORS})(?=/?$)`), to: '@temporalio/$1' },
};

/** @throws SyntaxFault */
export function transformTsconfig(path: string, text: string, direction: Direction): CodeResult {
  const nothing = { text, changes: 0, leftovers: residueIn(text), notes: [] };
  if (!text.includes(direction === 'forward' ? '@temporalio' : 'branchline')) return nothing;
  const ast = parseJson(path, text);
  const edits: Edit[] = [];
  const left: ts.Node[] = [];
  walk(ast, (node) => {
    if (!ts.isStringLiteral(node) || isAdded(text, node.getStart(ast))) return;
    const now = replacement(node.text, direction);
    const plain = text.slice(node.getStart(ast) + 1, node.end - 1) === node.text;
    if (now !== undefined && plain) edits.push({ start: node.getStart(ast) + 1, end: node.end - 1, text: now });
    else if (
      direction === 'forward' &&
      mentions(node.getText(ast), direction) &&
      counterpart(node.text, direction)?.kind !== 'kept'
    )
      left.push(node);
  });
  const changes = edits.length;
  for (const ours of direction === 'reverse' ? [MARKER_LINE, ADDED_LINE] : []) {
    for (const { 0: line, index } of text.matchAll(ours))
      edits.push({ start: index, end: index + line.length, text: '' });
  }
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  for (const node of left) {
    const reason = `'${(node as ts.StringLiteral).text}' is mapped in a way the codemod does not follow: change it by hand`;
    const start = text.lastIndexOf('\n', node.getStart(ast) - 1) + 1;
    const marker = todoLine('unknown-use', reason) + newline;
    if (text.slice(0, start).endsWith(marker) || edits.some((edit) => edit.start === start)) continue;
    edits.push({ start, end: start, text: (/^[ \t]*/.exec(text.slice(start))?.[0] ?? '') + marker });
  }
  const result = applyEdits(text, edits);
  return { text: result, changes, leftovers: residueIn(result), notes: [] };
}

function replacement(value: string, direction: Direction): string | undefined {
  const other = counterpart(value, direction);
  if (other?.kind === 'module') return other.specifier;
  const { from, to } = PATHS[direction];
  return from.test(value) ? value.replace(from, to) : undefined;
}
