/**
 * What made a value: `client#Connection.connect`, `client#Client`, the type that it is declared with (`client#Connection`). Followed through names,
 * assignments, helpers, members of objects and of classes, promises and modules of the repository.
 */
import { exportsOf, valueOf } from './exports';
import { awaitedBy, type Modules, type Origin, Origins, type Step, temporalName, unwrapped } from './origins';
import { type ParsedFile, ts, walk } from './parse';

/** Made in a way that is not followed. */
export const UNKNOWN = '?';
/** There is no such member, or it is undefined. */
export const NONE = '';

type Steps = readonly Step[];
export type Made = ReadonlySet<string>;

const LIMIT = 40;
const ASSIGNS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);
/** Types that stand for what they are of. */
const AROUND = /^(?:Promise|PromiseLike|Awaited|Readonly|Partial|Required|NonNullable)$/;

export class Makers {
  private readonly origins: Origins;
  private depth = 0;

  constructor(
    private readonly file: ParsedFile,
    private readonly modules: Modules,
  ) {
    this.origins = new Origins(file, modules);
  }

  /** @param members a member of it, and of that one the next */
  of(expression: ts.Expression, ...members: string[]): Made {
    return this.value(
      expression,
      members.map((member) => ({ member })),
    );
  }

  /** Of what the file exports under a name. */
  ofExport(name: string, steps: Steps): Made {
    const { named, all } = exportsOf(this.file);
    const exported = named.get(name);
    if (exported !== undefined) {
      if ('node' in exported) return this.node(exported.node, steps);
      const [first, ...rest] = steps;
      if (exported.name !== undefined) return this.imported(exported.module, exported.name, steps);
      return typeof first === 'object' ? this.imported(exported.module, first.member, rest) : just(UNKNOWN);
    }
    for (const module of all) {
      const found = this.imported(module, name, steps);
      if (!found.has(UNKNOWN)) return found;
    }
    return just(UNKNOWN);
  }

  private imported(module: string, name: string, steps: Steps): Made {
    return this.modules.madeBy(this.file.path, module, name, steps) ?? just(UNKNOWN);
  }

  private value(given: ts.Node, steps: Steps): Made {
    if (this.depth > LIMIT) return just(UNKNOWN);
    this.depth += 1;
    try {
      const found = this.follow(ts.isExpression(given) ? unwrapped(given) : given, steps);
      // `made() as Connection` says it where the code does not.
      return found.has(UNKNOWN) && ts.isAsExpression(given) ? this.type(given.type, steps) : found;
    } finally {
      this.depth -= 1;
    }
  }

  private node(node: ts.Node, steps: Steps): Made {
    return ts.isExpression(node) && !ts.isClassExpression(node) && !isFunction(node)
      ? this.value(node, steps)
      : this.declared(node, steps);
  }

