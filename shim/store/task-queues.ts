/** What limits task queues, in Postgres. See types.ts for the contract of each call. */
import { int4Array, uuidArray } from './binary-arrays';
import type { Connections } from './connections';
import { taskQueues } from './sql/task-queues';
import { prepareStatements } from './statement';
import type { KeyLimit, LimitedActivity, StoredKeyLimit, TaskQueueConfigRow, TaskQueueStore } from './task-queue-types';

interface ConfigRecord {
  namespace_id: number;
  queue: string;
  kind: 'workflow' | 'activity';
  config: string;
  version: number;
}
interface LimitRecord {
  namespace_id: number;
  queue: string;
  fairness_key: string;
  max_concurrent: number | null;
  max_per_second: number | null;
  running?: number;
}

export class PostgresTaskQueues implements TaskQueueStore {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
    private readonly processId: string,
  ) {
    this.sql = statements(schema, prepared);
  }

  async all(): Promise<{ configs: TaskQueueConfigRow[]; keyLimits: StoredKeyLimit[] }> {
    const [configs, limits] = await Promise.all([
      this.connections.query<ConfigRecord>(this.sql.configs, []),
      this.connections.query<LimitRecord>(this.sql.limits, []),
    ]);
    return { configs: configs.map(configRow), keyLimits: limits.map(limitRow) };
  }

  async config(namespaceId: number, queue: string, kind: 'workflow' | 'activity'): Promise<TaskQueueConfigRow | null> {
    const [row] = await this.connections.query<ConfigRecord>(this.sql.config, [namespaceId, queue, kind]);
    return row === undefined ? null : configRow(row);
  }

  async setConfig(row: TaskQueueConfigRow): Promise<boolean> {
    const { namespaceId, queue, kind, version, config } = row;
    const rows = await this.connections.query(this.sql.setConfig, [
      namespaceId,
      queue,
      kind,
      version,
      JSON.stringify(config),
    ]);
    return rows.length > 0;
  }

  async setKeyLimit(namespaceId: number, queue: string, fairnessKey: string, limit: KeyLimit): Promise<void> {
    const { maxConcurrent, maxPerSecond } = limit;
    const values = [namespaceId, queue, fairnessKey, maxConcurrent, maxPerSecond];
    await this.connections.query(this.sql.setLimit, values);
  }

  async removeKeyLimit(namespaceId: number, queue: string, fairnessKey: string): Promise<void> {
    await this.connections.query(this.sql.removeLimit, [namespaceId, queue, fairnessKey]);
  }

  async keyLimits(namespaceId: number, queue: string): Promise<(StoredKeyLimit & { running: number })[]> {
    const rows = await this.connections.query<LimitRecord>(this.sql.limitsOf, [namespaceId, queue]);
    return rows.map((row) => ({ ...limitRow(row), running: row.running ?? 0 }));
  }

  async takeStarts(
    namespaceId: number,
    queue: string,
    fairnessKey: string,
    perSecond: number,
    wanted: number,
  ): Promise<{ granted: number; waitMs: number }> {
    const [row] = await this.connections.query<{ granted: number; wait_ms: number }>(this.sql.takeStarts, [
      namespaceId,
      queue,
      fairnessKey,
      perSecond,
      wanted,
    ]);
    return { granted: row?.granted ?? 0, waitMs: row?.wait_ms ?? 0 };
  }

  async admit(activity: LimitedActivity, most: number): Promise<boolean> {
    const { namespaceId, queue, fairnessKey, runId, scheduledEventId, attempt } = activity;
    const values = [namespaceId, queue, fairnessKey, most, this.processId, runId, scheduledEventId, attempt];
    const [row] = await this.connections.query<{ admitted: boolean }>(this.sql.admit, values);
    return row?.admitted === true;
  }

  async leave(activities: LimitedActivity[]): Promise<void> {
    await this.connections.query(this.sql.leave, [
      uuidArray(activities.map(({ runId }) => runId)),
      int4Array(activities.map(({ scheduledEventId }) => scheduledEventId)),
      int4Array(activities.map(({ attempt }) => attempt)),
      this.processId,
    ]);
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'task_queues', taskQueues(`"${schema}"`), prepared);

function configRow({ namespace_id, queue, kind, config, version }: ConfigRecord): TaskQueueConfigRow {
  return {
    namespaceId: namespace_id,
    queue,
    kind,
    version,
    config: JSON.parse(config) as TaskQueueConfigRow['config'],
  };
}

function limitRow(row: LimitRecord): StoredKeyLimit {
  return {
    namespaceId: row.namespace_id,
    queue: row.queue,
    fairnessKey: row.fairness_key,
    maxConcurrent: row.max_concurrent,
    maxPerSecond: row.max_per_second,
  };
}
