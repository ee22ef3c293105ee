/** Closed runs go when their namespace's retention has passed; deletion on demand. */
import { expect, test } from 'vitest';
import { Retention } from '../../shim/maintenance/retention';
import type { Service } from '../../shim/service/types';
import { connect, freshSchema, sql, type TestSchema } from '../support/database';
import {
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  scheduleActivity,
  startWorkflow,
  EventType,
  NO_ANSWER,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

const HOUR_MS = 3_600_000;

const count = async ({ schema }: TestSchema, table: string): Promise<number> =>
  (await sql<{ n: number }>(`SELECT count(*)::int AS n FROM "${schema}".${table}`))[0]!.n;

/** Moves what was closed into the past. */
const age = ({ schema }: TestSchema, ms: number, where = 'true') =>
  sql(
    `UPDATE "${schema}".executions SET start_time = start_time - make_interval(secs => $1::float8 / 1000),
       close_time = close_time - make_interval(secs => $1::float8 / 1000) WHERE close_time IS NOT NULL AND ${where}`,
    [ms],
  );

async function closedRuns(service: Service, ids: string[]): Promise<void> {
  testWorker({ service, queue: 'q', workflows: { done: () => [completeWorkflow('x')] } });
  await Promise.all(ids.map((id) => startWorkflow(service, id, 'done', 'q')));
  await Promise.all(ids.map((id) => closeEvent(service, id)));
}
const retain = (service: Service, namespace: string, hours: number) =>
  service.call(
    'updateNamespace',
    { namespace, config: { workflowExecutionRetentionTtl: { seconds: hours * 3600 } } },
    ctx(),
  );
const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `wf${i}`);

test('expired runs go with all that was kept of them, open and younger ones stay', async () => {
  const database = freshSchema();
  const service = await testService(database);
  await closedRuns(service, ids(30));
  await startWorkflow(service, 'open', 'nobody', 'nowhere');
  await retain(service, 'default', 24);
  const retention = new Retention(service.parts.store);
  expect(await retention.sweep()).toBe(0);
  await age(database, 25 * HOUR_MS, `workflow_id <> 'wf0'`);
  await age(database, 23 * HOUR_MS, `workflow_id = 'wf0'`);
  expect(await retention.sweep()).toBe(29);
  expect(await count(database, 'executions')).toBe(2);
  expect(
    (await sql<{ n: number }>(`SELECT count(DISTINCT run_id)::int AS n FROM "${database.schema}".history`))[0]!.n,
  ).toBe(2);
  await expect(historyOf(service, 'wf1')).rejects.toMatchObject({ code: 5 });
  expect(await historyOf(service, 'wf0')).not.toEqual([]);
  expect(await historyOf(service, 'open')).not.toEqual([]);
});

test('several processes do it once', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const other = await testService(database);
  await eventually(
    () => service.parts.store.liveProcesses().length === 2 && other.parts.store.liveProcesses().length === 2,
  );
  await closedRuns(service, ids(20));
  await age(database, 100 * HOUR_MS);
  const deleted = await Promise.all([service, other].map(({ parts }) => new Retention(parts.store).sweep()));
  expect([...deleted].sort((a, b) => a - b)).toEqual([0, 20]);
});

test('an open snapshot of somebody else neither stops it nor makes it read what it deleted again', async () => {
  const database = freshSchema();
  const service = await testService(database);
  await closedRuns(service, ids(250));
  await age(database, 100 * HOUR_MS);
  const reader = await connect();
  try {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await reader.query(`SELECT count(*) FROM "${database.schema}".executions`);
    const { store } = service.parts;
    const batch = (afterMs: number) => store.deleteExpired(1, afterMs, store.nowMs() - 72 * HOUR_MS, 100, 1e9);
    const first = (await batch(0))!;
    expect(first.deleted).toBe(100);
    // The deleted rows are still there for the reader; where the first batch ended, they are behind.
    expect(await blocksRead(database, first.lastCloseMs)).toBeLessThan(await blocksRead(database, 0));
    expect((await batch(first.lastCloseMs))!.deleted).toBe(100);
    expect(await new Retention(store).sweep()).toBe(50);
    // The reader still sees all of them.
    const seen = await reader.query(`SELECT count(*)::int AS n FROM "${database.schema}".executions`);
    expect(seen.rows).toEqual([{ n: 250 }]);
  } finally {
    await reader.query('ROLLBACK');
    await reader.end();
  }
});

