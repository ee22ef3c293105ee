/**
 * Limits on how many activities of a fairness key run at once, over all processes. Who starts one takes a place in Postgres first
 * (`limited_activities`) and gives it up when the attempt has ended. Places of attempts that ended elsewhere are found by the next one who looks
 * for a place. Costs nothing where no such limit is set.
 */
import type { LimitedActivity } from '../../store/task-queue-types';
import type { Store } from '../../store/types';
import type { RunState } from '../engine/types';
import type { BacklogEntry } from './backlog';
import type { TaskQueue } from './task-queue';

/** A key without a free place is looked at again after this long, ms; sooner when a place is given up here. */
const LOOK_AGAIN_MS = 500;

interface Held extends LimitedActivity {
  taskQueue: TaskQueue;
}

export class Admissions {
  /** Places of this process, by run. */
  private readonly held = new Map<string, Held[]>();
  /** Keys for which a place is asked for now. */
  private readonly asking = new Set<string>();
  /** Keys that had none, until they are worth asking for again. */
  private readonly closed = new Map<string, NodeJS.Timeout>();
  private freed: Held[] = [];
  /** A place that is being given up must be gone before its attempt asks for one again. */
  private leaving: Promise<void> | null = null;

  constructor(
    private readonly store: Store,
    /** A task of the queue may be able to start now. */
    private readonly opened: (queue: TaskQueue) => void,
    private readonly announce: (queue: TaskQueue) => void,
  ) {}

  /** Has the task a place? Else asks for one, and tells when it has it or it is worth asking again. */
  admitted(queue: TaskQueue, fairnessKey: string, most: number, entry: BacklogEntry): boolean {
    if (entry.admitted) return true;
    const key = `${queue.key}/${fairnessKey}`;
    if (this.asking.has(key) || this.closed.has(key)) return false;
    this.asking.add(key);
    const { runId, scheduledEventId, attempt } = entry;
    const place = {
      namespaceId: queue.namespaceId,
      queue: queue.taskQueue,
      fairnessKey,
      runId,
      scheduledEventId,
      attempt,
    };
    this.admit(place, most).then(
      (admitted) => {
        this.asking.delete(key);
        if (!admitted) return this.lookAgain(key, queue);
        entry.admitted = true;
        const places = this.held.get(runId);
        const held = { ...place, taskQueue: queue };
        if (places === undefined) this.held.set(runId, [held]);
        else places.push(held);
        this.opened(queue);
      },
      () => {
        this.asking.delete(key);
        this.lookAgain(key, queue);
      },
    );
    return false;
  }

  /** Another process gave a place up. */
  worthAsking(queue: TaskQueue): void {
    if (this.closed.size === 0) return;
    for (const key of queue.backlog.waitingKeys()) this.reopen(`${queue.key}/${key}`);
  }

  /** The run has moved: what of it runs no more gives its place up. */
  moved(runId: string, state: RunState): void {
    if (this.held.size > 0) this.release(runId, (held) => !occupies(state, held));
  }

  /** The task goes back to the others. */
  giveUp(entry: BacklogEntry): void {
    if (!entry.admitted) return;
    entry.admitted = false;
    this.release(entry.runId, (held) => held.scheduledEventId === entry.scheduledEventId);
  }

  /** Forgets places of runs that are no longer worked on here. */
  forget(worksOn: (runId: string) => boolean): void {
    for (const runId of this.held.keys()) if (!worksOn(runId)) this.held.delete(runId);
  }

  private release(runId: string, which: (held: Held) => boolean): void {
    const places = this.held.get(runId);
    if (places === undefined) return;
    const kept = places.filter((held) => !which(held));
    if (kept.length === places.length) return;
    this.freed.push(...places.filter(which));
    if (kept.length === 0) this.held.delete(runId);
    else this.held.set(runId, kept);
    this.leaving ??= new Promise((left) => setImmediate(() => void this.releaseFreed().finally(left)));
  }

  private async admit(place: LimitedActivity, most: number): Promise<boolean> {
    await this.leaving;
    return this.store.taskQueues.admit(place, most);
  }

  private async releaseFreed(): Promise<void> {
    const queues = new Set<TaskQueue>();
    while (this.freed.length > 0) {
      const freed = this.freed;
      this.freed = [];
      // Else the next one who looks for a place finds that they are free.
      await this.store.taskQueues.leave(freed).catch(() => undefined);
      for (const { taskQueue, fairnessKey } of freed) {
        queues.add(taskQueue);
        this.reopen(`${taskQueue.key}/${fairnessKey}`);
      }
    }
    this.leaving = null;
    for (const queue of queues) {
      this.opened(queue);
      this.announce(queue);
    }
  }

  private lookAgain(key: string, queue: TaskQueue): void {
    const timer = setTimeout(() => {
      this.closed.delete(key);
      this.opened(queue);
    }, LOOK_AGAIN_MS).unref();
    this.closed.set(key, timer);
  }

  private reopen(key: string): void {
    clearTimeout(this.closed.get(key));
    this.closed.delete(key);
  }
}

/** Is that attempt running, or about to? */
function occupies(state: RunState, { scheduledEventId, attempt }: Held): boolean {
  const activity = state.activities[scheduledEventId];
  if (activity === undefined || activity.attempt !== attempt) return false;
  return activity.startedAtMs !== 0 || !(activity.backingOff || activity.paused);
}
