/** Which calls of a file call activities or start children, as far as one file tells. */
import type { Rule, Scope } from 'eslint';
import type { CallExpression, Expression, Super } from 'estree';
import { CHILD_STARTS, PROXIES } from '../assess/rules';

const WORKFLOW = /^(?:@temporalio|branchline)\/workflow$/;

export class WorkflowNames {
  constructor(private readonly context: Rule.RuleContext) {}

  isActivityCall({ callee }: CallExpression): boolean {
    if (callee.type === 'MemberExpression') return this.isProxy(callee.object);
    return this.isProxy(callee);
  }

  isChildStart({ callee }: CallExpression): boolean {
    return CHILD_STARTS.includes(this.apiName(callee) ?? '');
  }

  /** `act` of `const { act } = proxyActivities()`, `acts` of `const acts = proxyActivities()`. */
  private isProxy(node: Expression | Super): boolean {
    if (node.type !== 'Identifier') return false;
    const definition = this.variable(node)?.defs[0];
    if (definition?.type !== 'Variable') return false;
    const { init } = definition.node;
    return init?.type === 'CallExpression' && PROXIES.includes(this.apiName(init.callee) ?? '');
  }

  /** The name of the workflow package that is called. */
  private apiName(callee: Expression | Super): string | undefined {
    if (callee.type === 'MemberExpression') {
      const { object, property } = callee;
      return object.type === 'Identifier' && property.type === 'Identifier' && this.imported(object) === '*'
        ? property.name
        : undefined;
    }
    return callee.type === 'Identifier' ? this.imported(callee) : undefined;
  }

  private imported(node: Expression): string | undefined {
    const definition = this.variable(node)?.defs[0];
    if (definition?.type !== 'ImportBinding' || definition.parent.type !== 'ImportDeclaration') return undefined;
    if (!WORKFLOW.test(String(definition.parent.source.value))) return undefined;
    const { node: specifier } = definition;
    if (specifier.type !== 'ImportSpecifier') return '*';
    return specifier.imported.type === 'Identifier' ? specifier.imported.name : undefined;
  }

  private variable(node: Expression): Scope.Variable | null | undefined {
    for (let scope: Scope.Scope | null = this.context.sourceCode.getScope(node); scope !== null; scope = scope.upper) {
      const reference = scope.references.find(({ identifier }) => identifier === node);
      if (reference !== undefined) return reference.resolved;
    }
    return undefined;
  }
}
