import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Leases } from '../../shim/store/leases';
import type { Notice } from '../../shim/store/types';
import { nextCommit, payload, runState, startCommit } from '../support/commits';
import { afterTest, freshSchema, sql, testStore, type TestSchema } from '../support/database';

const queue = { namespaceId: 1, queue: 'q', kind: 'activity' as const };
const task = (runId: string, scheduledEventId = 5, priority = 3) => ({
  ...queue,
  runId,
  scheduledEventId,
  attempt: 1,
  priority,
  fairnessKey: '',
  fairnessWeight: 1,
});

/** A process whose lease has run out, and what it had. */
async function deadProcess({ schema }: TestSchema): Promise<string> {
  const id = randomUUID();
  await sql(`UPDATE ${schema}.runs SET owner = $1`, [id]);
  await sql(`UPDATE ${schema}.tasks SET claimed_by = $1, claim = 1`, [id]);
  await sql(
    `INSERT INTO ${schema}.processes VALUES ($1, 'dead', now() - interval '1 minute', now() - interval '1 second', true, '[]', false, false)`,
    [id],
  );
  return id;
}

describe('tasks', () => {
  it('are claimed once, by priority and age', async () => {
    const database = freshSchema();
    const stores = [await testStore({}, database), await testStore({}, database)];
    const start = startCommit('a');
    const newTasks = Array.from({ length: 40 }, (_, i) => task(start.runId, i + 1, i === 39 ? 1 : 3));
    await stores[0]!.commit([{ ...start, newTasks }]);
    expect(await stores[0]!.backlog(1, 'q', 'activity')).toMatchObject([
      { priority: 1, count: 1 },
      { priority: 3, count: 39 },
    ]);
    const first = await stores[0]!.claimTasks(1, 'q', 'activity', 1);
    expect(first).toMatchObject([{ ...newTasks[39] }]);
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, i) => stores[i % 2]!.claimTasks(1, 'q', 'activity', 7)),
    );
    const ids = claims.flat().map(({ id }) => id);
    expect(ids).toHaveLength(39);
    expect(new Set(ids).size).toBe(39);
    expect(await stores[1]!.backlog(1, 'q', 'activity')).toEqual([]);
    expect(await stores[1]!.claimTasks(1, 'q', 'workflow', 7)).toEqual([]);
  });

  it('come back when given back, and go with the commit that uses them up', async () => {
    const store = await testStore();
    const start = startCommit('a');
    await store.commit([{ ...start, newTasks: [task(start.runId, 5), task(start.runId, 6), task(start.runId, 7)] }]);
    const [a, b, c] = await store.claimTasks(1, 'q', 'activity', 10);
    await store.releaseTasks([a!.id]);
    await store.dropTasks([b!.id]);
    await store.commit([nextCommit(start, 1, { doneTasks: [c!.id] })]);
    expect(await store.claimTasks(1, 'q', 'activity', 10)).toEqual([a]);
  });

  it('stay when the commit that would use them up is refused', async () => {
    const store = await testStore();
    const start = startCommit('a');
    await store.commit([{ ...start, newTasks: [task(start.runId)] }]);
    const [claimed] = await store.claimTasks(1, 'q', 'activity', 10);
    await store.commit([nextCommit(start, 4, { doneTasks: [claimed!.id], newTasks: [task(start.runId, 9)] })]);
    await store.releaseTasks([claimed!.id]);
    expect(await store.claimTasks(1, 'q', 'activity', 10)).toEqual([claimed]);
  });
});

