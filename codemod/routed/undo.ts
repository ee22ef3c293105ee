/** The way back from `routed`: names that carry what stood there give way to it, and what was put around their arguments goes. */
import { findAsides } from '../source/set-aside';
import { type ParsedFile, ts, walk } from '../source/parse';
import { nothing, type Outcome, type Transform } from '../transforms/transform';
import { ADDED_LINE } from './added-import';

/** A formatter may have moved the comment behind the parenthesis. */
const NEW_NAME = /(\bRoutedConnection\.connect|\bRoutedConnection|\bcreateWorkers|\bRoutedWorkers)\s*(\(\s*)?$/;

export const undoRouted: Transform = {
  id: 'undo-routed',
  concerns: (text, direction) => direction === 'reverse' && text.includes('branchline/router'),
  apply(file: ParsedFile): Outcome {
    const { text, ast } = file;
    const { edits, ...rest } = nothing();
    for (const { 0: line, index } of text.matchAll(ADDED_LINE))
      edits.push({ start: index, end: index + line.length, text: '' });
    const asides = findAsides(text);
    const calls: ts.CallExpression[] = [];
    walk(ast, (node) => {
      if (ts.isCallExpression(node)) calls.push(node);
    });
    for (const { start: comment, end, code } of asides) {
      const { 0: all, 1: name, 2: open } = NEW_NAME.exec(text.slice(0, comment)) ?? [];
      if (all === undefined) continue;
      const start = comment - all.length;
      const call = calls.find(({ expression }) => expression.getStart(ast) === start && expression.end <= comment);
      const whole = call !== undefined && code.endsWith(')');
      if (open === undefined || whole) edits.push({ start, end: whole ? call.end : end, text: code });
      else {
        const after = end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0);
        edits.push({ start, end: start + name!.length, text: code });
        edits.push({ start: comment - open.length, end: after, text: '(' });
      }
      const [options] = call?.arguments ?? [];
      if (whole || options === undefined || !ts.isObjectLiteralExpression(options)) continue;
      const temporal = memberOf(options, 'temporal');
      if (temporal === undefined) continue;
      if (name === 'createWorkers') edits.push(...workerOptions(file, options, temporal));
      else {
        edits.push({ start: options.getStart(ast), end: temporal.initializer.getStart(ast), text: '' });
        edits.push({ start: temporal.initializer.end, end: options.end, text: '' });
      }
    }
    return { edits, ...rest };
  },
};

function workerOptions(
  { text, ast }: ParsedFile,
  options: ts.ObjectLiteralExpression,
  temporal: ts.PropertyAssignment,
): Outcome['edits'] {
  const postgres = memberOf(options, 'postgres');
  const start = temporal.getStart(ast);
  const end = postgres?.end ?? temporal.end;
  const within = (from: number, to: number): { code: string; end: number } | undefined => {
    const [aside] = findAsides(text.slice(from, to));
    return aside && { code: aside.code, end: from + aside.end };
  };
  const ofName = within(temporal.name.end, temporal.initializer.getStart(ast));
  if (ofName !== undefined)
    return [
      { start, end: ofName.end, text: ofName.code },
      { start: temporal.initializer.end, end, text: '' },
    ];
  const ofMember = within(temporal.initializer.end, postgres?.getStart(ast) ?? options.end);
  if (ofMember !== undefined) return [{ start, end, text: ofMember.code }];
  // It had none: both were put in front of what followed.
  const next = options.properties.find((property) => property.getStart(ast) >= end);
  return [{ start, end: next?.getStart(ast) ?? end, text: '' }];
}

const memberOf = (options: ts.ObjectLiteralExpression, name: string): ts.PropertyAssignment | undefined =>
  options.properties.find(
    (property): property is ts.PropertyAssignment =>
      ts.isPropertyAssignment(property) && ts.isIdentifier(property.name) && property.name.text === name,
  );
