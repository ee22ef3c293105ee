import { expect, test } from 'vitest';
import { Restore } from '../../shim/service/restore/restore';
import type { Service } from '../../shim/service/types';
import { RestoreDatabase } from '../../shim/store/restore';
import { afterTest, freshSchema, sql, type TestSchema } from '../support/database';
import {
  CommandType,
  EventType,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  payloads,
  scheduleActivity,
  startTimer,
  startWorkflow,
  type PollingWorker,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

/** A timer, then an activity. */
const timed: WorkflowScript = ({ count }) => {
  if (count(EventType.EVENT_TYPE_TIMER_STARTED) === 0) return [startTimer('t', 0.3)];
  if (count(EventType.EVENT_TYPE_TIMER_FIRED) === 0) return [];
  if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) return [scheduleActivity('act', 1, 'q')];
  return count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) === 1 ? [completeWorkflow('done')] : [];
};
/** Waits for a signal; ends as cancelled when it is to. */
const waits: WorkflowScript = ({ count, history }) => {
  if (count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) > 0) {
    return [
      {
        commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
        cancelWorkflowExecutionCommandAttributes: {},
      },
    ];
  }
  const ends = history.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'end');
  return ends ? [completeWorkflow('signalled')] : [];
};
const workflows = { timed, waits };

async function operator(database: TestSchema): Promise<Restore> {
  const opened = await RestoreDatabase.open(database.url, database.schema);
  afterTest(() => opened.close());
  return new Restore(opened);
}

async function standStill(restore: Restore): Promise<void> {
  await eventually(async () => {
    const { processes, atFence } = await restore.status();
    return processes === atFence;
  }, 10_000);
}

const worker = (service: Service): PollingWorker =>
  testWorker({ service, queue: 'q', sticky: 'sticky-q', workflows, activities: { act: () => 'acted' } });

const signal = (service: Service, workflowId: string, signalName = 'end'): Promise<object> =>
  service.call(
    'signalWorkflowExecution',
    { namespace: 'default', workflowExecution: { workflowId }, signalName, input: payloads(1) },
    ctx(),
  );

/** Makes the schema believe that it is on that timeline. */
const moveTo = (database: TestSchema, timeline: string): Promise<object[]> =>
  sql(
    `CREATE OR REPLACE FUNCTION "${database.schema}".current_timeline() RETURNS text LANGUAGE sql AS $$ SELECT '${timeline}' $$`,
  );
async function cutConnections(database: TestSchema): Promise<void> {
  const cut = await sql<{ pid: number }>(
    'SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
    [database.schema],
  );
  const left = (): Promise<object[]> =>
    sql('SELECT FROM pg_stat_activity WHERE pid = ANY ($1)', [cut.map(({ pid }) => pid)]);
  await eventually(async () => (await left()).length === 0, 10_000);
}

test('a process that is alive when the fence goes up gives out no work until it goes down', async () => {
  const database = freshSchema();
  const told: unknown[] = [];
  const service = await testService(database, {}, { warn: (_, { code }) => void told.push(code) });
  const restore = await operator(database);
  const polling = worker(service);
  await startWorkflow(service, 'before', 'timed', 'q');
  await startWorkflow(service, 'waiting', 'waits', 'q');
  await eventually(() => Promise.resolve(polling.tasks.length >= 2), 10_000);
  expect(await restore.raise('a test', null)).toBe(true);
  expect(await restore.raise('again', null)).toBe(false);
  await standStill(restore);
  expect(told).toEqual(['BRANCHLINE_FENCED']);
  const given = polling.tasks.length;

  // Taken, and left to wait.
  await startWorkflow(service, 'during', 'timed', 'q');
  await signal(service, 'waiting');
  const overdue = (): Promise<object[]> =>
    sql(`SELECT FROM "${database.schema}".runs WHERE due_at < clock_timestamp() - interval '500 ms'`);
  await eventually(async () => (await overdue()).length > 0, 10_000);
  expect(polling.tasks.length).toBe(given);
  expect(polling.activityTasks).toEqual([]);
  const query = { namespace: 'default', execution: { workflowId: 'waiting' }, query: { queryType: 'any' } };
  await expect(service.call('queryWorkflow', query, ctx())).rejects.toThrow('BRANCHLINE_FENCED');
  expect(await sql(`SELECT FROM "${database.schema}".tasks WHERE claimed_by IS NULL`)).toHaveLength(2);

  expect(await restore.release(null, 'ada')).toEqual({ released: false, undecided: 2 });
  expect(await restore.release('resume', 'ada')).toEqual({ released: true, undecided: 2 });
  for (const id of ['before', 'during', 'waiting']) {
    const close = await closeEvent(service, id, '', 20_000);
    expect(close.workflowExecutionCompletedEventAttributes).toBeTruthy();
  }
  await expect(restore.release(null, 'ada')).rejects.toMatchObject({ code: 'BRANCHLINE_NOT_FENCED' });
});