describe("a dead process's", () => {
  it('tasks and runs come back; runs with more than timers pending are due at once', async () => {
    const database = freshSchema();
    const store = await testStore({ leaseMs: 600 }, database);
    const died = vi.fn();
    store.onNotice((notice) => notice.kind === 'processDied' && died());
    const busy = startCommit('busy');
    const sleeping = startCommit('sleeping', { dueAtMs: store.nowMs() + 3_600_000 });
    const activity = { scheduledEventId: 5, activityId: '1' } as never;
    busy.state = { ...runState('busy', busy.runId, 2), activities: { 5: activity } };
    await Promise.all([store.commit([busy]), store.commit([{ ...sleeping, newTasks: [task(sleeping.runId)] }])]);
    const dead = await deadProcess(database);
    await vi.waitFor(() => expect(died).toHaveBeenCalled(), { timeout: 5000, interval: 20 });
    expect(await store.claimTasks(1, 'q', 'activity', 10)).toHaveLength(1);
    expect(await store.dueRuns(store.nowMs(), 10)).toMatchObject([{ runId: busy.runId, owner: null }]);
    expect(await store.loadState(sleeping.runId)).toMatchObject({ owner: null });
    expect(await sql(`SELECT FROM ${database.schema}.processes WHERE id = $1`, [dead])).toEqual([]);
  });

  it('due runs are shown to others even before it is reaped', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const start = startCommit('a', { dueAtMs: store.nowMs() - 1 });
    await store.commit([start]);
    await sql(`UPDATE ${database.schema}.runs SET owner = $1`, [randomUUID()]);
    expect(await store.dueRuns(store.nowMs(), 10)).toMatchObject([{ runId: start.runId }]);
  });

  it('lease is back as soon as it commits: the sleeper was not dead', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    await sql(`DELETE FROM ${database.schema}.processes`);
    await sql(`DELETE FROM ${database.schema}.flushes`);
    const start = startCommit('a', { owner: store.processId });
    expect(await store.commit([start])).toEqual({ kind: 'committed' });
    expect(
      await sql(`SELECT FROM ${database.schema}.processes WHERE id = $1 AND lease_until > now()`, [store.processId]),
    ).toHaveLength(1);
  });
});

describe('processes', () => {
  it('know each other and what each polls', async () => {
    const database = freshSchema();
    const one = await testStore({ leaseMs: 600, identity: 'one' }, database);
    const two = await testStore({ leaseMs: 600, identity: 'two' }, database);
    two.setPollers([{ ...queue, identity: 'worker', lastPollMs: 17 }]);
    await vi.waitFor(async () => {
      expect(one.liveProcesses().map(({ identity }) => identity)).toEqual(['one', 'two']);
      expect(await one.pollers(1, 'q')).toEqual([
        { ...queue, processId: two.processId, identity: 'worker', lastPollMs: 17 },
      ]);
    });
    await two.close();
    await vi.waitFor(() => expect(one.liveProcesses()).toHaveLength(1));
  });

  it('give everything back when they close', async () => {
    const database = freshSchema();
    const one = await testStore({}, database);
    const two = await testStore({}, database);
    const start = startCommit('a', { owner: two.processId, dueAtMs: one.nowMs() + 60_000 });
    await two.commit([{ ...start, newTasks: [task(start.runId)] }]);
    await two.claimTasks(1, 'q', 'activity', 1);
    await two.close();
    expect(await one.loadState(start.runId)).toMatchObject({ owner: null });
    expect(await one.claimTasks(1, 'q', 'activity', 1)).toHaveLength(1);
  });

  it('at rest send few statements', async () => {
    const database = freshSchema();
    await testStore({}, database);
    const count = async (): Promise<number> => {
      const rows = await sql<{ n: number }>(
        `SELECT n_tup_upd::int AS n FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = 'processes'`,
        [database.schema],
      );
      return rows[0]!.n;
    };
    await new Promise((resolve) => setTimeout(resolve, 6500));
    // The lease of 6 s is renewed every 2 s; statistics lag by up to a second.
    expect(await count()).toBeLessThanOrEqual(4);
  });
});

