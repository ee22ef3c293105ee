/** A process killed in the middle of a batch: another one does the rest, and nothing is done twice. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';
import { int64 } from '../../shim/common/proto-values';
import type { Service } from '../../shim/service/types';
import { afterTest, freshSchema, sql, type TestSchema } from '../support/database';
import { ctx, eventually, historyOf, startWorkflow } from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

const ids = Array.from({ length: 60 }, (_, i) => `wf${i}`);

test('signals reach each workflow once', async () => {
  const { database, service } = await killedInBatch(
    { signalOperation: { signal: 's', identity: 'me' } },
    ({ schema }) =>
      sql(`SELECT FROM "${schema}".history_events WHERE event_type = 'WorkflowExecutionSignaled' LIMIT 10`),
  );
  const signals = await sql<{ n: number; ids: number }>(
    `SELECT count(*)::int AS n, count(DISTINCT workflow_id)::int AS ids FROM "${database.schema}".history_events
     WHERE event_type = 'WorkflowExecutionSignaled'`,
  );
  expect(signals).toEqual([{ n: ids.length, ids: ids.length }]);
  expect((await historyOf(service, 'wf0')).length).toBe(6);
});

test('resets make one new run of each', async () => {
  const { database } = await killedInBatch({ resetOperation: { options: { firstWorkflowTask: {} } } }, ({ schema }) =>
    sql(`SELECT FROM "${schema}".executions WHERE base_run_id IS NOT NULL LIMIT 10`),
  );
  const runs = await sql<{ n: number; open: number; resets: number; bases: number }>(
    `SELECT count(*)::int AS n, count(*) FILTER (WHERE status = 1)::int AS open, count(base_run_id)::int AS resets,
       count(DISTINCT base_run_id)::int AS bases FROM "${database.schema}".executions`,
  );
  expect(runs).toEqual([{ n: 2 * ids.length, open: ids.length, resets: ids.length, bases: ids.length }]);
});

/** The process that has the job is killed once `someDone` finds ten; resolves when the job has ended. */
async function killedInBatch(
  operation: object,
  someDone: (database: TestSchema) => Promise<object[]>,
): Promise<{ database: TestSchema; service: Service }> {
  const database = freshSchema();
  const service = await testService(database);
  const worker = testWorker({ service, queue: 'q', workflows: { idle: () => [] } });
  await Promise.all(ids.map((id) => startWorkflow(service, id, 'idle', 'q')));
  await eventually(() => worker.tasks.length === ids.length);
  await worker.shutdown();
  const child = await spawn(database);
  const request = {
    namespace: 'default',
    jobId: 'job',
    reason: 'why',
    visibilityQuery: "WorkflowType = 'idle'",
    // Slow enough that the kill comes in the middle on any machine.
    maxOperationsPerSecond: 20,
    ...operation,
  };
  child.send({ method: 'startBatchOperation', request });
  expect((await once(child, 'message'))[0]).toEqual({ answer: expect.anything() as object });
  await eventually(async () => (await someDone(database)).length >= 10);
  await kill(child);
  const describe = () =>
    service.call('describeBatchOperation', { namespace: 'default', jobId: 'job' }, ctx()) as Promise<{
      state: number;
      completeOperationCount: never;
      failureOperationCount: never;
    }>;
  expect((await describe()).state).toBe(1);
  await eventually(async () => (await describe()).state !== 1, 30_000);
  const job = await describe();
  expect([job.state, int64(job.completeOperationCount), int64(job.failureOperationCount)]).toEqual([2, ids.length, 0]);
  return { database, service };
}

async function spawn(database: TestSchema): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, '../support/processes/caller.ts'), {
    env: { ...process.env, DATABASE_URL: database.url, SCHEMA: database.schema },
    execArgv: ['--import', 'tsx'],
  });
  afterTest(() => kill(child));
  await once(child, 'message');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
