/** A `branchline server` process, an official worker on it, and the stock `temporal` CLI. */
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { inject } from 'vitest';
import { sql } from '../../../test/support/database';
import { serverProcess } from '../../../test/support/server-process';
import * as activities from '../activities';
import { quiet, workflowsPath } from '../official';

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliBench {
  taskQueue: string;
  client: Client;
  /** Runs `temporal …`, whatever comes of it. */
  run(...args: string[]): Promise<Output>;
  /** The same with `--output json`, parsed. @throws Error when the command fails */
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
  /** The same with text. @throws Error when the command fails */
  text(...args: string[]): Promise<string>;
  start(workflow: string, ...args: unknown[]): Promise<WorkflowHandle>;
  close(): Promise<void>;
}

export async function cliBench(cli: string): Promise<CliBench> {
  quiet();
  const database = { url: inject('databaseUrl'), schema: `cli_${randomBytes(6).toString('hex')}` };
  const server = await serverProcess(database, ['--search-attribute', 'CliPlan=Keyword']);
  const home = mkdtempSync(join(tmpdir(), 'branchline-cli-'));
  const native = await NativeConnection.connect({ address: server.address });
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection });
  const taskQueue = `queue-${randomUUID()}`;
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: quiet() });
  const options = { connection: native, taskQueue, activities, workflowBundle, shutdownGraceTime: 100 };
  const worker = await Worker.create(options);
  const working = worker.run();

  const run = (...args: string[]): Promise<Output> =>
    new Promise((resolve) => {
      // Its own settings and environments stay out.
      const env = { PATH: process.env.PATH, HOME: home, TEMPORAL_ADDRESS: server.address };
      execFile(cli, [...args, '--color', 'never'], { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      });
    });
  const text = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    if (code !== 0) throw new Error(`temporal ${args.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
    return stdout;
  };
  return {
    taskQueue,
    client,
    run,
    text,
    json: async <T>(...args: string[]) => JSON.parse(await text(...args, '--output', 'json')) as T,
    start: (workflow, ...args) => client.workflow.start(workflow, { taskQueue, workflowId: randomUUID(), args }),
    async close() {
      worker.shutdown();
      await working;
      await connection.close();
      await native.close();
      server.kill('SIGTERM');
      await server.exited;
      rmSync(home, { recursive: true });
      await sql(`DROP SCHEMA IF EXISTS "${database.schema}" CASCADE`);
    },
  };
}
