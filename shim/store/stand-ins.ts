/** Runs that stand for a workflow on another engine. See migrations/0001_foundation.sql, "Runs that stand for". */
import type { Connections } from './connections';
import { standIns } from './sql/stand-ins';
import type { StandIn, StandInStore } from './stand-in-types';
import { prepareStatements } from './statement';

interface StandInRecord {
  namespace: string;
  workflow_id: string;
  run_id: string;
  engine: string;
  started_on: string;
  started_run_id: string | null;
}

export class PostgresStandIns implements StandInStore {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
  ) {
    this.sql = statements(schema, prepared);
  }

  async put({ runId, namespace, workflowId, engine, startedOn }: Omit<StandIn, 'startedRunId'>): Promise<void> {
    await this.connections.query(this.sql.put, [runId, namespace, workflowId, engine, startedOn]);
  }

  async started(runId: string, startedRunId: string): Promise<boolean> {
    return (await this.connections.query(this.sql.started, [runId, startedRunId])).length > 0;
  }

  async drop(runId: string): Promise<void> {
    await this.connections.query(this.sql.drop, [runId]);
  }

  async look(everyMs: number, limit: number): Promise<StandIn[]> {
    const rows = await this.connections.query<StandInRecord>(this.sql.look, [everyMs, limit]);
    return rows.map((row) => ({
      runId: row.run_id,
      namespace: row.namespace,
      workflowId: row.workflow_id,
      engine: row.engine,
      startedOn: row.started_on,
      startedRunId: row.started_run_id,
    }));
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'stand_ins', standIns(`"${schema}"`), prepared);
