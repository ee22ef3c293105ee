/**
 * Temporal kept, Postgres beside it: connections of clients become routed ones, workers that run moved types become workers for both engines.
 * What stood there is kept in a comment behind the new name, so that `undo` takes it back whatever else was changed.
 */
import { entryOf } from '../assess/file-facts';
import { literalOf } from '../source/objects';
import { Origins, temporalName, unwrapped } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import { setAside } from '../source/set-aside';
import type { Context, Routing } from '../transforms/transform';
import { nothing, type Outcome, type Transform } from '../transforms/transform';
import { importEdit } from './added-import';
import { unusedImports } from './unused-imports';

const CONNECTS = 'client#Connection.connect';
const CREATES = 'worker#Worker.create';
const CLIENTS = /^client#(?:Client|WorkflowClient|ScheduleClient|AsyncCompletionClient)$/;
/** What the new values have of the old ones' members. */
const MEMBERS: Record<string, { names: readonly string[]; code: string; called: string }> = {
  [CONNECTS]: {
    names: [
      'workflowService',
      'operatorService',
      'plugins',
      'close',
      'ensureConnected',
      'withDeadline',
      'withAbortSignal',
      'withMetadata',
    ],
    code: 'routed-connection',
    called: 'RoutedConnection',
  },
  [CREATES]: {
    names: ['run', 'runUntil', 'shutdown'],
    code: 'routed-worker',
    called: 'RoutedWorkers (of createWorkers)',
  },
};
export const ROUTER = 'branchline/router';

export const routed: Transform = {
  id: 'routed',
  concerns: (text, direction) =>
    direction === 'forward' &&
    /\b(?:Connection|Worker|\w*Client)\b/.test(text) &&
    !text.includes('@temporalio/testing'),
  apply(file: ParsedFile, { modules, routing }: Context): Outcome {
    return routing === undefined ? nothing() : new Rewrite(file, new Origins(file, modules), routing).all();
  },
};

class Rewrite {
  private readonly outcome = nothing();
  /** Names of branchline/router that the file now needs. */
  private readonly needed = new Set<string>();
  /** Names that gave way. */
  private readonly replaced = new Set<ts.Node>();
  /** Those and others that need no second look. */
  private readonly seen = new Set<ts.Node>();

  constructor(
    private readonly file: ParsedFile,
    private readonly origins: Origins,
    private readonly routing: Routing,
  ) {}

  all(): Outcome {
    const calls: ts.CallExpression[] = [];
    walk(this.file.ast, (node) => {
      if (ts.isCallExpression(node)) calls.push(node);
      else if (ts.isNewExpression(node)) this.client(node);
    });
    for (const call of calls) {
      const name = this.nameOf(unwrapped(call.expression));
      if (name === CONNECTS) this.connection(call);
      else if (name === CREATES) this.worker(call);
    }
    walk(this.file.ast, (node) => {
      if (ts.isIdentifier(node) && !this.seen.has(node)) this.otherUse(node);
    });
    if (this.needed.size === 0) return this.outcome;
    const added = importEdit(this.file, ROUTER, this.needed);
    if (typeof added !== 'string') {
      this.outcome.edits.push(added, ...unusedImports(this.file, this.replaced));
      return this.outcome;
    }
    // Without the import nothing of it can stand.
    const at = this.outcome.edits[0]!.start;
    return { edits: [], leftovers: [{ code: 'routed-import', reason: added, offset: at }], notes: [] };
  }

  private nameOf(node: ts.Node): string | undefined {
    const origin = this.origins.of(node);
    return origin && temporalName(origin);
  }

  private leave(code: string, reason: string, node: ts.Node): void {
    this.outcome.leftovers.push({ code, reason, offset: node.getStart(this.file.ast) });
  }

  /** The name gives way to another; what stood there follows in a comment. */
  private rename(node: ts.Node, name: string): void {
    const start = node.getStart(this.file.ast);
    this.outcome.edits.push({ start, end: node.end, text: name + setAside(this.file.text.slice(start, node.end)) });
    this.needed.add(name.split('.')[0]!);
    this.gone(node);
  }

  private gone(node: ts.Node): void {
    for (const one of withInner(node)) this.replaced.add(one);
    this.stays(node);
  }

  private stays(node: ts.Node): void {
    for (const one of withInner(node)) this.seen.add(one);
  }

  private insert(at: number, text: string): void {
    this.outcome.edits.push({ start: at, end: at, text });
  }

  private connection(call: ts.CallExpression): void {
    const { ast, text } = this.file;
    const [given] = call.arguments;
    const more = `, postgres: {}, routes: { file: '${this.routing.routesFrom(this.file.path)}' } }`;
    if (call.arguments.some(ts.isSpreadElement)) {
      this.leave('routed-connection', 'give these options to RoutedConnection.connect as `temporal`', call);
      this.stays(call.expression);
      return;
    }
    if (given === undefined) {
      const start = call.getStart(ast);
      const before = setAside(text.slice(start, call.end));
      this.outcome.edits.push({
        start,
        end: call.end,
        text: `RoutedConnection.connect${before}({ temporal: {}${more})`,
      });
      this.needed.add('RoutedConnection');
      this.gone(call.expression);
    } else {
      this.rename(call.expression, 'RoutedConnection.connect');
      this.insert(given.getStart(ast), '{ temporal: ');
      this.insert(given.end, more);
    }
    this.members(call, CONNECTS);
  }

