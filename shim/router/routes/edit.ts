/** Edits of routes, as `branchline route` makes them. Pure. */
import { BranchlineError } from '../../common/branchline-error';
import type { Routes, RoutesInput, Rule } from './schema';

/** Puts a rule in the place of the one of its name; a new one before `before`, else at the end. @throws BranchlineError BRANCHLINE_ROUTES_RULE no such `before` */
export function withRule(routes: Routes, rule: Rule, before?: string): RoutesInput {
  const rules = routes.rules.filter(({ name }) => name !== rule.name);
  const at =
    before === undefined || before === rule.name
      ? routes.rules.findIndex(({ name }) => name === rule.name)
      : rules.findIndex(({ name }) => name === before);
  if (before !== undefined && at < 0)
    throw new BranchlineError('BRANCHLINE_ROUTES_RULE', `There is no rule '${before}' to stand before.`);
  rules.splice(at < 0 ? rules.length : at, 0, rule);
  return { ...routes, rules };
}

/** Undefined when there is no such rule. */
export function withoutRule(routes: Routes, name: string): RoutesInput | undefined {
  const rules = routes.rules.filter((rule) => rule.name !== name);
  return rules.length === routes.rules.length ? undefined : { ...routes, rules };
}

/** What a rule takes, in one line. */
export function ruleText(rule: Rule): string {
  const { name, engine, percentage, from, until, movable, children, ...conditions } = rule;
  const words = Object.entries(conditions).map(([field, value]) => `${field} ${textOf(value)}`);
  if (percentage !== undefined) words.push(`${percentage} %`);
  if (from !== undefined) words.push(`from ${from}`);
  if (until !== undefined) words.push(`until ${until}`);
  return `${name}: ${words.length === 0 ? 'everything' : words.join(', ')} → ${engine}${movable === true ? ' (movable)' : ''}${children === true ? ' (children too)' : ''}`;
}

function textOf(value: Rule['workflowType']): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.join('|');
  return `/${value?.pattern ?? ''}/`;
}
