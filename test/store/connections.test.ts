import { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { connectionOptions } from '../../shim/store/connection-options';
import { nextCommit, startCommit } from '../support/commits';
import { afterTest, freshSchema, sql, testStore } from '../support/database';

const openConnections = async (schema: string): Promise<number> => {
  const rows = await sql<{ n: number }>('SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1', [
    schema,
  ]);
  return rows[0]!.n;
};

describe('the connection budget', () => {
  it('is printed, and kept under load', async () => {
    const database = freshSchema();
    const store = await testStore({ maxConnections: 4 }, database);
    expect(store.describeBudget()).toMatch(
      /at most 4 connections \(1 for commits, 2 for reads, 1 for LISTEN\), opened as needed/,
    );
    const starts = Array.from({ length: 50 }, (_, i) => startCommit(`w-${i}`));
    const work = Promise.all(
      starts.map(async (start) => {
        await store.commit([start]);
        await store.loadState(start.runId);
        await store.commit([nextCommit(start, 1)]);
        await store.readHistory(start.runId, 1, 10);
      }),
    );
    expect(await openConnections(database.schema)).toBeLessThanOrEqual(4);
    await work;
    expect(await openConnections(database.schema)).toBeLessThanOrEqual(4);
  });

  it('has no connection for LISTEN behind a pooler, and nothing that needs a connection to stay', async () => {
    const database = freshSchema();
    const store = await testStore({ maxConnections: 3, listen: false }, database);
    expect(store.describeBudget()).toContain('0 for LISTEN');
    const start = startCommit('a');
    await store.commit([start]);
    await store.loadState(start.runId);
    const [row] = await sql<{ query: string }>(
      `SELECT string_agg(query, '; ') AS query FROM pg_stat_activity WHERE application_name = $1`,
      [database.schema],
    );
    expect(row!.query).not.toMatch(/LISTEN|^SET |PREPARE/);
  });

  it.each([0, 2, 2.5])('of %d is refused', async (maxConnections) => {
    await expect(testStore({ maxConnections })).rejects.toThrow(/maxConnections is .* at least 3/);
  });
});

describe("the application's pool", () => {
  it('is borrowed from and never ended', async () => {
    const database = freshSchema();
    const pool = new Pool({ connectionString: database.url, max: 3 });
    afterTest(() => pool.end());
    const store = await testStore({ pool }, { url: '', schema: database.schema });
    expect(store.describeBudget()).toContain("from the application's pool");
    const start = startCommit('a');
    expect(await store.commit([start])).toEqual({ kind: 'committed' });
    expect((await store.loadState(start.runId))!.version).toBe(1);
    expect(store.listening).toBe(true);
    await store.close();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pool.listenerCount('error')).toBe(0);
  });

  it('lends no more than the budget says', async () => {
    const database = freshSchema();
    const pool = new Pool({ connectionString: database.url, max: 20 });
    afterTest(() => pool.end());
    const store = await testStore({ pool, listen: false, maxConnections: 4 }, { url: '', schema: database.schema });
    await Promise.all(Array.from({ length: 60 }, (_, i) => store.currentRun(1, `w-${i}`)));
    expect(pool.totalCount).toBeLessThanOrEqual(4);
  });

  it('may serve stores of two schemas', async () => {
    const [one, two] = [freshSchema(), freshSchema()];
    const pool = new Pool({ connectionString: one.url, max: 2 });
    afterTest(() => pool.end());
    for (const { schema } of [one, two]) {
      const store = await testStore({ pool, listen: false }, { url: '', schema });
      const start = startCommit('same-id');
      expect(await store.commit([start])).toEqual({ kind: 'committed' });
      expect(await store.currentRun(1, 'same-id')).toMatchObject({ runId: start.runId });
    }
  });

  it('survives the loss of its connections', async () => {
    const database = freshSchema();
    const pool = new Pool({ connectionString: database.url, max: 3 });
    afterTest(() => pool.end());
    const store = await testStore({ pool }, { url: '', schema: database.schema });
    const start = startCommit('a');
    await store.commit([start]);
    await sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [database.schema]);
    expect(await store.commit([nextCommit(start, 1)])).toEqual({ kind: 'committed' });
    await sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [database.schema]);
    expect((await store.loadState(start.runId))!.version).toBe(2);
  });
});

describe('where the database is', () => {
  it('comes from the URL, then DATABASE_URL, then PG*', () => {
    const env = { DATABASE_URL: 'postgres://env/db', PGHOST: 'pghost' };
    expect(connectionOptions('postgres://given/db', env)).toEqual({ connectionString: 'postgres://given/db' });
    expect(connectionOptions(undefined, env)).toEqual({ connectionString: 'postgres://env/db' });
    expect(connectionOptions(undefined, { PGHOST: 'pghost' })).toEqual({});
    expect(() => connectionOptions(undefined, {})).toThrow(/No database: give a URL/);
  });
});
