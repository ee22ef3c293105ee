/** An assessment as a terminal shows it. */
import type { Assessment } from './assess';
import type { WorkflowFacts } from './facts';

export function assessmentText(assessment: Assessment): string {
  const rows = assessment.workflows.map((workflow) => row(workflow, assessment));
  const head = ['workflow type', 'verdict', 'activities', 'at once', 'started', 'defined'];
  const lines = table([head, ...rows]);
  lines.push('');
  for (const { type, verdict, reasons } of assessment.verdicts) {
    lines.push(`${type}: ${verdict}`, ...reasons.map((reason) => `  ${reason}`));
  }
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
  if (assessment.failed.length > 0)
    lines.push('', 'Not read:', ...assessment.failed.map(({ path, reason }) => `  ${path}: ${reason}`));
  lines.push(
    '',
    `${assessment.workflows.length} workflow types in ${assessment.files} files. Thresholds: ${JSON.stringify(assessment.thresholds)}`,
  );
  return `${lines.join('\n')}\n`;
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
