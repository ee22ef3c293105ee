/** The fence as operators handle it: on one plain connection, which takes no lease and does no work. */
import type { Client } from 'pg';
import { migrate } from './migrate';
import { plainClient } from './plain-client';
import { checkedSchema } from './schema-name';
import { restore } from './sql/restore';

export type Decision = 'cancel' | 'hold' | 'resume';

export interface FenceStatus {
  /** System identifier and timeline on which processes have worked last. */
  ledOn: string | null;
  onNewTimeline: 'continue' | 'fence';
  /** Epoch ms; null = the fence is down. */
  raisedAtMs: number | null;
  reason: string | null;
  /** About the moment to which the database was restored, epoch ms; null = not restored. */
  restoredToMs: number | null;
  nowMs: number;
  /** Runs that are held. */
  held: number;
  /** Alive, and those of them that know of the fence. */
  processes: number;
  atFence: number;
}

/** An open run: one that was there when the fence went up, or one that is held. */
export interface RestoredRun {
  namespace: string;
  workflowId: string;
  runId: string;
  workflowType: string;
  taskQueue: string;
  startedMs: number;
  held: boolean;
  /** Null = none yet. */
  decision: Decision | null;
  waitsFor: { kind: string; name: string; state: string; untilMs: number | null }[];
  /** That are open; `startedMs` null = no worker has it. */
  activities: { activityId: string; activityType: string; attempt: number; startedMs: number | null }[];
}

export class RestoreDatabase {
  private readonly sql: ReturnType<typeof restore>;

  private constructor(
    private readonly client: Client,
    schema: string,
  ) {
    this.sql = restore(`"${schema}"`);
  }

  /**
   * `url` as in `StoreOptions`.
   * @throws DatabaseConnectionError also for a schema's name that is not plain; DatabaseOlderError, DatabaseNewerError when its tables are of another version
   */
  static async open(url: string | undefined, schema?: string): Promise<RestoreDatabase> {
    const name = checkedSchema(schema);
    const client = await plainClient(url, 'restore');
    try {
      await migrate(client, name, false);
    } catch (error) {
      await client.end();
      throw error;
    }
    return new RestoreDatabase(client, name);
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  /** All or nothing, and one at a time. */
  async exclusively<R>(work: () => Promise<R>): Promise<R> {
    await this.client.query('BEGIN');
    try {
      await this.client.query(this.sql.lock);
      const result = await work();
      await this.client.query('COMMIT');
      return result;
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async status(): Promise<FenceStatus> {
    return (await this.rows<FenceStatus>(this.sql.status))[0]!;
  }

  runs(): Promise<RestoredRun[]> {
    return this.rows<RestoredRun>(this.sql.runs);
  }

  /** Those of the runs that are here, open or closed. */
  async known(runIds: string[]): Promise<Set<string>> {
    const rows = await this.rows<{ runId: string }>(this.sql.known, [runIds]);
    return new Set(rows.map(({ runId }) => runId));
  }

  /** The activities that each of the runs' histories has scheduled, or recorded as local ones. */
  async recordedActivities(runIds: string[]): Promise<Map<string, Set<string>>> {
    const recorded = new Map<string, Set<string>>(runIds.map((runId) => [runId, new Set()]));
    for (const row of await this.rows<{ runId: string; activityId: string }>(this.sql.recorded, [runIds])) {
      recorded.get(row.runId)!.add(row.activityId);
    }
    return recorded;
  }

  /** False: it was up already. `restoredTo`: ISO 8601, null = as Postgres tells it. */
  async raise(reason: string, restoredTo: string | null): Promise<boolean> {
    return (await this.rows<{ raised: boolean }>(this.sql.raise, [reason, restoredTo]))[0]!.raised;
  }

  async setOnNewTimeline(policy: FenceStatus['onNewTimeline']): Promise<void> {
    await this.rows(this.sql.onNewTimeline, [policy]);
  }

  async decide(runIds: string[], decision: Decision, by: string): Promise<void> {
    await this.rows(this.sql.decide, [runIds, decision, by]);
  }

  async hold(runIds: string[]): Promise<void> {
    await this.rows(this.sql.hold, [runIds]);
  }

  /** Lets held ones go on; the others are passed over. */
  async free(runIds: string[]): Promise<void> {
    await this.rows(this.sql.free, [runIds]);
  }

  async cancel(runIds: string[], by: string): Promise<void> {
    await this.rows(this.sql.cancel, [runIds, by]);
  }

  /** The fence goes down; what processes had is free. */
  async release(by: string): Promise<void> {
    await this.rows(this.sql.release, [by]);
    await this.rows(this.sql.forgetDecisions);
    await this.rows(this.sql.endLeases);
    while ((await this.rows<{ done: boolean }>(this.sql.reap))[0]!.done !== true);
    await this.rows(this.sql.tell);
  }

  private async rows<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.client.query<R>(text, values)).rows;
  }
}
