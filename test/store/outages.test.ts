/** What processes make of a time in which none of them could reach Postgres. */
import { expect, it, vi } from 'vitest';
import type { Notice } from '../../shim/store/types';
import { connect, freshSchema, sql, testStore } from '../support/database';

it('nobody is taken for dead after an outage that nobody could renew in', async () => {
  const database = freshSchema();
  const stores = [await testStore({ leaseMs: 900 }, database), await testStore({ leaseMs: 900 }, database)];
  const heard: Notice[] = [];
  for (const store of stores) store.onNotice((notice) => heard.push(notice));
  await vi.waitFor(() => {
    for (const store of stores) expect(store.liveProcesses()).toHaveLength(2);
  });
  const outage = await connect();
  await outage.query(`BEGIN; LOCK TABLE "${database.schema}".processes IN ACCESS EXCLUSIVE MODE`);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await outage.query('COMMIT');
  await outage.end();
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const store of stores) expect(store.liveProcesses()).toHaveLength(2);
  }
  expect(heard.filter(({ kind }) => kind === 'processDied')).toEqual([]);
});

it('who lost its listening connection is told that it missed something', async () => {
  const database = freshSchema();
  const store = await testStore({}, database);
  const missed = vi.fn();
  store.onNotice(({ kind }) => kind === 'missed' && missed());
  await sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'`,
    [database.schema],
  );
  await vi.waitFor(() => expect(missed).toHaveBeenCalledOnce(), { timeout: 5000 });
  expect(store.listening).toBe(true);
});
