import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type RunState, Status } from '../../shim/service/engine/types';
import type { RunCommit } from '../../shim/store/types';
import { closeCommit, executionRow, nextCommit, payload, runState, signaled, startCommit } from '../support/commits';
import { afterTest, connect, freshSchema, sql, testStore } from '../support/database';

const committed = { kind: 'committed' };
const conflict = { kind: 'conflict' };
const idTaken = { kind: 'idTaken' };

describe('a commit', () => {
  it('keeps state, events and identity of a new run', async () => {
    const store = await testStore();
    const memo = { note: payload('é\u0000\ud83d\ude00') };
    const keyword = { ...payload('x').metadata, type: new TextEncoder().encode('Keyword') };
    const searchAttributes = { Customer: { metadata: keyword, data: payload('x').data } };
    const start = startCommit('a');
    const execution = executionRow('a', start.runId, { memo, searchAttributes, startMs: 1795227144964.129 });
    start.execution = execution;
    start.state!.memo = memo;
    expect(await store.commit([start])).toEqual(committed);

    expect(await store.loadState(start.runId)).toEqual({
      ...{ state: start.state, version: 1, owner: null, namespaceId: 1, held: false },
    });
    expect(await store.loadExecution(1, start.runId)).toEqual(execution);
    expect(await store.loadExecution(2, start.runId)).toBeNull();
    expect(await store.readHistory(start.runId, 1, 1000)).toEqual(start.events);
    expect(await store.currentRun(1, 'a')).toEqual({
      runId: start.runId,
      status: Status.Running,
      startRequestId: execution.startRequestId,
      firstRunId: start.runId,
    });
  });

  it('writes what was asked for, though the state goes on changing in memory', async () => {
    const store = await testStore();
    const start = startCommit('a');
    const done = store.commit([start]);
    start.state!.signalCount = 7;
    await done;
    expect((await store.loadState(start.runId))!.state).toMatchObject({ signalCount: 0 });
  });

  it('is refused when somebody else changed the run', async () => {
    const store = await testStore();
    const start = startCommit('a');
    await store.commit([start]);
    expect(await store.commit([nextCommit(start, 1)])).toEqual(committed);
    expect(await store.commit([nextCommit(start, 1)])).toEqual(conflict);
    expect(await store.commit([nextCommit(start, 2)])).toEqual(committed);
    expect((await store.readHistory(start.runId, 1, 100)).map((event) => event.eventId)).toEqual([1, 2, 3]);
    expect(await store.commit([nextCommit(startCommit('b'), 1)])).toEqual(conflict);
  });

  it('lets exactly one of many racing processes through at each version', async () => {
    const database = freshSchema();
    const stores = [await testStore({}, database), await testStore({}, database), await testStore({}, database)];
    const start = startCommit('a');
    await stores[0]!.commit([start]);
    for (let version = 1; version <= 20; version++) {
      const outcomes = await Promise.all(stores.map((store) => store.commit([nextCommit(start, version)])));
      expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
    }
    expect((await stores[0]!.readHistory(start.runId, 1, 100)).map(({ eventId }) => eventId)).toEqual(
      Array.from({ length: 21 }, (_, i) => i + 1),
    );
  });

  it('ends the run: its row, tasks, heartbeats and signal ids go, history and visibility stay', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const start = startCommit('a', { signalRequestIds: ['s1', 's2'] });
    const { runId } = start;
    const task = {
      namespaceId: 1,
      queue: 'q',
      kind: 'activity' as const,
      runId,
      scheduledEventId: 5,
      attempt: 1,
      priority: 3,
      fairnessKey: '',
      fairnessWeight: 1,
    };
    await store.commit([{ ...start, newTasks: [task] }]);
    await store.heartbeat(runId, 5, 1, null);
    expect((await store.signalRequestIds(runId)).sort()).toEqual(['s1', 's2']);

    expect(await store.commit([closeCommit(start, 1)])).toEqual(committed);
    expect(await store.loadState(runId)).toBeNull();
    expect(await store.loadExecution(1, runId)).toMatchObject({ status: Status.Completed });
    expect(await store.readHistory(runId, 1, 10)).toHaveLength(2);
    expect(await store.signalRequestIds(runId)).toEqual([]);
    expect(await store.heartbeats(runId)).toEqual([]);
    expect(await store.claimTasks(1, 'q', 'activity', 10)).toEqual([]);

    await store.deleteExecution(runId);
    for (const table of ['runs', 'executions', 'history', 'tasks', 'heartbeats', 'signal_requests']) {
      expect(await sql(`SELECT * FROM ${database.schema}.${table}`), table).toEqual([]);
    }
  });

  it('remembers signal ids once and forgets heartbeats of closed activities', async () => {
    const store = await testStore();
    const start = startCommit('a', { signalRequestIds: ['s1'] });
    await store.commit([start]);
    await store.heartbeat(start.runId, 5, 1, { payloads: [payload(1)] });
    await store.heartbeat(start.runId, 6, 1, null);
    await store.commit([nextCommit(start, 1, { signalRequestIds: ['s1', 's2'], closedActivities: [5] })]);
    expect((await store.signalRequestIds(start.runId)).sort()).toEqual(['s1', 's2']);
    expect((await store.heartbeats(start.runId)).map((beat) => beat.scheduledEventId)).toEqual([6]);
  });
});

