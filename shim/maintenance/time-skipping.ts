/**
 * Moves the clock of a test environment: while somebody waits, and nothing is under way, to the next moment at which anything is due. Counts locks
 * as Temporal's test server does: one is there from the start, each running activity holds another, and each wait takes one away.
 */
import type { Engine } from '../service/engine/api';
import { Status } from '../service/engine/types';
import { Code, ServiceError } from '../service/errors';
import type { RunRegistry } from '../service/runs/registry';
import type { Matching } from '../service/types';
import type { Store } from '../store/types';
import { type DueRuns, owesWork } from './due-runs';
import type { DueSchedules } from './due-schedules';

/** What is under way and tells nobody of its end is looked at this often while somebody waits, ms. */
const LOOK_MS = 20;
/** Work that no worker has asked for in this (real) time keeps no time from being skipped, ms. */
const UNPOLLED_MS = 2000;
/** Everything that is ever due, ms ahead. */
const EVER_MS = 1000 * 366 * 86_400_000;
/** Due rows of runs are read by so many: seldom do those in memory come before all others. */
const PAGE = 16;
/** Longest that setTimeout can count, ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface TimeSkippingParts {
  store: Store;
  engine: Engine;
  runs: RunRegistry;
  matching: Pick<Matching, 'hasPoller'>;
  dueRuns: DueRuns;
  dueSchedules: DueSchedules;
}

interface Waiting {
  namespaceId: number;
  queue: string;
  kind: 'workflow' | 'activity';
}

/** Something whose time will come, and how to have it done then. */
interface Moment {
  atMs: number;
  wake(): void;
}

interface Sleeper {
  untilMs: number;
  wake(): void;
  fail(): void;
}

export class TimeSkipping {
  private locks = 1;
  private readonly sleepers = new Set<Sleeper>();
  private timer: NodeJS.Timeout | null = null;
  private looking = false;
  private lookAgain = false;
  /** performance.now() since which all that waits is work without a worker. */
  private unpolledSince: number | undefined;
  private closed = false;

  constructor(private readonly parts: TimeSkippingParts) {}

  lock(): void {
    this.locks += 1;
  }

  unlock(): void {
    this.locks -= 1;
    this.look();
  }

  /** A run has committed. */
  moved(): void {
    if (this.wanted) this.look();
  }

