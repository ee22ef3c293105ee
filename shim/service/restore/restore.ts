/** After a restore: what an operator is told, and what he decides (docs/restore.md). */
import { BranchlineError } from '../../common/branchline-error';
import type { Decision, FenceStatus, RestoreDatabase, RestoredRun } from '../../store/restore';
import { type Act, type Command, moves, standingOf, type Standing } from './decisions';
import { findEffects, type MissingRun, type PossibleEffect } from './effects';
import { JournalReader } from './journal';

/** Clocks of workers may be off by so much, ms: what they started so long before the restored moment is looked at as well. */
const CLOCKS_DIFFER_MS = 60_000;

export interface CheckedRun extends RestoredRun {
  standing: Standing;
  effects: PossibleEffect[];
}

export interface Report extends FenceStatus {
  runs: CheckedRun[];
  /** How many of them nobody has decided on. */
  undecided: number;
  /** Null = there is no journal: then what ran after the restored moment is not known. */
  journal: { attempts: number; unreadableLines: number; missing: MissingRun[] } | null;
}

export type Selection = { id: string } | { type: string } | 'all';

export class Restore {
  constructor(private readonly database: RestoreDatabase) {}

  status(): Promise<FenceStatus> {
    return this.database.status();
  }

  /** `journals`: lines of all journals; null = there are none. */
  async check(journals: AsyncIterable<string> | null): Promise<Report> {
    const { database } = this;
    const status = await database.status();
    const runs = await database.runs();
    const openIds = new Set(runs.map(({ runId }) => runId));
    const since = (status.restoredToMs ?? status.raisedAtMs ?? status.nowMs) - CLOCKS_DIFFER_MS;
    const reader = new JournalReader(({ runId, at }) => openIds.has(runId) || at >= since);
    if (journals !== null) for await (const line of journals) reader.add(line);
    const attempts = reader.result();
    const journaledIds = [...new Set(attempts.map(({ runId }) => runId))];
    const findings = findEffects({
      runs,
      attempts: journals === null ? null : attempts,
      known: await database.known(journaledIds),
      recorded: await database.recordedActivities(journaledIds.filter((runId) => openIds.has(runId))),
    });
    const checked = runs.map((run) => ({
      ...run,
      standing: standingOf(status.raisedAtMs !== null, run),
      effects: findings.effects.get(run.runId) ?? [],
    }));
    return {
      ...status,
      runs: checked,
      undecided: checked.filter(({ standing }) => standing === 'undecided').length,
      journal:
        journals === null
          ? null
          : { attempts: attempts.length, unreadableLines: reader.unreadable, missing: findings.missing },
    };
  }

  /**
   * How many runs it was decided on. While the fence is up it is written down and may be changed; else it is done at once.
   * @throws BranchlineError BRANCHLINE_RESTORE_NO_RUN, BRANCHLINE_NOT_FENCED
   */
  decide(decision: Decision, selection: Selection, by: string): Promise<number> {
    const { database } = this;
    return database.exclusively(async () => {
      const fenced = (await database.status()).raisedAtMs !== null;
      const chosen = (await database.runs()).filter((run) => isChosen(run, selection));
      if (chosen.length === 0) throw noRun(fenced, selection);
      await this.carryOut(fenced, chosen, decision, by);
      const runIds = chosen.map(({ runId }) => runId);
      if (fenced) await database.decide(runIds, decision, by);
      return chosen.length;
    });
  }

  /**
   * Takes the fence down and carries out what was decided. `rest`: for runs that nobody has decided on.
   * @returns how many those are; if there are any and `rest` is null, nothing was done
   * @throws BranchlineError BRANCHLINE_NOT_FENCED
   */
  release(rest: Decision | null, by: string): Promise<{ released: boolean; undecided: number }> {
    const { database } = this;
    return database.exclusively(async () => {
      if ((await database.status()).raisedAtMs === null) {
        throw new BranchlineError('BRANCHLINE_NOT_FENCED', 'The fence is down: there is nothing to release');
      }
      const runs = await database.runs();
      const undecided = runs.filter(({ decision }) => decision === null).length;
      if (undecided > 0 && rest === null) return { released: false, undecided };
      await this.carryOut(
        true,
        runs.map((run) => ({ ...run, decision: run.decision ?? rest })),
        'release',
        by,
      );
      await database.release(by);
      return { released: true, undecided };
    });
  }

  /** False: it was up already. `restoredTo`: ISO 8601, null = as Postgres tells it. */
  raise(reason: string, restoredTo: string | null): Promise<boolean> {
    return this.database.raise(reason, restoredTo);
  }

  setOnNewTimeline(policy: FenceStatus['onNewTimeline']): Promise<void> {
    return this.database.setOnNewTimeline(policy);
  }

  private async carryOut(fenced: boolean, runs: RestoredRun[], command: Command, by: string): Promise<void> {
    const todo: Record<Act, string[]> = { hold: [], free: [], cancel: [] };
    for (const run of runs) {
      const standing = standingOf(fenced, run);
      const move = moves[standing][command];
      if (move === undefined) throw new Error(`${command} of run ${run.runId}, which is ${standing}`);
      for (const act of move.acts) todo[act].push(run.runId);
    }
    if (todo.hold.length > 0) await this.database.hold(todo.hold);
    if (todo.free.length > 0) await this.database.free(todo.free);
    if (todo.cancel.length > 0) await this.database.cancel(todo.cancel, by);
  }
}

function isChosen(run: RestoredRun, selection: Selection): boolean {
  if (selection === 'all') return true;
  return 'type' in selection
    ? run.workflowType === selection.type
    : run.workflowId === selection.id || run.runId === selection.id;
}

function noRun(fenced: boolean, selection: Selection): BranchlineError {
  const what =
    selection === 'all'
      ? 'no run'
      : 'type' in selection
        ? `no run of type ${selection.type}`
        : `no run ${selection.id}`;
  return fenced
    ? new BranchlineError(
        'BRANCHLINE_RESTORE_NO_RUN',
        `There is ${what} that was in flight when the fence went up: 'branchline restore check' lists them`,
      )
    : new BranchlineError(
        'BRANCHLINE_NOT_FENCED',
        `There is ${what} that is held, and the fence is down: raise it with 'branchline restore fence' to decide on others`,
      );
}