describe('a workflow id', () => {
  it('is taken while a run is open', async () => {
    const store = await testStore();
    const start = startCommit('a');
    expect(await store.commit([start])).toEqual(committed);
    expect(await store.commit([startCommit('a')])).toEqual(idTaken);
    expect(await store.commit([startCommit('a', { namespaceId: 2 })])).toEqual(committed);
    await store.commit([closeCommit(start, 1)]);
    expect(await store.commit([startCommit('a')])).toEqual(committed);
  });

  it('goes to exactly one of two hundred starts over four processes', async () => {
    const database = freshSchema();
    const stores = await Promise.all([0, 1, 2, 3].map(() => testStore({ maxConnections: 3 }, database)));
    const starts = Array.from({ length: 200 }, (_, i) => stores[i % 4]!.commit([startCommit('contended')]));
    const outcomes = await Promise.all(starts);
    expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'idTaken')).toHaveLength(199);
  });

  it.each([
    ['allowDuplicate', Status.Completed, committed],
    ['allowDuplicate', Status.Failed, committed],
    ['allowDuplicateFailedOnly', Status.Completed, idTaken],
    ['allowDuplicateFailedOnly', Status.Failed, committed],
    ['allowDuplicateFailedOnly', Status.Canceled, committed],
    ['allowDuplicateFailedOnly', Status.Terminated, committed],
    ['allowDuplicateFailedOnly', Status.TimedOut, committed],
    ['allowDuplicateFailedOnly', Status.ContinuedAsNew, idTaken],
    ['rejectDuplicate', Status.Failed, idTaken],
    ['rejectDuplicate', Status.Completed, idTaken],
  ] as const)('under %s after a run that ended %i', async (reuse, status, expected) => {
    const store = await testStore();
    const first = startCommit('a');
    await store.commit([first]);
    await store.commit([closeCommit(first, 1, { status })]);
    const create = { reuse, startRequestId: randomUUID() };
    expect(await store.commit([startCommit('a', { create })])).toEqual(expected);
    expect(await store.commit([startCommit('other', { create })])).toEqual(committed);
  });

  it('is taken for the same start request, also once its run is closed', async () => {
    const store = await testStore();
    const first = startCommit('a');
    await store.commit([first]);
    await store.commit([closeCommit(first, 1)]);
    const create = { reuse: 'allowDuplicate' as const, startRequestId: first.execution!.startRequestId };
    expect(await store.commit([startCommit('a', { create })])).toEqual(idTaken);
  });

  it('passes from a run to its successor in one group', async () => {
    const store = await testStore();
    const first = startCommit('a');
    await store.commit([first]);
    const next = startCommit('a');
    expect(await store.commit([closeCommit(first, 1, { status: Status.ContinuedAsNew }), next])).toEqual(committed);
    expect((await store.currentRun(1, 'a'))!.runId).toBe(next.runId);
    expect(await store.loadExecution(1, first.runId)).toMatchObject({ status: Status.ContinuedAsNew });
  });

  it('passes to the successor of a run that began and closed in one commit', async () => {
    const store = await testStore();
    const { create, events, ...start } = startCommit('a');
    const closed = closeCommit({ create, events, ...start }, 0, { status: Status.ContinuedAsNew });
    const first = { ...closed, create, events };
    const next = startCommit('a');
    expect(await store.commit([first, next])).toEqual(committed);
    expect((await store.currentRun(1, 'a'))!.runId).toBe(next.runId);
  });

  it('goes to one of two starts that are asked for at once', async () => {
    const store = await testStore();
    const outcomes = await Promise.all([store.commit([startCommit('a')]), store.commit([startCommit('a')])]);
    expect(outcomes).toEqual([committed, idTaken]);
  });
});

