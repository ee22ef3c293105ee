/**
 * Lists and counts over many executions: `npm run bench:visibility [-- sizes, default 10000 1000000]`.
 * Prints per filter the median and p95 of a page of 100 through the service, the CPU that a list takes (Node and Postgres), which tells on a busy machine too,
 * and which plan Postgres takes; ends with 1 when the p95 of all lists that an index serves is over its target. The rows are made in Postgres: 30 days of runs, most of them short, 1 % open.
 */
import { performance } from 'node:perf_hooks';
import { Client, Connection } from 'branchline/client';
import Long from 'long';
import { Client as Postgres } from 'pg';
import { listQuery } from '../../lib/service/visibility/query';
import { listPage } from '../../lib/store/lists';
import { type RunningPostgres, startPostgres } from '../../lib/testing/embedded-postgres';
import { Meter, percentile } from './meter.mjs';

const SIZES = process.argv.slice(2).map(Number);
const REPEATS = 20;
const PAGE = 100;
const targetMs = (size: number): number => (size <= 10_000 ? 20 : 60);

const attributes = { Tenant: 2, Plan: 2, Seats: 3, Tags: 7, Notes: 1 };

/** $1 rows; the first are the oldest. `retired` and `left` are found in the oldest tenth only. */
const fill = `
  INSERT INTO branchline.executions (run_id, namespace_id, workflow_id, first_run_id, workflow_type, task_queue, status, start_request_id, start_time,
    execution_time, close_time, history_length, history_size_bytes, state_transitions, root_workflow_id, root_run_id, search_attributes,
    search_attribute_payloads)
  SELECT run, (SELECT id FROM branchline.namespaces WHERE name = 'default'), id, run, type, 'queue', status, run::text, start, start,
    CASE WHEN status > 1 THEN start + duration END, 11, 2345, 6, id, run, attributes,
    (SELECT json_object_agg(a.key, json_build_object('encoding', 'json/plain', 'text', a.value::text)) FROM jsonb_each(attributes) a)
  FROM (
    SELECT md5('run' || n)::uuid AS run, 'order-' || lpad(to_hex(n), 8, '0') AS id,
      CASE WHEN n <= $1 * 0.1 AND r[2] < 0.2 THEN 'retired' WHEN n % ($1 / 50) = 7 THEN 'rare'
        WHEN r[2] < 0.6 THEN 'checkout' ELSE 'type-' || (r[2] * 50)::int END AS type,
      CASE WHEN r[3] < 0.002 OR r[3] < 0.05 AND n > $1 * 0.84 THEN 1 WHEN r[3] > 0.98 THEN 3 WHEN r[3] > 0.975 THEN 4 WHEN r[3] > 0.972 THEN 5
        WHEN r[3] > 0.962 THEN 6 WHEN n % ($1 / 20) = 3 THEN 7 ELSE 2 END AS status,
      now() - interval '30 days' * (1 - n::float8 / $1) - interval '4 hours' AS start,
      interval '1 second' * CASE WHEN r[4] < 0.8 THEN r[4] * 10 WHEN r[4] < 0.99 THEN r[4] * 3600 ELSE r[4] * 14400 END AS duration,
      jsonb_build_object('Tenant', CASE WHEN n <= $1 * 0.1 AND r[1] < 0.05 THEN 'left' ELSE 'tenant-' || (2000 * r[1] * r[1] * r[1])::int END,
        'Plan', (ARRAY['free', 'free', 'pro', 'team'])[1 + (r[4] * 3.99)::int % 4], 'Seats', (r[1] * 100)::int,
        'Tags', jsonb_build_array('t' || (r[2] * 20)::int, 'u' || n % 500), 'Notes', 'order of ' || (r[3] * 1000)::int || ' things') AS attributes
    FROM (SELECT n, ARRAY[random(), random(), random(), random()] AS r FROM generate_series($2::int, $3::int) AS n) x
  ) y`;

let meter: Meter;

interface Listing {
  filter: string;
  /** Served by an index, so that the target holds. */
  indexed: boolean;
}
const ago = (days: number): string => `"${new Date(Date.now() - days * 86_400_000).toISOString()}"`;

