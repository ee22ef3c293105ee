/** What limits task queues, as it is kept. */
import type { temporal } from '@temporalio/proto';

/** Limits of one fairness key on an activity queue; null = none. */
export interface KeyLimit {
  /** Attempts that run at once, over all processes. */
  maxConcurrent: number | null;
  /** Starts per second, over all processes. */
  maxPerSecond: number | null;
}
export interface StoredKeyLimit extends KeyLimit {
  namespaceId: number;
  queue: string;
  /** `*` = each key without a limit of its own. */
  fairnessKey: string;
}

/** An attempt of an activity whose fairness key has a limit on concurrency. */
export interface LimitedActivity {
  namespaceId: number;
  queue: string;
  fairnessKey: string;
  runId: string;
  scheduledEventId: number;
  attempt: number;
}

export interface TaskQueueConfigRow {
  namespaceId: number;
  queue: string;
  kind: 'workflow' | 'activity';
  /** 0 = there was none. */
  version: number;
  config: temporal.api.taskqueue.v1.ITaskQueueConfig;
}

/** What limits task queues (the tables after `task_queue_configs` in migrations/0001_foundation.sql). */
export interface TaskQueueStore {
  all(): Promise<{ configs: TaskQueueConfigRow[]; keyLimits: StoredKeyLimit[] }>;
  config(namespaceId: number, queue: string, kind: 'workflow' | 'activity'): Promise<TaskQueueConfigRow | null>;
  /** False when another version is there than the given one. */
  setConfig(row: TaskQueueConfigRow): Promise<boolean>;
  setKeyLimit(namespaceId: number, queue: string, fairnessKey: string, limit: KeyLimit): Promise<void>;
  removeKeyLimit(namespaceId: number, queue: string, fairnessKey: string): Promise<void>;
  /** With how many attempts of each key have a place. */
  keyLimits(namespaceId: number, queue: string): Promise<(StoredKeyLimit & { running: number })[]>;
  /** Takes up to `wanted` of the starts that are allowed now. */
  takeStarts(
    namespaceId: number,
    queue: string,
    fairnessKey: string,
    perSecond: number,
    wanted: number,
  ): Promise<{ granted: number; waitMs: number }>;
  /** Gives the attempt one of the `most` places of its key, if one is free; it may ask again. */
  admit(activity: LimitedActivity, most: number): Promise<boolean>;
  leave(activities: LimitedActivity[]): Promise<void>;
}