  private worker(call: ts.CallExpression): void {
    const { ast } = this.file;
    const [given] = call.arguments;
    const literal = given && literalOf(this.file, given, () => false);
    const member = (name: string): ts.ObjectLiteralElementLike | undefined =>
      literal?.properties.find((property) => property.name !== undefined && property.name.getText(ast) === name);
    const connection = member('connection');
    const spread = literal?.properties.some(ts.isSpreadAssignment) === true;
    if (literal === undefined || literal.properties.length === 0 || (connection === undefined && spread)) {
      this.leave(
        'routed-worker',
        'options made elsewhere: give them to createWorkers of branchline/router, with `temporal` in place of `connection`, and `postgres: {}`',
        call,
      );
      this.stays(call.expression);
      return;
    }
    const path = member('workflowsPath');
    const entry = path && ts.isPropertyAssignment(path) ? entryOf(path.initializer.getText(ast)) : undefined;
    if (entry !== undefined && this.routing.serves(this.file.path, entry) === false) {
      this.outcome.notes.push({
        reason: 'this worker runs none of the types that move: it stays on Temporal alone',
        offset: call.getStart(ast),
      });
      this.stays(call.expression);
      return;
    }
    this.rename(call.expression, 'createWorkers');
    if (connection === undefined) this.insert(literal.properties[0]!.getStart(ast), 'temporal: {}, postgres: {}, ');
    else if (ts.isShorthandPropertyAssignment(connection)) {
      const [start, end] = [connection.getStart(ast), connection.end];
      const was = setAside(this.file.text.slice(start, end));
      this.outcome.edits.push({ start, end, text: `temporal: connection${was}, postgres: {}` });
    } else {
      const name = connection.name!;
      const [start, end] = [name.getStart(ast), name.end];
      this.outcome.edits.push({ start, end, text: `temporal${setAside(this.file.text.slice(start, end))}` });
      this.insert(connection.end, ', postgres: {}');
    }
    this.members(call, CREATES);
  }

  /** `const worker = await Worker.create(…); worker.getState()` */
  private members(call: ts.CallExpression, what: string): void {
    const { names, code, called } = MEMBERS[what]!;
    const { parent } = call;
    const held = ts.isAwaitExpression(parent) ? parent.parent : parent;
    const declaration =
      ts.isVariableDeclaration(held) && ts.isIdentifier(held.name)
        ? held.name
        : ts.isBinaryExpression(held) && ts.isIdentifier(held.left)
          ? held.left
          : undefined;
    const symbol = declaration && this.file.checker.getSymbolAtLocation(declaration);
    if (symbol === undefined) return;
    walk(this.file.ast, (node) => {
      if (!ts.isPropertyAccessExpression(node) || names.includes(node.name.text)) return;
      const holder = unwrapped(node.expression);
      if (!ts.isIdentifier(holder) || this.file.checker.getSymbolAtLocation(holder) !== symbol) return;
      this.leave(code, `${called} has no ${node.name.text}: ${names.join(', ')} are there`, node);
    });
  }

  private client(node: ts.NewExpression): void {
    if (!CLIENTS.test(this.nameOf(node.expression) ?? '')) return;
    const [given] = node.arguments ?? [];
    if (given !== undefined && !ts.isObjectLiteralExpression(given)) return;
    const may = given?.properties.some(
      (property) => ts.isSpreadAssignment(property) || property.name.getText(this.file.ast) === 'connection',
    );
    if (may === true) return;
    this.leave('routed-client', 'without a connection it reaches Temporal alone: give it a RoutedConnection', node);
  }

  /** The classes themselves: as types, and in ways that have no counterpart. */
  private otherUse(node: ts.Identifier): void {
    const { parent } = node;
    if (
      ts.isImportSpecifier(parent) ||
      ts.isExportSpecifier(parent) ||
      ts.isImportClause(parent) ||
      ts.isBindingElement(parent)
    )
      return;
    const isMember = (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) && lastOf(parent) === node;
    const whole = isMember ? parent : node;
    const name = this.nameOf(whole);
    if (name !== 'client#Connection' && name !== 'worker#Worker') return;
    const isType = ts.isTypeReferenceNode(whole.parent);
    if (name === 'worker#Worker') {
      // A worker that stays on Temporal is one still.
      if (isType && this.needed.has('createWorkers')) this.rename(whole, 'RoutedWorkers');
      else if (isType)
        this.leave('routed-worker', 'workers for both engines are RoutedWorkers of branchline/router', whole);
    } else if (isType) this.rename(whole, 'RoutedConnection');
    else
      this.leave('routed-connection', 'reaches Temporal alone: RoutedConnection.connect reaches both engines', whole);
  }
}

function withInner(node: ts.Node): ts.Node[] {
  const all = [node];
  walk(node, (inner) => all.push(inner));
  return all;
}

const lastOf = (node: ts.PropertyAccessExpression | ts.QualifiedName): ts.Node =>
  ts.isQualifiedName(node) ? node.right : node.name;
