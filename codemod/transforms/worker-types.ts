/** Packages of Temporal's whose types name `@temporalio/worker`: a line in `paths` of tsconfig.json leads that name to Branchline's worker. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { applyEdits } from '../source/edits';
import { objectAt, parseJson, propertiesOf, rootObject, stringAt } from '../source/json-text';

const WORKER = '@temporalio/worker';
const ADDED = '// @branchline-added';
export const ADDED_LINE = /^[^\r\n]*\/\/ @branchline-added[ \t]*(?:\r?\n|$)/gm;

export function isAdded(text: string, offset: number): boolean {
  const end = text.indexOf('\n', offset);
  return text
    .slice(text.lastIndexOf('\n', offset) + 1, end < 0 ? text.length : end)
    .trimEnd()
    .endsWith(ADDED);
}

/**
 * The text with the line; a sentence when a person must write it. Undefined: it is there.
 * @param file absolute
 * @throws SyntaxFault
 */
export function withWorkerTypes(file: string, text: string): { text: string } | { problem: string } | undefined {
  const ast = parseJson(file, text);
  const root = rootObject(ast);
  const options = objectAt(root, 'compilerOptions');
  const paths = objectAt(options, 'paths');
  if (paths !== undefined && propertiesOf(paths).some(({ name }) => name === WORKER)) return undefined;
  const folder = path.dirname(file);
  const base = stringAt(options, 'baseUrl');
  const target = path.posix.join(
    path.relative(path.join(folder, base ?? '.'), modulesFolder(folder)),
    'branchline/lib/worker',
  );
  const entry = `"${WORKER}": ["${target.startsWith('.') ? target : `./${target}`}"]`;
  const problem = `write \`"paths": { ${entry} }\` into compilerOptions: types of Temporal's plugins name ${WORKER}`;
  // `paths` of its own would hide those of a configuration that it extends. Those of packages (@tsconfig/node20) have none.
  const extended =
    root &&
    propertiesOf(root)
      .find(({ name }) => name === 'extends')
      ?.node.initializer.getText(ast);
  if (paths === undefined && extended !== undefined && /"\.{1,2}\//.test(extended)) return { problem };
  const object = paths ?? options;
  const first = object?.properties[0];
  if (object === undefined || first === undefined) return { problem };
  const start = first.getStart(ast);
  const line = text.lastIndexOf('\n', start - 1) + 1;
  const indent = text.slice(line, start);
  if (indent.trim() !== '') return { problem };
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const added = `${indent}${paths === undefined ? `"paths": { ${entry} }` : entry}, ${ADDED}${newline}`;
  return { text: applyEdits(text, [{ start: line, end: line, text: added }]) };
}

/** Where packages are installed: the nearest that holds Temporal's or ours, else beside the file. */
function modulesFolder(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const modules = path.join(folder, 'node_modules');
    if (['@temporalio', 'branchline'].some((name) => existsSync(path.join(modules, name)))) return modules;
    if (path.dirname(folder) === folder) return path.join(from, 'node_modules');
  }
}
