/** The limits of one activity queue: what may start now, of what waits for this process's pollers. */
import { effectiveWeight } from '../engine/priority';
import type { KeyLimit } from '../../store/task-queue-types';
import type { Store } from '../../store/types';
import type { Admissions } from './admissions';
import type { BacklogEntry, Gate } from './backlog';
import { SharedRate } from './shared-rate';
import type { TaskQueue } from './task-queue';

/** What limits a queue; null = nothing does. */
export interface LimitSettings {
  /** Of the whole queue: by its configuration, else as its workers ask. */
  startsPerSecond: number | null;
  /** Of each fairness key, times its weight. */
  keyStartsPerSecond: number | null;
  /** Weights that count in place of the tasks' own. */
  weights: Record<string, number>;
  /** By fairness key; `*` for each key that has no limit of its own. */
  keyLimits: ReadonlyMap<string, KeyLimit>;
}

/** Keys whose rates are kept. */
const MAX_KEYS = 10_000;
/** The row of the whole queue among those of its keys: no key is that long. */
const WHOLE_QUEUE = '*'.repeat(65);

export class QueueLimits {
  private whole: SharedRate | null = null;
  private readonly byKey = new Map<string, SharedRate>();
  private settings!: LimitSettings;

  constructor(
    private readonly queue: TaskQueue,
    private readonly store: Store,
    private readonly admissions: Admissions,
    private readonly opened: (queue: TaskQueue) => void,
    settings: LimitSettings,
  ) {
    this.configure(settings);
  }

  configure(settings: LimitSettings): void {
    this.settings = settings;
    const { startsPerSecond } = settings;
    if (startsPerSecond === null) this.whole = null;
    else if (this.whole === null) this.whole = this.rate(WHOLE_QUEUE, startsPerSecond);
    else this.whole.rate = startsPerSecond;
  }

  /** Nothing keeps the queue as a whole from starting a task. */
  get open(): boolean {
    return this.whole?.ready(this.queue.backlog.length) ?? true;
  }

  /** The next task that may start, out of the backlog and counted. */
  take(): BacklogEntry | undefined {
    if (this.queue.backlog.length === 0 || !this.open) return undefined;
    const entry = this.queue.backlog.take(this.gate);
    if (entry === undefined) return undefined;
    this.whole?.spend();
    this.keyRate(entry)?.spend();
    return entry;
  }

  /** It did not start: what it was counted as is free again. Its place it keeps. */
  giveBack(entry: BacklogEntry): void {
    this.whole?.giveBack();
    this.keyRate(entry)?.giveBack();
  }

  private readonly gate: Gate = (fairnessKey, first) => {
    if (this.keyRate(first)?.ready(this.queue.backlog.length) === false) return false;
    const most = this.limitOf(fairnessKey)?.maxConcurrent ?? null;
    return most === null || this.admissions.admitted(this.queue, fairnessKey, most, first);
  };

  private limitOf(fairnessKey: string): KeyLimit | undefined {
    const { keyLimits } = this.settings;
    // Tasks without a key belong to nobody: only a limit of their own counts for them.
    return keyLimits.get(fairnessKey) ?? (fairnessKey === '' ? undefined : keyLimits.get('*'));
  }

  private keyRate({ place }: BacklogEntry): SharedRate | undefined {
    const { fairnessKey, weight } = place;
    const { keyStartsPerSecond, weights } = this.settings;
    let perSecond = this.limitOf(fairnessKey)?.maxPerSecond ?? null;
    if (perSecond === null && keyStartsPerSecond !== null) {
      perSecond = keyStartsPerSecond * effectiveWeight(weights[fairnessKey] ?? weight);
    }
    if (perSecond === null) return undefined;
    let rate = this.byKey.get(fairnessKey);
    if (rate === undefined) {
      if (this.byKey.size >= MAX_KEYS) this.byKey.clear();
      this.byKey.set(fairnessKey, (rate = this.rate(fairnessKey, perSecond)));
    } else rate.rate = perSecond;
    return rate;
  }

  private rate(fairnessKey: string, perSecond: number): SharedRate {
    const { queue, store } = this;
    return new SharedRate(
      perSecond,
      (rate, wanted) => store.taskQueues.takeStarts(queue.namespaceId, queue.taskQueue, fairnessKey, rate, wanted),
      () => this.opened(queue),
    );
  }
}
