/** Modules that workflow code must not load. Types of theirs are welcome. */
import type { Rule } from 'eslint';
import type { ImportDeclaration, Node } from 'estree';
import { forbiddenModule } from '../assess/rules';

/** With a TypeScript parser, declarations and names may be of types only. */
const isType = (node: object): boolean => {
  const { importKind, exportKind } = node as { importKind?: string; exportKind?: string };
  return importKind === 'type' || exportKind === 'type';
};

export const noForbiddenImport: Rule.RuleModule = {
  meta: { type: 'problem', docs: { description: 'Modules that workflow code must not load' }, schema: [] },
  create(context) {
    const check = (node: Node, source: unknown): void => {
      const reason = typeof source === 'string' ? forbiddenModule(source) : undefined;
      if (reason !== undefined) context.report({ node, message: reason });
    };
    const onlyTypes = ({ specifiers }: ImportDeclaration): boolean => specifiers.length > 0 && specifiers.every(isType);
    return {
      ImportDeclaration(node) {
        if (!isType(node) && !onlyTypes(node)) check(node, node.source.value);
      },
      ExportNamedDeclaration(node) {
        if (!isType(node)) check(node, node.source?.value);
      },
      ExportAllDeclaration(node) {
        if (!isType(node)) check(node, node.source.value);
      },
      ImportExpression(node) {
        if (node.source.type === 'Literal') check(node, node.source.value);
      },
      'CallExpression[callee.name="require"]'(node: Extract<Node, { type: 'CallExpression' }>) {
        const [source] = node.arguments;
        if (source?.type === 'Literal') check(node, source.value);
      },
    };
  },
};
