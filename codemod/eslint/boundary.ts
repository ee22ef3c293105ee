/** Children of workflows that move must move too: only those of the list may be started. */
import type { Rule } from 'eslint';
import { WorkflowNames } from './workflow-names';

export const boundary: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'Children outside of the group that moves together' },
    schema: [
      {
        type: 'object',
        properties: { types: { type: 'array', items: { type: 'string' } } },
        required: ['types'],
        additionalProperties: false,
      },
    ],
  },
  create(context) {
    const { types = [] } = (context.options[0] ?? {}) as { types?: string[] };
    const names = new WorkflowNames(context);
    return {
      CallExpression(node) {
        if (!names.isChildStart(node)) return;
        const [target] = node.arguments;
        const type =
          target?.type === 'Identifier' ? target.name : target?.type === 'Literal' ? String(target.value) : undefined;
        if (type === undefined)
          context.report({
            node,
            message: 'which type this child has is not in the code: the boundary cannot be checked',
          });
        else if (!types.includes(type))
          context.report({
            node,
            message: `child ${type} is not of the group that moves together: ${types.join(', ')}`,
          });
      },
    };
  },
};
