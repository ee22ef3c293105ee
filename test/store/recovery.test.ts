import { describe, expect, it } from 'vitest';
import { DatabaseConnectionError, StoreClosedError } from '../../shim/store/errors';
import { openStore } from '../../shim/store/open';
import { startPostgres } from '../../shim/testing/embedded-postgres';
import { nextCommit, startCommit } from '../support/commits';
import { cuttingProxy } from '../support/cutting-proxy';
import { afterTest, freshSchema, sql, testStore } from '../support/database';
import { FlakyLink } from '../support/flaky-link';
import type { Store } from '../../shim/store/types';

/** Commits `versions` changes of each of `runs` runs; every one must end as committed, whatever happens to the database. */
async function commitAll(store: Store, runs: number, versions: number): Promise<string[]> {
  const starts = Array.from({ length: runs }, (_, i) => startCommit(`w-${i}`));
  await Promise.all(
    starts.map(async (start) => {
      expect(await store.commit([start])).toEqual({ kind: 'committed' });
      for (let version = 1; version < versions; version++) {
        expect(await store.commit([nextCommit(start, version)])).toEqual({ kind: 'committed' });
      }
    }),
  );
  return starts.map(({ runId }) => runId);
}

async function expectWhole(store: Store, runIds: string[], versions: number): Promise<void> {
  for (const runId of runIds) {
    expect((await store.loadState(runId))!.version).toBe(versions);
    const ids = (await store.readHistory(runId, 1, 10_000)).map(({ eventId }) => eventId);
    expect(ids).toEqual(Array.from({ length: versions }, (_, i) => i + 1));
  }
}

describe('nothing is lost or doubled', () => {
  it('when Postgres is killed and started again under load', async () => {
    const postgres = await startPostgres({ useEnvironment: false });
    afterTest(() => postgres.stop());
    const store = await openStore({ url: postgres.url });
    afterTest(() => store.close());
    const work = commitAll(store, 20, 40);
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await postgres.kill();
      await postgres.start();
    }
    await expectWhole(store, await work, 40);
  }, 90_000);

  it('when connections are ended again and again', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    let done = false;
    const work = commitAll(store, 20, 25).finally(() => (done = true));
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${database.schema}'`;
    while (!done) {
      await sql(end);
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
    }
    await expectWhole(store, await work, 25);
  }, 60_000);

  it('when the answer to a commit gets lost', async () => {
    const database = freshSchema();
    const proxy = await cuttingProxy(database.url);
    afterTest(() => proxy.close());
    const store = await testStore({}, { ...database, url: proxy.url });
    const start = startCommit('a');
    await store.commit([start]);
    for (let version = 1; version <= 5; version++) {
      const cut = proxy.cutAnswerTo(`commitBatch_${database.schema}`);
      const outcome = store.commit([nextCommit(start, version)]);
      await cut;
      expect(await outcome).toEqual({ kind: 'committed' });
    }
    await expectWhole(store, [start.runId], 6);
  });

  it('when the answer that says "conflict" gets lost', async () => {
    const database = freshSchema();
    const proxy = await cuttingProxy(database.url);
    afterTest(() => proxy.close());
    const store = await testStore({}, { ...database, url: proxy.url });
    const [a, b] = [startCommit('a'), startCommit('b')];
    await Promise.all([store.commit([a]), store.commit([b])]);
    const cut = proxy.cutAnswerTo(`commitBatch_${database.schema}`);
    const outcomes = Promise.all([
      store.commit([nextCommit(a, 9)]),
      store.commit([nextCommit(b, 1)]),
      store.commit([startCommit('a')]),
    ]);
    await cut;
    expect((await outcomes).map(({ kind }) => kind)).toEqual(['conflict', 'committed', 'idTaken']);
  });

  it('when a batch that was given up arrives late', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const start = startCommit('a');
    await store.commit([start]);
    // As if batch 2 had been sent on a connection that then broke, and is still under way.
    const settled = await sql(`SELECT committed FROM ${database.schema}.settle_batch('${store.processId}', 2)`);
    expect(settled).toEqual([{ committed: false }]);
    const early = await sql(`SELECT committed FROM ${database.schema}.settle_batch('${store.processId}', 2)`);
    expect(early).toEqual([{ committed: true }]);
    // The store's own next batch has that number: it is refused, renumbered and then goes through, once.
    expect(await store.commit([nextCommit(start, 1)])).toEqual({ kind: 'committed' });
    await expectWhole(store, [start.runId], 2);
  });

  it('when a claim of tasks loses its answer', async () => {
    const database = freshSchema();
    const proxy = await cuttingProxy(database.url);
    afterTest(() => proxy.close());
    const store = await testStore({}, { ...database, url: proxy.url });
    const start = startCommit('a');
    const task = {
      namespaceId: 1,
      queue: 'q',
      runId: start.runId,
      kind: 'workflow' as const,
      scheduledEventId: 2,
      attempt: 1,
      priority: 3,
      fairnessKey: '',
      fairnessWeight: 1,
    };
    await store.commit([{ ...start, newTasks: [task] }]);
    const cut = proxy.cutAnswerTo(`tasks_claim_${database.schema}`);
    const claimed = store.claimTasks(1, 'q', 'workflow', 10);
    await cut;
    expect(await claimed).toMatchObject([task]);
  });
});

describe('an unreachable database', () => {
  it('at start is waited for', async () => {
    const postgres = await startPostgres({ useEnvironment: false });
    afterTest(() => postgres.stop());
    await postgres.halt();
    const opening = openStore({ url: postgres.url });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await postgres.start();
    const store = await opening;
    await store.close();
  });

  it('is told in words that say what to do', async () => {
    const refused = openStore({ url: 'postgres://u:secret@127.0.0.1:1/db', connectTimeoutMs: 300 }).catch(
      (error: unknown) => error,
    );
    const error = (await refused) as DatabaseConnectionError;
    expect(error).toBeInstanceOf(DatabaseConnectionError);
    expect(error.code).toBe('BRANCHLINE_DATABASE_CONNECTION');
    expect(error.message).toMatch(/Cannot reach the database at 127\.0\.0\.1:1\/db .*Is it running/);
    expect(error.message).not.toContain('secret');
  });

  it.each([
    ['mysql://localhost/x', /begins with mysql:/],
    ['nonsense', /should look like postgres:/],
  ])('%s is refused at once', async (url, words) => {
    await expect(openStore({ url })).rejects.toThrow(words);
  });

  it('with a wrong password or database is refused at once', async () => {
    const { url, schema } = freshSchema();
    const database = new URL(url);
    database.pathname = '/no_such_database';
    await expect(openStore({ url: database.href, schema })).rejects.toThrow(/no_such_database.*Create it/s);
    const password = new URL(url);
    password.password = 'wrong';
    await expect(openStore({ url: password.href, schema })).rejects.toThrow(/refused the user/);
  });

  it('ends what waits when the store closes', async () => {
    const { url, schema } = freshSchema();
    const link = await FlakyLink.to(url);
    afterTest(() => link.close());
    const store = await openStore({ url: link.url, schema });
    // Unlike a killed server, whose backends may still answer for a moment.
    link.cut();
    const commit = store.commit([startCommit('a')]).catch((error: unknown) => error);
    const load = store.currentRun(1, 'a').catch((error: unknown) => error);
    await store.close();
    expect(await commit).toBeInstanceOf(StoreClosedError);
    expect(await load).toBeInstanceOf(StoreClosedError);
  }, 40_000);
});
