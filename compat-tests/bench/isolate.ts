/**
 * What the isolate costs: CPU of create + 2 activations + dispose of a one-activity workflow, in the thread and through the
 * pool, and memory per cached run. `npx tsx compat-tests/bench/isolate.ts`, after `npm run build`. Prints figures; no test.
 */
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bundleWorkflowCode } from '../../lib/worker/bundler/bundle';
import { createInProcess } from '../../lib/worker/isolate/in-process';
import { createThreadPool } from '../../lib/worker/isolate/thread-pool';
import type { WorkflowBundle, WorkflowCreateOptions, WorkflowHost } from '../../lib/worker/isolate/types';

const RUNS = Number(process.env.RUNS ?? 2000);
const encoder = new TextEncoder();
const payload = (value: unknown) => ({
  metadata: { encoding: encoder.encode('json/plain') },
  data: encoder.encode(JSON.stringify(value)),
});
const timestamp = { seconds: 1_700_000_000, nanos: 0 } as never;

function createOptions(runId: string): WorkflowCreateOptions {
  const date = new Date(1_700_000_000_000);
  const info = {
    workflowType: 'oneActivity',
    workflowId: `workflow-${runId}`,
    runId,
    firstExecutionRunId: runId,
    namespace: 'default',
    taskQueue: 'bench',
    attempt: 1,
    memo: {},
    searchAttributes: {},
    historyLength: 3,
    historySize: 0,
    startTime: date,
    runStartTime: date,
    unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
  };
  return {
    info: info as never,
    randomnessSeed: [1, 2, 3, 4, 5, 6, 7, 8],
    now: date.getTime(),
    showStackTraceSources: false,
    failureExceptionTypeNames: [],
  };
}

async function begin(host: WorkflowHost, runId: string): Promise<void> {
  const created = host.create(runId, createOptions(runId));
  const jobs = [{ variant: 'initializeWorkflow', initializeWorkflow: { arguments: [payload('bob')], headers: {} } }];
  const activated = host.activate(runId, { runId, timestamp, historyLength: 3, jobs: jobs as never });
  await created;
  const { completion } = await activated;
  if (completion.successful?.commands?.[0]?.scheduleActivity?.seq !== 1) throw new Error(JSON.stringify(completion));
}

async function finish(host: WorkflowHost, runId: string): Promise<void> {
  const result = { completed: { result: payload('hello bob') } };
  const jobs = [{ variant: 'resolveActivity', resolveActivity: { seq: 1, result } }];
  const { completion } = await host.activate(runId, { runId, timestamp, historyLength: 9, jobs: jobs as never });
  if (completion.successful?.commands?.[0]?.completeWorkflowExecution == null)
    throw new Error(JSON.stringify(completion));
  await host.dispose(runId);
}

async function measure(name: string, runs: number, work: (runs: number) => Promise<void>): Promise<void> {
  await work(Math.ceil(runs / 4));
  const wall = performance.now();
  const cpu = process.cpuUsage();
  await work(runs);
  const { user, system } = process.cpuUsage(cpu);
  const perRun = ((user + system) / 1000 / runs).toFixed(3);
  console.log(
    `${name.padEnd(58)} ${perRun} ms CPU per run, ${(runs / ((performance.now() - wall) / 1000)).toFixed(0)} runs/s`,
  );
}

const alone = (host: WorkflowHost) => async (runs: number) => {
  for (let i = 0; i < runs; i++) {
    await begin(host, `alone-${i}`);
    await finish(host, `alone-${i}`);
  }
};
/** All begin before the first one ends, so that each activation meets another run's world. */
const beside = (host: WorkflowHost) => async (runs: number) => {
  const ids = Array.from({ length: runs }, (_, i) => `beside-${i}`);
  await Promise.all(ids.map((id) => begin(host, id)));
  await Promise.all(ids.map((id) => finish(host, id)));
};

async function memoryPerRun(bundle: WorkflowBundle, reuseV8Context: boolean, runs: number): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const host = createInProcess(bundle, { reuseV8Context });
  await begin(host, 'warm-up');
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < runs; i++) await begin(host, `memory-${i}`);
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / runs;
  console.log(
    `${`memory per cached run, ${reuseV8Context ? 'reusable context' : 'context per run'}`.padEnd(58)} ${(bytes / 1024).toFixed(1)} KiB`,
  );
}

async function main(): Promise<void> {
  const started = performance.now();
  const { code } = await bundleWorkflowCode({ workflowsPath: path.join(__dirname, 'isolate-workflows.ts') });
  console.log(
    `${'bundle'.padEnd(58)} ${(performance.now() - started).toFixed(0)} ms, ${(code.length / 1024).toFixed(0)} KiB`,
  );
  const bundle = { code, filename: path.join(__dirname, 'workflow-bundle.js') };
  const only = process.argv[2];
  const reusable = createInProcess(bundle);
  if (only === undefined || only === 'alone')
    await measure('in the thread, reusable context, one after another', RUNS, alone(reusable));
  if (only === undefined || only === 'beside')
    await measure('in the thread, reusable context, all beside one another', RUNS, beside(reusable));
  if (only !== undefined) return;
  await measure('in the thread, context per run', RUNS / 10, alone(createInProcess(bundle, { reuseV8Context: false })));
  await memoryPerRun(bundle, true, 1000);
  await memoryPerRun(bundle, false, 50);
  for (const threads of [1, 2]) {
    const pool = await createThreadPool(bundle, { threads, sinks: { __temporal_logger: { debug: 'dropped' } } });
    await measure(`${threads} thread(s), one after another (both sides of the wire)`, RUNS, alone(pool));
    await measure(`${threads} thread(s), all beside one another`, RUNS, beside(pool));
    console.log(`${''.padEnd(58)} bytesPerRun() ${(pool.bytesPerRun() / 1024).toFixed(1)} KiB`);
    await pool.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
