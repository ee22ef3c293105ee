/** The processes of the demo: each can be killed and started again. */
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const CLI = path.join(__dirname, '../../lib/cli/main.js');

export interface Addresses {
  /** postgres:// URL */
  database: string;
  /** postgres:// URL of the application's own database */
  ledger: string;
  /** host:port of the Temporal server */
  temporal: string;
}

/** SIGKILL; resolves when it is gone. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function unlessGone(child: ChildProcess, what: string): Promise<never> {
  return once(child, 'exit').then(() => {
    throw new Error(`${what} ended before it was ready`);
  });
}

export async function startWorker({ database, ledger, temporal }: Addresses): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, 'worker.ts'), {
    execArgv: ['--import', 'tsx'],
    // What the workers log about outages is not the story.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, DATABASE_URL: database, LEDGER: ledger, TEMPORAL: temporal },
  });
  await Promise.race([once(child, 'message'), unlessGone(child, 'the worker')]);
  return child;
}

/** `branchline server --routed`: what clients connect to. */
export async function startRouter({ database, temporal }: Addresses, port: number): Promise<ChildProcess> {
  const flags = ['server', '--routed', '--port', String(port), '--db', database, '--temporal', temporal];
  const child = spawn(process.execPath, [CLI, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  const announced = once(createInterface({ input: child.stdout }), 'line');
  await Promise.race([announced, unlessGone(child, 'the router')]);
  return child;
}

/** A command of branchline's CLI on the database; what it prints. @throws Error when it exits with another status than 0 */
export async function branchline(database: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args, '--db', database]);
  return stdout.trimEnd().split('\n');
}
