/** Branchline's own metrics: how Postgres serves this process, and what its tables are like. */
import { watchStores, type StoreMeasures, type StoreSample } from '../store/measures';
import { Recorder } from './recorder';
import type { Exporter, MetricSpec, Tags } from './types';

type Entry = Omit<MetricSpec, 'name'>;
const gauge = (description: string): Entry => ({ kind: 'gauge', valueType: 'float', unit: '', description });
const latency = (description: string): Entry => ({ kind: 'histogram', valueType: 'duration', unit: '', description });

export const postgresCatalogue = {
  commit_latency: latency('Histogram of the time from sending a batch of changes until Postgres has committed it'),
  commit_batch_size: {
    ...{ kind: 'histogram', valueType: 'int', unit: '' },
    description: 'Histogram of the runs changed by one commit',
  },
  commits_waiting: gauge('Changes that wait for the next batch'),
  pool_connections: gauge('Open connections by pool and state'),
  pool_waiting: gauge('Operations that wait for a connection'),
  pool_wait_latency: latency('Histogram of the time operations waited for a connection'),
  notification_lag: latency('Histogram of the time from a notice of another process to its arrival here'),
  lease_age_seconds: gauge('Seconds since this process renewed its lease'),
  processes: gauge('Processes that hold a lease'),
  database_away_seconds: gauge('Seconds since operations have been waiting for the database; 0 while it answers'),
  task_backlog: gauge('Tasks in the tables that no process has claimed, at most 100,000'),
  task_backlog_age_seconds: gauge('Age of the oldest of them'),
  runs_overdue: gauge('Runs whose due time has passed, at most 10,000'),
  runs_overdue_age_seconds: gauge('Seconds since the first of them was due'),
  table_size_bytes: gauge('Size of a table with its indexes'),
  table_live_rows: gauge('Live rows of a table, as the statistics estimate them'),
  table_dead_rows: gauge('Dead rows of a table, as the statistics estimate them'),
} as const satisfies Record<string, Entry>;

type PostgresMetrics = Recorder<typeof postgresCatalogue>;
type Name = keyof typeof postgresCatalogue;

/** How often the tables are looked at. */
const sampleMs = 10_000;

/** Measures every store of this process until what it gives is called. */
export function measurePostgres(exporter: Exporter, tags: Tags): () => void {
  const metrics = new Recorder(exporter, postgresCatalogue, 'branchline_', tags);
  return watchStores((store) => measure(metrics.with({ database: store.database, schema: store.schema }), store));
}

function measure(metrics: PostgresMetrics, store: StoreMeasures): () => void {
  store.watch({
    committed: (runs, ms) => {
      metrics.record('commit_latency', ms);
      metrics.record('commit_batch_size', runs);
    },
    connected: (pool, ms) => metrics.record('pool_wait_latency', ms, { pool }),
    noticed: (ms) => metrics.record('notification_lag', ms),
  });
  const ends = [
    metrics.observe('commits_waiting', {}, () => store.commitsWaiting),
    metrics.observe('lease_age_seconds', {}, () => store.leaseAgeMs / 1000),
    metrics.observe('processes', {}, () => store.processes),
    metrics.observe('database_away_seconds', {}, () => store.databaseAwayMs / 1000),
  ];
  for (const pool of ['commit', 'read', 'transaction'] as const) {
    ends.push(
      metrics.observe('pool_connections', { pool, state: 'idle' }, () => store.pools()[pool].idle),
      metrics.observe('pool_connections', { pool, state: 'active' }, () => store.pools()[pool].active),
      metrics.observe('pool_waiting', { pool }, () => store.pools()[pool].waiting),
    );
  }
  const sampled = new SampledGauges(metrics);
  const look = (): void => {
    store.sample().then(
      (sample) => sampled.show(sample),
      // Away, or closed meanwhile: what was seen last stays.
      () => undefined,
    );
  };
  look();
  const timer = setInterval(look, sampleMs).unref();
  return () => {
    clearInterval(timer);
    store.watch(undefined);
    for (const end of ends) end();
    sampled.end();
  };
}

/** Gauges that stand for the last look at the tables. */
class SampledGauges {
  private readonly gauges = new Map<string, { value: number; end: () => void }>();
  private ended = false;

  constructor(private readonly metrics: PostgresMetrics) {}

  show({ backlog, overdue, tables }: StoreSample): void {
    if (this.ended) return;
    // A queue that has no backlog any more has one of 0.
    for (const [key, gauge] of this.gauges) if (key.startsWith('task_')) gauge.value = 0;
    for (const { namespace, queue, kind, count, age } of backlog) {
      const tags = { namespace, task_queue: queue, task_type: kind };
      this.set('task_backlog', tags, count);
      this.set('task_backlog_age_seconds', tags, age);
    }
    this.set('runs_overdue', {}, overdue.count);
    this.set('runs_overdue_age_seconds', {}, overdue.age);
    for (const { name, bytes, live, dead } of tables) {
      this.set('table_size_bytes', { table: name }, bytes);
      this.set('table_live_rows', { table: name }, live);
      this.set('table_dead_rows', { table: name }, dead);
    }
  }

  end(): void {
    this.ended = true;
    for (const { end } of this.gauges.values()) end();
  }

  private set(name: Name, tags: Tags, value: number): void {
    const key = `${name}${JSON.stringify(tags)}`;
    const there = this.gauges.get(key);
    if (there !== undefined) {
      there.value = value;
      return;
    }
    const gauge = { value, end: () => undefined as void };
    gauge.end = this.metrics.observe(name, tags, () => gauge.value);
    this.gauges.set(key, gauge);
  }
}