function listings(): Listing[] {
  const indexed = [
    '',
    'WorkflowType = "checkout"',
    'WorkflowType = "type-40"',
    'WorkflowType = "retired"',
    'WorkflowType = "rare"',
    'WorkflowType = "none"',
    'WorkflowType IN ("rare", "retired")',
    'WorkflowId = "order-00000123"',
    'WorkflowId IN ("order-00000123", "order-00000456", "none")',
    'WorkflowId STARTS_WITH "order-000004"',
    'ExecutionStatus = "Running"',
    'ExecutionStatus = "Completed"',
    'ExecutionStatus = "Failed"',
    'ExecutionStatus IN ("Terminated", "TimedOut")',
    'ExecutionStatus = "TimedOut"',
    'WorkflowType = "checkout" AND ExecutionStatus = "Failed"',
    'WorkflowType = "retired" AND ExecutionStatus = "Running"',
    `StartTime > ${ago(1)}`,
    `StartTime < ${ago(1)}`,
    `StartTime BETWEEN ${ago(16)} AND ${ago(15)}`,
    `StartTime < ${ago(29)}`,
    `StartTime > ${ago(1 / 24)}`,
    `CloseTime > ${ago(1)} AND ExecutionStatus != "Running"`,
    `CloseTime BETWEEN ${ago(16)} AND ${ago(15)}`,
    `CloseTime < ${ago(29)}`,
    'Plan = "pro"',
    'Tenant = "tenant-7"',
    'Tenant = "tenant-1900"',
    'Tenant = "left"',
    'Tenant = "none"',
    'Tenant IN ("tenant-1900", "tenant-1901")',
    'Tags = "u77"',
    `Tenant = "tenant-7" AND StartTime > ${ago(7)}`,
    `Tenant = "left" AND WorkflowType = "checkout" AND ExecutionStatus = "Completed"`,
    'Plan = "pro" AND WorkflowType = "rare"',
    `Plan = "pro" AND CloseTime BETWEEN ${ago(16)} AND ${ago(15)}`,
    `WorkflowType = "checkout" AND StartTime < ${ago(29)}`,
    'CloseTime IS NULL',
  ];
  const others = [
    'Seats > 99',
    'Seats = 50',
    'Notes = "500"',
    'Tenant STARTS_WITH "tenant-19"',
    'ORDER BY StartTime DESC',
    'ORDER BY CloseTime DESC',
    'Tenant = "tenant-1900" ORDER BY Seats DESC, StartTime',
    'WorkflowType = "checkout" ORDER BY WorkflowId',
  ];
  return [
    ...indexed.map((filter) => ({ filter, indexed: true })),
    ...others.map((filter) => ({ filter, indexed: false })),
  ];
}

async function main(): Promise<void> {
  let failed = false;
  for (const size of SIZES.length > 0 ? SIZES : [10_000, 1_000_000]) failed = !(await measured(size)) || failed;
  if (failed) process.exitCode = 1;
}

async function measured(size: number): Promise<boolean> {
  const postgres = await startPostgres({
    useEnvironment: false,
    settings: { shared_buffers: '1GB', max_wal_size: '4GB', shared_preload_libraries: 'pg_stat_statements' },
  });
  try {
    return await measuredOn(size, postgres);
  } finally {
    await postgres.stop();
  }
}

async function measuredOn(size: number, postgres: RunningPostgres): Promise<boolean> {
  const db = new Postgres(postgres.url);
  await db.connect();
  const connection = await Connection.connect({ url: postgres.url });
  meter = await Meter.open(postgres.url, postgres.pid);
  try {
    // Retention would remove what is older than three days while it is listed.
    const workflowExecutionRetentionTtl = { seconds: Long.fromNumber(365 * 86_400) };
    await connection.workflowService.updateNamespace({
      namespace: 'default',
      config: { workflowExecutionRetentionTtl },
    });
    await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: attributes });
    const loading = performance.now();
    await db.query('SELECT setseed(0.5)');
    for (let n = 1; n <= size; n += 100_000) await db.query(fill, [size, n, Math.min(size, n + 99_999)]);
    await db.query('VACUUM ANALYZE branchline.executions');
    print(`\n${size.toLocaleString('en')} executions, made in ${((performance.now() - loading) / 1000).toFixed(0)} s`);
    const { rows } = await db.query<{ name: string; size: string }>(
      `SELECT relname AS name, pg_size_pretty(pg_relation_size(oid)) AS size FROM pg_class
       WHERE relnamespace = 'branchline'::regnamespace AND relname LIKE 'executions%' ORDER BY relkind DESC, relname`,
    );
    print(rows.map(({ name, size }) => `${name} ${size}`).join(', '));

    const all: number[] = [];
    const cpu: number[] = [];
    for (const { filter, indexed } of listings()) {
      const times = await timed(() => list(connection, filter));
      if (indexed) {
        all.push(...times.ms);
        cpu.push(times.cpuMs);
      }
      line(indexed ? '' : '(no index) ', filter, times, await plan(db, filter));
    }
    const pages = await timed(() => list(connection, '', 10), 5);
    line('(10 pages) ', '', pages, '');
    for (const query of [
      '',
      'WorkflowType = "rare"',
      'GROUP BY ExecutionStatus',
      'GROUP BY WorkflowType, ExecutionStatus',
    ]) {
      const client = new Client({ connection });
      line('(count) ', query, await timed(async () => (await client.workflow.count(query)).count, 5), '');
    }
    const { rows: left } = await db.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM branchline.executions',
    );
    if (left[0]!.count !== size) throw new Error(`${size - left[0]!.count} executions are gone`);
    const p95 = percentile(all, 0.95);
    const holds = p95 <= targetMs(size);
    print(
      `CPU of the lists that an index serves: median ${percentile(cpu, 0.5).toFixed(1)}, p95 ${percentile(cpu, 0.95).toFixed(1)} ms`,
    );
    print(
      `p95 of the lists that an index serves: ${p95.toFixed(1)} ms; target ${targetMs(size)} ms: ${holds ? 'holds' : 'MISSED'}`,
    );
    return holds;
  } finally {
    await meter.close();
    await connection.close();
    await db.end();
  }
}

