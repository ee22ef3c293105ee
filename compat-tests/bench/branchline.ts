/** W1 to W7 on Branchline: worker and client in this process, Postgres beside it. Prints one JSON line per workload. */
import path from 'node:path';
import { Client, Connection } from 'branchline/client';
import { NativeConnection, Runtime, Worker, DefaultLogger } from 'branchline/worker';
import { Meter, payload, percentile, perUnit, report } from './meter.mjs';
import { fanOut, oneActivity, poke, sequential, sleeper, waiter } from './workflows';

const url = process.env.DATABASE_URL!;
const only = process.env.WORKLOADS?.split(',');
const wanted = (workload: string): boolean => only === undefined || only.includes(workload);

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const connection = await Connection.connect({ address: url });
  const client = new Client({ connection });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address: url }),
    taskQueue: 'bench',
    workflowsPath: path.join(__dirname, 'workflows.ts'),
    activities: { echo: async (input: unknown) => input },
    maxCachedWorkflows: 12_000,
  });
  const running = worker.run();
  const meter = await Meter.open(url, Number(process.env.POSTMASTER_PID));
  let id = 0;
  const options = <A extends unknown[]>(...args: A) => ({
    taskQueue: 'bench',
    workflowId: `bench-${process.pid}-${id++}`,
    args,
  });

  // Warm up: first plans, first contexts.
  await Promise.all(Array.from({ length: 100 }, (_, i) => client.workflow.execute(oneActivity, options(payload(i)))));

  if (wanted('W1')) {
    const n = 2000;
    // In a process that has just started V8 still compiles on the second core; then in one that has been at work.
    for (const name of ['W1 first', 'W1']) {
      const cost = await meter.of(() =>
        Promise.all(Array.from({ length: n }, (_, i) => client.workflow.execute(oneActivity, options(payload(i))))),
      );
      report(name, { perSecond: (n / cost.wallMs) * 1000, ...perUnit(cost, n) });
    }
  }
  if (wanted('W2')) {
    const times: number[] = [];
    for (let i = 0; i < 300; i++) {
      const start = performance.now();
      await client.workflow.execute(oneActivity, options(payload(i)));
      times.push(performance.now() - start);
    }
    report('W2', { p50: percentile(times, 0.5), p95: percentile(times, 0.95), p99: percentile(times, 0.99) });
  }
  if (wanted('W3')) {
    const one = await meter.of(() => client.workflow.execute(sequential, options(payload(0), 200)));
    report('W3 one', { perSecond: (200 / one.wallMs) * 1000, ...perUnit(one, 200) });
    const many = await meter.of(() =>
      Promise.all(Array.from({ length: 50 }, () => client.workflow.execute(sequential, options(payload(0), 200)))),
    );
    report('W3 many', { perSecond: (10_000 / many.wallMs) * 1000, ...perUnit(many, 10_000) });
  }
  if (wanted('W4')) {
    const walls: number[] = [];
    for (let round = 0; round < 3; round++) {
      const cost = await meter.of(() => client.workflow.execute(fanOut, options(payload(0), 500)));
      walls.push(cost.wallMs / 1000);
    }
    report('W4', { seconds: percentile(walls, 0.5) });
  }
  if (wanted('W5')) {
    const late = await Promise.all(Array.from({ length: 1000 }, () => client.workflow.execute(sleeper, options(1000))));
    report('W5', { worstLateMs: Math.max(...late), p50LateMs: percentile(late, 0.5) });
  }
  if (wanted('W6')) {
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const handle = await client.workflow.start(waiter, options());
      await new Promise((resolve) => setTimeout(resolve, 10));
      const start = performance.now();
      await handle.signal(poke, payload(i));
      await handle.result();
      times.push(performance.now() - start);
    }
    report('W6', { p50: percentile(times, 0.5), p95: percentile(times, 0.95) });
  }
  if (wanted('W7')) {
    const n = 10_000;
    for (let started = 0; started < n; started += 500) {
      await Promise.all(Array.from({ length: 500 }, () => client.workflow.start(sleeper, options(3_600_000))));
    }
    // Autovacuum of the fresh rows, and V8's collections once it finds the process idle (some 25 s later), are not the idle cost.
    await new Promise((resolve) => setTimeout(resolve, 45_000));
    const idle = await meter.of(() => new Promise((resolve) => setTimeout(resolve, 20_000)));
    const seconds = idle.wallMs / 1000;
    report('W7', {
      statementsPerSecond: idle.statements / seconds,
      xidsPerSecond: idle.xids / seconds,
      walBytesPerSecond: idle.walBytes / seconds,
      nodePercent: (idle.nodeCpuMs / idle.wallMs) * 100,
      postgresPercent: (idle.postgresCpuMs / idle.wallMs) * 100,
      rssMb: process.memoryUsage().rss / 2 ** 20,
    });
  }
  await meter.close();
  worker.shutdown();
  await running;
  await connection.close();
}

main().then(
  () => process.exit(0),
  (err) => {
    console.error(err);
    process.exit(1);
  },
);
