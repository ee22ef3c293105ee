/** `branchline server` as a process of its own, on a database that is given. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { TestSchema } from './database';

export const BRANCHLINE = resolve(__dirname, '../../lib/cli/main.js');

export interface ServerProcess {
  address: string;
  /** With `--metrics-port`. */
  metricsAddress?: string;
  kill(signal: NodeJS.Signals): void;
  /** The exit code; null after a signal. */
  exited: Promise<number | null>;
}

/** Started when it listens. What it logs is shown only when it does not come up. */
export async function serverProcess({ url, schema }: TestSchema, options: string[] = []): Promise<ServerProcess> {
  const port = options.includes('--port') ? [] : ['--port', '0'];
  const args = [BRANCHLINE, 'server', '--db', url, '--schema', schema, '--output', 'json', ...port, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const line = await Promise.race([
    once(child.stdout, 'data').then(([data]) => (data as Buffer).toString()),
    exited.then((code) => Promise.reject(new Error(`branchline server ended with ${code}:\n${log}`))),
  ]);
  const announced = JSON.parse(line) as { address: string; metricsAddress?: string };
  return { ...announced, exited, kill: (signal) => void child.kill(signal) };
}