test('decisions are carried out when the fence goes down, and held runs wait for another', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const restore = await operator(database);
  worker(service);
  for (const id of ['go', 'stay', 'end', 'late']) await startWorkflow(service, id, 'waits', 'q');
  await restore.raise('a test', null);
  await standStill(restore);
  expect(await restore.decide('hold', 'all', 'ada')).toBe(4);
  expect(await restore.decide('resume', { id: 'go' }, 'ada')).toBe(1);
  expect(await restore.decide('cancel', { id: 'end' }, 'ada')).toBe(1);
  await expect(restore.decide('hold', { id: 'nobody' }, 'ada')).rejects.toMatchObject({
    code: 'BRANCHLINE_RESTORE_NO_RUN',
  });
  await expect(restore.decide('hold', { type: 'nothing' }, 'ada')).rejects.toMatchObject({
    code: 'BRANCHLINE_RESTORE_NO_RUN',
  });
  const { runs, undecided } = await restore.check(null);
  expect(undecided).toBe(0);
  expect(Object.fromEntries(runs.map(({ workflowId, standing }) => [workflowId, standing]))).toEqual({
    ...{ go: 'toResume', stay: 'toHold', end: 'toCancel', late: 'toHold' },
  });
  await restore.release(null, 'ada');
  expect((await closeEvent(service, 'end', '', 20_000)).workflowExecutionCanceledEventAttributes).toBeTruthy();
  await signal(service, 'go');
  await closeEvent(service, 'go', '', 20_000);

  // What is held takes nothing, from calls or transactions; the latter's waits.
  await expect(signal(service, 'stay')).rejects.toThrow('BRANCHLINE_RUN_HELD');
  await sql(`SELECT "${database.schema}".signal_workflow('stay', 'end')`);
  const left = await restore.check(null);
  expect(left.runs.map(({ workflowId, standing }) => [workflowId, standing])).toEqual([
    ['stay', 'held'],
    ['late', 'held'],
  ]);
  await expect(restore.decide('hold', { id: 'go' }, 'ada')).rejects.toMatchObject({ code: 'BRANCHLINE_NOT_FENCED' });

  // Over another restore they stay held.
  await restore.raise('again', null);
  await standStill(restore);
  expect((await restore.check(null)).runs.map(({ standing }) => standing)).toEqual(['toHold', 'toHold']);
  await restore.release(null, 'ada');
  expect(await historyOf(service, 'stay')).toHaveLength(4);
  await restore.decide('resume', { id: 'stay' }, 'ada');
  await restore.decide('cancel', { id: 'late' }, 'ada');
  const close = await closeEvent(service, 'stay', '', 20_000);
  expect(close.workflowExecutionCompletedEventAttributes).toBeTruthy();
  expect((await closeEvent(service, 'late', '', 20_000)).workflowExecutionCanceledEventAttributes).toBeTruthy();
});

test('a process that comes up on another timeline is fenced, also by another cluster, and not after a failover that is meant to be one', async () => {
  const database = freshSchema();
  const come = async (): Promise<boolean> => {
    const service = await testService(database);
    const { raisedAtMs } = await (await operator(database)).status();
    expect(service.parts.store.fence.raised).toBe(raisedAtMs !== null);
    return raisedAtMs !== null;
  };
  expect(await come()).toBe(false);
  await moveTo(database, '7/00000001');
  expect(await come()).toBe(true);
  const restore = await operator(database);
  await restore.release('resume', 'ada');
  expect(await come()).toBe(false);
  await moveTo(database, '7/00000002');
  expect(await come()).toBe(true);
  expect((await restore.status()).reason).toContain('7/00000002');
  await restore.release('resume', 'ada');
  await restore.setOnNewTimeline('continue');
  await moveTo(database, '7/00000003');
  expect(await come()).toBe(false);
  expect((await restore.status()).ledOn).toBe('7/00000003');
  await moveTo(database, '8/00000003');
  expect(await come()).toBe(true);
});

test('a process that lives through a failover forgets what it knew of runs', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const { schema } = database;
  worker(service);
  await sql(`UPDATE "${schema}".fence SET on_new_timeline = 'continue'`);
  const events = (length: number) => eventually(async () => (await historyOf(service, 'a')).length === length, 10_000);
  const row = async () =>
    (await sql<{ version: string; state: string }>(`SELECT version, state FROM "${schema}".runs`))[0]!;
  await startWorkflow(service, 'a', 'waits', 'q');
  await events(4);
  const early = await row();
  await signal(service, 'a', 'more');
  await events(8);

  // The standby never got the signal, and other changes have brought the run to the same version there.
  await sql(`UPDATE "${schema}".runs SET state = $1`, [early.state]);
  await sql(`DELETE FROM "${schema}".history WHERE first_event_id > 4`);
  expect((await row()).version).not.toBe(early.version);
  const [here] = await sql<{ led_on: string }>(`SELECT led_on FROM "${schema}".fence`);
  await moveTo(database, here!.led_on.replace(/\d$/u, '9'));
  await cutConnections(database);
  await signal(service, 'a', 'end');
  await closeEvent(service, 'a', '', 20_000);
  const signals = (await historyOf(service, 'a')).flatMap(
    (event) => event.workflowExecutionSignaledEventAttributes ?? [],
  );
  expect(signals.map(({ signalName }) => signalName)).toEqual(['end']);
  expect(service.parts.store.fence.epoch).toBe(1);
});
