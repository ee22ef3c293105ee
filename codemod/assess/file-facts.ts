/** What one file says: its functions, what each calls, what it starts. Names of other files stay names until they are linked. */
import { Origins, unwrapped } from '../source/origins';
import { type ParsedFile, positionOf, ts, walk } from '../source/parse';
import { entryOf, startedBy } from './starts';
import { CHILD_STARTS, EACH, forbiddenModule, hazardOf, PROXIES, TOGETHER } from './rules';

/** A name of this file, or of the module that it was imported from; a string names a workflow type itself. */
export interface Ref {
  name: string;
  module?: string;
}

export interface Spread {
  how: 'Promise.all' | 'map' | 'loop';
  width?: number;
}

export interface Call {
  ref: Ref;
  line: number;
  /** Many at once. */
  spread?: Spread;
  /** One after the other, in a loop. */
  repeated: boolean;
}

export interface FunctionFacts {
  name: string;
  line: number;
  api: Set<string>;
  /** Of functions of this and other files, activities among them. */
  calls: Call[];
  children: Call[];
  /** Handles that it takes of workflows known by id. */
  externals: { line: number }[];
  hazards: { code: string; reason: string; line: number }[];
}

export interface FileFacts {
  path: string;
  functions: Map<string, FunctionFacts>;
  exports: Map<string, Ref>;
  stars: string[];
  /** Specifiers of what it imports as values. */
  imports: { specifier: string; line: number }[];
  /** Names whose value (or whose members) are activities. */
  proxies: Set<string>;
  /** What is given as workflowsPath; no specifier: made in a way that is not followed. */
  entries: { specifier?: string; line: number }[];
  /** Starts by a client: of which type, in which function. */
  starts: { ref: Ref; line: number; within?: string }[];
  /** Imports that workflow code must not have. */
  forbidden: { code: string; reason: string; line: number }[];
}

export function factsOfFile(file: ParsedFile): FileFacts {
  return new Reader(file).read();
}

class Reader {
  private readonly origins: Origins;
  private readonly facts: FileFacts;
  private readonly proxySymbols = new Set<ts.Symbol>();

  /** Names that stand where a value is meant. */
  private readonly valueNames = new Set<string>();

  constructor(private readonly file: ParsedFile) {
    this.origins = new Origins(file);
    this.facts = {
      path: file.path,
      functions: new Map(),
      exports: new Map(),
      stars: [],
      imports: [],
      proxies: new Set(),
      entries: [],
      starts: [],
      forbidden: [],
    };
  }

  read(): FileFacts {
    const { ast } = this.file;
    gatherValueNames(ast, this.valueNames);
    walk(ast, (node) => this.findProxies(node));
    for (const statement of ast.statements) {
      this.readModuleParts(statement);
      for (const [name, body] of functionsOf(statement)) this.facts.functions.set(name, this.functionFacts(name, body));
    }
    walk(ast, (node) => this.readClientParts(node));
    return this.facts;
  }

  private line(node: ts.Node): number {
    return positionOf(this.file.ast, node.getStart(this.file.ast)).line;
  }

  /** The name of @temporalio/workflow (or of its drop-in) that an expression stands for. */
  private workflowApi(node: ts.Expression): string | undefined {
    const origin = this.origins.of(node);
    return origin !== undefined && /^(?:@temporalio|branchline)\/workflow$/.test(origin.module)
      ? origin.path.join('.')
      : undefined;
  }

  private findProxies(node: ts.Node): void {
    if (!ts.isVariableDeclaration(node) || node.initializer === undefined) return;
    const made = unwrapped(node.initializer);
    if (!ts.isCallExpression(made) || !PROXIES.includes(this.workflowApi(made.expression) ?? '')) return;
    const names = ts.isIdentifier(node.name)
      ? [node.name]
      : ts.isObjectBindingPattern(node.name)
        ? node.name.elements.flatMap(({ name }) => (ts.isIdentifier(name) ? [name] : []))
        : [];
    for (const name of names) {
      const symbol = this.file.checker.getSymbolAtLocation(name);
      if (symbol !== undefined) this.proxySymbols.add(symbol);
      this.facts.proxies.add(name.text);
    }
  }

