/** Which activities may have had effects outside of the database that the restored histories do not know of. */
import type { RestoredRun } from '../../store/restore';
import type { JournaledAttempt } from './journal';

export interface PossibleEffect {
  activityId: string;
  activityType: string;
  attempt: number;
  local: boolean;
  /** Epoch ms. */
  startedMs: number;
  /** What is known of its end; `unknown`: nothing, it may have had its effects or not. */
  outcome: 'completed' | 'failed' | 'cancelled' | 'asynchronous' | 'unknown';
  /** Where it is known from. `history`: it had started and not ended when the restored moment came. */
  knownFrom: 'history' | 'journal';
}

/** A run that the journal knows and the database does not have (any more). */
export interface MissingRun {
  namespace: string;
  workflowId: string;
  runId: string;
  workflowType: string;
  effects: PossibleEffect[];
}

export interface Facts {
  runs: Pick<RestoredRun, 'runId' | 'activities'>[];
  /** Null = there is no journal. */
  attempts: JournaledAttempt[] | null;
  /** Runs of the attempts that the database has, open or closed. */
  known: ReadonlySet<string>;
  /** Activities in the history of each open run. */
  recorded: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface Findings {
  /** By run id. */
  effects: Map<string, PossibleEffect[]>;
  missing: MissingRun[];
}

export function findEffects({ runs, attempts, known, recorded }: Facts): Findings {
  const effects = new Map<string, PossibleEffect[]>();
  const missing = new Map<string, MissingRun>();
  const open = new Map(runs.map((run) => [run.runId, run]));
  const journaled = new Set<string>();
  for (const attempt of attempts ?? []) {
    const { namespace, workflowId, runId, workflowType } = attempt;
    journaled.add(keyOf(runId, attempt));
    // What it committed in the database was taken back with it.
    const hadEffects = attempt.outcome !== 'committed';
    if (!known.has(runId)) {
      const run = missing.get(runId) ?? { namespace, workflowId, runId, workflowType, effects: [] };
      missing.set(runId, run);
      if (hadEffects) run.effects.push(fromJournal(attempt));
      continue;
    }
    if (!hadEffects) continue;
    const run = open.get(runId);
    if (run !== undefined && !isRecorded(run, attempt, recorded.get(runId))) add(effects, runId, fromJournal(attempt));
  }
  for (const { runId, activities } of runs) {
    for (const { startedMs, ...activity } of activities) {
      if (startedMs === null || journaled.has(keyOf(runId, activity))) continue;
      add(effects, runId, { ...activity, local: false, startedMs, outcome: 'unknown', knownFrom: 'history' });
    }
  }
  return { effects, missing: [...missing.values()] };
}

/** The history has its end, or that of its attempt: nothing of it will be done again without its knowing. */
function isRecorded(
  { activities }: Pick<RestoredRun, 'activities'>,
  { activityId, attempt }: JournaledAttempt,
  recorded: ReadonlySet<string> | undefined,
): boolean {
  if (recorded?.has(activityId) !== true) return false;
  const pending = activities.find((activity) => activity.activityId === activityId);
  return pending === undefined || pending.attempt > attempt;
}

function fromJournal({ activityId, activityType, attempt, local, at, outcome }: JournaledAttempt): PossibleEffect {
  const known = outcome === null || outcome === 'committed' ? 'unknown' : outcome;
  return { activityId, activityType, attempt, local, startedMs: at, outcome: known, knownFrom: 'journal' };
}

function add(effects: Map<string, PossibleEffect[]>, runId: string, effect: PossibleEffect): void {
  const all = effects.get(runId);
  if (all === undefined) effects.set(runId, [effect]);
  else all.push(effect);
}

const keyOf = (runId: string, { activityId, attempt }: { activityId: string; attempt: number }): string =>
  `${runId}/${activityId}/${attempt}`;