describe('a group', () => {
  it('is written whole or not at all, and fails alone', async () => {
    const store = await testStore();
    const [a, b, c] = [startCommit('a'), startCommit('b'), startCommit('c')];
    await Promise.all([a, b, c].map((start) => store.commit([start])));
    const newcomer = startCommit('new');
    const outcomes = await Promise.all([
      store.commit([nextCommit(a, 1), nextCommit(b, 7), newcomer]),
      store.commit([nextCommit(b, 1), nextCommit(c, 1)]),
      store.commit([startCommit('d')]),
      store.commit([nextCommit(a, 1, { events: [] }), startCommit('c')]),
    ]);
    expect(outcomes).toEqual([conflict, committed, committed, idTaken]);
    expect(await Promise.all([a, b, c].map(async ({ runId }) => (await store.loadState(runId))!.version))).toEqual([
      1, 2, 2,
    ]);
    expect(await store.loadState(newcomer.runId)).toBeNull();
    expect(await store.loadExecution(1, newcomer.runId)).toBeNull();
    expect(await store.readHistory(a.runId, 1, 9)).toHaveLength(1);
  });

  it('that Postgres refuses harms no other of its batch', async () => {
    const store = await testStore();
    const bad = startCommit('a\u0000b');
    const good = Array.from({ length: 20 }, (_, i) => startCommit(`good-${i}`));
    const all = [...good.slice(0, 9), bad, ...good.slice(9)].map((start) => store.commit([start]));
    const results = await Promise.allSettled(all);
    expect(results.filter((result) => result.status === 'rejected')).toHaveLength(1);
    expect(results.filter((result) => result.status === 'fulfilled' && result.value.kind === 'committed')).toHaveLength(
      20,
    );
  });

  it('that cannot be written out harms no other of its batch', async () => {
    const store = await testStore();
    const results = await Promise.allSettled([
      store.commit([startCommit('a')]),
      store.commit([nextCommit(startCommit('b', { runId: 'not-a-uuid' }), 1)]),
      store.commit([startCommit('c')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('can follow another of the same run at once', async () => {
    const store = await testStore();
    const start = startCommit('a');
    const outcomes = [
      store.commit([start]),
      store.commit([nextCommit(start, 1)]),
      store.commit([nextCommit(start, 2)]),
    ];
    expect(await Promise.all(outcomes)).toEqual([committed, committed, committed]);
  });

  it('shares its transaction with what is asked for at the same time', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.commit([startCommit(`w-${i}`)])));
    const [row] = await sql<{ batch: string }>(`SELECT batch FROM ${database.schema}.flushes`);
    expect(Number(row!.batch)).toBeLessThanOrEqual(3);
  });
});

describe("somebody's open transaction", () => {
  it('on a run delays that run and no other', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const [held, free] = [startCommit('held'), startCommit('free')];
    await Promise.all([store.commit([held]), store.commit([free])]);
    const other = await connect();
    afterTest(() => other.end());
    await other.query('BEGIN');
    await other.query(`SELECT FROM ${database.schema}.runs WHERE run_id = $1 FOR UPDATE`, [held.runId]);

    let heldDone = false;
    const waiting = store.commit([nextCommit(held, 1)]).finally(() => (heldDone = true));
    for (let version = 1; version <= 5; version++) {
      expect(await store.commit([nextCommit(free, version)])).toEqual(committed);
    }
    expect(heldDone).toBe(false);
    await other.query('COMMIT');
    expect(await waiting).toEqual(committed);
  });

  it('that starts a workflow id delays that id and no other', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const other = await connect();
    afterTest(() => other.end());
    await other.query('BEGIN');
    await other.query(`SELECT pg_advisory_xact_lock(hashtextextended('1:held', 2))`);
    let heldDone = false;
    const waiting = store.commit([startCommit('held')]).finally(() => (heldDone = true));
    for (let i = 0; i < 5; i++) expect(await store.commit([startCommit(`free-${i}`)])).toEqual(committed);
    expect(heldDone).toBe(false);
    await other.query('ROLLBACK');
    expect(await waiting).toEqual(committed);
  });

  it('on a row that we do wait for costs the others one lock timeout', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const [held, free] = [startCommit('held'), startCommit('free')];
    await Promise.all([store.commit([held]), store.commit([free])]);
    const other = await connect();
    afterTest(() => other.end());
    await other.query('BEGIN');
    await other.query(`SELECT FROM ${database.schema}.executions WHERE run_id = $1 FOR UPDATE`, [held.runId]);
    const closing = store.commit([closeCommit(held, 1)]);
    const begin = Date.now();
    expect(await store.commit([nextCommit(free, 1)])).toEqual(committed);
    expect(Date.now() - begin).toBeLessThan(5000);
    await other.query('COMMIT');
    expect(await closing).toEqual(committed);
  });
});

