/** An assessment as a terminal shows it. */
import type { Assessment } from './assess';
import type { Estimate } from './estimate';
import type { WorkflowFacts } from './facts';
import type { Measured } from './measure';

export function assessmentText(assessment: Assessment): string {
  const rows = assessment.workflows.map((workflow) => row(workflow, assessment));
  const head = ['workflow type', 'verdict', 'activities', 'at once', 'started', 'defined'];
  const lines = table([head, ...rows]);
  lines.push(...reasonLines(assessment));
  lines.push(...measuredLines(assessment));
  const groups = new Map(assessment.verdicts.map(({ group }) => [group.join(', '), group]));
  const tied = [...groups.values()].filter((group) => group.length > 1);
  if (tied.length > 0) lines.push('', 'Move together:', ...tied.map((group) => `  ${group.join(', ')}`));
  const byId = assessment.edges.filter(({ how }) => how === 'external');
  if (byId.length > 0) {
    lines.push('', 'Reached by workflow id (which types, the code does not say):');
    lines.push(...byId.map(({ from, path, line }) => `  ${from} ${path}:${line}`));
  }
  const outside = assessment.unsupported.filter(
    (one) => !assessment.workflows.some(({ unsupported }) => unsupported.includes(one)),
  );
  if (outside.length > 0)
    lines.push(
      '',
      'Refused by Branchline, outside of workflow code:',
      ...outside.map(({ path, line, reason }) => `  ${path}:${line} ${reason}`),
    );
  if (assessment.notFollowed.length > 0)
    lines.push('', NOT_FOLLOWED, ...assessment.notFollowed.map(({ path, line }) => `  ${path}:${line}`));
  if (assessment.failed.length > 0)
    lines.push('', 'Not read:', ...assessment.failed.map(({ path, reason }) => `  ${path}: ${reason}`));
  lines.push('', totals(assessment), thresholdWords(assessment), ...nextStep(assessment));
  return `${lines.join('\n')}\n`;
}

const VERDICTS = ['fix first', 'keep on Temporal', 'move'] as const;

/** What is not to be moved comes first; types with the same reasons stand together. */
function reasonLines({ verdicts }: Assessment): string[] {
  return VERDICTS.flatMap((verdict) => {
    const types = new Map<string, string[]>();
    for (const one of verdicts.filter((other) => other.verdict === verdict)) {
      const reasons = one.reasons.map((reason) => `  ${reason}`).join('\n');
      types.set(reasons, [...(types.get(reasons) ?? []), one.type]);
    }
    const lines = [...types].flatMap(([reasons, names]) => [`${verdict}: ${names.join(', ')}`, reasons]);
    return lines.length === 0 ? [] : ['', ...lines];
  });
}

/** `20 workflow types in 300 files: 18 move, 2 fix first.` */
export function totals({ workflows, files, verdicts }: Assessment): string {
  const counts = [...VERDICTS].reverse().flatMap((verdict) => {
    const count = verdicts.filter((one) => one.verdict === verdict).length;
    return count === 0 ? [] : `${count} ${verdict}`;
  });
  return `${workflows.length} workflow ${workflows.length === 1 ? 'type' : 'types'} in ${files} files: ${counts.join(', ')}.`;
}

export const thresholdWords = ({ thresholds }: Assessment): string =>
  `Thresholds (--thresholds changes them): ${Object.entries(thresholds)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}.`;

export const NOT_FOLLOWED =
  'A workflowsPath that leads to no file here; types that nothing else leads to are missing above:';

function nextStep({ verdicts }: Assessment): string[] {
  const moving = verdicts.filter(({ verdict }) => verdict === 'move').map(({ type }) => type);
  if (moving.length === 0) return [];
  return [
    `Next: \`branchline codemod --workflows ${moving[0]}\` moves one type (and those tied to it) and keeps Temporal; \`branchline codemod --all\` moves everything.`,
  ];
}

function measuredLines({ measured, estimate }: Assessment): string[] {
  if (measured === undefined) return [];
  const lines = ['', `Measured in namespace ${measured.namespace}, starts of the last ${spoken(measured.windowMs)}:`];
  lines.push(...table([MEASURED_HEAD, ...Object.entries(measured.types).map(([type, one]) => measuredRow(type, one))]));
  if (estimate !== undefined) lines.push('', ...estimateLines(estimate));
  return lines;
}

export const MEASURED_HEAD = [
  'workflow type',
  'starts/s',
  'open',
  'oldest',
  'events p50/p99',
  'payload p50/largest',
  'activities',
  'widest',
  'histories',
];

export function measuredRow(type: string, one: Measured): string[] {
  const { historyLength, payloadBytes, activitiesPerRun, open } = one;
  return [
    type,
    one.startsPerSecond.toPrecision(2),
    String(open.count),
    open.oldestAgeMs === undefined ? '-' : spoken(open.oldestAgeMs),
    historyLength === undefined ? '-' : `${historyLength.p50}/${historyLength.p99}`,
    payloadBytes === undefined ? '-' : `${payloadBytes.p50}/${payloadBytes.largest} B`,
    activitiesPerRun === undefined ? '-' : `${activitiesPerRun.p50}, most ${activitiesPerRun.most}`,
    one.widest === undefined ? '-' : String(one.widest),
    String(one.histories),
  ];
}

export function estimateLines(estimate: Estimate): string[] {
  const { least, most } = estimate.writeTransactionsPerSecond;
  return [
    `If ${estimate.types.join(', ')} moved (${estimate.startsPerSecond.toPrecision(2)} starts/s), Postgres would have about`,
    `  ${least.toPrecision(2)} to ${most.toPrecision(2)} write transactions/s, ${(estimate.walBytesPerSecond / 1000).toPrecision(2)} kB of WAL/s, ${estimate.connectionsPerProcess} connections for each process (docs/performance.md).`,
  ];
}

function spoken(ms: number): string {
  const [unit, size] = ms >= 172_800_000 ? ['d', 86_400_000] : ms >= 7_200_000 ? ['h', 3_600_000] : ['s', 1000];
  return `${Math.round(ms / (size as number))} ${unit}`;
}

function row(workflow: WorkflowFacts, { verdicts }: Assessment): string[] {
  const { type, activities, fanOut, startedAt, defined } = workflow;
  return [
    type,
    verdicts.find((one) => one.type === type)?.verdict ?? '',
    String(activities.length),
    atOnce(fanOut),
    String(startedAt.length),
    defined === undefined ? '-' : `${defined.path}:${defined.line}`,
  ];
}

export function atOnce(fanOut: WorkflowFacts['fanOut']): string {
  if (fanOut.length === 0) return '1';
  if (fanOut.some(({ width }) => width === undefined)) return 'not bounded';
  return String(Math.max(...fanOut.map(({ width }) => width ?? 0)));
}

function table(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
