/** A worker of another language: the official Go SDK (compat-tests/gateway/go) on our gateway. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { afterTest } from '../../test/support/database';
import { bench } from './harness';

const SOURCE = join(__dirname, 'go');
const BINARY = join(__dirname, 'out', 'go-worker');

/** Without Go it is skipped with a word, but not in CI. */
function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    const sentence = 'The Go worker on the gateway needs Go (1.24 or newer) on the PATH: https://go.dev/dl.';
    if (process.env.CI) throw new Error(sentence);
    console.warn(`SKIPPED: ${sentence}`);
    return false;
  }
}

async function goWorker(address: string, taskQueue: string): Promise<ChildProcess> {
  const worker = spawn(BINARY, [address, taskQueue], { stdio: ['pipe', 'pipe', 'inherit'] });
  afterTest(async () => {
    if (worker.exitCode !== null) return;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  });
  const first = await Promise.race([once(worker.stdout, 'data'), once(worker, 'exit').then(() => ['it ended'])]);
  expect(String(first[0]).trim()).toBe('ready');
  return worker;
}

describe.skipIf(!hasGo())('a worker of the Go SDK', () => {
  beforeAll(() => {
    mkdirSync(join(__dirname, 'out'), { recursive: true });
    // Go keeps its modules and what it compiled: only the first time takes minutes.
    execFileSync('go', ['build', '-o', BINARY, '.'], { cwd: SOURCE, stdio: 'inherit', timeout: 600_000 });
  }, 600_000);

  it('runs a workflow with an activity, a timer, a signal and a query, and stops in order', async () => {
    const { client, gateway, taskQueue } = await bench();
    const worker = await goWorker(gateway.address, taskQueue);
    const handle = await client.workflow.start('Greeting', { taskQueue, workflowId: randomUUID(), args: ['Postgres'] });
    await expect.poll(() => handle.query<string>('state'), { timeout: 30_000 }).toBe('greeted');
    await handle.signal('done', 'Bye.');
    expect(await handle.result()).toBe('Hello from Go, Postgres! Bye.');
    worker.stdin?.end();
    const [code] = (await once(worker, 'exit')) as [number];
    expect(code).toBe(0);
  });
});
