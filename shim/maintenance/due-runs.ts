/**
 * Wakes runs at their due times, and takes over what dead processes left. Due times of runs worked on here come from memory; a slow look-ahead
 * in the store brings those of the others, so a sleeping run costs nothing until it is due.
 */
import type { Store } from '../store/types';
import type { Engine } from '../service/engine/api';
import { type HistoryEvent, type RunState, Status, type Transition } from '../service/engine/types';
import type { Change } from '../service/runs/change';
import type { RunRegistry } from '../service/runs/registry';
import type { RunHandle } from '../service/runs/run-handle';
import { isHeld } from '../service/restore/held';
import { isNotFound } from '../service/transfers/transfer-parts';
import { DueTimer } from './due-timer';

/** How far ahead the store is looked through, and how often, ms. The difference is the time a slow look may take. */
const AHEAD_MS = 15_000;
const LOOK_MS = 5000;
/** Runs taken per look. */
const LOOK_LIMIT = 5000;
/** What failed is tried again after this long, ms. */
const RETRY_MS = 1000;

export interface DueRunsParts {
  store: Store;
  engine: Engine;
  runs: RunRegistry;
  /** Hands out all unstarted tasks of a run. */
  redispatch(t: Transition, change: Change): void;
  /** Does what the run owes to other runs. */
  followAll(run: RunHandle): void;
}

export class DueRuns {
  private readonly timer: DueTimer;
  /** Runs whose work is to be found again from their durable state. */
  private readonly lostRuns = new Set<string>();
  private readonly recovering = new Set<string>();
  private lookTimer: NodeJS.Timeout | null = null;
  private looking = false;
  /** Something happened while a look was under way. */
  private lookAtOnce = false;
  private readonly stopNotices: () => void;
  private closed = false;

  constructor(private readonly parts: DueRunsParts) {
    this.timer = new DueTimer(parts.store, (runId) => this.fire(runId, false));
    this.stopNotices = parts.store.onNotice(({ kind }) => {
      // What a dead process had is free now.
      if (kind !== 'processDied' && kind !== 'missed') return;
      this.lookAtOnce = this.looking;
      void this.look();
    });
  }

  start(): void {
    void this.look();
  }

  /** A run has committed: its next due time, if it is near. */
  committed(run: RunHandle): void {
    if (run.gone) this.timer.forget(run.runId);
    else if (run.dueAtMs > 0 && run.dueAtMs <= this.parts.store.nowMs() + AHEAD_MS) {
      this.timer.plan(run.runId, run.dueAtMs);
    }
  }

  /** The clock was moved to where that run is due. */
  dueAt(runId: string, dueAtMs: number): void {
    this.timer.plan(runId, dueAtMs);
    this.timer.rearm();
  }

  /** Memory of the run was given up: look what its durable state needs. */
  lost(runId: string): void {
    if (this.closed) return;
    this.lostRuns.add(runId);
    this.recover(runId);
  }

  /** Some work of the run could not be done: try again soon. */
  later(runId: string): void {
    if (this.closed) return;
    this.lostRuns.add(runId);
    setTimeout(() => this.recover(runId), RETRY_MS).unref();
  }

  close(): void {
    this.closed = true;
    this.stopNotices();
    this.timer.close();
    if (this.lookTimer !== null) clearTimeout(this.lookTimer);
  }

  /** Does what is due in a run. `withStartedEvent`: a run that ends by its timeout may go on in a new one, made from that event. */
  private fire(runId: string, withStartedEvent: boolean): void {
    const { runs, store } = this.parts;
    // Found by looking when it is down.
    if (store.fence.raised) return;
    const loaded = runs.loaded(runId);
    if (loaded?.gone === true) return;
    // Often what was waited for has happened long ago: then only the next due time is to be planned.
    if (loaded !== undefined && this.planNext(loaded.state)) return;
    const beats = loaded === undefined || hasStartedActivity(loaded.state);
    let needsStarted = false;
    runs
      .change(
        runId,
        (t, change, startedEvent) => {
          if (this.servedElsewhere(change.run.owner) || this.planNext(t.state)) return change.unchanged();
          if (startedEvent === undefined && endsByTimeout(t.state, t.ctx.nowMs)) {
            needsStarted = true;
            return change.unchanged();
          }
          this.fireDue(t, startedEvent);
        },
        beats || withStartedEvent ? { needsStartedEvent: withStartedEvent, needsHeartbeats: beats } : undefined,
      )
      .then(
        () => {
          if (needsStarted) this.fire(runId, true);
        },
        (error: unknown) => {
          if (!isNotFound(error) && !isHeld(error) && !this.closed) this.timer.plan(runId, store.nowMs() + RETRY_MS);
        },
      );
  }