  private readModuleParts(statement: ts.Statement): void {
    const { facts } = this;
    if (ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier)) {
      const { importClause: clause } = statement;
      // Compilers and bundlers drop imports that only types use.
      if (clause !== undefined && (clause.isTypeOnly || !boundNames(clause).some((name) => this.valueNames.has(name))))
        return;
      const specifier = statement.moduleSpecifier.text;
      facts.imports.push({ specifier, line: this.line(statement) });
      const reason = forbiddenModule(specifier);
      if (reason !== undefined) facts.forbidden.push({ code: 'forbidden-import', reason, line: this.line(statement) });
    } else if (ts.isExportDeclaration(statement)) {
      if (statement.isTypeOnly) return;
      const { exportClause: clause, moduleSpecifier: from } = statement;
      const module = from !== undefined && ts.isStringLiteral(from) ? from.text : undefined;
      if (module !== undefined) facts.imports.push({ specifier: module, line: this.line(statement) });
      if (clause === undefined) facts.stars.push(module!);
      else if (ts.isNamedExports(clause)) {
        for (const { name, propertyName } of clause.elements) {
          const ref = { name: (propertyName ?? name).text, ...(module === undefined ? {} : { module }) };
          facts.exports.set(name.text, module === undefined ? (this.imported(propertyName ?? name) ?? ref) : ref);
        }
      }
    } else if (isExported(statement)) {
      for (const name of namesOf(statement)) facts.exports.set(name, { name });
    } else if (ts.isExpressionStatement(statement)) this.readCommonJs(statement.expression);
  }

  /** `exports.a = …`, `module.exports = { a, b }`. */
  private readCommonJs(expression: ts.Expression): void {
    if (!ts.isBinaryExpression(expression)) return;
    const target = expression.left.getText(this.file.ast);
    const [, single] = /^(?:module\.)?exports\.(\w+)$/.exec(target) ?? [];
    const { right } = expression;
    if (single !== undefined && ts.isIdentifier(right)) this.facts.exports.set(single, { name: right.text });
    if (target !== 'module.exports' || !ts.isObjectLiteralExpression(right)) return;
    for (const property of right.properties) {
      if (ts.isShorthandPropertyAssignment(property))
        this.facts.exports.set(property.name.text, { name: property.name.text });
    }
  }

  private imported(name: ts.ModuleExportName): Ref | undefined {
    const local = ts.isIdentifier(name) ? this.file.checker.getExportSpecifierLocalTargetSymbol(name) : undefined;
    const declaration = local?.declarations?.[0];
    const identifier = declaration !== undefined && ts.isImportSpecifier(declaration) ? declaration.name : undefined;
    return identifier === undefined ? undefined : this.refOf(identifier);
  }

  /** What an expression names: a function of this file or of another; a text names a type. */
  private refOf(expression: ts.Expression): Ref | undefined {
    const plain = unwrapped(expression);
    if (ts.isStringLiteralLike(plain)) return { name: plain.text, module: '' };
    const origin = this.origins.of(plain);
    if (origin !== undefined) return { name: origin.path.at(-1) ?? 'default', module: origin.module };
    return ts.isIdentifier(plain) ? { name: plain.text } : undefined;
  }

  private functionFacts(name: string, body: ts.Node): FunctionFacts {
    const facts: FunctionFacts = {
      name,
      line: this.line(body),
      api: new Set(),
      calls: [],
      children: [],
      externals: [],
      hazards: [],
    };
    walk(body, (node) => {
      if (ts.isCallExpression(node)) this.readCall(node, body, facts);
      this.readHazard(node, facts);
    });
    return facts;
  }

  private readCall(call: ts.CallExpression, body: ts.Node, facts: FunctionFacts): void {
    const callee = unwrapped(call.expression);
    const api = this.workflowApi(callee);
    const at = { line: this.line(call), repeated: isRepeated(call, body), ...spreadOf(call, body) };
    if (api !== undefined) {
      facts.api.add(api);
      const [target] = call.arguments;
      if (CHILD_STARTS.includes(api) && target !== undefined) {
        facts.children.push({
          ref: this.refOf(target) ?? { name: `(computed at line ${at.line})`, module: '' },
          ...at,
        });
      }
      if (api === 'getExternalWorkflowHandle') facts.externals.push({ line: at.line });
      return;
    }
    this.addCall(facts, callee, at);
    // `list.map(greet)`: the callback is called, though not here.
    const each = eachOf(call);
    if (each !== undefined && !ts.isFunctionLike(each.callback))
      this.addCall(facts, each.callback as ts.Expression, { ...at, spread: each.spread });
  }

  private addCall(facts: FunctionFacts, callee: ts.Expression, at: Omit<Call, 'ref'>): void {
    const activity = this.activityOf(callee);
    const ref = activity === undefined ? this.refOf(callee) : { name: activity, module: 'activity:' };
    if (ref !== undefined) facts.calls.push({ ref, ...at });
  }

  private activityOf(callee: ts.Expression): string | undefined {
    const means = (node: ts.Node): boolean => {
      const symbol = this.file.checker.getSymbolAtLocation(node);
      return symbol !== undefined && this.proxySymbols.has(symbol);
    };
    if (ts.isIdentifier(callee)) return means(callee) ? callee.text : undefined;
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    if (means(callee.expression)) return callee.name.text;
    // `greet.executeWithOptions(…)`, `proxyActivities(…).greet(…)`
    if (
      ts.isCallExpression(callee.expression) &&
      PROXIES.includes(this.workflowApi(callee.expression.expression) ?? '')
    )
      return callee.name.text;
    return undefined;
  }

  private readHazard(node: ts.Node, facts: FunctionFacts): void {
    if (!ts.isIdentifier(node) || this.file.checker.getSymbolAtLocation(node) !== undefined) return;
    const { parent } = node;
    const isMember = (ts.isPropertyAccessExpression(parent) && parent.name === node) || ts.isPropertyAssignment(parent);
    if (isMember) return;
    const name =
      ts.isPropertyAccessExpression(parent) && parent.expression === node
        ? `${node.text}.${parent.name.text}`
        : node.text;
    const reason = hazardOf(name) ?? hazardOf(node.text);
    if (reason !== undefined)
      facts.hazards.push({ code: 'nondeterminism', reason: `${name}: ${reason}`, line: this.line(node) });
  }

  private readClientParts(node: ts.Node): void {
    const { facts } = this;
    if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === 'workflowsPath') {
      const specifier = entryOf(node.initializer.getText(this.file.ast));
      facts.entries.push({ ...(specifier !== undefined && { specifier }), line: this.line(node) });
    }
    const target = startedBy(node);
    const ref = target && this.refOf(target);
    if (ref !== undefined) facts.starts.push({ ref, line: this.line(node), ...within(node) });
  }
}

