/** `branchline-routes.json`: which workflow types start on Postgres. Rules that are there already stay as people left them. */
import type { RoutedGroup } from './plan';

export const ROUTES = 'branchline-routes.json';

interface Rule {
  name: string;
  engine: string;
  workflowType?: string | string[] | { pattern: string };
  [condition: string]: unknown;
}

interface Routes {
  default?: string;
  rules?: Rule[];
  [field: string]: unknown;
}

/** @param before the file as it is; undefined: there is none. @throws SyntaxError when it is no JSON */
export function routesWith(before: string | undefined, groups: readonly RoutedGroup[]): string {
  const routes = before === undefined ? { default: 'temporal', rules: [] } : (JSON.parse(before) as Routes);
  const rules = routes.rules ?? [];
  const named = (type: string): boolean =>
    rules.some((rule) => rule.engine === 'postgres' && namesOf(rule).includes(type));
  const added: Rule[] = [];
  for (const { name, types } of groups) {
    const missing = types.filter((type) => !named(type));
    if (missing.length === 0) continue;
    added.push({ name: freeName(name, [...rules, ...added]), workflowType: missing, engine: 'postgres' });
  }
  if (added.length === 0 && before !== undefined) return before;
  // Last: the first rule that matches decides, and what people wrote goes before.
  return `${JSON.stringify({ ...routes, rules: [...rules, ...added] }, null, 2)}\n`;
}

const namesOf = ({ workflowType }: Rule): string[] =>
  typeof workflowType === 'string' ? [workflowType] : Array.isArray(workflowType) ? workflowType : [];

/** Names of rules are letters, digits and . _ : - */
function freeName(type: string, rules: readonly Rule[]): string {
  const base =
    type
      .replaceAll(/[^\w.:-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 90) || 'moved';
  const taken = new Set(rules.map(({ name }) => name));
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}-${i}`;
  return name;
}
