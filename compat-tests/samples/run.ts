/**
 * Runs the folders of a temporalio/samples-typescript checkout on Postgres, as `branchline codemod --all` moved them, the database given by the
 * environment (DATABASE_URL, and TEMPORAL_ADDRESS for profiles): `tsx compat-tests/samples/run.ts <checkout> <scratch folder> [--write] [folder…]`.
 * Prints a table of what came of all folders, now or earlier; `--write` puts it into docs/compatibility.md.
 * The scratch folder must hold node_modules with `branchline`, `@temporalio/envconfig` and the samples' own dependencies (see README.md).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runCodemod } from 'branchline/codemod';
import { Client as PgClient } from 'pg';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { Outcomes } from './outcomes';
import { samples, type Sample, type Step } from './plan';

const { values: flags, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
const [checkout, scratchFolder, ...only] = positionals;
const scratch = scratchFolder && path.resolve(scratchFolder);
if (checkout === undefined || scratch === undefined) {
  console.error(
    'usage: tsx compat-tests/samples/run.ts <samples-typescript checkout> <scratch folder> [--write] [folder…]',
  );
  process.exit(1);
}

/** Ours: the samples bring ts-node, which checks types. */
const tsx = pathToFileURL(require.resolve('tsx')).href;

interface Running {
  child: ChildProcess;
  output: () => string;
  seen(pattern: RegExp): Promise<void>;
  ended: Promise<number | null>;
}

function start(cwd: string, command: string, env: NodeJS.ProcessEnv): Running {
  const [script, ...args] = command.split(' ');
  const file = script!.startsWith('npm:') ? inModules(cwd, script!.slice(4)) : script!;
  const child = spawn(process.execPath, ['--import', tsx, file, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
      listeners.forEach((listener) => listener());
    });
  }
  const ended = new Promise<number | null>((resolve) =>
    child.on('close', (code) => {
      resolve(code);
      listeners.forEach((listener) => listener());
    }),
  );
  return {
    child,
    output: () => output,
    ended,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (pattern.test(output)) resolve();
          else if (child.exitCode !== null)
            reject(new Error(`ended (${child.exitCode}) without ${pattern}: ${output.slice(-1500)}`));
          else return;
          listeners.delete(check);
        };
        listeners.add(check);
        check();
      }),
  };
}

/** The file of an installed package, whatever its `exports` say. */
function inModules(folder: string, file: string): string {
  const place = path.join(folder, 'node_modules', file);
  if (existsSync(place) || path.dirname(folder) === folder) return place;
  return inModules(path.dirname(folder), file);
}

const within = <T>(seconds: number, what: string, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
};

async function runStep(
  step: Step,
  cwd: string,
  env: NodeJS.ProcessEnv,
  seconds: number,
  running: Running[],
): Promise<void> {
  const client = start(cwd, step.run, env);
  running.push(client);
  try {
    if (step.background || step.interrupt) {
      await within(seconds, step.run, client.seen(step.expect!));
      if (step.interrupt) client.child.kill('SIGINT');
      if (step.background) return;
      await within(20, step.run, client.ended);
      return;
    }
    const code = await within(seconds, step.run, client.ended);
    if (code !== (step.fails ? 1 : 0))
      throw new Error(`${step.run} ended with ${code}: ${client.output().slice(-1500)}`);
    if (step.expect !== undefined && !step.expect.test(client.output())) {
      throw new Error(`${step.run} did not print ${step.expect}: ${client.output().slice(-1500)}`);
    }
  } catch (err) {
    throw new Error(`${(err as Error).message}\n--- output so far: ${client.output().slice(-1500)}`, {
      cause: err,
    });
  }
}

async function runSample(sample: Sample, adminUrl: string): Promise<string> {
  const cwd = path.join(scratch!, sample.folder);
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(path.dirname(cwd), { recursive: true });
  cpSync(path.join(checkout!, sample.folder), cwd, { recursive: true });
  const database = `sample_${sample.folder.replace(/\W/g, '_')}`;
  const admin = new PgClient({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${database}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  for (const [name, place] of Object.entries(sample.link ?? {})) {
    mkdirSync(path.join(cwd, 'node_modules'), { recursive: true });
    symlinkSync(inModules(scratch!, place), path.join(cwd, 'node_modules', name));
  }
  const { totals } = await runCodemod({ root: cwd, direction: 'forward', write: true, allowDirty: true });
  if (totals.failed > 0) return `failed: the codemod failed on ${totals.failed} files`;
  const env = { ...process.env, TEMPORAL_ADDRESS: url.href, DATABASE_URL: url.href, ...sample.env };
  const seconds = sample.timeoutSeconds ?? 45;

  const running: Running[] = [];
  try {
    if (sample.searchAttributes !== undefined) {
      const { Connection } = await import('branchline/client');
      const connection = await Connection.connect({ address: url.href });
      await connection.operatorService.addSearchAttributes({
        namespace: 'default',
        searchAttributes: sample.searchAttributes,
      });
      await connection.close();
    }
    for (const run of sample.prepare ?? []) await runStep({ run }, cwd, env, seconds, running);
    let worker: Running | undefined;
    if (sample.worker !== undefined) {
      worker = start(cwd, sample.worker, env);
      running.push(worker);
      // A worker with a logger of its own may say nothing: it then has a few seconds.
      await Promise.race([
        within(30, 'worker start', worker.seen(/RUNNING|Worker state changed/)).catch((err: Error) => {
          if (worker!.child.exitCode !== null) throw err;
        }),
        new Promise((resolve) => setTimeout(resolve, 8000)),
      ]);
    }
    for (const step of sample.steps) await runStep(step, cwd, env, seconds, running);
    if (sample.workerExpect !== undefined) await within(seconds, 'worker output', worker!.seen(sample.workerExpect));
    return sample.note === undefined ? 'passed' : `passed (${sample.note})`;
  } catch (err) {
    const worker = sample.worker === undefined ? undefined : running[sample.prepare?.length ?? 0];
    console.error(`${sample.folder}: ${(err as Error).message}\n--- worker: ${worker?.output().slice(-2500) ?? ''}`);
    return `failed: ${(err as Error).message.split('\n')[0]!.slice(0, 160)}`;
  } finally {
    for (const { child, ended } of running) {
      if (child.exitCode === null) child.kill('SIGTERM');
      await within(5, 'end', ended).catch(() => child.kill('SIGKILL'));
    }
  }
}

async function main(): Promise<void> {
  const outcomes = new Outcomes('samples');
  const postgres = await startPostgres();
  try {
    for (const sample of samples) {
      if (sample.skip !== undefined || (only.length > 0 && !only.includes(sample.folder))) continue;
      const there = existsSync(path.join(checkout!, sample.folder));
      const outcome = there ? await runSample(sample, postgres.url) : 'not in this checkout';
      console.error(`${sample.folder}: ${outcome}`);
      outcomes.record(sample.folder, outcome);
    }
  } finally {
    await postgres.stop();
  }
  outcomes.tell(samples, flags.write ? 'samples: written by compat-tests/samples/run.ts' : undefined);
}

main().then(
  () => process.exit(0),
  (err) => {
    console.error(err);
    process.exit(1);
  },
);