describe('the due time of a run', () => {
  const dueOf = async (schema: string): Promise<number | null> => {
    const rows = await sql<{ due: number | null }>(
      `SELECT extract(epoch FROM due_at)::float8 * 1000 AS due FROM ${schema}.runs`,
    );
    return rows[0]!.due;
  };

  const busy = (start: RunCommit, nextEventId: number): RunState => ({
    ...runState(start.workflowId, start.runId, nextEventId),
    workflowTask: { scheduledEventId: 2, scheduledAtMs: 1 } as never,
  });

  it('of a busy run keeps an earlier one that lies ahead, takes an earlier one, and is corrected once it is past', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const now = store.nowMs();
    const start = startCommit('a', { dueAtMs: now + 8000 });
    start.state = busy(start, 2);
    const next = (version: number, dueAtMs: number): RunCommit =>
      nextCommit(start, version, { dueAtMs, state: busy(start, version + 2) });
    await store.commit([start]);
    await store.commit([next(1, now + 90_000)]);
    expect(await dueOf(database.schema)).toBeCloseTo(now + 8000, 1);
    await store.commit([next(2, 0)]);
    expect(await dueOf(database.schema)).toBeCloseTo(now + 8000, 1);
    await store.commit([next(3, now - 1000)]);
    expect(await dueOf(database.schema)).toBeCloseTo(now - 1000, 1);
    expect(await store.dueRuns(now, 10)).toMatchObject([{ runId: start.runId, owner: null }]);
    await store.commit([next(4, now + 90_000)]);
    expect(await dueOf(database.schema)).toBeCloseTo(now + 90_000, 1);
    expect(await store.dueRuns(now, 10)).toEqual([]);
  });

  it('of a new busy run is at most 10 s ahead', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const start = startCommit('a');
    start.state = busy(start, 2);
    await store.commit([start]);
    const ahead = (await dueOf(database.schema))! - store.nowMs();
    expect(ahead).toBeGreaterThan(5000);
    expect(ahead).toBeLessThan(10_001);
  });

  it('of a run that only waits is exact', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const now = store.nowMs();
    const start = startCommit('a', { dueAtMs: now + 60_000 });
    await store.commit([start]);
    expect(await dueOf(database.schema)).toBeCloseTo(now + 60_000, 1);
    await store.commit([nextCommit(start, 1, { dueAtMs: now + 90_000 })]);
    expect(await dueOf(database.schema)).toBeCloseTo(now + 90_000, 1);
    await store.commit([nextCommit(start, 2, { dueAtMs: 0 })]);
    expect(await dueOf(database.schema)).toBeNull();
  });

  it('is looked at by the owner, or by anybody when there is none', async () => {
    const database = freshSchema();
    const [one, two] = [await testStore({}, database), await testStore({}, database)];
    const now = one.nowMs();
    const owned = startCommit('a', { dueAtMs: now - 10, owner: one.processId });
    const free = startCommit('b', { dueAtMs: now - 20 });
    const later = startCommit('c', { dueAtMs: now + 60_000 });
    await Promise.all([owned, free, later].map((start) => one.commit([start])));
    expect((await one.dueRuns(now, 10)).map(({ runId }) => runId)).toEqual([free.runId, owned.runId]);
    expect((await two.dueRuns(now, 10)).map(({ runId }) => runId)).toEqual([free.runId]);
    expect(await two.dueRuns(now + 61_000, 1)).toHaveLength(1);
  });
});

describe('history', () => {
  it('is read from and to any event, a page at a time, and from its end', async () => {
    const store = await testStore();
    const start = startCommit('a');
    await store.commit([start]);
    let next = 2;
    for (let version = 1; version <= 6; version++) {
      const events = Array.from({ length: 3 }, () => signaled(next++));
      await store.commit([nextCommit(start, version, { events })]);
    }
    const ids = async (events: Promise<{ eventId?: unknown }[]>): Promise<unknown[]> =>
      (await events).map((event) => event.eventId);
    expect(await ids(store.readHistory(start.runId, 1, 100))).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
    expect(await ids(store.readHistory(start.runId, 6, 9))).toEqual([6, 7, 8, 9]);
    expect(await ids(store.readHistory(start.runId, 6, 1000, 1))).toEqual([6, 7]);
    expect(await ids(store.readHistory(start.runId, 8, 1000, 1000))).toEqual([8, 9, 10]);
    expect(await ids(store.readHistory(start.runId, 20, 1000))).toEqual([]);
    expect(await ids(store.readLastEvents(start.runId, 1))).toEqual([19]);
    expect(await ids(store.readLastEvents(start.runId, 4))).toEqual([16, 17, 18, 19]);
    expect(await ids(store.readLastEvents(start.runId, 100))).toHaveLength(19);
    expect(await store.readHistory('no-uuid', 1, 10)).toEqual([]);
  });
});
