/** Whether the name of a class (or of all of a module) is only used in ways that the transforms look at, or goes on as a value to where they do not follow. */
import { type ParsedFile, ts } from './parse';

/** `Connection` in `temporal.Connection`: the whole of it. */
export function wholeName(node: ts.Identifier): ts.Node {
  const { parent } = node;
  const isMember =
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node);
  return isMember ? parent : node;
}

/** In lists of imports and exports and where it is declared: its uses are what counts. */
export const isListed = (node: ts.Node): boolean => {
  const { parent } = node;
  return isList(parent) || ((ts.isParameter(parent) || ts.isVariableDeclaration(parent)) && parent.name === node);
};

const isList = (parent: ts.Node): boolean =>
  ts.isImportSpecifier(parent) ||
  ts.isExportSpecifier(parent) ||
  ts.isImportClause(parent) ||
  ts.isNamespaceImport(parent) ||
  ts.isNamespaceExport(parent) ||
  ts.isImportEqualsDeclaration(parent) ||
  ts.isExportAssignment(parent) ||
  ts.isBindingElement(parent);

/** Keys of dependency injection: the container makes what it was told to make. */
const KEYS = /^(?:provide|inject|token|exports|imports|deps)$/;
const LOOKUPS = /^(?:get|resolve|inject|mocked|isMocked|spyOn|stub|createStubInstance|mockDeep|mock|token|select)$/;

/** @param node the whole name; it stands in an expression */
export function isHandedOn(file: ParsedFile, node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) return false;
  if (ts.isElementAccessExpression(parent) && parent.expression === node)
    return !ts.isStringLiteralLike(parent.argumentExpression);
  if (isListed(node) || isInType(node)) return false;
  if (ts.isNewExpression(parent) || ts.isCallExpression(parent)) {
    if (parent.expression === node) return false;
    // A decorator: `@Inject(Connection)`.
    return !ts.isDecorator(parent.parent) && !LOOKUPS.test(calledName(parent));
  }
  if (ts.isExpressionWithTypeArguments(parent) || ts.isTypeOfExpression(parent)) return false;
  if (ts.isBinaryExpression(parent)) return !isCompared(parent) && !isExported(file, parent);
  // A constant of another name is followed; and so is what it holds.
  if (ts.isVariableDeclaration(parent)) return !ts.isIdentifier(parent.name) && !isPlainPattern(parent.name);
  if (
    ts.isArrayLiteralExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isShorthandPropertyAssignment(parent)
  ) {
    const key = ts.findAncestor(parent, ts.isPropertyAssignment);
    if (key !== undefined && KEYS.test(key.name.getText(file.ast))) return false;
    return !isExported(file, parent.parent.parent);
  }
  return !ts.isParenthesizedExpression(parent) && !ts.isAsExpression(parent) && !ts.isNonNullExpression(parent);
}

/** `{ Connection, lazy: { a } }`: of a pattern with a rest or a computed name it cannot be told what it takes. */
function isPlainPattern(pattern: ts.BindingPattern): boolean {
  return (
    ts.isObjectBindingPattern(pattern) &&
    pattern.elements.every(
      ({ dotDotDotToken, propertyName }) =>
        dotDotDotToken === undefined && (propertyName === undefined || !ts.isComputedPropertyName(propertyName)),
    )
  );
}

export function isInType(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isTypeNode(at) && !ts.isExpressionWithTypeArguments(at)) return true;
    if (!ts.isQualifiedName(at)) return ts.isJSDoc(at);
  }
  return false;
}

function calledName({ expression }: ts.CallExpression | ts.NewExpression): string {
  if (ts.isPropertyAccessExpression(expression)) return expression.name.text;
  return ts.isIdentifier(expression) ? expression.text : '';
}

const isCompared = ({ operatorToken: { kind } }: ts.BinaryExpression): boolean =>
  kind === ts.SyntaxKind.InstanceOfKeyword ||
  kind === ts.SyntaxKind.EqualsEqualsEqualsToken ||
  kind === ts.SyntaxKind.ExclamationEqualsEqualsToken;

/** `module.exports = …`, `exports.a = …`, `module.exports = { … }`. */
function isExported({ ast }: ParsedFile, node: ts.Node): boolean {
  return ts.isBinaryExpression(node) && /^(?:module\.)?exports\b/.test(node.left.getText(ast));
}
