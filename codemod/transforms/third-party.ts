/** Packages of others that bring Temporal's along, and make clients and workers of their own: the codemod does not reach into them. */
import { isListed } from '../source/class-uses';
import type { Modules } from '../source/origins';
import { type ParsedFile, ts, walk } from '../source/parse';
import { type Context, nothing, type Outcome, type Transform } from './transform';

/** By their names; `Temporal` of the language (dates) is another thing. */
const NAMED = /(?:^|[@/-])temporal(?:io)?(?=$|[/-])/i;
const OTHERS = /polyfill|^@temporalio\/|^temporal-(?:spec|utils)|^@js-temporal|^(?:\.|node:)/i;

export const thirdParty: Transform = {
  id: 'third-party',
  concerns: (text, direction) => direction === 'forward' && /['"][^'"\n]*temporal[^'"\n]*['"]/i.test(text),
  apply(file: ParsedFile, { modules }: Context): Outcome {
    const outcome = nothing();
    const { ast, path } = file;
    for (const statement of ast.statements) {
      const specifier = specifierOf(statement);
      if (specifier === undefined || !NAMED.test(specifier) || OTHERS.test(specifier)) continue;
      if (isOfRepository(modules, path, specifier) || !makesSomething(file, statement)) continue;
      const reason = `${specifier} is a package of others: when it makes connections, clients or workers it does so with Temporal's packages; see to it by hand`;
      outcome.leftovers.push({ code: 'third-party', reason, offset: statement.getStart(ast) });
    }
    return outcome;
  },
};

function specifierOf(statement: ts.Statement): string | undefined {
  if (ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier))
    return statement.importClause?.isTypeOnly === true ? undefined : statement.moduleSpecifier.text;
  const [, specifier] =
    /\brequire\(\s*['"]([^'"]+)['"]\s*\)/.exec(ts.isVariableStatement(statement) ? statement.getText() : '') ?? [];
  return specifier;
}

const isOfRepository = (modules: Modules, from: string, specifier: string): boolean =>
  modules.exportOf(from, specifier, 'default') !== undefined ||
  modules.madeBy(from, specifier, 'default', []) !== undefined;

/** Decorators and types make nothing; modules that are registered, and services, do. */
function makesSomething(file: ParsedFile, statement: ts.Statement): boolean {
  if (!ts.isImportDeclaration(statement)) return true;
  const { ast, checker } = file;
  const bound = new Set<ts.Symbol>();
  walk(statement, (node) => {
    const isBound = ts.isImportSpecifier(node) || ts.isNamespaceImport(node) || ts.isImportClause(node);
    const symbol = isBound && node.name !== undefined ? checker.getSymbolAtLocation(node.name) : undefined;
    if (symbol !== undefined) bound.add(symbol);
  });
  let found = false;
  walk(ast, (node) => {
    if (found || !ts.isIdentifier(node) || isListed(node)) return;
    const symbol = checker.getSymbolAtLocation(node);
    if (symbol === undefined || !bound.has(symbol)) return;
    const inDecorator = ts.findAncestor(node, ts.isDecorator) !== undefined;
    const inType = ts.findAncestor(node, (one) => ts.isTypeNode(one)) !== undefined;
    found = !inType && !(inDecorator && ts.isCallExpression(node.parent) && ts.isDecorator(node.parent.parent));
  });
  return found;
}
