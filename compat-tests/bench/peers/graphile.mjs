/** W1 and W2 on graphile-worker: a raw queue (one job, no steps, no result kept), a floor for what a job costs on Postgres. */
import { makeWorkerUtils, run } from 'graphile-worker';
import { Meter, payload, percentile, perUnit, report } from '../meter.mjs';

const url = process.env.DATABASE_URL;
const only = process.env.WORKLOADS?.split(',');
const wanted = (workload) => only === undefined || only.includes(workload);

const waiting = new Map();
const utils = await makeWorkerUtils({ connectionString: url });
await utils.migrate();
const runner = await run({
  connectionString: url,
  concurrency: 24,
  noHandleSignals: true,
  preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  taskList: { echo: async (input) => waiting.get(input.id)?.(input) },
});
let id = 0;
const job = async () => {
  const input = payload(id++);
  const done = new Promise((resolve) => waiting.set(input.id, resolve));
  await utils.addJob('echo', input);
  await done;
  waiting.delete(input.id);
};
await Promise.all(Array.from({ length: 100 }, job));
const meter = await Meter.open(url, Number(process.env.POSTMASTER_PID));
if (wanted('W1')) {
  const n = 2000;
  for (const name of ['W1 first', 'W1']) {
    const cost = await meter.of(() => Promise.all(Array.from({ length: n }, job)));
    report(name, { perSecond: (n / cost.wallMs) * 1000, ...perUnit(cost, n) });
  }
}
if (wanted('W2')) {
  const times = [];
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    await job();
    times.push(performance.now() - start);
  }
  report('W2', { p50: percentile(times, 0.5), p95: percentile(times, 0.95), p99: percentile(times, 0.99) });
}
await meter.close();
await runner.stop();
process.exit(0);