  /**
   * Resolves when the environment's clock shows that time (epoch ms), however it came there.
   * @throws ServiceError CANCELLED when the signal aborts or the environment is closed before
   */
  sleepUntil(untilMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        this.sleepers.delete(sleeper);
        signal?.removeEventListener('abort', fail);
      };
      const fail = (): void => {
        end();
        reject(new ServiceError(Code.CANCELLED, 'The sleep was cancelled.'));
      };
      const wake = (): void => {
        const leftMs = untilMs - this.parts.store.nowMs();
        clearTimeout(timer);
        if (leftMs > 0) timer = setTimeout(wake, Math.min(Math.ceil(leftMs), MAX_TIMEOUT_MS)).unref();
        else {
          end();
          resolve();
        }
      };
      const sleeper = { untilMs, wake, fail };
      if (this.closed || signal?.aborted === true) return fail();
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', fail);
      wake();
      this.moved();
    });
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    for (const sleeper of this.sleepers) sleeper.fail();
  }

  private get wanted(): boolean {
    return this.locks < 1 && !this.closed;
  }

  private look(): void {
    this.lookAgain = true;
    if (this.looking || !this.wanted) return;
    this.looking = true;
    if (this.timer !== null) clearTimeout(this.timer);
    void this.skipWhileIdle()
      // The database is away; the next look finds the same.
      .catch(() => undefined)
      .finally(() => {
        this.looking = false;
        if (this.wanted) this.timer = setTimeout(() => this.look(), LOOK_MS).unref();
      });
  }

  private async skipWhileIdle(): Promise<void> {
    while (this.lookAgain && this.wanted) {
      this.lookAgain = false;
      // What a commit sets off is set off first.
      await new Promise((resolve) => setImmediate(resolve));
      if (await this.skip()) this.lookAgain = true;
    }
  }

  /** True when time was skipped. */
  private async skip(): Promise<boolean> {
    const before = this.underWay();
    if (before === null || !(await this.unpolled(before))) return false;
    const { store } = this.parts;
    const ever = store.nowMs() + EVER_MS;
    const known = this.nextKnown();
    const [stored, [schedule]] = await Promise.all([
      this.nextStored(known?.atMs ?? ever),
      store.schedules.due(known?.atMs ?? ever, 1),
    ]);
    // From here on nothing can come in between; what came before is looked at anew.
    const after = this.underWay();
    if (after === null || after.length !== before.length) return false;
    const moment = this.nextKnown();
    const loaded = stored !== undefined && this.parts.runs.loaded(stored.runId) !== undefined;
    if (loaded || moment?.atMs !== known?.atMs) {
      this.lookAgain = true;
      return false;
    }
    const { dueRuns, dueSchedules } = this.parts;
    const moments = [
      moment,
      stored && { atMs: stored.dueAtMs, wake: () => dueRuns.dueAt(stored.runId, stored.dueAtMs) },
      schedule && { atMs: schedule.dueAtMs, wake: () => dueSchedules.dueNow(schedule) },
    ];
    const next = earliest(moments);
    if (next === undefined) return false;
    const aheadMs = next.atMs - store.nowMs();
    if (aheadMs > 0) store.skipTime(Math.ceil(aheadMs));
    next.wake();
    return aheadMs > 0;
  }

  /** Work that waits for a worker; null when something else is being done, or time is locked. */
  private underWay(): Waiting[] | null {
    const waiting: Waiting[] = [];
    let { locks } = this;
    for (const run of this.parts.runs.all()) {
      if (run.gone) continue;
      if (run.dirty || owesWork(run.state)) return null;
      if (run.state.status !== Status.Running) continue;
      const { workflowTask, activities } = run.state;
      const { namespaceId } = run;
      if (workflowTask !== null) {
        if (workflowTask.startedEventId !== 0) return null;
        waiting.push({ namespaceId, queue: workflowTask.taskQueue, kind: 'workflow' });
      }
      for (const id in activities) {
        const activity = activities[id]!;
        if (activity.startedAtMs !== 0) locks += 1;
        else if (!activity.backingOff && !activity.paused) {
          waiting.push({ namespaceId, queue: activity.taskQueue, kind: 'activity' });
        }
      }
    }
    return locks < 1 && !this.closed ? waiting : null;
  }

  /** Nobody has asked for any of it for a while: a test without that worker goes on all the same. */
  private async unpolled(waiting: readonly Waiting[]): Promise<boolean> {
    if (waiting.length === 0) {
      this.unpolledSince = undefined;
      return true;
    }
    for (const { namespaceId, queue, kind } of waiting) {
      if (!(await this.parts.matching.hasPoller(namespaceId, queue, kind))) continue;
      this.unpolledSince = undefined;
      return false;
    }
    this.unpolledSince ??= performance.now();
    return performance.now() - this.unpolledSince >= UNPOLLED_MS;
  }

  /** What comes next of all that is in memory; runs there are ahead of their rows. */
  private nextKnown(): Moment | undefined {
    const { runs, engine, dueRuns } = this.parts;
    const moments: Moment[] = [...this.sleepers].map((sleeper) => ({
      atMs: sleeper.untilMs,
      wake: () => sleeper.wake(),
    }));
    for (const run of runs.all()) {
      if (run.gone) continue;
      const atMs = engine.nextDue(run.state);
      if (atMs > 0) moments.push({ atMs, wake: () => dueRuns.dueAt(run.runId, atMs) });
    }
    return earliest(moments);
  }

  /** The first due run that is not in memory. */
  private async nextStored(untilMs: number): Promise<{ runId: string; dueAtMs: number } | undefined> {
    const { store, runs } = this.parts;
    for (let limit = PAGE; ; limit *= 4) {
      const rows = await store.dueRuns(untilMs, limit);
      const found = rows.find(({ runId }) => runs.loaded(runId) === undefined);
      if (found !== undefined || rows.length < limit) return found;
    }
  }
}

function earliest(moments: readonly (Moment | undefined)[]): Moment | undefined {
  return moments.reduce((a, b) => (a === undefined || (b !== undefined && b.atMs < a.atMs) ? b : a), undefined);
}
