/** A line that the codemod adds: the import of what it put into the file. */
import type { Edit } from '../source/edits';
import { isRequire } from '../source/mentions';
import { type ParsedFile, ts } from '../source/parse';

const ADDED = '// @branchline-added';
export const ADDED_LINE = /^[ \t]*[^\r\n]*['"]branchline\/router['"][^\r\n]* \/\/ @branchline-added[ \t]*(?:\r?\n|$)/gm;

/** Types of branchline/router that are no values. */
const TYPES = ['RoutedWorkers'];

/** The line with those names that are not imported yet; a text: why there can be none. */
export function importEdit(file: ParsedFile, module: string, names: ReadonlySet<string>): Edit | string {
  const { ast, text } = file;
  const missing = [...names].filter((name) => !isImported(ast, name, module)).sort();
  const taken = missing.find((name) => isDeclared(file, name));
  if (taken !== undefined) return `the name ${taken} means something else here: import it from ${module} under another`;
  const loading = ast.statements.map((statement) => loads(file, statement));
  // Imports are all done before anything else; `require` where it stands, so below the first of them.
  const end = loading.indexOf(false, Math.max(0, loading.indexOf(true)));
  const run = isCommonJs(file) && end >= 0 ? loading.slice(0, end) : loading;
  const last = ast.statements[run.lastIndexOf(true)];
  const at = last === undefined ? top(ast, text) : lineAfter(ast, text, last);
  if (at === undefined) return `no line is free for an import of ${[...names].join(', ')} from ${module}`;
  if (missing.length === 0) return { start: at, end: at, text: '' };
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const list = missing.map((name) => (TYPES.includes(name) ? `type ${name}` : name)).join(', ');
  const line = isCommonJs(file)
    ? `const { ${list} } = require('${module}'); ${ADDED}`
    : `import { ${list} } from '${module}'; ${ADDED}`;
  return { start: at, end: at, text: line + newline };
}

function isImported(ast: ts.SourceFile, name: string, module: string): boolean {
  return ast.statements.some(
    (statement) =>
      [`'${module}'`, `"${module}"`].some((quoted) => statement.getText(ast).includes(quoted)) &&
      new RegExp(`\\{[^}]*\\b${name}\\b[^}]*\\}`).test(statement.getText(ast)),
  );
}

function isDeclared({ checker, ast }: ParsedFile, name: string): boolean {
  const meaning = ts.SymbolFlags.Value | ts.SymbolFlags.Type | ts.SymbolFlags.Alias;
  return checker.getSymbolsInScope(ast, meaning).some((symbol) => symbol.name === name);
}

function loads(file: ParsedFile, statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement) || ts.isImportEqualsDeclaration(statement)) return true;
  if (!ts.isVariableStatement(statement)) return false;
  return statement.declarationList.declarations.some(({ initializer }) => {
    let node = initializer;
    while (node !== undefined && ts.isPropertyAccessExpression(node)) node = node.expression;
    return (
      node !== undefined &&
      ts.isCallExpression(node) &&
      ts.isIdentifier(node.expression) &&
      isRequire(file, node.expression)
    );
  });
}

/** JavaScript that loads by `require`; TypeScript imports whatever it becomes. */
function isCommonJs({ path, ast }: ParsedFile): boolean {
  if (path.endsWith('.cjs')) return true;
  if (!/\.jsx?$/.test(path)) return false;
  // As the compiler sees it: import, export, import.meta.
  const { externalModuleIndicator } = ast as { externalModuleIndicator?: unknown };
  return externalModuleIndicator === undefined && !ast.statements.some(waits);
}

/** `await` outside of functions is there in modules only. */
function waits(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false;
  return ts.isAwaitExpression(node) || ts.forEachChild(node, (child) => waits(child) || undefined) === true;
}

/** Undefined when something else begins on the statement's last line, or no line follows. */
function lineAfter(ast: ts.SourceFile, text: string, statement: ts.Statement): number | undefined {
  const newline = text.indexOf('\n', statement.end);
  const next = ast.statements.find((other) => other.getStart(ast) >= statement.end);
  if (newline < 0 || (next !== undefined && next.getStart(ast) < newline)) return undefined;
  // A comment of several lines that begins behind the statement is not to be cut.
  return /\/\*(?:(?!\*\/)[^\n])*$/.test(text.slice(statement.end, newline)) ? undefined : newline + 1;
}

/** Above the first statement that is no directive (`'use strict'`). */
function top(ast: ts.SourceFile, text: string): number | undefined {
  const first = ast.statements.find(
    (statement) => !(ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression)),
  );
  if (first === undefined) return undefined;
  const start = first.getStart(ast);
  const line = text.lastIndexOf('\n', start - 1) + 1;
  return text.slice(line, start).trim() === '' ? line : undefined;
}
