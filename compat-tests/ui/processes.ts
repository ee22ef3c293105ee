/** The processes behind the pages: `branchline server`, the application's workers, Temporal's UI server. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../shim/testing/free-port';

export interface Database {
  url: string;
  schema: string;
}

export interface Running {
  stop(): Promise<void>;
}

const MAIN = resolve(__dirname, '../../lib/cli/main.js');
const START_LIMIT_MS = 60_000;

/** SIGTERM, and SIGKILL for what does not end by it. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(killing);
}

export async function startBranchlineServer(
  { url, schema }: Database,
  namespaces: string[],
  searchAttributes: string[],
): Promise<Running & { address: string }> {
  const args = [MAIN, 'server', '--port', '0', '--db', url, '--schema', schema, '--output', 'json'];
  for (const namespace of namespaces) args.push('--namespace', namespace);
  for (const attribute of searchAttributes) args.push('--search-attribute', attribute);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { ...(JSON.parse(line.toString()) as { address: string }), stop: () => stop(child) };
}

export async function startWorkers(
  { url, schema }: Database,
  namespaces: string[],
  taskQueue: string,
): Promise<Running> {
  const child = fork(join(__dirname, 'worker.ts'), {
    env: { ...process.env, DATABASE_URL: url, SCHEMA: schema, TASK_QUEUE: taskQueue, NAMESPACES: namespaces.join(',') },
    execArgv: ['--import', 'tsx'],
    // Its log lines are about failures that the workflows are to have.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ready = once(child, 'message');
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`The workers' process ended with ${code}.`)),
  );
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  return { stop: () => stop(child) };
}

/** Its configuration is a folder with one file: docs/server.md shows the same. */
export async function startUiServer(executable: string, address: string): Promise<Running & { url: string }> {
  const port = await freePort();
  const root = mkdtempSync(join(tmpdir(), 'branchline-ui-'));
  const lines = [
    `temporalGrpcAddress: ${address}`,
    'host: 127.0.0.1',
    `port: ${port}`,
    'enableUi: true',
    'defaultNamespace: default',
    'notifyOnNewVersion: false',
    'cors: { cookieInsecure: true }',
    'hideLogs: true',
  ];
  writeFileSync(join(root, 'branchline.yaml'), `${lines.join('\n')}\n`);
  const args = ['--root', root, '--config', '.', '--env', 'branchline', 'start'];
  const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  const running = {
    url,
    async stop() {
      await stop(child);
      rmSync(root, { recursive: true });
    },
  };
  try {
    await untilHealthy(`${url}/healthz`, child);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit;) {
    if (child.exitCode !== null) throw new Error(`The UI server ended with ${child.exitCode}.`);
    const healthy = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  throw new Error(`The UI server did not come up within ${START_LIMIT_MS / 1000} s.`);
}
