/** Move, keep on Temporal, or fix first: decided by thresholds that the user may edit, with the numbers behind it. */
import type { Edge, RepositoryFacts, WorkflowFacts } from './facts';
import { groupsOf } from './link';

export interface Thresholds {
  /** Activities or children at once, of one run. More: keep. */
  maxFanOut: number;
  /** What a fan-out counts for when the code does not say how wide it is. */
  assumedFanOut: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  maxFanOut: 50,
  assumedFanOut: 20,
};

export interface Verdict {
  type: string;
  verdict: 'move' | 'keep on Temporal' | 'fix first';
  /** Each with its numbers. */
  reasons: string[];
  /** The types that move with it, itself among them. */
  group: string[];
}

export function verdictsOf(facts: RepositoryFacts, thresholds: Thresholds = DEFAULT_THRESHOLDS): Verdict[] {
  const groups = groupsOf(facts.workflows, facts.edges);
  const own = new Map(facts.workflows.map((workflow) => [workflow.type, ownVerdict(workflow, thresholds)]));
  return facts.workflows.map(({ type }) => {
    const group = groups.find((types) => types.includes(type)) ?? [type];
    const verdict = own.get(type)!;
    if (verdict.verdict !== 'move') return { ...verdict, group };
    const held = group.filter((other) => own.get(other)?.verdict !== 'move');
    const [first] = held;
    if (first === undefined) return { ...verdict, group };
    const why = `tied to ${first} (${own.get(first)!.verdict})${edgeWords(facts.edges, group)}`;
    return { type, verdict: own.get(first)!.verdict, reasons: [why], group };
  });
}

function edgeWords(edges: readonly Edge[], group: readonly string[]): string {
  const edge = edges.find(({ from, to }) => group.includes(from) && group.includes(to));
  return edge === undefined ? '' : `: ${edge.from} → ${edge.to}, ${edge.how}, ${edge.path}:${edge.line}`;
}

function ownVerdict(workflow: WorkflowFacts, thresholds: Thresholds): Omit<Verdict, 'group'> {
  const { type } = workflow;
  const wide = widest(workflow, thresholds);
  if (wide !== undefined && wide.width > thresholds.maxFanOut) {
    return { type, verdict: 'keep on Temporal', reasons: [`${wide.words} > maxFanOut ${thresholds.maxFanOut}`] };
  }
  const faults = [...workflow.unsupported, ...workflow.hazards];
  if (faults.length > 0) {
    return { type, verdict: 'fix first', reasons: faults.map(({ path, line, reason }) => `${path}:${line} ${reason}`) };
  }
  if (workflow.defined === undefined) {
    return { type, verdict: 'fix first', reasons: ['its code is not in this folder: assess where it is'] };
  }
  const reason = wide === undefined ? 'no fan-out in its code' : `${wide.words} ≤ maxFanOut ${thresholds.maxFanOut}`;
  return { type, verdict: 'move', reasons: [reason] };
}

function widest(
  { fanOut }: WorkflowFacts,
  { assumedFanOut }: Thresholds,
): { width: number; words: string } | undefined {
  const widths = fanOut.map(({ width, over, path, line }) => ({
    width: width ?? assumedFanOut,
    words: `${width ?? `assumedFanOut ${assumedFanOut}`} ${over} at once (${path}:${line})`,
  }));
  return widths.sort((a, b) => b.width - a.width)[0];
}

/** @throws TypeError for a name or value that is none */
export function thresholdsFrom(text: string): Thresholds {
  const given = JSON.parse(text) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (!(name in DEFAULT_THRESHOLDS))
      throw new TypeError(`no threshold is called '${name}': ${Object.keys(DEFAULT_THRESHOLDS).join(', ')}`);
    if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`${name} must be a number, from 0`);
  }
  return { ...DEFAULT_THRESHOLDS, ...given };
}
