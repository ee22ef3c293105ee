/**
 * Wakes schedules at their due times. Each process knows those that come soon, from a slow look-ahead in the store and from what it commits
 * itself; an idle schedule costs nothing. Of several processes one goes first, and the others find its work done.
 */
import type { ScheduleKey, Store } from '../store/types';
import type { Schedules } from '../service/schedules/schedules';
import { DueTimer } from './due-timer';

/** How far ahead the store is looked through, and how often, ms. The difference is the time a slow look may take. */
const AHEAD_MS = 15_000;
const LOOK_MS = 5000;
/** Schedules taken per look. */
const LOOK_LIMIT = 5000;
/** What each process leaves to the one before it, ms. */
const PRECEDENCE_MS = 300;
/** What failed is tried again after this long, ms. */
const RETRY_MS = 1000;

export class DueSchedules {
  private readonly timer: DueTimer;
  private readonly stopNotices: () => void;
  private lookTimer: NodeJS.Timeout | null = null;
  private looking = false;
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly schedules: Pick<Schedules, 'tick'>,
  ) {
    this.timer = new DueTimer(store, (id) => this.fire(id));
    this.stopNotices = store.onNotice((notice) => {
      if (notice.kind === 'missed') void this.look();
      if (notice.kind === 'schedule') this.planned(notice, notice.dueAtMs);
    });
  }

  start(): void {
    void this.look();
  }

  /** A schedule was committed with that due time, epoch ms; 0 = never. */
  planned(key: ScheduleKey, dueAtMs: number): void {
    if (dueAtMs > 0 && dueAtMs <= this.store.nowMs() + AHEAD_MS) this.plan(key, dueAtMs);
  }

  /** The clock was moved to where that schedule is due. */
  dueNow({ dueAtMs, ...key }: ScheduleKey & { dueAtMs: number }): void {
    this.plan(key, dueAtMs);
    this.timer.rearm();
  }

  close(): void {
    this.closed = true;
    this.stopNotices();
    this.timer.close();
    if (this.lookTimer !== null) clearTimeout(this.lookTimer);
  }

  private plan({ namespaceId, scheduleId }: ScheduleKey, dueAtMs: number): void {
    const id = `${namespaceId}/${scheduleId}`;
    this.timer.plan(id, dueAtMs + this.precedence(id) * PRECEDENCE_MS);
  }

  /** How many of the living processes go first with this schedule: another one for each. */
  private precedence(id: string): number {
    const processes = this.store.liveProcesses().map((process) => process.id);
    if (processes.length <= 1) return 0;
    processes.sort();
    let hash = 0;
    for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) >>> 0;
    const own = processes.indexOf(this.store.processId);
    return (own - (hash % processes.length) + processes.length) % processes.length;
  }

  private fire(id: string): void {
    // Found by looking when it is down.
    if (this.store.fence.raised) return;
    const slash = id.indexOf('/');
    const key = { namespaceId: Number(id.slice(0, slash)), scheduleId: id.slice(slash + 1) };
    this.schedules.tick(key).catch(() => {
      if (!this.closed) this.timer.plan(id, this.store.nowMs() + RETRY_MS);
    });
  }

  private async look(): Promise<void> {
    if (this.looking || this.closed || this.store.fence.raised) return;
    this.looking = true;
    if (this.lookTimer !== null) clearTimeout(this.lookTimer);
    let again = LOOK_MS;
    try {
      const now = this.store.nowMs();
      const due = await this.store.schedules.due(now + AHEAD_MS, LOOK_LIMIT);
      for (const { dueAtMs, ...key } of due) this.plan(key, dueAtMs);
      if (due.length === LOOK_LIMIT && due[LOOK_LIMIT - 1]!.dueAtMs <= now) again = 100;
    } catch {
      // The database is away; the next look finds the same.
    }
    this.looking = false;
    if (!this.closed) this.lookTimer = setTimeout(() => void this.look(), again).unref();
  }
}
