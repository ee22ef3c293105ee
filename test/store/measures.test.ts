/** What is measured of stores while somebody watches. */
import { describe, expect, it } from 'vitest';
import { measurePostgres } from '../../shim/metrics/postgres';
import { Registry } from '../../shim/metrics/prometheus/registry';
import { exposition } from '../../shim/metrics/prometheus/text';
import type { Exporter } from '../../shim/metrics/types';
import { watchStores, type StoreMeasures } from '../../shim/store/measures';
import { freshSchema, sql, testStore } from '../support/database';
import { eventually } from '../../compat-tests/metrics/eventually';
import { startCommit } from '../support/commits';

function registry(): { exporter: Exporter; text: () => string } {
  const made = new Registry({
    ...{ countersTotalSuffix: false, unitSuffix: false, useSecondsForDurations: false },
    ...{ histogramBucketOverrides: {}, globalTags: {} },
  });
  const done = (): Promise<void> => Promise.resolve();
  return {
    exporter: { metric: (spec) => made.metric(spec), ready: done, close: done },
    text: () => exposition(made.families(), {}),
  };
}

describe('a store that is measured', () => {
  it('tells of commits, connections, its lease and its tables, and of nothing once that has ended', async () => {
    const { exporter, text } = registry();
    const database = freshSchema();
    const store = await testStore({}, database);
    const end = measurePostgres(exporter, { service_name: 'x' });
    await store.commit([startCommit('one')]);
    await eventually(() => text().includes('branchline_table_size_bytes'));
    const tags = `schema="${database.schema}",service_name="x"`;
    const shown = text();
    expect(shown).toMatch(new RegExp(`^branchline_commit_latency_count\\{database="[^"]+",${tags}\\} 1$`, 'm'));
    expect(shown).toMatch(/^branchline_commit_batch_size_sum\{.*\} 1$/m);
    expect(shown).toMatch(/^branchline_pool_wait_latency_count\{.*pool="commit".*\} 1$/m);
    expect(shown).toMatch(/^branchline_pool_connections\{.*pool="commit".*state="idle"\} 1$/m);
    expect(shown).toMatch(/^branchline_processes\{.*\} 1$/m);
    expect(shown).toMatch(/^branchline_database_away_seconds\{.*\} 0$/m);
    expect(shown).toMatch(/^branchline_table_size_bytes\{.*table="history"\} [1-9]\d+$/m);
    expect(shown).toMatch(/^branchline_lease_age_seconds\{.*\} \d/m);
    expect(shown).not.toMatch(/password|postgres:\/\//);
    end();
    await store.commit([startCommit('two')]);
    expect(text()).toMatch(/^branchline_commit_latency_count\{.*\} 1$/m);
    expect(text()).not.toContain('branchline_processes');
  });

  it('shows transactions of the application, and those that wait for their turn', async () => {
    const { exporter, text } = registry();
    const store = await testStore({ maxTransactions: 1 });
    measurePostgres(exporter, {});
    const first = await store.beginTransaction();
    const second = store.beginTransaction();
    expect(text()).toMatch(/^branchline_pool_connections\{.*pool="transaction".*state="active"\} 1$/m);
    expect(text()).toMatch(/^branchline_pool_waiting\{.*pool="transaction".*\} 1$/m);
    await first.rollback();
    await (await second).rollback();
    expect(text()).toMatch(/^branchline_pool_waiting\{.*pool="transaction".*\} 0$/m);
    expect(text()).toMatch(/^branchline_pool_wait_latency_count\{.*pool="transaction".*\} 2$/m);
  });

  it('counts the tasks that wait by queue, and the runs that are overdue', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const seen: StoreMeasures[] = [];
    watchStores((measures) => (seen.push(measures), () => undefined))();
    const measures = seen.find(({ schema }) => schema === database.schema)!;
    expect(await measures.sample()).toMatchObject({ backlog: [], overdue: { count: 0, age: 0 } });
    const start = startCommit('one', { dueAtMs: Date.now() - 3_600_000 });
    const task = (queue: string) => ({
      ...{ namespaceId: 1, runId: start.runId, scheduledEventId: 5, attempt: 1, priority: 3 },
      ...{ queue, kind: 'activity' as const, fairnessKey: '', fairnessWeight: 1 },
    });
    await store.commit([{ ...start, newTasks: [task('a'), task('a'), task('b')] }]);
    await sql(`UPDATE "${database.schema}".tasks SET created_at = created_at - interval '1 minute'`);
    const { backlog, overdue, tables } = await measures.sample();
    expect(backlog).toMatchObject([
      { namespace: 'default', queue: 'a', kind: 'activity', count: 2 },
      { namespace: 'default', queue: 'b', kind: 'activity', count: 1 },
    ]);
    expect(backlog[0]!.age).toBeGreaterThanOrEqual(60);
    expect(overdue.count).toBe(1);
    expect(overdue.age).toBeGreaterThanOrEqual(3600);
    expect(tables.find(({ name }) => name === 'executions')).toMatchObject({ bytes: expect.any(Number) as number });
  });

  it('tells how long the notices of another process took', async () => {
    const database = freshSchema();
    const { exporter, text } = registry();
    const sender = await testStore({}, database);
    const receiver = await testStore({}, database);
    const end = measurePostgres(exporter, {});
    const arrived = new Promise((resolve) => receiver.onNotice((notice) => notice.kind === 'runs' && resolve(notice)));
    await eventually(() => sender.liveProcesses().length === 2);
    sender.notify({ kind: 'runs', runIds: ['5a1e2b66-55a1-4f5e-9d0c-111111111111'] });
    await arrived;
    expect(text()).toMatch(/^branchline_notification_lag_count\{.*\} [1-9]\d*$/m);
    end();
  });
});