  private fireDue(t: Transition, startedEvent: HistoryEvent | undefined): void {
    this.parts.engine.fireDue(t, {
      startedEvent: () => {
        if (startedEvent === undefined) throw new Error(`the Started event of run ${t.state.runId} was not fetched`);
        return startedEvent;
      },
    });
  }

  /** True when nothing is due now; what is due soon is planned. */
  private planNext(state: RunState): boolean {
    const now = this.parts.store.nowMs();
    const dueAtMs = this.parts.engine.nextDue(state);
    if (dueAtMs > 0 && dueAtMs <= now) return false;
    if (dueAtMs > 0 && dueAtMs <= now + AHEAD_MS) this.timer.plan(state.runId, dueAtMs);
    return true;
  }

  /** Takes from the store what becomes due soon and what is overdue: also what dead processes left, which is made due when they are found. */
  private async look(): Promise<void> {
    if (this.looking || this.closed || this.parts.store.fence.raised) return;
    this.looking = true;
    if (this.lookTimer !== null) clearTimeout(this.lookTimer);
    let again = LOOK_MS;
    const { store, runs } = this.parts;
    try {
      const now = store.nowMs();
      const rows = await store.dueRuns(now + AHEAD_MS, LOOK_LIMIT);
      for (const { runId, dueAtMs } of rows) {
        if (dueAtMs > now) this.timer.plan(runId, dueAtMs);
        else if (runs.loaded(runId)?.dirty !== true) this.lostRuns.add(runId);
      }
      if (rows.length === LOOK_LIMIT && rows[LOOK_LIMIT - 1]!.dueAtMs <= now) again = 100;
    } catch {
      // The database is away; the next look finds the same.
    }
    for (const runId of this.lostRuns) this.recover(runId);
    if (this.lookAtOnce) again = 0;
    this.looking = this.lookAtOnce = false;
    if (!this.closed) this.lookTimer = setTimeout(() => void this.look(), again).unref();
  }

  /** Finds what a run needs from its durable state: due times, unstarted tasks, work for other runs. Leaves runs of other live processes alone. */
  private recover(runId: string): void {
    const { runs } = this.parts;
    if (this.closed || this.recovering.has(runId) || this.parts.store.fence.raised) return;
    this.recovering.add(runId);
    runs
      .change(
        runId,
        (t, change, startedEvent) => {
          if (this.servedElsewhere(change.run.owner)) return change.unchanged();
          const running = t.state.status === Status.Running;
          if (running && !this.planNext(t.state)) this.fireDue(t, startedEvent);
          this.parts.redispatch(t, change);
          if (owesWork(t.state)) {
            change.keepsWork();
            change.afterCommit(() => this.parts.followAll(change.run));
          }
          // Committed even when nothing was found: the due time of the row may be an old one.
        },
        { allowClosed: true, needsStartedEvent: true, needsHeartbeats: true },
      )
      .then(
        () => this.lostRuns.delete(runId),
        (error: unknown) => {
          if (isNotFound(error) || isHeld(error)) this.lostRuns.delete(runId);
        },
      )
      .finally(() => this.recovering.delete(runId));
  }

  private servedElsewhere(owner: string | null): boolean {
    const { store } = this.parts;
    return owner !== null && owner !== store.processId && store.liveProcesses().some(({ id }) => id === owner);
  }
}

const expired = (atMs: number, nowMs: number): boolean => atMs > 0 && atMs <= nowMs;
const endsByTimeout = (state: RunState, nowMs: number): boolean =>
  expired(state.runExpiresAtMs, nowMs) || expired(state.executionExpiresAtMs, nowMs);

function hasStartedActivity(state: RunState): boolean {
  for (const id in state.activities) if (state.activities[id]!.startedAtMs !== 0) return true;
  return false;
}

/** Is something to be done for other runs? */
export function owesWork(state: RunState): boolean {
  if (state.status !== Status.Running) return state.obligations.length > 0;
  if (Object.keys(state.externals).length > 0) return true;
  return Object.values(state.children).some((child) => child.startedEventId === 0);
}
