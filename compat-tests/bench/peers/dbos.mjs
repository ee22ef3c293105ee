/** W1 to W7 on DBOS, started directly in this process (its best mode). */
import { DBOS } from '@dbos-inc/dbos-sdk';
import { Meter, payload, percentile, perUnit, report } from '../meter.mjs';

const url = process.env.DATABASE_URL;
const only = process.env.WORKLOADS?.split(',');
const wanted = (workload) => only === undefined || only.includes(workload);

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, systemDatabasePoolSize: 20, logLevel: 'error' });

const echo = async (input) => input;
const oneActivity = DBOS.registerWorkflow(async (input) => await DBOS.runStep(() => echo(input), { name: 'echo' }), {
  name: 'oneActivity',
});
const sequential = DBOS.registerWorkflow(
  async (input, steps) => {
    let last = input;
    for (let i = 0; i < steps; i++) last = await DBOS.runStep(() => echo(last), { name: 'echo' });
    return last;
  },
  { name: 'sequential' },
);
const fanOut = DBOS.registerWorkflow(
  async (input, width) => {
    const all = await Promise.all(
      Array.from({ length: width }, () => DBOS.runStep(() => echo(input), { name: 'echo' })),
    );
    return all.length;
  },
  { name: 'fanOut' },
);
const sleeper = DBOS.registerWorkflow(
  async (ms) => {
    const wish = Date.now() + ms;
    await DBOS.sleepms(ms);
    return Date.now() - wish;
  },
  { name: 'sleeper' },
);
const waiter = DBOS.registerWorkflow(async () => await DBOS.recv('poke', 60), { name: 'waiter' });

await DBOS.launch();
const run = async (fn, ...args) => await (await DBOS.startWorkflow(fn)(...args)).getResult();
await Promise.all(Array.from({ length: 100 }, (_, i) => run(oneActivity, payload(i))));
const meter = await Meter.open(url, Number(process.env.POSTMASTER_PID));

if (wanted('W1')) {
  const n = 2000;
  for (const name of ['W1 first', 'W1']) {
    const cost = await meter.of(() => Promise.all(Array.from({ length: n }, (_, i) => run(oneActivity, payload(i)))));
    report(name, { perSecond: (n / cost.wallMs) * 1000, ...perUnit(cost, n) });
  }
}
if (wanted('W2')) {
  const times = [];
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    await run(oneActivity, payload(i));
    times.push(performance.now() - start);
  }
  report('W2', { p50: percentile(times, 0.5), p95: percentile(times, 0.95), p99: percentile(times, 0.99) });
}
if (wanted('W3')) {
  const one = await meter.of(() => run(sequential, payload(0), 200));
  report('W3 one', { perSecond: (200 / one.wallMs) * 1000, ...perUnit(one, 200) });
  const many = await meter.of(() => Promise.all(Array.from({ length: 50 }, () => run(sequential, payload(0), 200))));
  report('W3 many', { perSecond: (10_000 / many.wallMs) * 1000, ...perUnit(many, 10_000) });
}
if (wanted('W4')) {
  const walls = [];
  for (let round = 0; round < 3; round++)
    walls.push((await meter.of(() => run(fanOut, payload(0), 500))).wallMs / 1000);
  report('W4', { seconds: percentile(walls, 0.5) });
}
if (wanted('W5')) {
  const late = await Promise.all(Array.from({ length: 1000 }, () => run(sleeper, 1000)));
  report('W5', { worstLateMs: Math.max(...late), p50LateMs: percentile(late, 0.5) });
}
if (wanted('W6')) {
  const times = [];
  for (let i = 0; i < 200; i++) {
    const handle = await DBOS.startWorkflow(waiter)();
    await new Promise((resolve) => setTimeout(resolve, 10));
    const start = performance.now();
    await DBOS.send(handle.workflowID, payload(i), 'poke');
    await handle.getResult();
    times.push(performance.now() - start);
  }
  report('W6', { p50: percentile(times, 0.5), p95: percentile(times, 0.95) });
}
await meter.close();
process.exit(0);
