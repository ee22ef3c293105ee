/** Globals that differ from one replay to the next, or that workflow code does not have. Names of the file's own are not meant. */
import type { Rule, Scope } from 'eslint';
import type { Identifier } from 'estree';
import { hazardOf } from '../assess/rules';

export const noNondeterminism: Rule.RuleModule = {
  meta: { type: 'problem', docs: { description: 'Globals that do not replay' }, schema: [] },
  create(context) {
    return {
      Program(program) {
        const scope = context.sourceCode.getScope(program);
        const globals = scope.set.values() as Iterable<Scope.Variable>;
        const known = [...globals].filter(({ defs }) => defs.length === 0).flatMap(({ references }) => references);
        for (const { identifier } of [...known, ...scope.through])
          check(identifier as Identifier & Rule.NodeParentExtension);
      },
    };

    function check(identifier: Identifier & Rule.NodeParentExtension): void {
      const { parent, name } = identifier;
      const member =
        parent?.type === 'MemberExpression' &&
        parent.object === identifier &&
        parent.property.type === 'Identifier' &&
        !parent.computed
          ? `${name}.${parent.property.name}`
          : name;
      const reason = hazardOf(member) ?? hazardOf(name);
      if (reason !== undefined) context.report({ node: identifier, message: `${member}: ${reason}` });
    }
  },
};
