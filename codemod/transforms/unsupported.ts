/** Options and names that Branchline refuses, as compatibility.json lists them: left as they are, with a marker. */
import { refusedNames, refusedOptions, refusedRpcs } from '../compatibility';
import { DROP_INS } from '../packages';
import { asksForNothing, membersOf } from '../source/objects';
import { Origins, temporalName, unwrapped } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import { mayHoldCalls, setUpCalls } from './set-up-calls';
import { type Context, nothing, type Outcome, type Transform } from './transform';

/** Of connections, those that the transform of connections leaves: they are more than the way to a server. */
const LEFT_OF_CONNECTIONS = ['interceptors', 'payloadLimits'];

/** Types whose literals are such options. */
const TYPES: Record<string, string> = {
  'worker#WorkerOptions': 'WorkerOptions',
  'worker#ReplayWorkerOptions': 'WorkerOptions',
  'worker#RuntimeOptions': 'RuntimeOptions',
};

export const unsupported: Transform = {
  id: 'unsupported',
  concerns: (text, direction) =>
    direction === 'forward' &&
    (mayHoldCalls(text) || /@temporalio\/|Service\s*\.\s*\w+\s*\(|\bversioningOverride\b/.test(text)),
  apply(file: ParsedFile, { modules }: Context): Outcome {
    const outcome = nothing();
    const { ast } = file;
    const origins = new Origins(file, modules);
    for (const { call, table, under, connects } of setUpCalls(file, modules)) {
      const [given] = call.arguments;
      if (given !== undefined)
        lookAt(file, literalIn(file, given), { table, under, only: connects && LEFT_OF_CONNECTIONS }, outcome);
    }
    walk(ast, (node) => {
      if (
        ts.isVariableDeclaration(node) &&
        node.type !== undefined &&
        ts.isTypeReferenceNode(node.type) &&
        node.initializer !== undefined
      ) {
        const origin = origins.of(node.type.typeName);
        const table = TYPES[(origin && temporalName(origin)) ?? ''];
        if (table !== undefined) lookAt(file, literalIn(file, node.initializer), { table }, outcome);
      }
      if (ts.isCallExpression(node)) lookAtClientCall(file, node, outcome);
    });
    lookAtNames(file, origins, outcome);
    return outcome;
  },
};

/** Of the incremental way: options of workers, which Branchline's get too. */
export const unsupportedForBoth: Transform = {
  id: 'unsupported-for-both',
  concerns: (text, direction) => unsupported.concerns(text, direction) && !text.includes('@temporalio/testing'),
  apply(file: ParsedFile, { modules }: Context): Outcome {
    const outcome = nothing();
    for (const { call, name, table } of setUpCalls(file, modules)) {
      const [given] = call.arguments;
      if (name === 'worker#Worker.create' && given !== undefined)
        lookAt(file, literalIn(file, given), { table }, outcome);
    }
    return outcome;
  },
};

interface Place {
  table: string;
  under?: string;
  only?: readonly string[];
}

function lookAt(
  file: ParsedFile,
  literal: ts.ObjectLiteralExpression | undefined,
  place: Place,
  outcome: Outcome,
): void {
  if (literal === undefined) return;
  const refused = refusedOptions(place.table);
  // `bundlerOptions.webpackConfigHook` is a member of what bundleWorkflowCode takes; `server` holds what the table calls `port`.
  const nested = place.under !== undefined && place.under !== 'bundlerOptions' ? `${place.under}.` : '';
  const prefix = place.under === 'bundlerOptions' ? 'bundlerOptions.' : '';
  for (const { name, node, value } of membersOf(literal)) {
    if (!name.startsWith(nested)) continue;
    const option = prefix + name.slice(nested.length);
    const sentence = refused.get(option);
    if (sentence === undefined || asksForNothing(value) || (place.only !== undefined && !place.only.includes(option)))
      continue;
    outcome.leftovers.push({
      code: 'unsupported-option',
      reason: `${option}: ${sentence}`,
      offset: node.getStart(file.ast),
    });
  }
}

/** The literal, or that of the constant; changing nothing, it does not matter who else reads it. */
function literalIn({ checker }: ParsedFile, expression: ts.Expression): ts.ObjectLiteralExpression | undefined {
  const plain = unwrapped(expression);
  if (ts.isObjectLiteralExpression(plain)) return plain;
  if (!ts.isIdentifier(plain)) return undefined;
  const declaration = checker.getSymbolAtLocation(plain)?.declarations?.[0];
  // One with a declared type is looked at where it is declared.
  if (declaration === undefined || !ts.isVariableDeclaration(declaration) || declaration.type !== undefined)
    return undefined;
  const literal = declaration.initializer && unwrapped(declaration.initializer);
  return literal !== undefined && ts.isObjectLiteralExpression(literal) ? literal : undefined;
}

const STARTS = /^(?:start|execute|signalWithStart|executeUpdateWithStart|startUpdateWithStart)$/;

function lookAtClientCall(file: ParsedFile, call: ts.CallExpression, outcome: Outcome): void {
  const callee = call.expression;
  if (!ts.isPropertyAccessExpression(callee)) return;
  const holder = callee.expression;
  const service = ts.isPropertyAccessExpression(holder) ? holder.name.text : '';
  if (/^(?:workflow|operator)Service$/.test(service)) {
    const sentence = refusedRpcs().get(callee.name.text);
    if (sentence !== undefined) {
      outcome.leftovers.push({
        code: 'unsupported-api',
        reason: `${callee.name.text}: ${sentence}`,
        offset: callee.name.getStart(file.ast),
      });
    }
  }
  const options = call.arguments.at(-1);
  if (options !== undefined && STARTS.test(callee.name.text) && file.text.includes('versioningOverride')) {
    lookAt(file, literalIn(file, options), { table: 'WorkflowStartOptions' }, outcome);
  }
}

function lookAtNames(file: ParsedFile, origins: Origins, outcome: Outcome): void {
  const refused = new Map<string, string>(
    DROP_INS.flatMap((door) =>
      [...refusedNames(door)].map(([name, sentence]) => [`${door}#${name}`, sentence] as const),
    ),
  );
  refused.set('workflow#createNexusServiceClient', refusedRpcs().get('getNexusEndpoint') ?? 'refused');
  const lastNames = new Set(
    [...refused.keys()].map((name) => name.slice(Math.max(name.lastIndexOf('.'), name.indexOf('#')) + 1)),
  );
  walk(file.ast, (node) => {
    if (!ts.isIdentifier(node) || !lastNames.has(node.text) || inImport(node)) return;
    const whole = isNameOf(node.parent, node) ? node.parent : node;
    const origin = origins.of(whole);
    const name = origin && temporalName(origin);
    const sentence = name === undefined ? undefined : refused.get(name);
    if (sentence === undefined || name === undefined) return;
    outcome.leftovers.push({
      code: 'unsupported-api',
      reason: `${name.slice(name.indexOf('#') + 1)}: ${sentence}`,
      offset: node.getStart(file.ast),
    });
  });
}

const isNameOf = (parent: ts.Node, node: ts.Node): parent is ts.PropertyAccessExpression | ts.QualifiedName =>
  (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
  (ts.isQualifiedName(parent) && parent.right === node);

/** Names in import and export lists: their uses are what counts. */
const inImport = (node: ts.Node): boolean =>
  ts.isImportSpecifier(node.parent) ||
  ts.isImportClause(node.parent) ||
  ts.isBindingElement(node.parent) ||
  ts.isPropertyAssignment(node.parent);
