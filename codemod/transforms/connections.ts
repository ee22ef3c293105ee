/**
 * How a process connects. Without an address Branchline takes BRANCHLINE_URL or DATABASE_URL, so addresses and credentials of a Temporal server are
 * set aside in comments; options that come from somewhere the codemod does not see are left to a person.
 */
import { isHandedOn, isListed, wholeName } from '../source/class-uses';
import { temporalName, Origins, unwrapped } from '../source/origins';
import { asksForNothing, constantOf, literalOf, membersOf } from '../source/objects';
import { type ParsedFile, ts, walk } from '../source/parse';
import { setAside } from '../source/set-aside';
import { mayHoldCalls, setUpCalls } from './set-up-calls';
import { type Context, nothing, type Outcome, type Transform } from './transform';

/** They name a Temporal server or the way to it, and nothing else depends on them. */
const NETWORK = [
  'address',
  'tls',
  'apiKey',
  'credentials',
  'callCredentials',
  'channelArgs',
  'proxy',
  'grpcCompression',
  'dnsLoadBalancingConfig',
];

export const connections: Transform = {
  id: 'connections',
  concerns: (text, direction) =>
    direction === 'forward' && (mayHoldCalls(text) || /\b(?:Native)?Connection\b/.test(text)),
  apply(file: ParsedFile, { modules }: Context): Outcome {
    const outcome = nothing();
    const done = new Set<ts.Node>();
    const origins = new Origins(file, modules);
    const fromProfile = (node: ts.Expression): boolean => isFromProfile(file, origins, node);
    const calls = setUpCalls(file, modules).filter(({ connects }) => connects);
    const arguments_ = new Set<ts.Node>(calls.flatMap(({ call }) => [...call.arguments]));
    for (const { call, name } of calls) {
      const [given] = call.arguments;
      if (given === undefined) continue;
      const what = name.slice(name.indexOf('#') + 1);
      if (fromProfile(given)) {
        outcome.notes.push({ reason: PROFILE, offset: given.getStart(file.ast) });
        continue;
      }
      const literal = literalOf(file, given, (use) => arguments_.has(use));
      if (literal === undefined) {
        outcome.leftovers.push({
          code: 'connection-options',
          reason: elsewhere(what),
          offset: call.getStart(file.ast),
        });
        continue;
      }
      if (done.has(literal)) continue;
      done.add(literal);
      setAsideNetwork(file, literal, outcome, fromProfile, what);
    }
    profileAddresses(file, outcome, fromProfile);
    handedOn(file, origins, outcome);
    return outcome;
  },
};

const PROFILE = 'set TEMPORAL_ADDRESS (or the address in the profile) to the Postgres URL';
const elsewhere = (what: string): string =>
  `${what} is given options made elsewhere: leave out the address and credentials of the Temporal server, or give a Postgres URL`;

