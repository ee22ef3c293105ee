/** Batch operations in Postgres. See types.ts for the contract of each call. */
import type { Connections } from './connections';
import { fromJson, toJson } from './json';
import { batchJobs } from './sql/batch-jobs';
import { prepareStatements } from './statement';
import type { BatchItem, BatchJob, BatchJobKey, BatchJobStore, BatchTarget } from './batch-job-types';

interface JobRecord {
  namespace_id: number;
  job_id: string;
  state: number;
  type: number;
  operation: string;
  query: string;
  reason: string;
  identity: string;
  operations_per_second: number;
  started_ms: number;
  closed_ms: number;
  page_token: Uint8Array | null;
  listed: boolean;
  total: number;
  completed: number;
  failed: number;
}

const jobOf = (record: JobRecord): BatchJob => ({
  namespaceId: record.namespace_id,
  jobId: record.job_id,
  state: record.state,
  type: record.type,
  operation: fromJson(record.operation) as object,
  query: record.query,
  reason: record.reason,
  identity: record.identity,
  operationsPerSecond: record.operations_per_second,
  startedMs: record.started_ms,
  closedMs: record.closed_ms,
  pageToken: record.page_token,
  listed: record.listed,
  total: record.total,
  completed: record.completed,
  failed: record.failed,
});

const idsOf = (targets: BatchTarget[]): [string[], string[]] => [
  targets.map(({ workflowId }) => workflowId),
  targets.map(({ runId }) => runId),
];

export class PostgresBatchJobs implements BatchJobStore {
  private readonly sql;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
    private readonly processId: string,
  ) {
    this.sql = prepareStatements(schema, 'batch_jobs', batchJobs(`"${schema}"`), prepared);
  }

  async start(
    job: Pick<BatchJob, 'type' | 'operation' | 'query' | 'reason' | 'identity' | 'operationsPerSecond'> & BatchJobKey,
    targets: BatchTarget[] | null,
  ): Promise<'started' | 'exists' | 'busy'> {
    const [row] = await this.connections.query<{ started: boolean; there: boolean }>(this.sql.start, [
      job.namespaceId,
      job.jobId,
      job.type,
      toJson(job.operation),
      job.query,
      job.reason,
      job.identity,
      job.operationsPerSecond,
      ...(targets === null ? [null, null] : idsOf(targets)),
    ]);
    if (row?.started === true) return 'started';
    return row?.there === true ? 'exists' : 'busy';
  }

  async load({ namespaceId, jobId }: BatchJobKey): Promise<BatchJob | null> {
    const [row] = await this.connections.query<JobRecord>(this.sql.load, [namespaceId, jobId]);
    return row === undefined ? null : jobOf(row);
  }

  async list(
    namespaceId: number,
    limit: number,
    after: { startedMs: number; jobId: string } | null,
  ): Promise<BatchJob[]> {
    const values = [namespaceId, limit, after?.startedMs ?? null, after?.jobId ?? null];
    return (await this.connections.query<JobRecord>(this.sql.list, values)).map(jobOf);
  }

  async claim(working: BatchJobKey[]): Promise<BatchJob | null> {
    const [row] = await this.connections.query<JobRecord>(this.sql.claim, [
      this.processId,
      working.map(({ namespaceId }) => namespaceId),
      working.map(({ jobId }) => jobId),
    ]);
    return row === undefined ? null : jobOf(row);
  }

  async release(key: BatchJobKey): Promise<void> {
    await this.connections.query(this.sql.release, this.mine(key));
  }

  async addItems(key: BatchJobKey, targets: BatchTarget[], pageToken: Uint8Array | null): Promise<boolean> {
    const values = [...this.mine(key), ...idsOf(targets), pageToken];
    return (await this.connections.query(this.sql.addItems, values)).length > 0;
  }

  async items({ namespaceId, jobId }: BatchJobKey, afterPosition: number, limit: number): Promise<BatchItem[]> {
    const rows = await this.connections.query<{ position: number; workflow_id: string; run_id: string }>(
      this.sql.items,
      [namespaceId, jobId, afterPosition, limit],
    );
    return rows.map((row) => ({ position: row.position, workflowId: row.workflow_id, runId: row.run_id }));
  }

  async finish(key: BatchJobKey, fates: { position: number; error: string | null }[]): Promise<boolean> {
    const done = fates.filter(({ error }) => error === null).map(({ position }) => position);
    const bad = fates.filter(({ error }) => error !== null);
    const values = [...this.mine(key), done, bad.map(({ position }) => position), bad.map(({ error }) => error)];
    return (await this.connections.query(this.sql.finish, values)).length > 0;
  }

  async complete(key: BatchJobKey): Promise<void> {
    await this.connections.query(this.sql.complete, this.mine(key));
  }

  async stop({ namespaceId, jobId }: BatchJobKey): Promise<boolean> {
    return (await this.connections.query(this.sql.stop, [namespaceId, jobId])).length > 0;
  }

  async deleteClosed(namespaceId: number, beforeMs: number): Promise<number> {
    return (await this.connections.query(this.sql.deleteClosed, [namespaceId, beforeMs])).length;
  }

  private mine({ namespaceId, jobId }: BatchJobKey): [number, string, string] {
    return [namespaceId, jobId, this.processId];
  }
}
