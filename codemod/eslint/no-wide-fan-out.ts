/** Activities or children for every element of a list at once: what keeps a workflow on Temporal. */
import type { Rule } from 'eslint';
import type { CallExpression, Node } from 'estree';
import { EACH } from '../assess/rules';
import { WorkflowNames } from './workflow-names';

type WithParent = Node & Rule.NodeParentExtension;

export const noWideFanOut: Rule.RuleModule = {
  meta: {
    type: 'suggestion',
    docs: { description: 'Activities or children for every element of a list at once' },
    schema: [{ type: 'object', properties: { max: { type: 'integer', minimum: 1 } }, additionalProperties: false }],
    defaultOptions: [{ max: 50 }],
  },
  create(context) {
    const { max } = context.options[0] as { max: number };
    const names = new WorkflowNames(context);
    return {
      CallExpression(node) {
        const over = names.isActivityCall(node) ? 'activities' : names.isChildStart(node) ? 'children' : undefined;
        const list = over === undefined ? undefined : listAround(node as CallExpression & Rule.NodeParentExtension);
        if (over === undefined || list === undefined) return;
        const length = list.type === 'ArrayExpression' ? list.elements.length : undefined;
        if (length !== undefined && length <= max) return;
        const many = length === undefined ? 'as many as there are elements' : String(length);
        context.report({
          node,
          message: `${over} at once: ${many} (at most ${max}); such a workflow is for Temporal, or works in portions`,
        });
      },
    };
  },
};

/** The list whose every element the call is made for. */
function listAround(call: WithParent): Node | undefined {
  for (
    let node: WithParent = call;
    node.parent !== null && node.parent !== undefined;
    node = node.parent as WithParent
  ) {
    const { parent } = node;
    const isCallback = node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression';
    if (!isCallback || parent.type !== 'CallExpression' || parent.arguments[0] !== node) continue;
    const { callee } = parent;
    if (
      callee.type === 'MemberExpression' &&
      callee.property.type === 'Identifier' &&
      EACH.includes(callee.property.name)
    )
      return callee.object;
  }
  return undefined;
}
