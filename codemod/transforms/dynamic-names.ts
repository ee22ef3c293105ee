/** Temporal's packages reached by names that only a run would tell: `temporal[name]`, `require(name)`, a module handed on as a value. */
import { isHandedOn } from '../source/class-uses';
import { findMentions, isRequire } from '../source/mentions';
import { Origins, temporalName } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import { type Context, nothing, type Outcome, type Transform } from './transform';

/** Packages with what connects in them. */
const CONNECTING = /^(?:client|worker|testing)#$/;

export const dynamicNames: Transform = {
  id: 'dynamic-names',
  concerns: (text, direction) => direction === 'forward' && /temporal/i.test(text),
  apply(file: ParsedFile, { modules, routing }: Context): Outcome {
    const outcome = nothing();
    const { ast } = file;
    const origins = new Origins(file, modules);
    walk(ast, (node) => {
      const whole = wholeModule(node);
      if (whole === undefined || !isHandedOn(file, whole) || inMock(whole, ast)) return;
      const origin = origins.of(whole);
      if (origin === undefined || !CONNECTING.test(temporalName(origin) ?? '')) return;
      const reason = `names of ${origin.module} are taken from it in a way the codemod does not follow: see to its connections, clients and workers by hand`;
      outcome.leftovers.push({ code: 'unknown-use', reason, offset: node.getStart(ast) });
    });
    // Otherwise a name that is a value is told by the transform of imports.
    if (routing !== undefined && loadsByName(file)) {
      for (const { kind, specifier, start } of findMentions(file, 'forward')) {
        if (kind !== 'value') continue;
        const reason = `'${specifier}' may be loaded by a name that the codemod does not follow: see to its connections, clients and workers by hand`;
        outcome.leftovers.push({ code: 'unknown-use', reason, offset: start });
      }
    }
    return outcome;
  },
};

/** A name that may stand for a module; what `require` and `import()` give. */
function wholeModule(node: ts.Node): ts.Node | undefined {
  if (ts.isIdentifier(node)) return node;
  if (!ts.isCallExpression(node)) return undefined;
  return ts.isAwaitExpression(node.parent) ? node.parent : node;
}

/** `jest.mock('…', () => ({ ...jest.requireActual('…'), … }))` */
const inMock = (node: ts.Node, ast: ts.SourceFile): boolean =>
  ts.findAncestor(
    node,
    (one) => ts.isCallExpression(one) && /^(?:jest|vi|vitest)\./.test(one.expression.getText(ast)),
  ) !== undefined;

function loadsByName(file: ParsedFile): boolean {
  let found = false;
  walk(file.ast, (node) => {
    if (!ts.isCallExpression(node)) return;
    const { expression, arguments: given } = node;
    const loads =
      expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && isRequire(file, expression));
    found ||= loads && given[0] !== undefined && !ts.isStringLiteralLike(given[0]);
  });
  return found;
}
