/** Move, keep on Temporal, or fix first: decided by thresholds that the user may edit, with the numbers behind it. */
import type { Edge, RepositoryFacts, WorkflowFacts } from './facts';
import { groupsOf } from './link';
import type { Measured, Measurement } from './measure';

export interface Thresholds {
  /** Activities or children at once, of one run. More: keep. */
  maxFanOut: number;
  /** What a fan-out counts for when the code does not say how wide it is. */
  assumedFanOut: number;
  /** Of one type, measured. More: keep. */
  maxStartsPerSecond: number;
  /** Events of a history at the 99th percentile, measured. More: keep. */
  maxHistoryEvents: number;
  /** Of one payload, measured, in bytes. More: fix first (a reference to where it is kept). */
  maxPayloadBytes: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  maxFanOut: 50,
  assumedFanOut: 20,
  maxStartsPerSecond: 100,
  maxHistoryEvents: 10_000,
  maxPayloadBytes: 262_144,
};

export interface Verdict {
  type: string;
  verdict: 'move' | 'keep on Temporal' | 'fix first';
  /** Each with its numbers. */
  reasons: string[];
  /** The types that move with it, itself among them. */
  group: string[];
}

export function verdictsOf(
  facts: RepositoryFacts,
  thresholds: Thresholds = DEFAULT_THRESHOLDS,
  measured?: Measurement,
): Verdict[] {
  const groups = groupsOf(facts.workflows, facts.edges);
  const own = new Map(
    facts.workflows.map((workflow) => [
      workflow.type,
      ownVerdict(workflow, thresholds, measured?.types[workflow.type]),
    ]),
  );
  return facts.workflows.map(({ type }) => {
    const group = groups.find((types) => types.includes(type)) ?? [type];
    const verdict = own.get(type)!;
    if (verdict.verdict !== 'move') return { ...verdict, group };
    const held = group.filter((other) => own.get(other)?.verdict !== 'move');
    const [first] = held;
    if (first === undefined) return { ...verdict, group };
    const why = `tied to ${first} (${own.get(first)!.verdict})${edgeWords(facts.edges, group, first)}`;
    return { type, verdict: own.get(first)!.verdict, reasons: [why], group };
  });
}

/** One that leads to what holds the group. */
function edgeWords(edges: readonly Edge[], group: readonly string[], first: string): string {
  const within = edges.filter(({ from, to }) => from !== to && group.includes(from) && group.includes(to));
  const edge = within.find(({ from, to }) => from === first || to === first) ?? within[0];
  return edge === undefined ? '' : `: ${edge.from} → ${edge.to}, ${edge.how}, ${edge.path}:${edge.line}`;
}

function ownVerdict(
  workflow: WorkflowFacts,
  thresholds: Thresholds,
  measured: Measured | undefined,
): Omit<Verdict, 'group'> {
  const { type } = workflow;
  const wide = widest(workflow, thresholds, measured);
  const tooMuch = measured && measuredTooMuch(measured, thresholds);
  if (tooMuch !== undefined && tooMuch.length > 0) return { type, verdict: 'keep on Temporal', reasons: tooMuch };
  if (wide !== undefined && wide.width > thresholds.maxFanOut) {
    return { type, verdict: 'keep on Temporal', reasons: [`${wide.words} > maxFanOut ${thresholds.maxFanOut}`] };
  }
  const largest = measured?.payloadBytes?.largest ?? 0;
  if (largest > thresholds.maxPayloadBytes) {
    const words = `a payload of ${largest} bytes > maxPayloadBytes ${thresholds.maxPayloadBytes}: keep it elsewhere, and pass where it is`;
    return { type, verdict: 'fix first', reasons: [words] };
  }
  const faults = [...workflow.unsupported, ...workflow.hazards];
  if (faults.length > 0) {
    return { type, verdict: 'fix first', reasons: faults.map(({ path, line, reason }) => `${path}:${line} ${reason}`) };
  }
  if (workflow.defined === undefined) {
    return { type, verdict: 'fix first', reasons: ['its code is not in this folder: assess where it is'] };
  }
  const reason = wide === undefined ? 'no fan-out in its code' : `${wide.words} ≤ maxFanOut ${thresholds.maxFanOut}`;
  return {
    type,
    verdict: 'move',
    reasons: [reason, ...(measured === undefined ? [] : measuredWords(measured, thresholds))],
  };
}

function measuredTooMuch(
  { startsPerSecond, historyLength }: Measured,
  { maxStartsPerSecond, maxHistoryEvents }: Thresholds,
): string[] {
  const reasons: string[] = [];
  if (startsPerSecond > maxStartsPerSecond)
    reasons.push(`${startsPerSecond.toFixed(1)} starts/s > maxStartsPerSecond ${maxStartsPerSecond}`);
  if (historyLength !== undefined && historyLength.p99 > maxHistoryEvents)
    reasons.push(`history p99 ${historyLength.p99} events > maxHistoryEvents ${maxHistoryEvents}`);
  return reasons;
}

function measuredWords(
  { startsPerSecond, historyLength, payloadBytes }: Measured,
  { maxStartsPerSecond, maxHistoryEvents, maxPayloadBytes }: Thresholds,
): string[] {
  const words = [`${startsPerSecond.toPrecision(2)} starts/s ≤ maxStartsPerSecond ${maxStartsPerSecond}`];
  if (historyLength === undefined) return [...words, 'no closed run whose history could be read'];
  return [
    ...words,
    `history p99 ${historyLength.p99} events ≤ maxHistoryEvents ${maxHistoryEvents}`,
    `largest payload ${payloadBytes?.largest ?? 0} bytes ≤ maxPayloadBytes ${maxPayloadBytes}`,
  ];
}

/** What histories showed stands in for what the code leaves open, and goes before a smaller number of the code's. */
function widest(
  { fanOut }: WorkflowFacts,
  { assumedFanOut }: Thresholds,
  measured: Measured | undefined,
): { width: number; words: string } | undefined {
  const seen = measured?.widest;
  const counted = seen === undefined ? fanOut : fanOut.filter(({ width }) => width !== undefined);
  const widths = counted.map(({ width, over, path, line }) => ({
    width: width ?? assumedFanOut,
    words:
      width === undefined
        ? `as many ${over} at once as a list is long (${path}:${line}), taken for assumedFanOut ${assumedFanOut}`
        : `${width} ${over} at once (${path}:${line})`,
  }));
  if (seen !== undefined)
    widths.push({ width: seen, words: `${seen} activities or children at once in ${measured!.histories} histories` });
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
