/** Which name of which module an expression stands for, followed through imports, `require`, destructuring and constants. */
import { type ParsedFile, ts } from './parse';
import { isRequire } from './mentions';

/** `path` is empty for the module itself, `['Connection', 'connect']` for a member of a name of it. */
export interface Origin {
  module: string;
  path: readonly string[];
}

/** A part of a value: what calling it gives, what `new` of it is, a member of it. */
export type Step = 'call' | 'instance' | { member: string };

/** What a module specifier of a file means; the exports of a local module that hands names of others on. */
export interface Modules {
  exportOf(from: string, specifier: string, name: string): Origin | undefined;
  /** What made a part of the value that a module of the repository exports (see Makers); undefined: there is no such module. */
  madeBy(from: string, specifier: string, name: string, steps: readonly Step[]): ReadonlySet<string> | undefined;
}
export const noModules: Modules = { exportOf: () => undefined, madeBy: () => undefined };

const LIMIT = 20;

export class Origins {
  constructor(
    private readonly file: ParsedFile,
    private readonly modules: Modules = noModules,
  ) {}

  of(expression: ts.Node | undefined, depth = 0): Origin | undefined {
    if (expression === undefined || depth > LIMIT) return undefined;
    const next = (node: ts.Node | undefined) => this.of(node, depth + 1);
    if (ts.isIdentifier(expression)) return this.ofIdentifier(expression, depth);
    if (ts.isPropertyAccessExpression(expression))
      return this.member(next(expression.expression), expression.name.text);
    if (ts.isQualifiedName(expression)) return this.member(next(expression.left), expression.right.text);
    if (ts.isElementAccessExpression(expression) && ts.isStringLiteral(expression.argumentExpression)) {
      return this.member(next(expression.expression), expression.argumentExpression.text);
    }
    if (ts.isAwaitExpression(expression) || isWrapper(expression)) return next(expression.expression);
    if (ts.isCallExpression(expression)) return this.loaded(expression);
    return undefined;
  }

  /** The same for a declaration. */
  ofDeclaration(node: ts.Node): Origin | undefined {
    return this.declared(node, 0);
  }

  private member(origin: Origin | undefined, name: string): Origin | undefined {
    if (origin === undefined) return undefined;
    if (origin.path.length > 0) return { ...origin, path: [...origin.path, name] };
    return name === 'default' ? origin : this.exported(origin.module, name);
  }

  private exported(module: string, name: string): Origin {
    return this.modules.exportOf(this.file.path, module, name) ?? { module, path: [name] };
  }

  private loaded(call: ts.CallExpression): Origin | undefined {
    const [argument] = call.arguments;
    if (argument === undefined || !ts.isStringLiteralLike(argument)) return undefined;
    const { expression } = call;
    const loads =
      expression.kind === ts.SyntaxKind.ImportKeyword ||
      (ts.isIdentifier(expression) && isRequire(this.file, expression)) ||
      /^(?:jest|vi)\.(?:requireActual|requireMock|importActual|importMock)$/.test(expression.getText(this.file.ast));
    return loads ? { module: argument.text, path: [] } : undefined;
  }

  private ofIdentifier(identifier: ts.Identifier, depth: number): Origin | undefined {
    const { parent } = identifier;
    const { checker } = this.file;
    const symbol =
      ts.isShorthandPropertyAssignment(parent) && parent.name === identifier
        ? checker.getShorthandAssignmentValueSymbol(parent)
        : checker.getSymbolAtLocation(identifier);
    const declaration = symbol?.declarations?.[0];
    return declaration === undefined ? undefined : this.declared(declaration, depth + 1);
  }

  private declared(declaration: ts.Node, depth: number): Origin | undefined {
    if (ts.isImportSpecifier(declaration)) {
      const module = specifierOf(declaration.parent.parent.parent);
      const name = (declaration.propertyName ?? declaration.name).text;
      if (module === undefined) return undefined;
      return name === 'default' ? this.default(module) : this.exported(module, name);
    }
    if (ts.isNamespaceImport(declaration)) return moduleItself(specifierOf(declaration.parent.parent));
    if (ts.isImportClause(declaration)) return this.default(specifierOf(declaration.parent));
    if (ts.isImportEqualsDeclaration(declaration)) {
      const { moduleReference: reference } = declaration;
      if (!ts.isExternalModuleReference(reference)) return this.of(reference, depth);
      return moduleItself(ts.isStringLiteral(reference.expression) ? reference.expression.text : undefined);
    }
    if (ts.isVariableDeclaration(declaration)) return this.of(declaration.initializer, depth);
    if (ts.isBindingElement(declaration)) return this.destructured(declaration, depth);
    if (ts.isParameter(declaration)) return this.of(awaitedBy(declaration), depth);
    return undefined;
  }

  /** A package's default export is all of it; that of a local module may be a name that it hands on. */
  private default(module: string | undefined): Origin | undefined {
    return moduleItself(module) && (this.modules.exportOf(this.file.path, module!, 'default') ?? moduleItself(module));
  }

  private destructured(element: ts.BindingElement, depth: number): Origin | undefined {
    if (element.dotDotDotToken !== undefined || !ts.isObjectBindingPattern(element.parent)) return undefined;
    const name = element.propertyName ?? element.name;
    if (!ts.isIdentifier(name) && !ts.isStringLiteral(name)) return undefined;
    const holder = element.parent.parent;
    const whole = ts.isBindingElement(holder)
      ? this.destructured(holder, depth + 1)
      : ts.isParameter(holder)
        ? this.of(awaitedBy(holder), depth + 1)
        : this.of(holder.initializer, depth + 1);
    return this.member(whole, name.text);
  }
}

/** The promise whose value a parameter is: `import('a').then((it) => …)`. */
export function awaitedBy(parameter: ts.ParameterDeclaration): ts.Expression | undefined {
  const { parent: callback } = parameter;
  const call = callback.parent;
  if (!ts.isArrowFunction(callback) && !ts.isFunctionExpression(callback)) return undefined;
  if (callback.parameters[0] !== parameter || !ts.isCallExpression(call) || call.arguments[0] !== callback)
    return undefined;
  const { expression } = call;
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'then'
    ? expression.expression
    : undefined;
}

const moduleItself = (module: string | undefined): Origin | undefined =>
  module === undefined ? undefined : { module, path: [] };

const specifierOf = (declaration: ts.ImportDeclaration | ts.JSDocImportTag): string | undefined =>
  ts.isStringLiteral(declaration.moduleSpecifier) ? declaration.moduleSpecifier.text : undefined;

type Wrapper = ts.ParenthesizedExpression | ts.AsExpression | ts.NonNullExpression | ts.SatisfiesExpression;

const isWrapper = (node: ts.Node): node is Wrapper =>
  ts.isParenthesizedExpression(node) ||
  ts.isAsExpression(node) ||
  ts.isNonNullExpression(node) ||
  ts.isSatisfiesExpression(node);

/** The expression itself, without parentheses, `as …` and `!`. */
export function unwrapped(node: ts.Expression): ts.Expression {
  return isWrapper(node) ? unwrapped(node.expression) : node;
}

/** `@temporalio/client#Connection.connect`; undefined for other modules. */
export function temporalName({ module, path }: Origin): string | undefined {
  const [, name] = /^@temporalio\/([\w-]+)(?:\/|$)/.exec(module) ?? [];
  return name === undefined ? undefined : `${name}#${path.join('.')}`;
}