describe.each([
  ['LISTEN', {}],
  ['polling', { listen: false }],
])('notices by %s', (_how, options) => {
  it('reach the other processes and not the sender', async () => {
    const database = freshSchema();
    const one = await testStore(options, database);
    const two = await testStore(options, database);
    expect(one.listening).toBe(!('listen' in options));
    const heard: Notice[] = [];
    const own: Notice[] = [];
    two.onNotice((notice) => heard.push(notice));
    one.onNotice((notice) => own.push(notice));
    await vi.waitFor(() => expect(one.liveProcesses()).toHaveLength(2), { timeout: 4000 });
    await vi.waitFor(() => expect(two.liveProcesses()).toHaveLength(2), { timeout: 4000 });
    const runIds = Array.from({ length: 450 }, () => randomUUID());
    for (const runId of runIds) one.notify({ kind: 'runs', runIds: [runId, runId] });
    for (let i = 0; i < 50; i++)
      one.notify({ kind: 'tasks', queues: [{ ...queue, queue: `queue-${i}-${'é'.repeat(200)}` }] });
    one.notify({ kind: 'query', namespaceId: 1, queue: 'q' });
    one.notify({ kind: 'queryAnswered', id: 'x' });
    await vi.waitFor(
      () => {
        expect(heard.flatMap((notice) => (notice.kind === 'runs' ? notice.runIds : [])).sort()).toEqual(
          [...runIds].sort(),
        );
        expect(heard.flatMap((notice) => (notice.kind === 'tasks' ? notice.queues : []))).toHaveLength(50);
        expect(heard).toContainEqual({ kind: 'query', namespaceId: 1, queue: 'q' });
        expect(heard).toContainEqual({ kind: 'queryAnswered', id: 'x' });
      },
      { timeout: 5000 },
    );
    expect(own).toEqual([]);
  });

  it('carry queries and their answers', async () => {
    const database = freshSchema();
    const asker = await testStore(options, database);
    const worker = await testStore(options, database);
    const query = { queryType: 'usage', queryArgs: { payloads: [payload([1, 'é'])] } };
    await asker.postQuery({ id: 'q1', namespaceId: 1, queue: 'q', workflowId: 'w', runId: 'r', query });
    expect(await worker.claimQueries(1, 'other')).toEqual([]);
    expect(await worker.claimQueries(1, 'q')).toEqual([
      { id: 'q1', namespaceId: 1, queue: 'q', workflowId: 'w', runId: 'r', query },
    ]);
    expect(await worker.claimQueries(1, 'q')).toEqual([]);
    expect(await asker.takeQueryAnswer('q1')).toBeUndefined();
    await worker.answerQuery('q1', { result: { payloads: [payload('answer')] } });
    expect(await asker.takeQueryAnswer('q1')).toEqual({ result: { payloads: [payload('answer')] } });
    expect(await asker.takeQueryAnswer('q1')).toBeUndefined();
  });
});

it('keeps the newest heartbeat of the newest attempt', async () => {
  const store = await testStore();
  const runId = randomUUID();
  await Promise.all([1, 2, 3].map((n) => store.heartbeat(runId, 5, 2, { payloads: [payload(n)] })));
  await store.heartbeat(runId, 5, 1, { payloads: [payload('old')] });
  const [beat] = await store.heartbeats(runId);
  expect(beat).toMatchObject({ scheduledEventId: 5, attempt: 2, details: { payloads: [payload(3)] } });
  expect(Math.abs(beat!.atMs - store.nowMs())).toBeLessThan(5000);
});

describe('the lease of a process', () => {
  it('is tried again while Postgres refuses it, after one warning', async () => {
    const database = freshSchema();
    const store = await testStore({ leaseMs: 300 }, database);
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue();
    afterTest(() => Promise.resolve(warning.mockRestore()));
    const { schema } = database;
    await sql(`ALTER TABLE ${schema}.processes RENAME TO kept`);
    await vi.waitFor(() => expect(warning).toHaveBeenCalled(), 5000);
    expect(warning.mock.calls[0]![0]).toMatch(/lease of this process could not be renewed: .*processes/);
    await sql(`UPDATE ${schema}.kept SET lease_until = now() - interval '1 minute'`);
    await sql(`ALTER TABLE ${schema}.kept RENAME TO processes`);
    const live = `SELECT FROM ${schema}.processes WHERE id = $1 AND lease_until > now()`;
    await vi.waitFor(async () => expect(await sql(live, [store.processId])).toHaveLength(1), 5000);
    expect(warning).toHaveBeenCalledTimes(1);
  });

  it('stays given back, whoever asks for a renewal afterwards', async () => {
    const database = freshSchema();
    const { leases } = (await testStore({}, database)) as unknown as { leases: Leases };
    const renewing = leases.renewNow();
    await leases.leave();
    await Promise.all([renewing, leases.renewNow()]);
    expect(await sql(`SELECT FROM ${database.schema}.processes`)).toEqual([]);
  });
});
