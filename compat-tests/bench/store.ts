/**
 * What the store costs by itself: commits of the shape that one-activity workflows (W1) make, without engine, core or isolate.
 * `npx tsx compat-tests/bench/store.ts [runs] [rounds]`. Prints runs per second, WAL bytes and CPU per run, and the idle latency of one commit.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { temporal } from '@temporalio/proto';
import { Client } from 'pg';
import { openStore } from '../../shim/store/open';
import type { RunCommit, Store } from '../../shim/store/types';
import type { ActivityState, HistoryEvent, RunState, WorkflowTaskState } from '../../shim/service/engine/types';
import { startPostgres } from '../../shim/testing/embedded-postgres';
import { event, executionRow, payload, runState } from '../../test/support/commits';

const { EventType } = temporal.api.enums.v1;
const inFlight = 2000;
const identity = '21768@benchmark-host';
const input = {
  payloads: [
    payload({ name: 'customer-12345', plan: 'professional', seats: 12, note: 'a payload of a hundred bytes' }),
  ],
};

const task = (scheduledEventId: number): WorkflowTaskState => ({
  scheduledEventId,
  startedEventId: 0,
  attempt: 1,
  kind: 'normal',
  scheduledAtMs: Date.now(),
  originalScheduledAtMs: Date.now(),
  startedAtMs: 0,
  timeoutMs: 10_000,
  taskQueue: 'queue',
  sticky: false,
  scheduleToStartAtMs: 0,
  requestId: '',
  identity: '',
  historySizeBytes: 400,
  suggestContinueAsNew: false,
  suggestContinueAsNewReasons: [],
  targetVersionChanged: false,
  workerVersion: null,
});

const activity: ActivityState = {
  scheduledEventId: 5,
  activityId: '1',
  activityType: 'greet',
  taskQueue: 'queue',
  attempt: 1,
  scheduledAtMs: Date.now(),
  firstScheduledAtMs: Date.now(),
  startedAtMs: 0,
  requestId: '',
  identity: '',
  scheduleToCloseMs: 60_000,
  scheduleToStartMs: 60_000,
  startToCloseMs: 10_000,
  heartbeatMs: 0,
  retryPolicy: {
    initialInterval: { seconds: 1 as never },
    backoffCoefficient: 2,
    maximumInterval: { seconds: 100 as never },
  },
  cancelRequested: false,
  cancelRequestedEventId: 0,
  lastFailure: null,
  lastWorkerIdentity: '',
  lastHeartbeatAtMs: 0,
  heartbeatDetails: null,
  backingOff: false,
  paused: false,
  pause: null,
  resetRequested: false,
  resetHeartbeats: false,
  lastAttemptEndedAtMs: 0,
  lastVersion: null,
  priority: null,
};

const taskQueue = { name: 'queue', kind: 1 };
const workflowTaskScheduled = (id: number): HistoryEvent =>
  event(id, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    workflowTaskScheduledEventAttributes: { taskQueue, startToCloseTimeout: { seconds: 10 as never }, attempt: 1 },
  });
const workflowTaskStarted = (id: number): HistoryEvent =>
  event(id, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    workflowTaskStartedEventAttributes: {
      scheduledEventId: (id - 1) as never,
      identity,
      requestId: randomUUID(),
      historySizeBytes: 333 as never,
    },
  });
const workflowTaskCompleted = (id: number): HistoryEvent =>
  event(id, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    workflowTaskCompletedEventAttributes: {
      scheduledEventId: (id - 2) as never,
      startedEventId: (id - 1) as never,
      identity,
      sdkMetadata: { coreUsedFlags: [1, 2, 3], sdkName: 'temporal-typescript', sdkVersion: '1.24.0' },
      meteringMetadata: {},
    },
  });

/** The three commits of a one-activity workflow whose tasks never leave the process. */
function commits(workflowId: string, runId: string, owner: string): RunCommit[] {
  const base = {
    namespaceId: 1,
    workflowId,
    runId,
    owner,
    newTasks: [],
    doneTasks: [],
    signalRequestIds: [],
    closedActivities: [],
    inbox: [],
  };
  const state = (nextEventId: number, change: Partial<RunState>): RunState => ({
    ...runState(workflowId, runId, nextEventId),
    ...change,
  });
  const started = event(1, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    workflowExecutionStartedEventAttributes: {
      workflowType: { name: 'sample' },
      taskQueue,
      input,
      workflowTaskTimeout: { seconds: 10 as never },
      originalExecutionRunId: runId,
      identity,
      firstExecutionRunId: runId,
      attempt: 1,
      firstWorkflowTaskBackoff: { seconds: 0 as never },
      header: {},
      workflowId,
    },
  });
  const activityScheduled = event(5, {
    eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    activityTaskScheduledEventAttributes: {
      activityId: '1',
      activityType: { name: 'greet' },
      taskQueue,
      header: {},
      input,
      scheduleToCloseTimeout: { seconds: 60 as never },
      scheduleToStartTimeout: { seconds: 60 as never },
      startToCloseTimeout: { seconds: 10 as never },
      heartbeatTimeout: { seconds: 0 as never },
      workflowTaskCompletedEventId: 4 as never,
      retryPolicy: {
        initialInterval: { seconds: 1 as never },
        backoffCoefficient: 2,
        maximumInterval: { seconds: 100 as never },
      },
    },
  });
  const last: HistoryEvent[] = [
    event(6, {
      eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
      activityTaskStartedEventAttributes: {
        scheduledEventId: 5 as never,
        identity,
        requestId: randomUUID(),
        attempt: 1,
      },
    }),
    event(7, {
      eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
      activityTaskCompletedEventAttributes: {
        result: input,
        scheduledEventId: 5 as never,
        startedEventId: 6 as never,
        identity,
      },
    }),
    workflowTaskScheduled(8),
    workflowTaskStarted(9),
    workflowTaskCompleted(10),
    event(11, {
      eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
      workflowExecutionCompletedEventAttributes: { result: input, workflowTaskCompletedEventId: 10 as never },
    }),
  ];
  const now = Date.now();
  return [
    {
      ...base,
      expectedVersion: 0,
      create: { reuse: 'allowDuplicate', startRequestId: randomUUID() },
      events: [started, workflowTaskScheduled(2)],
      state: state(3, { workflowTask: task(2) }),
      dueAtMs: now + 10_000,
      execution: executionRow(workflowId, runId),
    },
    {
      ...base,
      expectedVersion: 1,
      create: null,
      events: [workflowTaskStarted(3), workflowTaskCompleted(4), activityScheduled],
      state: state(6, { activities: { 5: activity } }),
      dueAtMs: now + 60_000,
      execution: null,
    },
    {
      ...base,
      expectedVersion: 2,
      create: null,
      events: last,
      state: null,
      dueAtMs: 0,
      execution: executionRow(workflowId, runId, { status: 2, closeMs: now, historyLength: 11 }),
    },
  ];
}