function gatherValueNames(node: ts.Node, names: Set<string>): void {
  ts.forEachChild(node, (child) => {
    if (
      ts.isImportDeclaration(child) ||
      ts.isTypeNode(child) ||
      ts.isInterfaceDeclaration(child) ||
      ts.isTypeAliasDeclaration(child)
    )
      return;
    if (ts.isIdentifier(child)) names.add(child.text);
    gatherValueNames(child, names);
  });
}

function boundNames({ name, namedBindings }: ts.ImportClause): string[] {
  const own = name === undefined ? [] : [name.text];
  if (namedBindings === undefined) return own;
  if (ts.isNamespaceImport(namedBindings)) return [...own, namedBindings.name.text];
  return [
    ...own,
    ...namedBindings.elements.filter(({ isTypeOnly }) => !isTypeOnly).map((element) => element.name.text),
  ];
}

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);

function namesOf(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement)) return [statement.name?.text ?? 'default'];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
}

/** Functions of the top level, by name: declarations and constants that hold one. */
function functionsOf(statement: ts.Statement): [string, ts.Node][] {
  if (ts.isFunctionDeclaration(statement) && statement.body !== undefined)
    return [[statement.name?.text ?? 'default', statement]];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.flatMap(({ name, initializer }): [string, ts.Node][] => {
    const value = initializer && unwrapped(initializer);
    const isFunction = value !== undefined && (ts.isArrowFunction(value) || ts.isFunctionExpression(value));
    return ts.isIdentifier(name) && isFunction ? [[name.text, value]] : [];
  });
}

