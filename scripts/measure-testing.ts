/**
 * What a test pays for its environment, for docs/testing.md: `npm run build && npx tsx scripts/measure-testing.ts`. Each figure is of a process of
 * its own, as a test runner's file is: cold with no server anywhere, warm with the one that another process uses. Alone on the machine, please.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '..');
const ROUNDS = 7;

interface Figures {
  /** `require('branchline/testing')` and `branchline/worker`. */
  load: number;
  /** `createTimeSkipping()`. */
  ready: number;
  /** Bundling the workflows and making the worker. */
  worker: number;
  /** A year of monthly billing: twelve sleeps of thirty days, an activity that fails once after each and is retried an hour later. */
  year: number;
}

/** Stays when it is done, until its input ends, so that its server stays too. */
const child = `
  const begun = performance.now();
  let last = begun;
  const lap = () => { const now = performance.now(); const ms = Math.round(now - last); last = now; return ms; };
  const { TestWorkflowEnvironment } = require(process.argv[1] + '/lib/testing');
  const { Worker, Runtime, DefaultLogger } = require(process.argv[1] + '/lib/worker');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const figures = { load: lap() };
  let attempts = 0;
  const charge = async (month) => {
    if (++attempts % 2 === 1) throw new Error('try again in an hour');
    return month;
  };
  (async () => {
    const env = await TestWorkflowEnvironment.createTimeSkipping();
    figures.ready = lap();
    const workflowsPath = process.argv[1] + '/test/testing/skipping-workflows.ts';
    const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: 'q', workflowsPath, activities: { charge } });
    figures.worker = lap();
    const sum = await worker.runUntil(env.client.workflow.execute('yearOfBilling', { taskQueue: 'q', workflowId: 'year' }));
    if (sum !== 78) throw new Error('a year of ' + sum);
    figures.year = lap();
    console.log(JSON.stringify(figures));
    process.stdin.resume().once('end', () => env.teardown().then(() => process.exit(0)));
  })().catch((error) => { console.error(error); process.exit(1); });`;

interface Measured {
  figures: Figures;
  end(): Promise<void>;
}

async function measure(temporary: string): Promise<Measured> {
  const started = spawn(process.execPath, ['-e', child, root], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary, BRANCHLINE_TEST_URL: '' },
  });
  const ended = once(started, 'exit');
  const [line] = (await Promise.race([
    once(started.stdout, 'data'),
    ended.then(([code]) => Promise.reject(new Error(`ended with ${code}`))),
  ])) as [Buffer];
  return {
    figures: JSON.parse(line.toString()) as Figures,
    async end() {
      started.stdin.end();
      await ended;
    },
  };
}

/** A keeper of its own is found by its own temporary folder. */
async function withTemporary<R>(use: (folder: string) => Promise<R>): Promise<R> {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-measure-'));
  // The server runs as another user when this process is root's.
  chmodSync(folder, 0o755);
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const told = (all: Figures[], name: keyof Figures): string => {
  const sorted = all.map((one) => one[name]).sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]} ms (${sorted[0]} to ${sorted.at(-1)})`;
};

async function main(): Promise<void> {
  const cold: Figures[] = [];
  const warm: Figures[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await withTemporary(async (folder) => {
      const first = await measure(folder);
      cold.push(first.figures);
      const second = await measure(folder);
      warm.push(second.figures);
      await second.end();
      await first.end();
    });
  }
  console.log(`Median of ${ROUNDS} (least to most), Node ${process.version}:
environment ready, no server anywhere    ${told(cold, 'ready')}
environment ready, the server is up      ${told(warm, 'ready')}
a year of monthly billing                ${told(warm, 'year')}
loading the packages                     ${told(warm, 'load')}
bundling and making the worker           ${told(warm, 'worker')}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