/** The rows of the last page. */
async function list(connection: Connection, query: string, pages = 1): Promise<number> {
  let nextPageToken: Uint8Array | undefined;
  let found = 0;
  for (let page = 0; page < pages; page++) {
    const request = { namespace: 'default', query, pageSize: PAGE, nextPageToken };
    const response = await connection.workflowService.listWorkflowExecutions(request);
    found = response.executions.length;
    nextPageToken = response.nextPageToken;
    if (!nextPageToken?.length) break;
  }
  return found;
}

interface Times {
  ms: number[];
  /** Of one call. */
  cpuMs: number;
  result: number;
}

async function timed(call: () => Promise<number>, repeats = REPEATS): Promise<Times> {
  let result = await call();
  const ms: number[] = [];
  const { nodeCpuMs, postgresCpuMs } = await meter.of(async () => {
    for (let i = 0; i < repeats; i++) {
      const begin = performance.now();
      result = await call();
      ms.push(performance.now() - begin);
    }
  });
  return { ms, cpuMs: (nodeCpuMs + postgresCpuMs) / repeats, result };
}

interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  Plans?: PlanNode[];
}

/** Its nodes, outermost first, with the indexes they read; of the last look, where there are several. */
async function plan(db: Postgres, filter: string): Promise<string> {
  const namespace = { id: 1, searchAttributeTypes: attributes } as unknown as Parameters<typeof listQuery>[1];
  const asked: { text: string; values: unknown[] }[] = [];
  const run: Parameters<typeof listPage>[0] = async (statement) => {
    asked.push(statement);
    return (await db.query(statement.text, statement.values)).rows;
  };
  await listPage(run, 'branchline', listQuery(filter, namespace), PAGE, null);
  const { text, values } = asked.at(-1)!;
  const { rows } = await db.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (FORMAT JSON) ${text}`, values);
  const nodes = (node: PlanNode): string[] => [
    `${node['Node Type']}${node['Index Name'] === undefined ? '' : ` ${node['Index Name'].replace('executions_', '')}`}`,
    // The newest close and the build id are read beside it.
    ...(node.Plans ?? [])
      .filter((child) => (child as { 'Parent Relationship'?: string })['Parent Relationship'] !== 'InitPlan')
      .filter((child) => (child as { 'Parent Relationship'?: string })['Parent Relationship'] !== 'SubPlan')
      .flatMap(nodes),
  ];
  const names = nodes(rows[0]!['QUERY PLAN'][0].Plan).filter((name) => name !== 'Limit');
  return `${asked.length > 1 ? `${asked.length} looks, the last: ` : ''}${names.join(' < ')}`;
}

function line(kind: string, filter: string, { ms, cpuMs, result }: Times, how: string): void {
  const [p50, p95] = [percentile(ms, 0.5).toFixed(1), percentile(ms, 0.95).toFixed(1)];
  const shown = `${kind}${filter === '' ? 'everything' : filter}`;
  print(
    `${p50.padStart(7)} ${p95.padStart(7)} ms ${cpuMs.toFixed(1).padStart(6)} CPU ${String(result).padStart(7)}  ${shown.padEnd(76)} ${how}`,
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
