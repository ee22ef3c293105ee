/** A worker in a process of its own, on the built package, in ESM. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Client } from '../../shim/client/client';
import { Connection } from '../../shim/client/connection';
import { afterTest, freshSchema } from '../support/database';

it.each(['SIGTERM', 'SIGINT'] as const)(
  'works until %s, finishes in order and ends',
  async (signal) => {
    const database = freshSchema();
    const connection = await Connection.connect(database);
    afterTest(() => connection.close());
    const client = new Client({ connection });
    const taskQueue = randomUUID();
    const child = spawn(process.execPath, [join(__dirname, '../support/processes/worker.mjs')], {
      env: { ...process.env, DATABASE_URL: database.url, SCHEMA: database.schema, TASK_QUEUE: taskQueue },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const result = await client.workflow.execute('hello', { taskQueue, workflowId: randomUUID(), args: ['process'] });
    expect(result).toBe('Hello, process!');
    child.kill(signal);
    expect(await ended, errors).toEqual([0, null]);
    expect(output.trim().split('\n')).toEqual(['RUNNING', 'STOPPED']);
  },
  60_000,
);