  private follow(node: ts.Node, steps: Steps): Made {
    if (ts.isAwaitExpression(node)) return this.value(node.expression, steps);
    if (ts.isConditionalExpression(node))
      return union([node.whenTrue, node.whenFalse], (one) => this.value(one, steps));
    if (ts.isBinaryExpression(node)) return this.binary(node, steps);
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) return this.made(node, steps);
    if (ts.isPropertyAccessExpression(node)) return this.member(node, steps);
    if (ts.isObjectLiteralExpression(node)) return this.literal(node, steps);
    if (ts.isArrayLiteralExpression(node)) return this.element(node, steps);
    if (ts.isIdentifier(node)) return this.identifier(node, steps);
    if (isFunction(node) || ts.isClassExpression(node)) return this.declared(node, steps);
    if (node.kind === ts.SyntaxKind.NullKeyword || ts.isVoidExpression(node)) return just(NONE);
    return just(UNKNOWN);
  }

  private binary({ operatorToken, left, right }: ts.BinaryExpression, steps: Steps): Made {
    const { kind } = operatorToken;
    if (kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.QuestionQuestionToken)
      return union([left, right], (one) => this.value(one, steps));
    // `x = made()`, `x ??= made()`, `a && made()`
    return ASSIGNS.has(kind) || kind === ts.SyntaxKind.AmpersandAmpersandToken
      ? this.value(right, steps)
      : just(UNKNOWN);
  }

  private made(node: ts.CallExpression | ts.NewExpression, steps: Steps): Made {
    const callee = unwrapped(node.expression);
    const name = nameOf(this.origins.of(callee));
    // Of what Temporal's packages make, members are of the same making.
    if (name !== undefined) return just(name);
    if (ts.isPropertyAccessExpression(callee)) {
      const method = callee.name.text;
      // `Promise.all([…])`, and what hands its promise on.
      if (callee.expression.getText(this.file.ast) === 'Promise' && /^(?:all|resolve)$/.test(method))
        return node.arguments?.[0] === undefined ? just(NONE) : this.value(node.arguments[0], steps);
      if (/^(?:catch|finally)$/.test(method)) return this.value(callee.expression, steps);
      if (method === 'then' && node.arguments?.[0] !== undefined)
        return this.value(node.arguments[0], ['call', ...steps]);
      if (/^(?:freeze|assign)$/.test(method) && callee.expression.getText(this.file.ast) === 'Object')
        return union([...(node.arguments ?? [])], (one) => this.value(one, steps));
    }
    return this.value(callee, [ts.isNewExpression(node) ? 'instance' : 'call', ...steps]);
  }

  private member(node: ts.PropertyAccessExpression, steps: Steps): Made {
    const step: Step = { member: node.name.text };
    const name = nameOf(this.origins.of(node));
    if (name !== undefined) return just(name);
    if (node.expression.kind !== ts.SyntaxKind.ThisKeyword) return this.value(node.expression, [step, ...steps]);
    const holder = holderOfThis(node);
    if (holder === undefined) return just(UNKNOWN);
    return ts.isClassLike(holder)
      ? this.ofClass(holder, node.name.text, steps)
      : this.literal(holder, [step, ...steps]);
  }

  private literal({ properties }: ts.ObjectLiteralExpression, steps: Steps): Made {
    const [first, ...rest] = steps;
    if (typeof first !== 'object') return just(UNKNOWN);
    const own = properties.find((one) => one.name !== undefined && memberName(one.name) === first.member);
    if (own !== undefined) {
      if (ts.isGetAccessor(own)) return this.declared(own, ['call', ...rest]);
      return this.node(valueOf(own), rest);
    }
    if (properties.some(({ name }) => name !== undefined && ts.isComputedPropertyName(name))) return just(UNKNOWN);
    const spreads = properties.filter(ts.isSpreadAssignment);
    return spreads.length === 0 ? just(NONE) : union(spreads, ({ expression }) => this.value(expression, steps));
  }

  private element({ elements }: ts.ArrayLiteralExpression, steps: Steps): Made {
    const [first, ...rest] = steps;
    const one = typeof first === 'object' && /^\d+$/.test(first.member) ? elements[Number(first.member)] : undefined;
    return one === undefined || elements.some(ts.isSpreadElement) ? just(UNKNOWN) : this.value(one, rest);
  }

  private identifier(node: ts.Identifier, steps: Steps): Made {
    if (node.text === 'undefined') return just(NONE);
    const { checker } = this.file;
    const symbol =
      ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node
        ? checker.getShorthandAssignmentValueSymbol(node.parent)
        : checker.getSymbolAtLocation(node);
    const declaration = symbol?.declarations?.[0];
    return declaration === undefined ? just(UNKNOWN) : this.declared(declaration, steps);
  }

  private declared(node: ts.Node, steps: Steps): Made {
    const [first, ...rest] = steps;
    if (ts.isImportSpecifier(node) || ts.isImportClause(node) || ts.isNamespaceImport(node))
      return this.ofImport(node, steps);
    if (ts.isVariableDeclaration(node)) return this.variable(node, steps);
    if (ts.isBindingElement(node)) return this.destructured(node, steps);
    if (ts.isParameter(node)) return this.parameter(node, steps);
    if (isFunction(node)) {
      if (ts.isGetAccessor(node) || first === 'call') return this.returned(node, first === 'call' ? rest : steps);
      return just(UNKNOWN);
    }
    if (ts.isClassLike(node)) return this.partOfClass(node, steps);
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
      return first === 'instance' ? this.ofType(node, rest) : just(UNKNOWN);
    return ts.isExpression(node) ? this.value(node, steps) : just(UNKNOWN);
  }

  private ofImport(node: ts.ImportSpecifier | ts.ImportClause | ts.NamespaceImport, steps: Steps): Made {
    const declaration = ts.findAncestor(node, ts.isImportDeclaration);
    if (declaration === undefined || !ts.isStringLiteral(declaration.moduleSpecifier)) return just(UNKNOWN);
    const module = declaration.moduleSpecifier.text;
    if (ts.isImportSpecifier(node)) return this.imported(module, (node.propertyName ?? node.name).text, steps);
    if (ts.isImportClause(node)) return this.imported(module, 'default', steps);
    const [first, ...rest] = steps;
    return typeof first === 'object' ? this.imported(module, first.member, rest) : just(UNKNOWN);
  }

  private variable(node: ts.VariableDeclaration, steps: Steps): Made {
    if (node.type !== undefined) return this.type(node.type, steps);
    const loaded = this.origins.ofDeclaration(node);
    // `const temporal = require('./temporal')`
    if (loaded !== undefined && temporalName(loaded) === undefined) return this.ofLoaded(loaded, steps);
    const assigned = ts.isIdentifier(node.name) ? this.assignedTo(node.name) : [];
    const all = [...(node.initializer === undefined ? [] : [node.initializer]), ...assigned];
    return all.length === 0 ? just(UNKNOWN) : union(all, (one) => this.value(one, steps));
  }

  private ofLoaded({ module, path }: Origin, steps: Steps): Made {
    const [first, ...rest] = [...path.map((member): Step => ({ member })), ...steps];
    return typeof first === 'object' ? this.imported(module, first.member, rest) : just(UNKNOWN);
  }

  /** What is assigned to the name anywhere in the file. */
  private assignedTo(name: ts.Identifier): ts.Expression[] {
    const { checker, ast } = this.file;
    const symbol = checker.getSymbolAtLocation(name);
    return assignments(ast).flatMap(({ left, right }) =>
      ts.isIdentifier(left) && left.text === name.text && checker.getSymbolAtLocation(left) === symbol ? [right] : [],
    );
  }

  private destructured(node: ts.BindingElement, steps: Steps): Made {
    const { parent } = node;
    if (node.dotDotDotToken !== undefined) return just(UNKNOWN);
    const member = ts.isArrayBindingPattern(parent)
      ? String(parent.elements.indexOf(node))
      : memberName(node.propertyName ?? node.name);
    if (member === undefined) return just(UNKNOWN);
    const holder = parent.parent;
    const found = this.declared(holder, [{ member }, ...steps]);
    return node.initializer === undefined || !found.has(NONE)
      ? found
      : union([found, this.value(node.initializer, steps)], (one) => one);
  }

  private parameter(node: ts.ParameterDeclaration, steps: Steps): Made {
    if (node.type !== undefined) return this.type(node.type, steps);
    const from = awaitedBy(node);
    return from === undefined ? just(UNKNOWN) : this.value(from, steps);
  }

  private returned(node: ts.SignatureDeclaration, steps: Steps): Made {
    if (node.type !== undefined) {
      const told = this.type(node.type, steps);
      if (!told.has(UNKNOWN)) return told;
    }
    const { body } = node as ts.FunctionLikeDeclaration;
    if (body === undefined) return just(UNKNOWN);
    if (!ts.isBlock(body)) return this.value(body, steps);
    const results: ts.Expression[] = [];
    const visit = (inner: ts.Node): void => {
      if (isFunction(inner) || ts.isClassLike(inner)) return;
      if (ts.isReturnStatement(inner) && inner.expression !== undefined) results.push(inner.expression);
      ts.forEachChild(inner, visit);
    };
    ts.forEachChild(body, visit);
    return results.length === 0 ? just(UNKNOWN) : union(results, (one) => this.value(one, steps));
  }

  private partOfClass(node: ts.ClassLikeDeclaration, steps: Steps): Made {
    const [first, second, ...rest] = steps;
    if (first === 'instance' && typeof second === 'object') return this.ofClass(node, second.member, rest);
    if (first === 'instance') return this.heir(node, steps);
    // A static member.
    return typeof first === 'object' ? this.ofClass(node, first.member, steps.slice(1)) : just(UNKNOWN);
  }

  /** A member of a class, or of its instances. */
  private ofClass(node: ts.ClassLikeDeclaration, name: string, steps: Steps): Made {
    for (const member of node.members) {
      if (ts.isConstructorDeclaration(member)) {
        const parameter = member.parameters.find(
          (one) => ts.isParameterPropertyDeclaration(one, member) && one.name.getText(this.file.ast) === name,
        );
        if (parameter !== undefined) return this.parameter(parameter, steps);
      }
      if (member.name === undefined || memberName(member.name) !== name) continue;
      if (!ts.isPropertyDeclaration(member)) return this.declared(member, steps);
      if (member.type !== undefined) {
        const told = this.type(member.type, steps);
        if (!told.has(UNKNOWN)) return told;
      }
      const assigned = assignments(node).flatMap(({ left, right }) =>
        ts.isPropertyAccessExpression(left) &&
        left.expression.kind === ts.SyntaxKind.ThisKeyword &&
        left.name.text === name
          ? [right]
          : [],
      );
      const all = [...(member.initializer === undefined ? [] : [member.initializer]), ...assigned];
      return all.length === 0 ? just(UNKNOWN) : union(all, (one) => this.value(one, steps));
    }
    return this.heir(node, ['instance', { member: name }, ...steps]);
  }

  /** What it has of the class that it extends. */
  private heir(node: ts.ClassLikeDeclaration, steps: Steps): Made {
    const above = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
    if (above === undefined) return just(UNKNOWN);
    return just(nameOf(this.origins.of(above.expression)) ?? UNKNOWN).has(UNKNOWN)
      ? this.value(above.expression, steps)
      : just(nameOf(this.origins.of(above.expression))!);
  }

  private ofType(node: ts.InterfaceDeclaration | ts.TypeAliasDeclaration, steps: Steps): Made {
    if (ts.isTypeAliasDeclaration(node)) return this.type(node.type, steps);
    return this.signature(node.members, steps);
  }

  private signature(members: readonly ts.TypeElement[], steps: Steps): Made {
    const [first, ...rest] = steps;
    const member =
      typeof first === 'object' &&
      members.find((one) => one.name !== undefined && memberName(one.name) === first.member);
    if (member === undefined || member === false) return just(UNKNOWN);
    if (ts.isPropertySignature(member) && member.type !== undefined) return this.type(member.type, rest);
    return ts.isMethodSignature(member) && member.type !== undefined && rest[0] === 'call'
      ? this.type(member.type, rest.slice(1))
      : just(UNKNOWN);
  }

  private type(node: ts.TypeNode, steps: Steps): Made {
    if (ts.isParenthesizedTypeNode(node)) return this.type(node.type, steps);
    if (ts.isUnionTypeNode(node)) {
      const parts = node.types.filter((one) => !isNothing(one));
      return union(parts, (one) => this.type(one, steps));
    }
    if (ts.isTypeLiteralNode(node)) return this.signature(node.members, steps);
    if (ts.isFunctionTypeNode(node)) return steps[0] === 'call' ? this.type(node.type, steps.slice(1)) : just(UNKNOWN);
    if (ts.isTypeQueryNode(node) && ts.isIdentifier(node.exprName)) return this.identifier(node.exprName, steps);
    if (!ts.isTypeReferenceNode(node)) return just(UNKNOWN);
    const [inner] = node.typeArguments ?? [];
    const { typeName } = node;
    const name = nameOf(this.origins.of(typeName));
    if (name !== undefined) return just(name);
    if (ts.isIdentifier(typeName)) {
      if (inner !== undefined && AROUND.test(typeName.text)) return this.type(inner, steps);
      if (inner !== undefined && typeName.text === 'ReturnType') return this.type(inner, ['call', ...steps]);
      if (inner !== undefined && typeName.text === 'InstanceType') return this.type(inner, ['instance', ...steps]);
      return this.identifier(typeName, ['instance', ...steps]);
    }
    return just(UNKNOWN);
  }
}

