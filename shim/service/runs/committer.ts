/** Hands batches to the store, one per run at a time, and settles what comes back. */
import { codeOf } from '../../store/errors';
import type { CommitOutcome, Store, StoreTransaction } from '../../store/types';
import type { Engine } from '../engine/api';
import { Code, ServiceError } from '../errors';
import { denied, takenUnseen } from '../permission';
import type { Batch } from './batch';
import { isGone, runCommit } from './commit-rows';
import { Holds } from './holds';
import type { Operation } from './operation';
import type { RunHandle } from './run-handle';

export interface CommitterEvents {
  committed(batch: Batch): void;
  /** The runs of these batches are no longer the truth; their operations are to be decided again. */
  lost(runs: RunHandle[], operations: Operation[], unknownFate: boolean, inbox: boolean): void;
}

export class Committer {
  private ready: RunHandle[] = [];
  private draining = false;
  private readonly holds = new Holds((batch) => this.schedule(batch.run));

  constructor(
    private readonly store: Store,
    private readonly engine: Engine,
    private readonly events: CommitterEvents,
  ) {}

  /** The run's batch may go at the end of this turn of the event loop, if nothing holds it. */
  schedule(run: RunHandle): void {
    if (run.scheduled || run.batch === null || run.inFlight !== null || run.batch.heldFor !== '') return;
    run.scheduled = true;
    this.ready.push(run);
    if (this.draining) return;
    this.draining = true;
    setImmediate(() => {
      this.draining = false;
      const runs = this.ready;
      this.ready = [];
      for (const each of runs) {
        each.scheduled = false;
        this.flush(each);
      }
    });
  }

  hold(batch: Batch, heldFor: string): void {
    this.holds.add(batch, heldFor);
  }

  /** Somebody waits for what a held batch now holds as well. */
  hurry(batch: Batch): void {
    this.holds.hurry(batch);
  }

  release(batch: Batch): void {
    batch.heldFor = '';
    this.schedule(batch.run);
  }

  private flush(run: RunHandle): void {
    if (run.batch === null || run.dropped) return;
    const group = run.batch.group();
    for (const batch of group) {
      // Each of them schedules its run again when it comes free.
      if (batch.run.inFlight !== null || batch.heldFor !== '' || batch.run.batch !== batch) return;
    }
    for (const batch of group) {
      batch.run.batch = null;
      batch.run.inFlight = batch;
    }
    const settle = (outcome: CommitOutcome): void => this.settle(group, outcome);
    const fail = (error: unknown): void => this.fail(group, error);
    try {
      this.commit(group).then(settle, fail);
    } catch (error) {
      fail(error);
    }
  }

  private commit(group: Batch[]): Promise<CommitOutcome> {
    const { epoch } = this.store.fence;
    // Another timeline: what these were decided on may not be there.
    if (group.some(({ run }) => run.version > 0 && run.epoch !== epoch)) return Promise.resolve({ kind: 'conflict' });
    const rows = group.map((batch) => {
      const { run } = batch;
      run.dueAtMs = isGone(run.state) ? 0 : this.engine.nextDue(run.state);
      return runCommit(batch, this.store.processId, run.dueAtMs);
    });
    const within = transactionOf(group);
    return within === undefined ? this.store.commit(rows) : within.commit(rows);
  }

  private settle(group: Batch[], outcome: CommitOutcome): void {
    if (group.some((batch) => batch.run.dropped)) return;
    if (outcome.kind !== 'committed') return this.lose(group, undefined, undefined, outcome.kind === 'inbox');
    for (const batch of group) {
      const { run } = batch;
      run.version += 1;
      run.inFlight = null;
      run.commitFirst = false;
      if (run.mine) run.owner = this.store.processId;
      if (batch.events.length > 0) run.committedEventId += batch.events.length;
      if (isGone(run.state) && run.batch === null) run.gone = true;
    }
    for (const batch of group) {
      for (const { operation, result } of batch.operations) operation.resolve(result);
      if (!batch.answersCaller) for (const call of batch.afterCommit) call();
      // Its caller has started or signalled, and acts on that before what he caused does: a server's answer overtakes what it causes as well.
      else if (batch.afterCommit.length > 0) setImmediate(() => batch.afterCommit.forEach((call) => call()));
      this.events.committed(batch);
      this.schedule(batch.run);
    }
  }

  private fail(group: Batch[], error: unknown): void {
    if (group.some((batch) => batch.run.dropped)) return;
    // An error of the application's transaction concerns the change that came with it; what went along goes on without it.
    const within = codeOf(error) === 'BRANCHLINE_COMMIT_UNKNOWN' ? undefined : transactionOf(group);
    if (within === undefined) this.lose(group, commitError(error, this.store.rights.restricted));
    else this.lose(group, error, within);
  }

  /** Gives up the memory of a group's runs, and of the runs that were begun by what they had not committed yet. */
  private lose(group: Batch[], error: unknown, within?: StoreTransaction, inbox = false): void {
    const runs = new Set<RunHandle>();
    for (const batch of group) runs.add(batch.run);
    for (const run of runs) for (const batch of run.batch?.group() ?? []) runs.add(batch.run);
    const again: Operation[] = [];
    for (const run of runs) {
      run.dropped = true;
      for (const batch of [run.inFlight, run.batch]) {
        if (batch === null) continue;
        batch.heldFor = '';
        for (const call of batch.onDrop) call();
        for (const { operation } of batch.operations) {
          const meant = within === undefined || operation.options?.within === within;
          if (error !== undefined && meant) operation.reject(error);
          else if (operation.dropped !== undefined) operation.dropped();
          else again.push(operation);
        }
      }
    }
    this.events.lost([...runs], again, error !== undefined && within === undefined, inbox);
  }

  close(): void {
    this.holds.close();
  }
}

const transactionOf = (group: Batch[]): StoreTransaction | undefined =>
  group.find((batch) => batch.within !== undefined)?.within;

/** The store tries again by itself while Postgres is away; what it still reports is either that, or something that will not pass. */
function commitError(error: unknown, restricted: boolean): ServiceError {
  const refused = denied(error) ?? (restricted ? takenUnseen(error) : undefined);
  if (refused !== undefined) return refused;
  const reason = error instanceof Error ? error.message : String(error);
  const lasting = error instanceof TypeError || (error as { severity?: unknown }).severity !== undefined;
  if (lasting) return new ServiceError(Code.INTERNAL, `The database refused the change: ${reason}`);
  return new ServiceError(Code.UNAVAILABLE, `The database could not be reached: ${reason}`);
}
