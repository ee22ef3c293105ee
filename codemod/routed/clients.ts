/** Clients, and by which connection they reach what: each is over a routed connection, or is left to a person. */
import { Makers, memberName, NONE, UNKNOWN } from '../source/makers';
import { type Modules, Origins, temporalName } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import type { Leftover } from '../transforms/transform';

export const CLIENTS =
  /^client#(?:Client|WorkflowClient|ScheduleClient|AsyncCompletionClient|TaskQueueClient|ActivityClient|NexusClient|BaseClient)$/;
/** Connections that are routed, or marked where they are made. */
const ROUTED = /^(?:client#Connection|router#RoutedConnection)\b/;
/** Judged where they were made: a client (of which it is the connection), the environment of a test. */
const ELSEWHERE = /^(?:client#\w*Client|testing#\w+)\b/;
const CONTEXT = /^activity#Context\b/;
const NATIVE = /^worker#(?:NativeConnection|Worker)\b/;

/** What RoutedConnection has not of Connection's members. */
const LOST = ['healthService', 'testService', 'options', 'interceptors', 'withApiKey', 'setApiKey'];

const ALONE = 'without a connection it reaches Temporal alone: give it a RoutedConnection';
const BY_NATIVE = 'a NativeConnection reaches Temporal alone: give it a RoutedConnection';
const NOT_KNOWN = 'where its connection comes from is not followed: it must be a RoutedConnection';
const SUBCLASS = "a class over Temporal's client: its connection must be a RoutedConnection";
const OF_ACTIVITY =
  'the client of an activity reaches the engine that runs the activity alone: for the other one, make a client over a RoutedConnection';

export function clientLeftovers(file: ParsedFile, modules: Modules): Leftover[] {
  const { ast } = file;
  const origins = new Origins(file, modules);
  const makers = new Makers(file, modules);
  const left: Leftover[] = [];
  const leave = (code: string, reason: string, node: ts.Node): void => {
    left.push({ code, reason, offset: node.getStart(ast) });
  };
  const nameOf = (node: ts.Node): string => {
    const origin = origins.of(node);
    return (origin && temporalName(origin)) ?? '';
  };
  const judge = (given: ts.Expression | undefined, node: ts.Node): void => {
    const reason = given === undefined ? ALONE : reasonFor(makers.of(given, 'connection'));
    if (reason !== undefined) leave('routed-client', reason, node);
  };
  walk(ast, (node) => {
    if (ts.isNewExpression(node) && CLIENTS.test(nameOf(node.expression))) judge(node.arguments?.[0], node);
    else if (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ExtendsKeyword) {
      const [above] = node.types;
      if (above === undefined || !CLIENTS.test(nameOf(above.expression))) return;
      const calls = superCalls(node.parent);
      if (calls.length === 0) leave('routed-client', SUBCLASS, node.parent);
      for (const call of calls) judge(call.arguments[0], call);
    } else if (ts.isCallExpression(node) && nameOf(node.expression) === 'activity#getClient')
      leave('routed-client', OF_ACTIVITY, node);
    else if (ts.isBindingElement(node) && isClientOfActivity(makers, node)) leave('routed-client', OF_ACTIVITY, node);
    else if (ts.isPropertyAccessExpression(node)) {
      const { text } = node.name;
      if (text === 'client' && only(makers.of(node.expression), CONTEXT)) leave('routed-client', OF_ACTIVITY, node);
      else if (LOST.includes(text) && isConnection(makers, node.expression))
        leave('routed-connection', `RoutedConnection has no ${text}: connection.engine('temporal') has`, node.name);
    }
  });
  return left;
}

/** `const { client } = Context.current()` */
function isClientOfActivity(makers: Makers, node: ts.BindingElement): boolean {
  const holder = node.parent.parent;
  const from = ts.isVariableDeclaration(holder) ? holder.initializer : undefined;
  return (
    memberName(node.propertyName ?? node.name) === 'client' && from !== undefined && only(makers.of(from), CONTEXT)
  );
}

function reasonFor(made: ReadonlySet<string>): string | undefined {
  const all = [...made];
  if (all.some((one) => NATIVE.test(one))) return BY_NATIVE;
  if (all.some((one) => one === NONE || one.startsWith('envconfig#'))) return ALONE;
  const known = all.every((one) => ROUTED.test(one) || ELSEWHERE.test(one));
  return known && all.length > 0 && !made.has(UNKNOWN) ? undefined : NOT_KNOWN;
}

/** `client.connection` is one, too. */
function isConnection(makers: Makers, node: ts.Expression): boolean {
  const made = makers.of(node);
  const ofClient = ts.isPropertyAccessExpression(node) && node.name.text === 'connection';
  return only(made, ROUTED) || (ofClient && only(made, /^client#\w*Client\b/));
}

const only = (made: ReadonlySet<string>, pattern: RegExp): boolean =>
  made.size > 0 && [...made].every((one) => pattern.test(one));

function superCalls(node: ts.Node): ts.CallExpression[] {
  const calls: ts.CallExpression[] = [];
  walk(node, (inner) => {
    if (ts.isCallExpression(inner) && inner.expression.kind === ts.SyntaxKind.SuperKeyword) calls.push(inner);
  });
  return calls;
}
