/**
 * Temporal kept, Postgres beside it: connections of clients become routed ones, workers that run moved types become workers for both engines.
 * What stood there is kept in a comment behind the new name, so that `undo` takes it back whatever else was changed.
 */
import { entryOf } from '../assess/starts';
import { isHandedOn, isInType, isListed, wholeName } from '../source/class-uses';
import { Makers, memberName } from '../source/makers';
import { literalOf } from '../source/objects';
import { type Modules, Origins, temporalName, unwrapped } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import { setAside } from '../source/set-aside';
import type { Context, Routing } from '../transforms/transform';
import { nothing, type Outcome, type Transform } from '../transforms/transform';
import { importEdit } from './added-import';
import { clientLeftovers, CLIENTS } from './clients';
import { unusedImports } from './unused-imports';

const CONNECTS = 'client#Connection.connect';
const CREATES = 'worker#Worker.create';
/** What RoutedWorkers has of Worker's members. */
const WORKER_MEMBERS = ['run', 'runUntil', 'shutdown'];
export const ROUTER = 'branchline/router';

export const routed: Transform = {
  id: 'routed',
  concerns: (text, direction) =>
    direction === 'forward' && /\b(?:Connection|Worker|\w*Client|Context|getClient|connection)\b/.test(text),
  apply(file: ParsedFile, { modules, routing }: Context): Outcome {
    if (routing === undefined) return nothing();
    const testing = file.text.search(TESTING);
    if (testing >= 0) return { ...nothing(), notes: [{ reason: STAYS_IN_TESTS, offset: testing }] };
    const outcome = new Rewrite(file, modules, routing).all();
    return { ...outcome, leftovers: [...outcome.leftovers, ...clientLeftovers(file, modules)] };
  },
};

