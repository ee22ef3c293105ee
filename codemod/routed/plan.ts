/** Which workflow types go to Postgres, with those that are tied to them; and what of the repository serves them. */
import { readFileSync } from 'node:fs';
import { type ReadRepository } from '../assess/assess';
import type { WorkflowFacts } from '../assess/facts';
import { groupsOf } from '../assess/link';
import { type Verdict, verdictsOf } from '../assess/verdict';
import { CodemodError } from '../failure';

export interface RoutedGroup {
  /** The type that was asked for: the name of the rule. */
  name: string;
  /** It and those that move with it. */
  types: string[];
}

export interface RoutedPlan {
  groups: RoutedGroup[];
  /** What a person should know about a type, where it is defined (or first started). */
  notes: { path: string; line: number; reason: string }[];
  /** Whether a worker with this `workflowsPath` runs one of the types; undefined: the path leads to nothing known. */
  serves(from: string, specifier: string): boolean | undefined;
}

/** @throws CodemodError BRANCHLINE_UNKNOWN_WORKFLOW */
export function planOf({ facts, typesAt }: ReadRepository, asked: readonly string[]): RoutedPlan {
  const known = facts.workflows.map(({ type }) => type);
  const unknown = asked.filter((type) => !known.includes(type));
  if (asked.length === 0 || unknown.length > 0) throw unknownTypes(unknown, known);
  const all = groupsOf(facts.workflows, facts.edges);
  const groups: RoutedGroup[] = [];
  for (const name of asked) {
    if (groups.some(({ types }) => types.includes(name))) continue;
    groups.push({ name, types: all.find((types) => types.includes(name)) ?? [name] });
  }
  const moved = new Set(groups.flatMap(({ types }) => types));
  const verdicts = new Map(verdictsOf(facts).map((verdict) => [verdict.type, verdict]));
  const notes = facts.workflows
    .filter(({ type }) => moved.has(type))
    .flatMap((workflow) => noteOf(workflow, verdicts.get(workflow.type)!, asked));
  for (const { from, how, path, line } of facts.edges) {
    if (how === 'external' && moved.has(from))
      notes.push({
        path,
        line,
        reason: `${from} reaches workflows by id: one on the other engine is not found. ${ELSEWHERE}`,
      });
  }
  return {
    groups,
    notes,
    serves: (from, specifier) => typesAt(from, specifier)?.some((type) => moved.has(type)),
  };
}

const ELSEWHERE = 'signalElsewhere and cancelElsewhere of branchline/router/workflow reach both';

function noteOf(
  { type, defined, startedAt }: WorkflowFacts,
  { verdict, reasons, group }: Verdict,
  asked: readonly string[],
): RoutedPlan['notes'] {
  const at = defined ?? startedAt[0];
  if (at === undefined) return [];
  const words: string[] = [];
  if (!asked.includes(type))
    words.push(`${type} goes to Postgres too: it is tied to ${group.filter((one) => asked.includes(one)).join(', ')}`);
  if (verdict !== 'move') words.push(`${type} goes to Postgres though assess says '${verdict}': ${reasons.join('; ')}`);
  return words.map((reason) => ({ ...at, reason }));
}

function unknownTypes(unknown: readonly string[], known: readonly string[]): CodemodError {
  const words = unknown.map((type) => {
    const near = nearest(type, known);
    return `No workflow type is called '${type}'.${near === undefined ? '' : ` Did you mean '${near}'?`}`;
  });
  if (words.length === 0) words.push('No workflow type was named.');
  return new CodemodError('BRANCHLINE_UNKNOWN_WORKFLOW', `${words.join(' ')} There are: ${known.join(', ')}.`);
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= Math.max(2, name.length / 2) ? best.other : undefined;
}

/** How many letters to change, put in or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** The types that an assessment (`assess --output json`) says to move. @throws CodemodError BRANCHLINE_ASSESSMENT */
export function typesOfAssessment(file: string): string[] {
  try {
    const { verdicts } = JSON.parse(readFileSync(file, 'utf8')) as { verdicts: Verdict[] };
    const types = verdicts.filter(({ verdict }) => verdict === 'move').map(({ type }) => type);
    if (types.length > 0) return types;
  } catch (error) {
    throw new CodemodError(
      'BRANCHLINE_ASSESSMENT',
      `${file} is not an assessment (\`branchline assess --output json\`): ${(error as Error).message}`,
    );
  }
  throw new CodemodError('BRANCHLINE_ASSESSMENT', `${file} says of no workflow type that it moves.`);
}