/** Blocks that the search for expired runs touches. */
async function blocksRead({ schema }: TestSchema, afterMs: number): Promise<number> {
  const client = await connect();
  try {
    // As delete_expired sets them.
    await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off');
    const explain = () =>
      client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT e.run_id FROM "${schema}".executions e
       WHERE e.namespace_id = 1 AND coalesce(e.close_time, 'infinity'::timestamptz) >= to_timestamp(${afterMs / 1000})
         AND coalesce(e.close_time, 'infinity'::timestamptz) < clock_timestamp()
       ORDER BY coalesce(e.close_time, 'infinity'::timestamptz), e.start_time, e.run_id DESC LIMIT 1000`,
      );
    // The first time reads the catalogue as well.
    await explain();
    const { rows } = await explain();
    const { Plan: plan } = rows[0]!['QUERY PLAN'][0];
    expect(JSON.stringify(plan)).toContain('executions_in_list_order');
    return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!;
  } finally {
    await client.end();
  }
}

test('a batch ends at its number of events, but is never empty', async () => {
  const database = freshSchema();
  const service = await testService(database);
  await closedRuns(service, ids(5));
  const { store } = service.parts;
  const batch = await store.deleteExpired(1, 0, store.nowMs() + HOUR_MS, 100, 1);
  expect(batch!.deleted).toBe(1);
});

test('a deleted workflow is terminated first, its children as their policy says, and nothing of it is left', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const parent: WorkflowScript = ({ count: events }) =>
    events(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED) > 0
      ? []
      : [
          scheduleActivity('act', 1, 'q'),
          {
            commandType: 11,
            startChildWorkflowExecutionCommandAttributes: {
              workflowId: 'child',
              workflowType: { name: 'idle' },
              taskQueue: { name: 'q' },
            },
          },
        ];
  const worker = testWorker({
    service,
    queue: 'q',
    workflows: { p: parent, idle: () => [] },
    activities: { act: () => NO_ANSWER },
  });
  const runId = await startWorkflow(service, 'parent', 'p', 'q');
  await eventually(async () =>
    (await historyOf(service, 'parent')).some((e) => e.childWorkflowExecutionStartedEventAttributes),
  );
  await eventually(() => worker.activityTasks.length === 1);
  await service.call('recordActivityTaskHeartbeat', { taskToken: worker.activityTasks[0]!.taskToken }, ctx());
  await service.call(
    'signalWorkflowExecution',
    { namespace: 'default', workflowExecution: { workflowId: 'parent' }, signalName: 's', requestId: 'r' },
    ctx(),
  );
  await service.call(
    'deleteWorkflowExecution',
    { namespace: 'default', workflowExecution: { workflowId: 'parent' } },
    ctx(),
  );
  expect((await closeEvent(service, 'child')).workflowExecutionTerminatedEventAttributes).toBeTruthy();
  for (const table of ['executions', 'runs', 'history', 'tasks', 'heartbeats', 'signal_requests']) {
    const rows = await sql(`SELECT FROM "${database.schema}".${table} WHERE run_id = $1`, [runId]);
    expect([table, rows.length]).toEqual([table, 0]);
  }
  await expect(historyOf(service, 'parent')).rejects.toMatchObject({ code: 5 });
  await expect(historyOf(service, 'parent', runId)).rejects.toMatchObject({ code: 5 });
  const again = service.call(
    'deleteWorkflowExecution',
    { namespace: 'default', workflowExecution: { workflowId: 'parent' } },
    ctx(),
  );
  await expect(again).rejects.toMatchObject({ code: 5 });
});
