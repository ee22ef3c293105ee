/**
 * `npm run bench`: W1 to W7 (docs/performance.md) on Branchline and, in the same run on the same Postgres 18, on DBOS and graphile-worker.
 * Prints figures and ratios; no test. `WORKLOADS=W1,W2` and `ROUNDS=1` shorten it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../lib/testing/embedded-postgres';

type Figures = Record<string, number>;
type Results = Map<string, Figures[]>;

const peersFolder = path.join(__dirname, 'peers');
const runners: { name: string; command: string[]; cwd: string }[] = [
  {
    name: 'branchline',
    command: [process.execPath, '--import', 'tsx', path.join(__dirname, 'branchline.ts')],
    cwd: __dirname,
  },
  { name: 'dbos', command: [process.execPath, path.join(peersFolder, 'dbos.mjs')], cwd: peersFolder },
  { name: 'graphile-worker', command: [process.execPath, path.join(peersFolder, 'graphile.mjs')], cwd: peersFolder },
];

async function runOne(
  runner: (typeof runners)[number],
  adminUrl: string,
  postmasterPid: number,
  round: number,
): Promise<Results> {
  const database = `bench_${runner.name.replace(/\W/g, '_')}_${round}`;
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const child = spawn(runner.command[0]!, runner.command.slice(1), {
    cwd: runner.cwd,
    env: { ...process.env, DATABASE_URL: url.href, POSTMASTER_PID: String(postmasterPid) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
  if (code !== 0)
    console.error(`${runner.name} ended with ${String(code)}; its figures are what it printed until then`);
  const results: Results = new Map();
  for (const line of out.split('\n')) {
    if (!line.startsWith('{"workload"')) continue;
    const { workload, ...figures } = JSON.parse(line) as { workload: string } & Figures;
    results.set(workload, [figures as Figures]);
  }
  return results;
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const shown = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);

async function main(): Promise<void> {
  if (!existsSync(path.join(peersFolder, 'node_modules'))) {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: peersFolder, stdio: 'inherit' });
  }
  const postgres = await startPostgres({
    useEnvironment: false,
    settings: {
      shared_preload_libraries: 'pg_stat_statements',
      max_connections: '300',
      synchronous_commit: 'on',
      fsync: 'on',
    },
  });
  const rounds = Number(process.env.ROUNDS ?? 3);
  const all = new Map<string, Results>(runners.map((runner) => [runner.name, new Map()]));
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const runner of runners) {
        console.error(`round ${round} of ${rounds}: ${runner.name}`);
        for (const [workload, figures] of await runOne(runner, postgres.url, postgres.pid, round)) {
          const mine = all.get(runner.name)!;
          mine.set(workload, [...(mine.get(workload) ?? []), ...figures]);
        }
      }
    }
  } finally {
    await postgres.stop();
  }
  print(all, rounds);
}

function print(all: Map<string, Results>, rounds: number): void {
  console.log(`\nNode ${process.version}, ${rounds} rounds, medians (least to most)`);
  const workloads = new Set([...all.values()].flatMap((results) => [...results.keys()]));
  for (const workload of workloads) {
    console.log(`\n${workload}`);
    const mine = all.get('branchline')!.get(workload);
    for (const [name, results] of all) {
      const samples = results.get(workload);
      if (samples === undefined) continue;
      const parts = Object.keys(samples[0]!).map((figure) => {
        const values = samples.map((sample) => sample[figure]!);
        const ratio =
          name !== 'branchline' && mine !== undefined && mine[0]![figure] !== undefined
            ? `, branchline ×${shown(median(mine.map((sample) => sample[figure]!)) / median(values))}`
            : '';
        return `${figure} ${shown(median(values))} (${shown(Math.min(...values))} to ${shown(Math.max(...values))}${ratio})`;
      });
      console.log(`  ${name.padEnd(16)} ${parts.join('; ')}`);
    }
  }
}

main().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
