/** How code names the workflows that it starts and the module that they are in. */
import { unwrapped } from '../source/origins';
import { ts } from '../source/parse';

const CLIENT_STARTS = /^(?:start|execute|signalWithStart)$/;

/** What names the type, in a call of a client and in the action of a schedule. */
export function startedBy(node: ts.Node): ts.Expression | undefined {
  if (ts.isObjectLiteralExpression(node)) return scheduledBy(node);
  if (!ts.isCallExpression(node)) return undefined;
  const callee = unwrapped(node.expression);
  if (!ts.isPropertyAccessExpression(callee) || !CLIENT_STARTS.test(callee.name.text)) return undefined;
  // Standalone activities and Nexus operations are started alike.
  if (/\b(?:activity|nexus)$/i.test(callee.expression.getText())) return undefined;
  const [target, options] = node.arguments;
  return target !== undefined && options !== undefined && looksLikeStartOptions(options) ? target : undefined;
}

const looksLikeStartOptions = (options: ts.Expression): boolean =>
  ts.isIdentifier(options) || /\btaskQueue\b|\bworkflowId\b/.test(options.getText());

/** The type of a schedule's action: `{ type: 'startWorkflow', workflowType }`. */
function scheduledBy({ properties }: ts.ObjectLiteralExpression): ts.Expression | undefined {
  const member = (name: string): ts.Expression | undefined => {
    const one = properties.find((property) => property.name !== undefined && property.name.getText() === name);
    if (one === undefined) return undefined;
    return ts.isPropertyAssignment(one)
      ? one.initializer
      : ts.isShorthandPropertyAssignment(one)
        ? one.name
        : undefined;
  };
  const type = member('type');
  return type !== undefined && ts.isStringLiteral(unwrapped(type)) && type.getText().includes('startWorkflow')
    ? member('workflowType')
    : undefined;
}

/** The module that the expression of a `workflowsPath` names: `require.resolve('./workflows')`, `path.join(__dirname, 'workflows')`. */
export function entryOf(expression: string): string | undefined {
  const [, specifier] = /["'`](\.{1,2}\/[^"'`]*|[\w-]+(?:\/[^"'`]*)?)["'`]/.exec(expression) ?? [];
  return specifier === undefined || specifier.startsWith('.') ? specifier : `./${specifier}`;
}
