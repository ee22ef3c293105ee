/**
 * Work that waits for one version of a worker deployment and belongs to another one by now: after a change of routing, and from time to time,
 * for what a process wrote that did not know of the change yet.
 */
import type { DeploymentStore, Store, WaitingTask, WaitingQueue } from '../../store/types';
import type { ChangedQueue } from '../deployments/deployments';
import type { RunRegistry } from '../runs/registry';
import type { Dispatcher } from './dispatcher';
import { parseVersion } from '../engine/versioning/version';
import { physicalName } from './physical-queue';
import type { TaskQueues } from './queues';

const SWEEP_MS = 30_000;
const SECOND_LOOK_MS = 1000;
/** Rows of each queue looked at in one statement. */
const ROWS_AT_ONCE = 100;

export interface ReroutingParts {
  store: Pick<Store, 'dropTasks'> & { readonly deployments: DeploymentStore };
  runs: RunRegistry;
  queues: TaskQueues;
  dispatcher: Dispatcher;
  /** Task queues that versions have polled, each with the versions. */
  versionedQueues(): (ChangedQueue & { versions: Iterable<string> })[];
}

export class Rerouting {
  private sweeper: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;
  private closed = false;

  constructor(private readonly parts: ReroutingParts) {}

  /** `own`: this process made the change, and looks after the rows. */
  changed(changed: ChangedQueue[], own: boolean): void {
    if (this.closed) return;
    const keys = new Set(changed.map(keyOf));
    for (const queue of this.parts.queues.all()) {
      const { namespaceId, kind } = queue;
      if (queue.backlog.length === 0 || !keys.has(keyOf({ namespaceId, kind, name: queue.taskQueue }))) continue;
      this.parts.dispatcher.reoffer(queue);
    }
    if (own) {
      const look = (): void => void this.look(this.named((key) => keys.has(key))).catch(() => undefined);
      look();
      // What was decided before is committed by then.
      setTimeout(look, SECOND_LOOK_MS).unref();
    }
    this.start();
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.sweeper !== null) clearInterval(this.sweeper);
    await this.sweeping;
  }

  private start(): void {
    if (this.sweeper !== null) return;
    this.sweeper = setInterval(() => {
      this.sweeping ??= this.look(this.named(() => true))
        .catch(() => undefined)
        .finally(() => (this.sweeping = null));
    }, SWEEP_MS);
    this.sweeper.unref();
  }

  /** The physical queues behind those task queues. */
  private named(which: (key: string) => boolean): WaitingQueue[] {
    const named: WaitingQueue[] = [];
    for (const { namespaceId, name, kind, versions } of this.parts.versionedQueues()) {
      if (!which(keyOf({ namespaceId, name, kind }))) continue;
      named.push({ namespaceId, queue: name, kind, afterId: '0' });
      for (const version of versions) {
        const queue = physicalName(name, parseVersion(version));
        named.push({ namespaceId, queue, kind, afterId: '0' });
      }
    }
    return named;
  }

  private async look(queues: WaitingQueue[]): Promise<void> {
    for (let left = queues; left.length > 0 && !this.closed;) {
      const rows = await this.parts.store.deployments.waiting(left, ROWS_AT_ONCE);
      for (const row of rows) await this.reroute(row);
      left = left.flatMap((queue) => {
        const seen = rows.filter((row) => row.queue === queue.queue && row.kind === queue.kind);
        return seen.length < ROWS_AT_ONCE ? [] : [{ ...queue, afterId: seen.at(-1)!.id }];
      });
    }
  }

  private async reroute(row: WaitingTask): Promise<void> {
    const { runs, dispatcher, store } = this.parts;
    const gone = await runs
      .change(row.runId, (t, change) => {
        const target = dispatcher.queueOf(t, change.namespaceId, row);
        if (target === undefined || target.name === row.queue) {
          change.unchanged();
          return target === undefined;
        }
        dispatcher.offer(t, change, row);
        change.doneTask(row.id);
        return false;
      })
      .catch(() => false);
    if (gone) await store.dropTasks([row.id]).catch(() => undefined);
  }
}

const keyOf = ({ namespaceId, name, kind }: ChangedQueue): string => `${namespaceId}/${kind}/${name}`;