const TESTING = /['"`]@temporalio\/testing\b/;
const STAYS_IN_TESTS = "tests stay on Temporal's test environment: they say nothing of Postgres";

class Rewrite {
  private readonly outcome = nothing();
  /** Names of branchline/router that the file now needs. */
  private readonly needed = new Set<string>();
  /** Names that gave way. */
  private readonly replaced = new Set<ts.Node>();
  /** Those and others that need no second look. */
  private readonly seen = new Set<ts.Node>();

  private readonly origins: Origins;
  private readonly makers: Makers;

  constructor(
    private readonly file: ParsedFile,
    modules: Modules,
    private readonly routing: Routing,
  ) {
    this.origins = new Origins(file, modules);
    this.makers = new Makers(file, modules);
  }

  all(): Outcome {
    const calls: ts.CallExpression[] = [];
    walk(this.file.ast, (node) => {
      if (ts.isCallExpression(node)) calls.push(node);
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
    const routes = this.routing.routesFrom(this.file.path);
    const more = `, postgres: {}, routes: { file: '${routes}' } }`;
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
    if (routes.includes('/'))
      this.outcome.notes.push({
        reason: `looks for the routes at ${routes} from the folder where a process is started: where that is not the folder of this package, write another path`,
        offset: call.getStart(ast),
      });
  }

  private worker(call: ts.CallExpression): void {
    const { ast } = this.file;
    const [given] = call.arguments;
    const literal = given && literalOf(this.file, given, () => false);
    const member = (name: string): ts.ObjectLiteralElementLike | undefined =>
      literal?.properties.find((one) => one.name !== undefined && memberName(one.name) === name);
    const connection = member('connection');
    const hidden = literal?.properties.some((one) => ts.isSpreadAssignment(one) || memberName(one.name) === undefined);
    const plain =
      connection === undefined
        ? hidden === false
        : ts.isPropertyAssignment(connection) || ts.isShorthandPropertyAssignment(connection);
    if (literal === undefined || literal.properties.length === 0 || !plain) {
      this.leave(
        'routed-worker',
        'options made elsewhere: give them to createWorkers of branchline/router, with `temporal` in place of `connection`, and `postgres: {}`',
        call,
      );
      this.stays(call.expression);
      return;
    }
    if ([...this.makers.of(literal, 'connection')].some((made) => made.startsWith('testing#')))
      return this.remains(call, STAYS_IN_TESTS);
    const path = member('workflowsPath');
    const entry = path && ts.isPropertyAssignment(path) ? entryOf(path.initializer.getText(ast)) : undefined;
    if (entry !== undefined && this.routing.serves(this.file.path, entry) === false)
      return this.remains(call, 'this worker runs none of the types that move: it stays on Temporal alone');
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
    this.members(call);
  }

  private remains(call: ts.CallExpression, reason: string): void {
    this.outcome.notes.push({ reason, offset: call.getStart(this.file.ast) });
    this.stays(call.expression);
  }

  /** `const worker = await Worker.create(…); worker.getState()`, the same with `this.worker`. */
  private members(call: ts.CallExpression): void {
    const { parent } = call;
    const held = ts.isAwaitExpression(parent) ? parent.parent : parent;
    const holder = ts.isVariableDeclaration(held) ? held.name : ts.isBinaryExpression(held) ? held.left : undefined;
    if (holder === undefined) return;
    const { ast, checker } = this.file;
    const symbol = checker.getSymbolAtLocation(holder);
    const isIt = (node: ts.Expression): boolean =>
      ts.isIdentifier(node)
        ? symbol !== undefined && checker.getSymbolAtLocation(node) === symbol
        : isOwnMember(holder) && isOwnMember(node) && node.getText(ast) === holder.getText(ast);
    walk(ast, (node) => {
      if (!ts.isPropertyAccessExpression(node) || WORKER_MEMBERS.includes(node.name.text)) return;
      if (!isIt(unwrapped(node.expression))) return;
      const reason = `RoutedWorkers (of createWorkers) has no ${node.name.text}: ${WORKER_MEMBERS.join(', ')} are there`;
      this.leave('routed-worker', reason, node);
    });
  }

  /** The classes themselves: as types, and in ways that have no counterpart. */
  private otherUse(node: ts.Identifier): void {
    if (isListed(node)) return;
    const whole = wholeName(node);
    const { parent } = whole;
    const name = this.nameOf(whole) ?? '';
    const isType = ts.isTypeReferenceNode(parent);
    const isTest = ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;
    const handedOn = isHandedOn(this.file, whole);
    if (name === 'worker#Worker') {
      // A worker that stays on Temporal is one still.
      if (isType && this.needed.has('createWorkers')) this.rename(whole, 'RoutedWorkers');
      else if (isType || handedOn || isTest) this.leave('routed-worker', OTHER_WORKER, whole);
    } else if (name === 'client#Connection') {
      if (isType) this.rename(whole, 'RoutedConnection');
      else if (handedOn || isTest || isInType(whole) || ts.isPropertyAccessExpression(parent))
        this.leave('routed-connection', OTHER_CONNECTION, whole);
    } else if (name === CONNECTS || name === CREATES) {
      // Held by a constant it is followed.
      if (ts.isVariableDeclaration(parent) || isInType(whole)) return;
      if (name === CREATES) this.leave('routed-worker', OTHER_WORKER, whole);
      else this.leave('routed-connection', OTHER_CONNECTION, whole);
    } else if (CLIENTS.test(name) && handedOn)
      this.leave(
        'routed-client',
        'the class is handed on: what makes a client of it must give it a RoutedConnection',
        whole,
      );
  }
}

const OTHER_WORKER = 'workers for both engines are RoutedWorkers, made by createWorkers of branchline/router';
const OTHER_CONNECTION = 'reaches Temporal alone: RoutedConnection.connect reaches both engines';

const isOwnMember = (node: ts.Node): boolean =>
  ts.isPropertyAccessExpression(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword;

function withInner(node: ts.Node): ts.Node[] {
  const all = [node];
  walk(node, (inner) => all.push(inner));
  return all;
}
