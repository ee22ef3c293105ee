/** What a module exports: by `export`, or as CommonJS. */
import { type ParsedFile, ts } from './parse';

export type Exported =
  /** The declaration, or the expression whose value it is. */
  | { node: ts.Node }
  /** Handed on from another module; no `name`: all of it. */
  | { module: string; name?: string };

export interface Exports {
  named: Map<string, Exported>;
  /** Modules of `export *`. */
  all: string[];
}

const COMMON = 'export=';

export function exportsOf(file: ParsedFile): Exports {
  const { ast, checker } = file;
  const named = new Map<string, Exported>();
  const all = ast.statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause === undefined ? (moduleOf(statement) ?? []) : [],
  );
  for (const [key, symbol] of checker.getSymbolAtLocation(ast)?.exports ?? []) {
    const one = symbol.declarations?.[0];
    const exported = one === undefined ? undefined : exportedBy(file, one);
    if (exported !== undefined) named.set(String(key), exported);
  }
  if (named.size === 0 && all.length === 0) readCommonJs(ast, named);
  return { named, all };
}

/** `module.exports = …`, `export = …`. */
export const wholeOf = ({ named }: Exports): Exported | undefined => named.get(COMMON);

function exportedBy({ checker }: ParsedFile, declaration: ts.Declaration): Exported | undefined {
  if (ts.isExportSpecifier(declaration)) {
    const module = moduleOf(declaration.parent.parent);
    const inner = declaration.propertyName ?? declaration.name;
    if (module !== undefined) return { module, name: inner.text };
    const local = checker.getExportSpecifierLocalTargetSymbol(declaration)?.declarations?.[0];
    return local && { node: local };
  }
  if (ts.isNamespaceExport(declaration)) {
    const module = moduleOf(declaration.parent);
    return module === undefined ? undefined : { module };
  }
  if (ts.isExportAssignment(declaration)) return { node: declaration.expression };
  return { node: declaration };
}

/** `module.exports = …`, `module.exports = { … }`, `exports.a = …` */
function readCommonJs(ast: ts.SourceFile, named: Map<string, Exported>): void {
  for (const statement of ast.statements) {
    if (!ts.isExpressionStatement(statement) || !ts.isBinaryExpression(statement.expression)) continue;
    const { left, right } = statement.expression;
    const [whole, name] = /^(?:module\.)?exports(?:\.(\w+))?$/.exec(left.getText(ast)) ?? [];
    if (whole === undefined) continue;
    named.set(name ?? COMMON, { node: right });
    if (name !== undefined || !ts.isObjectLiteralExpression(right)) continue;
    for (const property of right.properties) {
      if (property.name !== undefined && ts.isIdentifier(property.name))
        named.set(property.name.text, { node: valueOf(property) });
    }
  }
}

function moduleOf({ moduleSpecifier }: ts.ExportDeclaration): string | undefined {
  return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : undefined;
}

/** What a member of an object literal holds: its expression; itself for a method; the name for shorthand. */
export function valueOf(property: ts.ObjectLiteralElementLike): ts.Node {
  if (ts.isPropertyAssignment(property)) return property.initializer;
  return ts.isShorthandPropertyAssignment(property) ? property.name : property;
}
