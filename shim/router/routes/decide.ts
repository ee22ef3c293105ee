/** Where a new workflow starts: the first rule that matches. Pure. */
import { createHash } from 'node:crypto';
import type { StartFacts } from './facts';
import type { Routes, Rule, Texts } from './schema';

export interface Decision {
  engine: string;
  /** Undefined: no rule matched, the default engine takes it. */
  rule?: string;
}

/** Why a rule did not take a start; undefined = it does. */
export interface Explanation {
  rule: string;
  engine: string;
  refusal?: string;
}

export function decide(routes: Routes, facts: StartFacts, nowMs: number): Decision {
  const rule = routes.rules.find((rule) => refusalOf(rule, facts, nowMs) === undefined);
  return rule === undefined ? { engine: routes.default } : { engine: rule.engine, rule: rule.name };
}

/** Engine of a child, when the routes declare that children of its kind go where they say. */
export function decideChild(routes: Routes, facts: StartFacts, nowMs: number): string | undefined {
  const { engine, rule: name } = decide(routes, facts, nowMs);
  return routes.rules.find((rule) => rule.name === name)?.children === true ? engine : undefined;
}

/** Every rule down to the one that decides, with what kept the ones above it. */
export function explain(
  routes: Routes,
  facts: StartFacts,
  nowMs: number,
): { decision: Decision; rules: Explanation[] } {
  const rules: Explanation[] = [];
  for (const rule of routes.rules) {
    const refusal = refusalOf(rule, facts, nowMs);
    rules.push({ rule: rule.name, engine: rule.engine, ...(refusal === undefined ? {} : { refusal }) });
    if (refusal === undefined) return { decision: { engine: rule.engine, rule: rule.name }, rules };
  }
  return { decision: { engine: routes.default }, rules };
}

function refusalOf(rule: Rule, facts: StartFacts, nowMs: number): string | undefined {
  const { workflowType, taskQueue, namespace, workflowId, tenant, percentage, from, until } = rule;
  if (from !== undefined && nowMs < Date.parse(from)) return `it begins at ${from}`;
  if (until !== undefined && nowMs >= Date.parse(until)) return `it ended at ${until}`;
  const other = (what: string, texts: Texts | undefined, text: string): string | undefined =>
    texts === undefined || textMatches(texts, text)
      ? undefined
      : `${what} is ${JSON.stringify(text)}, not ${inWords(texts)}`;
  const mismatch =
    other('the workflow type', workflowType, facts.workflowType) ??
    other('the task queue', taskQueue, facts.taskQueue) ??
    other('the namespace', namespace, facts.namespace) ??
    other('the workflow id', workflowId, facts.workflowId);
  if (mismatch !== undefined) return mismatch;
  if (tenant !== undefined) {
    if (facts.tenant === undefined) return facts.tenantProblem ?? 'the start names no tenant';
    const refusal = other('the tenant', tenant, facts.tenant);
    if (refusal !== undefined) return refusal;
  }
  if (percentage === undefined) return undefined;
  const share = shareOf(facts.workflowId);
  return share < percentage ? undefined : `the id stands at ${share.toFixed(2)} %, from ${percentage} % on`;
}

/**
 * Where an id stands between 0 and 99.99. The same in every version and process; in SQL:
 * `mod(('x' || substr(encode(sha256(convert_to(id, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint, 10000) / 100.0`
 */
export function shareOf(workflowId: string): number {
  return (createHash('sha256').update(workflowId).digest().readUInt32BE(0) % 10_000) / 100;
}

/** One of the texts, or the pattern for the whole text. */
export function textMatches(texts: Texts, text: string): boolean {
  if (typeof texts === 'string') return texts === text;
  if (Array.isArray(texts)) return texts.includes(text);
  return wholeText(texts.pattern).test(text);
}

const compiled = new Map<string, RegExp>();

function wholeText(pattern: string): RegExp {
  let regexp = compiled.get(pattern);
  if (regexp === undefined) {
    // Routes are few; those of old versions need not stay.
    if (compiled.size > 1000) compiled.clear();
    compiled.set(pattern, (regexp = new RegExp(`^(?:${pattern})$`, 'u')));
  }
  return regexp;
}

function inWords(texts: Texts): string {
  if (typeof texts === 'string') return JSON.stringify(texts);
  return Array.isArray(texts) ? `one of ${JSON.stringify(texts)}` : `like /${texts.pattern}/`;
}