/** A start always has options with a task queue or an id. */
function within(node: ts.Node): { within?: string } {
  for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) {
    if (
      (ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at)) &&
      at.name !== undefined &&
      ts.isIdentifier(at.name)
    )
      return { within: at.name.text };
    if (ts.isArrowFunction(at) && ts.isVariableDeclaration(at.parent) && ts.isIdentifier(at.parent.name))
      return { within: at.parent.name.text };
    if (ts.isArrowFunction(at) && ts.isPropertyAssignment(at.parent) && ts.isIdentifier(at.parent.name))
      return { within: at.parent.name.text };
  }
  return {};
}

/** Many at once: a callback for each element, members of `Promise.all([…])`, calls in a loop that nobody awaits there. */
function spreadOf(call: ts.CallExpression, body: ts.Node): { spread?: Spread } {
  let awaited = false;
  for (let node: ts.Node = call; node !== body && node.parent !== undefined; node = node.parent) {
    const { parent } = node;
    if (ts.isAwaitExpression(parent)) awaited = true;
    const each = ts.isFunctionLike(node) && ts.isCallExpression(parent) ? eachOf(parent) : undefined;
    if (each?.callback === node) return { spread: each.spread };
    if (ts.isArrayLiteralExpression(parent) && ts.isCallExpression(parent.parent) && parent.elements.length > 1) {
      const { expression } = parent.parent;
      if (ts.isPropertyAccessExpression(expression) && TOGETHER.includes(expression.name.text)) {
        return { spread: { how: 'Promise.all', width: parent.elements.length } };
      }
    }
    if (isLoop(parent) && !awaited) return { spread: { how: 'loop' } };
  }
  return {};
}

/** A call that runs its callback for every element: `list.map(f)`, `Array.from(list, f)`. */
function eachOf(call: ts.CallExpression): { callback: ts.Node; spread: Spread } | undefined {
  const { expression } = call;
  const [first, second] = call.arguments;
  if (!ts.isPropertyAccessExpression(expression) || first === undefined) return undefined;
  if (EACH.includes(expression.name.text))
    return { callback: first, spread: { how: 'map', ...lengthOf(expression.expression) } };
  if (second === undefined || expression.getText() !== 'Array.from') return undefined;
  return { callback: second, spread: { how: 'map', ...lengthOf(first) } };
}

function isRepeated(call: ts.CallExpression, body: ts.Node): boolean {
  for (let node: ts.Node = call; node !== body && node.parent !== undefined; node = node.parent) {
    if (isLoop(node.parent)) return true;
    if (ts.isFunctionLike(node)) return false;
  }
  return false;
}

const isLoop = (node: ts.Node): boolean => ts.isIterationStatement(node, false);

/** `[1, 2]`, `Array(5)`, `Array.from({ length: 5 })`, `[...Array(5).keys()]`. */
function lengthOf(expression: ts.Expression): { width?: number } {
  const plain = unwrapped(expression);
  if (ts.isArrayLiteralExpression(plain) && !plain.elements.some(ts.isSpreadElement))
    return { width: plain.elements.length };
  const [, width] = /(?:\bArray\(|\blength:\s*)(\d[\d_]*)/.exec(plain.getText()) ?? [];
  return width === undefined ? {} : { width: Number(width.replaceAll('_', '')) };
}
