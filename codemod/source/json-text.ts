/** JSON and JSONC as text with places: for edits that leave everything else as it is. */
import { ts } from './parse';
import { positionOf, SyntaxFault } from './parse';

/** @throws SyntaxFault */
export function parseJson(path: string, text: string): ts.JsonSourceFile {
  const ast = ts.parseJsonText(path, text);
  const [fault] = (ast as unknown as { parseDiagnostics: ts.DiagnosticWithLocation[] }).parseDiagnostics;
  if (fault !== undefined) {
    throw new SyntaxFault(positionOf(ast, fault.start), ts.flattenDiagnosticMessageText(fault.messageText, ' '));
  }
  return ast;
}

/** The object that is the whole file; undefined for other JSON. */
export function rootObject(ast: ts.JsonSourceFile): ts.ObjectLiteralExpression | undefined {
  const expression = ast.statements[0]?.expression;
  return expression !== undefined && ts.isObjectLiteralExpression(expression) ? expression : undefined;
}

export interface Property {
  name: string;
  node: ts.PropertyAssignment;
}

export function propertiesOf(object: ts.ObjectLiteralExpression): Property[] {
  return object.properties.flatMap((node) =>
    ts.isPropertyAssignment(node) && ts.isStringLiteral(node.name) ? [{ name: node.name.text, node }] : [],
  );
}

export function objectAt(
  object: ts.ObjectLiteralExpression | undefined,
  name: string,
): ts.ObjectLiteralExpression | undefined {
  const value = object && propertiesOf(object).find((property) => property.name === name)?.node.initializer;
  return value !== undefined && ts.isObjectLiteralExpression(value) ? value : undefined;
}

export function stringAt(object: ts.ObjectLiteralExpression | undefined, name: string): string | undefined {
  const value = object && propertiesOf(object).find((property) => property.name === name)?.node.initializer;
  return value !== undefined && ts.isStringLiteral(value) ? value.text : undefined;
}
