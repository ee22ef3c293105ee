/** The task queues that this process has seen, and what is known about pollers of other processes. */
import type { PollerInfo, Store } from '../../store/types';
import { POLLED_WINDOW_MS, type TaskKind, TaskQueue } from './task-queue';

/** Idle queues are forgotten beyond this many. */
const MAX_QUEUES = 5000;
/** How long an answer about other processes' pollers is used, ms. */
const REMOTE_TTL_MS = 2000;

export class TaskQueues {
  private readonly queues = new Map<string, TaskQueue>();
  private readonly remote = new Map<string, { at: number; pollers: PollerInfo[] }>();

  /** Puts a new queue under its limits. */
  limit: ((queue: TaskQueue) => void) | null = null;

  constructor(private readonly store: Store) {}

  get(namespaceId: number, name: string, kind: TaskKind): TaskQueue {
    const key = `${kind}/${namespaceId}/${name}`;
    let queue = this.queues.get(key);
    if (queue === undefined) {
      if (this.queues.size >= MAX_QUEUES) for (const each of this.queues.values()) if (each.idle) this.forget(each);
      this.queues.set(key, (queue = new TaskQueue(key, namespaceId, name, kind)));
      this.limit?.(queue);
    }
    return queue;
  }

  find(namespaceId: number, name: string, kind: TaskKind): TaskQueue | undefined {
    return this.queues.get(`${kind}/${namespaceId}/${name}`);
  }

  all(): IterableIterator<TaskQueue> {
    return this.queues.values();
  }

  forget(queue: TaskQueue): void {
    this.queues.delete(queue.key);
  }

  get alone(): boolean {
    return this.store.liveProcesses().length <= 1;
  }

  /** Has another process a poller there, as far as is known without asking? Asks for the next time. */
  polledElsewhere(namespaceId: number, name: string, kind: TaskKind): boolean {
    if (this.alone) return false;
    const known = this.remote.get(`${namespaceId}/${name}`);
    if (known === undefined || performance.now() - known.at > REMOTE_TTL_MS) {
      this.askElsewhere(namespaceId, name).catch(() => undefined);
    }
    return known !== undefined && this.polls(known.pollers, kind);
  }

  /** The same, asking now. */
  async isPolledElsewhere(namespaceId: number, name: string, kind: TaskKind): Promise<boolean> {
    if (this.alone) return false;
    return this.polls(await this.askElsewhere(namespaceId, name), kind);
  }

  private polls(pollers: PollerInfo[], kind: TaskKind): boolean {
    const since = this.store.nowMs() - POLLED_WINDOW_MS;
    return pollers.some(
      (poller) => poller.kind === kind && poller.processId !== this.store.processId && poller.lastPollMs >= since,
    );
  }

  private async askElsewhere(namespaceId: number, name: string): Promise<PollerInfo[]> {
    const pollers = await this.store.pollers(namespaceId, name);
    if (this.remote.size > 10_000) this.remote.clear();
    this.remote.set(`${namespaceId}/${name}`, { at: performance.now(), pollers });
    return pollers;
  }
}
