/** What `branchline restore check` prints. */
import type { PossibleEffect } from '../service/restore/effects';
import type { CheckedRun, Report } from '../service/restore/restore';

const WORDS: Record<CheckedRun['standing'], string> = {
  undecided: 'undecided',
  toResume: 'to resume',
  toHold: 'to hold',
  toCancel: 'to cancel',
  held: 'held',
  free: 'free',
};

const time = (ms: number): string => new Date(ms).toISOString();

export function reportLines(report: Report): string[] {
  const { raisedAtMs, restoredToMs, reason, runs, journal, processes, atFence, undecided } = report;
  if (raisedAtMs === null) {
    return [
      `The fence is down. Processes last worked on ${report.ledOn ?? 'no timeline yet'}; a new timeline means: ${report.onNewTimeline}.`,
      ...(runs.length === 0
        ? ['No runs are held.']
        : [`Held (${runs.length}):`, ...runs.flatMap((run) => runLines(run, report.nowMs))]),
    ];
  }
  const lines = [`The fence is up since ${time(raisedAtMs)}: ${reason}.`];
  if (restoredToMs !== null) lines.push(`Restored to about ${time(restoredToMs)}.`);
  lines.push(`Processes alive: ${processes}. They stand still: ${atFence}.`);
  lines.push(
    journal === null
      ? 'No journal (--journal): what ran after the restored moment is not known. Activities are listed that had started before it and not ended.'
      : `Journal: ${journal.attempts} attempts that may matter${journal.unreadableLines > 0 ? `, ${journal.unreadableLines} unreadable lines` : ''}.`,
  );
  lines.push(
    '',
    `In flight (${runs.length}, undecided ${undecided}):`,
    ...runs.flatMap((run) => runLines(run, raisedAtMs)),
  );
  if (journal !== null && journal.missing.length > 0) {
    lines.push('', `In the journal and not in the database (${journal.missing.length}):`);
    for (const { workflowType, workflowId, runId, effects } of journal.missing) {
      lines.push(`  ${workflowType} ${workflowId} (run ${runId})`, ...effects.map(effectLine));
    }
  }
  lines.push(
    '',
    undecided > 0
      ? "Decide: 'branchline restore resume|hold|cancel <id>', '--type <type>' or '--all'. Then 'branchline restore release'."
      : "All is decided: 'branchline restore release' takes the fence down.",
  );
  return lines;
}

function runLines(
  { standing, workflowType, workflowId, runId, startedMs, waitsFor, effects }: CheckedRun,
  untilMs: number,
): string[] {
  return [
    `  [${WORDS[standing]}] ${workflowType} ${workflowId} (run ${runId}), ${age(untilMs - startedMs)} old`,
    ...waitsFor.map(
      ({ kind, name, state, untilMs: until }) =>
        `      waits for ${kind} ${name}: ${state}${until === null ? '' : `, until ${time(until)}`}`,
    ),
    ...effects.map(effectLine),
  ];
}

function effectLine({
  activityId,
  activityType,
  attempt,
  local,
  startedMs,
  outcome,
  knownFrom,
}: PossibleEffect): string {
  const had = outcome === 'completed' ? 'HAD EFFECTS' : 'MAY HAVE HAD EFFECTS';
  const end = outcome === 'unknown' ? 'no end is known' : outcome;
  return `      ${had}: ${local ? 'local ' : ''}activity ${activityType} (${activityId}, attempt ${attempt}), started ${time(startedMs)}, ${end} (${knownFrom})`;
}

function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`;
}
