/** What is configured for task queues, as this process last read it: UpdateTaskQueueConfig's settings and the limits per fairness key. */
import type { temporal } from '@temporalio/proto';
import type { KeyLimit } from '../../store/task-queue-types';
import type { Store } from '../../store/types';
import type { LimitSettings } from './queue-limits';
import type { TaskQueue } from './task-queue';

export type TaskQueueConfig = temporal.api.taskqueue.v1.ITaskQueueConfig;

/** Read again after this long, should no notice come (somebody wrote to the tables), ms. */
const REFRESH_MS = 30_000;
const REFRESH_POLLING_MS = 5000;

/** All versions of a task queue have one configuration. */
const keyOf = ({ kind, namespaceId, taskQueue }: TaskQueue): string => `${kind}/${namespaceId}/${taskQueue}`;

const NO_LIMITS: ReadonlyMap<string, KeyLimit> = new Map();

export class QueueConfigs {
  private configs = new Map<string, TaskQueueConfig>();
  private keyLimits = new Map<string, Map<string, KeyLimit>>();
  private readAt = -Infinity;
  private reading: Promise<void> | null = null;

  constructor(
    private readonly store: Store,
    private readonly changed: () => void,
  ) {}

  /** Undefined once they were read; until then the promise that they are. It may be left alone: a failure that nobody waits for is read away. */
  unread(): Promise<void> | undefined {
    if (this.readAt !== -Infinity) return undefined;
    const reading = this.read();
    // Who asks first waits for something else, and may give up there.
    reading.catch(() => undefined);
    return reading;
  }

  refreshIfOld(): void {
    const old = this.store.listening ? REFRESH_MS : REFRESH_POLLING_MS;
    if (this.readAt !== -Infinity && performance.now() - this.readAt > old) this.read().catch(() => undefined);
  }

  read(): Promise<void> {
    this.reading ??= this.readAll().finally(() => (this.reading = null));
    return this.reading;
  }

  /** What limits the queue; null = nothing. */
  settingsOf(queue: TaskQueue): LimitSettings | null {
    if (queue.kind !== 'activity') return null;
    const config = this.configs.get(keyOf(queue));
    const keyLimits = this.keyLimits.get(keyOf(queue)) ?? NO_LIMITS;
    const startsPerSecond = config?.queueRateLimit?.rateLimit?.requestsPerSecond ?? queue.workerRate;
    const keyStartsPerSecond = config?.fairnessKeysRateLimitDefault?.rateLimit?.requestsPerSecond ?? null;
    if (startsPerSecond === null && keyStartsPerSecond === null && keyLimits.size === 0) return null;
    return { startsPerSecond, keyStartsPerSecond, weights: this.weightsOf(queue), keyLimits };
  }

  weightsOf(queue: TaskQueue): Record<string, number> {
    return this.configs.get(keyOf(queue))?.fairnessWeightOverrides ?? {};
  }

  private async readAll(): Promise<void> {
    const { configs, keyLimits } = await this.store.taskQueues.all();
    this.configs = new Map(configs.map((row) => [`${row.kind}/${row.namespaceId}/${row.queue}`, row.config]));
    this.keyLimits = new Map();
    for (const limit of keyLimits) {
      const key = `activity/${limit.namespaceId}/${limit.queue}`;
      const limits = this.keyLimits.get(key);
      if (limits === undefined) this.keyLimits.set(key, new Map([[limit.fairnessKey, limit]]));
      else limits.set(limit.fairnessKey, limit);
    }
    this.readAt = performance.now();
    this.changed();
  }
}