/** CPU seconds of the server and its backends, from /proc; 0 where there is none. */
function serverCpuSeconds(pid: number): number {
  const ticks = (id: string): { parent: number; used: number } | undefined => {
    try {
      const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return { parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) };
    } catch {
      return undefined;
    }
  };
  let sum = 0;
  for (const id of readdirSync('/proc')) {
    if (!/^\d+$/.test(id)) continue;
    const process = ticks(id);
    if (process !== undefined && (Number(id) === pid || process.parent === pid)) sum += process.used;
  }
  return sum / 100;
}

async function oneRun(store: Store, workflowId: string): Promise<void> {
  for (const commit of commits(workflowId, randomUUID(), store.processId)) {
    const outcome = await store.commit([commit]);
    if (outcome.kind !== 'committed') throw new Error(outcome.kind);
  }
}

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 2000);
  const rounds = Number(process.argv[3] ?? 3);
  const postgres = await startPostgres();
  const admin = new Client(postgres.url);
  await admin.connect();
  const counter = async (): Promise<{ wal: number; xids: number }> => {
    const { rows } = await admin.query<{ wal: string; xids: string }>(
      `SELECT pg_current_wal_insert_lsn() - '0/0' AS wal, pg_snapshot_xmax(pg_current_snapshot())::text AS xids`,
    );
    return { wal: Number(rows[0]!.wal), xids: Number(rows[0]!.xids) };
  };
  const schema = `bench_${process.pid}`;
  const store = await openStore({ url: postgres.url, schema });
  console.log(store.describeBudget());
  try {
    for (let round = 1; round <= rounds; round++) {
      await admin.query('CHECKPOINT');
      const before = await counter();
      const server = serverCpuSeconds(postgres.pid);
      const cpu = process.cpuUsage();
      const begin = performance.now();
      for (let done = 0; done < runs; done += inFlight) {
        const count = Math.min(inFlight, runs - done);
        await Promise.all(Array.from({ length: count }, (_, i) => oneRun(store, `w-${round}-${done + i}`)));
      }
      const seconds = (performance.now() - begin) / 1000;
      const used = process.cpuUsage(cpu);
      const after = await counter();
      const each = (value: number): string => (value / runs).toFixed(3);
      console.log(
        `W1 x ${runs}: ${(runs / seconds).toFixed(0)} runs/s; per run: ${each(after.wal - before.wal)} B WAL, ${each(after.xids - before.xids)} write transactions, ` +
          `Postgres ${each((serverCpuSeconds(postgres.pid) - server) * 1000)} ms, Node ${each((used.user + used.system) / 1000)} ms`,
      );
    }
    const latencies: number[] = [];
    for (let i = 0; i < 200; i++) {
      const begin = performance.now();
      await oneRun(store, `idle-${i}`);
      latencies.push((performance.now() - begin) / 3);
    }
    latencies.sort((a, b) => a - b);
    console.log(`one commit at a time: p50 ${latencies[100]!.toFixed(2)} ms, p95 ${latencies[190]!.toFixed(2)} ms`);
  } finally {
    await store.close();
    await admin.query(`DROP SCHEMA "${schema}" CASCADE`);
    await admin.end();
    await postgres.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
