/** Which runs a patch is still needed for, read by SQL. */
import { expect, test } from 'vitest';
import { freshSchema, sql } from '../support/database';
import {
  CommandType,
  type WorkflowScript,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  payloads,
  startWorkflow,
  text,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

const marker = (id: string, deprecated: boolean) => ({
  commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName: 'core_patch', details: { 'patch-data': payloads({ id, deprecated }) } },
});
const upsert = (...ids: string[]) => ({
  commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  upsertWorkflowSearchAttributesCommandAttributes: {
    searchAttributes: { indexedFields: { TemporalChangeVersion: text(ids) } },
  },
});

test('open runs with a patch and without it are told apart', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const workflows: Record<string, WorkflowScript> = {
    charge: ({ task }) => {
      switch (task.workflowExecution!.workflowId) {
        case 'patched':
          return [marker('tax', false), upsert('tax')];
        case 'both':
          return [marker('tax', true), upsert('tax'), marker('fee', false), upsert('fee', 'tax')];
        case 'closed':
          return [marker('tax', false), upsert('tax'), completeWorkflow('done')];
        default:
          return [];
      }
    },
  };
  testWorker({ service, queue: 'q', workflows });
  for (const id of ['old', 'patched', 'both', 'closed']) await startWorkflow(service, id, 'charge', 'q');
  await startWorkflow(service, 'other', 'refund', 'nobody');
  await closeEvent(service, 'closed');
  const schema = `"${database.schema}"`;
  await eventually(async () => {
    const done = await sql(`SELECT FROM ${schema}.history_events WHERE event_type = 'WorkflowTaskCompleted'`);
    return done.length === 4;
  });
  const patched = await sql(
    `SELECT workflow_id, patch_id, deprecated, status FROM ${schema}.patched_runs ORDER BY workflow_id, patch_id`,
  );
  expect(patched).toEqual([
    { workflow_id: 'both', patch_id: 'fee', deprecated: false, status: 'Running' },
    { workflow_id: 'both', patch_id: 'tax', deprecated: true, status: 'Running' },
    { workflow_id: 'closed', patch_id: 'tax', deprecated: false, status: 'Completed' },
    { workflow_id: 'patched', patch_id: 'tax', deprecated: false, status: 'Running' },
  ]);
  const without = async (patch: string) => {
    const found = await sql<{ workflow_id: string }>(
      `SELECT workflow_id FROM ${schema}.runs_without_patch('default', 'charge', $1) ORDER BY workflow_id`,
      [patch],
    );
    return found.map((row) => row.workflow_id);
  };
  expect([await without('tax'), await without('fee')]).toEqual([['old'], ['old', 'patched']]);
  const listed = (await service.call(
    'countWorkflowExecutions',
    { namespace: 'default', query: "TemporalChangeVersion = 'tax' AND ExecutionStatus = 'Running'" },
    ctx(),
  )) as { count: unknown };
  expect(String(listed.count)).toBe('2');
});