const CLASSES = /^(?:client#Connection|worker#NativeConnection)$/;
const MAKERS = /^(?:client#Connection|worker#NativeConnection)\.(?:connect|lazy)$/;

/** `retry(Connection.connect)`, `make(Connection)`: who calls it, with which options, is not followed. */
function handedOn(file: ParsedFile, origins: Origins, outcome: Outcome): void {
  walk(file.ast, (node) => {
    if (!ts.isIdentifier(node) || isListed(node)) return;
    const whole = wholeName(node);
    const origin = origins.of(whole);
    const name = (origin && temporalName(origin)) ?? '';
    const { parent } = whole;
    const goesOn = MAKERS.test(name)
      ? isHandedOn(file, whole) ||
        (ts.isPropertyAccessExpression(parent) && /^(?:bind|call|apply)$/.test(parent.name.text))
      : CLASSES.test(name) && isHandedOn(file, whole);
    if (!goesOn) return;
    const reason = `${name.slice(name.indexOf('#') + 1)} is handed on: what connects by it must leave out the address and credentials of the Temporal server, or give a Postgres URL`;
    outcome.leftovers.push({ code: 'connection-options', reason, offset: whole.getStart(file.ast) });
  });
}

function setAsideNetwork(
  file: ParsedFile,
  literal: ts.ObjectLiteralExpression,
  outcome: Outcome,
  fromProfile: (node: ts.Expression) => boolean,
  what: string,
): void {
  for (const property of literal.properties) {
    const start = property.getStart(file.ast);
    if (ts.isSpreadAssignment(property)) {
      if (fromProfile(property.expression)) outcome.notes.push({ reason: PROFILE, offset: start });
      else if (!ts.isObjectLiteralExpression(unwrapped(property.expression))) {
        outcome.leftovers.push({ code: 'connection-options', reason: elsewhere(what), offset: start });
      }
    }
  }
  const tops = membersOf(literal).map((member) => ({
    ...member,
    name: member.name.replace(/^connectionOptions\./, ''),
  }));
  for (const { name, node, value } of tops) {
    if (!NETWORK.includes(name) || asksForNothing(value)) continue;
    if (value !== undefined && fromProfile(value)) {
      outcome.notes.push({ reason: PROFILE, offset: node.getStart(file.ast) });
      continue;
    }
    const start = node.getStart(file.ast);
    const end = withComma(file, node);
    outcome.edits.push({ start, end, text: setAside(file.text.slice(start, end)) });
    if (name === 'address') outcome.notes.push({ reason: 'connects to BRANCHLINE_URL or DATABASE_URL', offset: start });
  }
}

/** The comma after it belongs to it, and what stands between. */
function withComma({ text }: ParsedFile, node: ts.Node): number {
  const comma = /^(?:\s|\/\*[^]*?\*\/|\/\/.*)*,/.exec(text.slice(node.end));
  return node.end + (comma?.[0].length ?? 0);
}

/** What `loadClientConnectConfig()` of @temporalio/envconfig gave, or a part of it. */
function isFromProfile(file: ParsedFile, origins: Origins, expression: ts.Expression, depth = 0): boolean {
  const plain = unwrapped(expression);
  const next = (node: ts.Expression): boolean => depth < 10 && isFromProfile(file, origins, node, depth + 1);
  if (ts.isAwaitExpression(plain)) return next(plain.expression);
  if (ts.isPropertyAccessExpression(plain)) return next(plain.expression);
  if (ts.isCallExpression(plain)) {
    const origin = origins.of(plain.expression);
    return origin !== undefined && temporalName(origin)?.startsWith('envconfig#') === true;
  }
  if (!ts.isIdentifier(plain)) return false;
  const declaration = constantOf(file, plain) ?? holderOf(file, plain);
  return declaration?.initializer !== undefined && next(declaration.initializer);
}

/** `const { connectionOptions } = loadClientConnectConfig()` */
function holderOf({ checker }: ParsedFile, identifier: ts.Identifier): ts.VariableDeclaration | undefined {
  let node: ts.Node | undefined = checker.getSymbolAtLocation(identifier)?.declarations?.[0];
  while (node !== undefined && (ts.isBindingElement(node) || ts.isObjectBindingPattern(node))) node = node.parent;
  return node !== undefined && ts.isVariableDeclaration(node) ? node : undefined;
}

/** `config.connectionOptions.address = 'localhost:7233'` */
function profileAddresses(file: ParsedFile, outcome: Outcome, fromProfile: (node: ts.Expression) => boolean): void {
  if (!file.text.includes('@temporalio/envconfig')) return;
  walk(file.ast, (node) => {
    if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return;
    const { left } = node;
    if (!ts.isPropertyAccessExpression(left) || !NETWORK.includes(left.name.text) || !fromProfile(left.expression))
      return;
    outcome.leftovers.push({
      code: 'connection-options',
      reason: `${left.name.text} of a Temporal server is set here: leave it out, or give a Postgres URL`,
      offset: node.getStart(file.ast),
    });
  });
}
