/** Worker deployments in Postgres. See types.ts for the contract of each call. */
import type { DeploymentState } from '../service/engine/deployments/types';
import { int4Array, int8Array, textArray } from './binary-arrays';
import type { Connections } from './connections';
import { fromJson, toJson } from './json';
import { deployments } from './sql/deployments';
import { prepareStatements } from './statement';
import type { DeploymentKey, DeploymentStore, LoadedDeployment, WaitingQueue, WaitingTask } from './types';

interface DeploymentRecord {
  namespace_id: number;
  name: string;
  version: number;
  state: string;
}

interface WaitingRecord {
  id: string;
  queue: string;
  kind: 'workflow' | 'activity';
  run_id: string;
  scheduled_event_id: number;
  attempt: number;
}

const loaded = ({ namespace_id, version, state }: DeploymentRecord): LoadedDeployment => ({
  namespaceId: namespace_id,
  version,
  state: fromJson<DeploymentState>(state),
});

export class PostgresDeployments implements DeploymentStore {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
  ) {
    this.sql = statements(schema, prepared);
  }

  async all(): Promise<LoadedDeployment[]> {
    return (await this.connections.query<DeploymentRecord>(this.sql.all, [])).map(loaded);
  }

  async load({ namespaceId, name }: DeploymentKey): Promise<LoadedDeployment | null> {
    const [row] = await this.connections.query<DeploymentRecord>(this.sql.load, [namespaceId, name]);
    return row === undefined ? null : loaded(row);
  }

  async create(namespaceId: number, state: DeploymentState): Promise<boolean> {
    const rows = await this.connections.query(this.sql.create, [namespaceId, state.name, toJson(state)]);
    return rows.length > 0;
  }

  async change({ namespaceId, state, version }: LoadedDeployment): Promise<boolean> {
    const rows = await this.connections.query(this.sql.change, [namespaceId, state.name, version, toJson(state)]);
    return rows.length > 0;
  }

  async remove({ namespaceId, state, version }: LoadedDeployment): Promise<boolean> {
    return (await this.connections.query(this.sql.remove, [namespaceId, state.name, version])).length > 0;
  }

  async hasPinnedRuns(namespaceId: number, version: string): Promise<boolean> {
    const [row] = await this.connections.query<{ found: boolean }>(this.sql.hasPinnedRuns, [namespaceId, version]);
    return row?.found === true;
  }

  async waiting(queues: WaitingQueue[], limitOfEach: number): Promise<WaitingTask[]> {
    const rows = await this.connections.query<WaitingRecord>(this.sql.waiting, [
      int4Array(queues.map(({ namespaceId }) => namespaceId)),
      textArray(queues.map(({ queue }) => queue)),
      textArray(queues.map(({ kind }) => kind)),
      int8Array(queues.map(({ afterId }) => Number(afterId))),
      limitOfEach,
    ]);
    return rows.map(({ run_id, scheduled_event_id, ...row }) => ({
      ...row,
      runId: run_id,
      scheduledEventId: scheduled_event_id,
    }));
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'deployments', deployments(`"${schema}"`), prepared);
