/** Object literals that are given to a call, and what stands in them. */
import { type ParsedFile, ts, walk } from './parse';
import { unwrapped } from './origins';

/** The literal that an expression is: itself, or the constant's, if that goes nowhere else than `uses` allow. */
export function literalOf(
  file: ParsedFile,
  expression: ts.Expression,
  allowed: (use: ts.Identifier) => boolean,
): ts.ObjectLiteralExpression | undefined {
  const plain = unwrapped(expression);
  if (ts.isObjectLiteralExpression(plain)) return plain;
  if (!ts.isIdentifier(plain)) return undefined;
  const declaration = constantOf(file, plain);
  if (declaration?.initializer === undefined) return undefined;
  const literal = unwrapped(declaration.initializer);
  if (!ts.isObjectLiteralExpression(literal)) return undefined;
  return usesOf(file, declaration).every(allowed) ? literal : undefined;
}

export function constantOf({ checker }: ParsedFile, identifier: ts.Identifier): ts.VariableDeclaration | undefined {
  const declaration = checker.getSymbolAtLocation(identifier)?.declarations?.[0];
  return declaration !== undefined && ts.isVariableDeclaration(declaration) ? declaration : undefined;
}

/** Every identifier of the file that means the variable, but its declaration. */
function usesOf({ ast, checker }: ParsedFile, declaration: ts.VariableDeclaration): ts.Identifier[] {
  const symbol = checker.getSymbolAtLocation(declaration.name);
  const uses: ts.Identifier[] = [];
  walk(ast, (node) => {
    if (!ts.isIdentifier(node) || node === declaration.name) return;
    const means =
      ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node
        ? checker.getShorthandAssignmentValueSymbol(node.parent)
        : checker.getSymbolAtLocation(node);
    if (means === symbol || (ts.isExportSpecifier(node.parent) && node.text === declaration.name.getText(ast)))
      uses.push(node);
  });
  const { parent } = declaration.parent;
  const exported =
    ts.isVariableStatement(parent) && (parent.modifiers ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
  // Others may read what is exported.
  return exported ? [...uses, declaration.name as ts.Identifier] : uses;
}

export interface Member {
  /** `telemetryOptions.metrics` for a member of a nested literal. */
  name: string;
  node: ts.ObjectLiteralElementLike;
  /** Undefined for methods and shorthand. */
  value: ts.Expression | undefined;
}

/** Members of the literal and of literals in it. */
export function membersOf(literal: ts.ObjectLiteralExpression, prefix = ''): Member[] {
  return literal.properties.flatMap((node) => {
    if (ts.isSpreadAssignment(node)) {
      const inner = unwrapped(node.expression);
      return ts.isObjectLiteralExpression(inner) ? membersOf(inner, prefix) : [];
    }
    const name = node.name;
    if (!ts.isIdentifier(name) && !ts.isStringLiteral(name)) return [];
    const value = ts.isPropertyAssignment(node) ? unwrapped(node.initializer) : undefined;
    const member = { name: prefix + name.text, node, value };
    const inner = value !== undefined && ts.isObjectLiteralExpression(value) ? membersOf(value, `${member.name}.`) : [];
    return [member, ...inner];
  });
}

/** `false`, `null`, `undefined`, `0`, `[]`: asks for nothing. */
export function asksForNothing(value: ts.Expression | undefined): boolean {
  if (value === undefined) return false;
  if (ts.isArrayLiteralExpression(value)) return value.elements.length === 0;
  if (ts.isNumericLiteral(value)) return Number(value.text) === 0;
  return (
    value.kind === ts.SyntaxKind.FalseKeyword ||
    value.kind === ts.SyntaxKind.NullKeyword ||
    (ts.isIdentifier(value) && value.text === 'undefined')
  );
}
