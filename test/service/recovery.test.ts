import { expect, test } from 'vitest';
import { int64 } from '../../shim/common/proto-values';
import { createService } from '../../shim/service';
import { Code } from '../../shim/service/errors';
import type { Service } from '../../shim/service/types';
import { openStore } from '../../shim/store/open';
import { afterTest, freshSchema, sql } from '../support/database';
import {
  CommandType,
  EventType,
  PollingWorker,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  payloads,
  scheduleActivity,
  seconds,
  startTimer,
  startWorkflow,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService } from '../support/service';

/** Two activities, a timer, a child and a signal, in any order. */
const mixed: WorkflowScript = ({ task, history, count }) => {
  const { workflowId } = task.workflowExecution!;
  if (count(EventType.EVENT_TYPE_TIMER_STARTED) === 0) {
    return [
      scheduleActivity('act', 1, 'q', { startToCloseTimeout: seconds(2) }),
      scheduleActivity('act', 2, 'q', { startToCloseTimeout: seconds(2) }),
      startTimer('t', 0.5),
      {
        commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
        startChildWorkflowExecutionCommandAttributes: {
          workflowId: `${workflowId!}/child`,
          workflowType: { name: 'child' },
          taskQueue: { name: 'q' },
        },
      },
    ];
  }
  const done =
    count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) === 2 &&
    count(EventType.EVENT_TYPE_TIMER_FIRED) === 1 &&
    history.some((event) => event.childWorkflowExecutionCompletedEventAttributes) &&
    count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) === 1;
  return done ? [completeWorkflow('done')] : [];
};

const workflows = { mixed, child: () => [completeWorkflow('child')] };

test('whatever dies, every run goes on to its end with one gapless history', async () => {
  const database = freshSchema();
  const client = await testService(database, { leaseMs: 900 });
  const hosts = await Promise.all([mortal(database, 0), mortal(database, 1)]);
  afterTest(async () => {
    for (const host of hosts) await host.end();
  });
  const ids = Array.from({ length: 40 }, (_, i) => `wf-${i}`);
  const options = { workflowTaskTimeout: seconds(2) };
  const starts = ids.map(async (id, i) => {
    await new Promise((resolve) => setTimeout(resolve, i * 60));
    await startWorkflow(client, id, 'mixed', 'q', options);
    const signal = { signalName: 's', requestId: `s-${id}`, input: payloads(id) };
    const request = { namespace: 'default', workflowExecution: { workflowId: id }, ...signal };
    await client.call('signalWorkflowExecution', request, ctx());
  });
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    await hosts[round % 2]!.kill();
    hosts[round % 2] = await mortal(database, 2 + round);
  }
  await Promise.all(starts);
  for (const id of ids) {
    const close = await closeEvent(client, id, '', 40_000);
    expect(close.workflowExecutionCompletedEventAttributes).toBeTruthy();
    const events = await historyOf(client, id);
    expect(events.map((event) => int64(event.eventId))).toEqual(events.map((_, i) => i + 1));
  }
  await eventually(async () => (await sql(`SELECT FROM "${database.schema}".runs`)).length === 0, 20_000);
}, 90_000);

interface Mortal {
  kill(): Promise<void>;
  end(): Promise<void>;
}

/** A worker process that can die: then nothing of its memory is written any more, and its lease runs out. */
async function mortal(database: ReturnType<typeof freshSchema>, n: number): Promise<Mortal> {
  const store = await openStore({ ...database, leaseMs: 900, listen: n % 2 === 0 });
  const service: Service = createService({ store });
  const sticky = `sticky-${n}`;
  const activities = { act: (input: unknown) => new Promise((resolve) => setTimeout(() => resolve(input), 30)) };
  const worker = new PollingWorker({ service, queue: 'q', sticky, pollers: 2, workflows, activities });
  let dead = false;
  return {
    async kill() {
      dead = true;
      const inside = store as unknown as {
        connections: { close(): Promise<void> };
        notices: { stop(): Promise<void> };
        leases: { stop(): void };
      };
      inside.leases.stop();
      await inside.connections.close();
      await inside.notices.stop();
      await worker.shutdown().catch(() => undefined);
    },
    async end() {
      if (dead) return;
      await worker.shutdown();
      await service.close();
      await store.close();
    },
  };
}

test('what a constraint of the application refuses is told as Postgres says it, to a login that sees everything', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const { schema } = database;
  await sql(`CREATE FUNCTION "${schema}".taken() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE unique_violation USING MESSAGE = 'one order each'; END $$`);
  await sql(
    `CREATE TRIGGER taken BEFORE INSERT ON "${schema}".executions FOR EACH ROW EXECUTE FUNCTION "${schema}".taken()`,
  );
  await expect(startWorkflow(service, 'order', 'any', 'q')).rejects.toMatchObject({
    code: Code.INTERNAL,
    message: expect.stringContaining('one order each') as string,
  });
});