const just = (name: string): Made => new Set([name]);

const union = <T>(all: readonly T[], made: (one: T) => Made): Made => new Set(all.flatMap((one) => [...made(one)]));

/** As {@link temporalName}; `router#…` for what the codemod puts in its place. */
function nameOf(origin: Origin | undefined): string | undefined {
  if (origin === undefined || origin.path.length === 0) return undefined;
  const name = temporalName(origin);
  if (name !== undefined) return name;
  return origin.module === 'branchline/router' ? `router#${origin.path.join('.')}` : undefined;
}

const isFunction = (node: ts.Node): node is ts.FunctionLikeDeclaration =>
  ts.isFunctionDeclaration(node) ||
  ts.isFunctionExpression(node) ||
  ts.isArrowFunction(node) ||
  ts.isMethodDeclaration(node) ||
  ts.isAccessor(node);

/** The class or object whose member's code the node is in. */
function holderOfThis(node: ts.Node): ts.ClassLikeDeclaration | ts.ObjectLiteralExpression | undefined {
  const member = ts.findAncestor(
    node,
    (one) =>
      ts.isClassElement(one) ||
      ts.isFunctionDeclaration(one) ||
      ts.isFunctionExpression(one) ||
      (ts.isMethodDeclaration(one) && ts.isObjectLiteralExpression(one.parent)),
  );
  const within = member !== undefined && ts.isPropertyAssignment(member.parent) ? member.parent.parent : member?.parent;
  return within !== undefined && (ts.isClassLike(within) || ts.isObjectLiteralExpression(within)) ? within : undefined;
}

const isNothing = (node: ts.TypeNode): boolean =>
  node.kind === ts.SyntaxKind.UndefinedKeyword ||
  (ts.isLiteralTypeNode(node) && node.literal.kind === ts.SyntaxKind.NullKeyword);

function assignments(within: ts.Node): (ts.BinaryExpression & { left: ts.Expression })[] {
  const found: ts.BinaryExpression[] = [];
  walk(within, (node) => {
    if (ts.isBinaryExpression(node) && ASSIGNS.has(node.operatorToken.kind)) found.push(node);
  });
  return found;
}

export function memberName(name: ts.PropertyName | ts.BindingName): string | undefined {
  if (ts.isIdentifier(name) || ts.isStringLiteral(name) || ts.isPrivateIdentifier(name)) return name.text;
  return ts.isComputedPropertyName(name) && ts.isStringLiteral(name.expression) ? name.expression.text : undefined;
}
