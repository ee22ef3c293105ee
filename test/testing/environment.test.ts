/** Test environments: alone in their schema, on a shared embedded Postgres that leaves nothing behind. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client as Postgres } from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { Connection } from '../../shim/client';
import { TestWorkflowEnvironment } from '../../shim/testing';
import { serverSetup } from '../../shim/testing/server-options';
import { Worker } from '../../shim/worker';

const environments: TestWorkflowEnvironment[] = [];
const create = async (
  options?: Parameters<typeof TestWorkflowEnvironment.createLocal>[0],
): Promise<TestWorkflowEnvironment> => {
  const env = await TestWorkflowEnvironment.createLocal(options);
  environments.push(env);
  return env;
};
afterEach(async () => {
  for (const env of environments.splice(0)) await env.teardown();
});

const workflowsPath = path.join(__dirname, '../workflows/index.ts');
const schemaOf = (env: TestWorkflowEnvironment): string => new URL(env.address).searchParams.get('schema')!;

async function schemas(url: string): Promise<string[]> {
  const client = new Postgres({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ nspname: string }>('SELECT nspname FROM pg_namespace');
    return rows.map(({ nspname }) => nspname);
  } finally {
    await client.end();
  }
}

describe('a local environment', () => {
  it('runs workflows, apart from those of other environments', async () => {
    const [one, two] = [await create(), await create({ server: { namespace: 'orders' } })];
    for (const env of [one, two]) {
      const worker = await Worker.create({
        connection: env.nativeConnection,
        namespace: env.namespace,
        taskQueue: 'q',
        workflowsPath,
      });
      const start = { taskQueue: 'q', workflowId: 'same', args: [1] };
      await worker.runUntil(env.client.workflow.execute('timers', start));
      expect((await env.client.workflow.count()).count).toBe(1);
    }
    expect(two.namespace).toBe('orders');
  });

  it('is joined by connections with its address', async () => {
    const env = await create();
    await env.client.workflow.start('waiting', { taskQueue: 'q', workflowId: 'w' });
    const connection = await Connection.connect({ address: env.address });
    try {
      const { count } = await connection.workflowService.countWorkflowExecutions({ namespace: 'default' });
      expect(Number(count)).toBe(1);
    } finally {
      await connection.close();
    }
    const same = await TestWorkflowEnvironment.createFromExistingServer({ address: env.address });
    expect((await same.client.workflow.count()).count).toBe(1);
    await same.teardown();
    expect((await env.client.workflow.count()).count).toBe(1);
  });

  it('drops its schema at teardown, on a given server too', async () => {
    const url = inject('databaseUrl');
    const env = await TestWorkflowEnvironment.createLocal({ postgres: { url } });
    expect(await schemas(url)).toContain(schemaOf(env));
    await env.teardown();
    expect(await schemas(url)).not.toContain(schemaOf(env));
  });
});

describe('a killed test process', () => {
  const child = `
    const { TestWorkflowEnvironment } = require(process.argv[1]);
    void TestWorkflowEnvironment.createLocal(JSON.parse(process.argv[2])).then((env) => {
      setInterval(() => {}, 1000);
      console.log(JSON.stringify({ address: env.address }));
    });`;

  async function killedEnvironment(options: object): Promise<string> {
    const testing = path.join(__dirname, '../../lib/testing/index.js');
    const process_ = spawn(process.execPath, ['-e', child, testing, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(process_.stdout, 'data')) as [Buffer];
    process_.kill('SIGKILL');
    await once(process_, 'exit');
    return (JSON.parse(line.toString()) as { address: string }).address;
  }

  it('leaves a schema that the next environment on the server removes', async () => {
    const url = inject('databaseUrl');
    const left = new URL(await killedEnvironment({ postgres: { url } })).searchParams.get('schema')!;
    for (;;) {
      const env = await TestWorkflowEnvironment.createLocal({ postgres: { url } });
      const there = await schemas(url);
      await env.teardown();
      if (!there.includes(left)) break;
    }
  });

  it('leaves no Postgres behind', async () => {
    const address = await killedEnvironment({});
    // Another test process may be using the same one; it ends when that is done.
    for (;;) {
      const failure = await schemas(address).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error,
      );
      if (failure?.code === 'ECONNREFUSED') break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
});

it('a server that cannot be started is told of with its reason', async () => {
  const child = `
    const { TestWorkflowEnvironment } = require(process.argv[1]);
    void TestWorkflowEnvironment.createLocal().catch(({ code, message }) => console.log(JSON.stringify({ code, message })));`;
  const testing = path.join(__dirname, '../../lib/testing/index.js');
  const binaries = path.join(__dirname, 'no-such-folder');
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', child, testing], {
    env: { ...process.env, BRANCHLINE_TEST_URL: '', BRANCHLINE_POSTGRES_BIN: binaries },
  });
  const { code, message } = JSON.parse(stdout) as { code: string; message: string };
  expect(code).toBe('BRANCHLINE_EMBEDDED_POSTGRES');
  expect(message).toContain(binaries);
});

describe('server options', () => {
  it('register what they name', () => {
    const extraArgs = ['--search-attribute', 'Plan=Keyword', '--dynamic-config-value', 'history.enableChasm=true'];
    expect(serverSetup({ namespace: 'n', extraArgs })).toEqual({ namespace: 'n', searchAttributes: { Plan: 2 } });
  });

  it.each([
    ['server.port', { port: 7233 }],
    ['server.ui', { ui: true }],
    ['server.dbFilename', { dbFilename: 'x.db' }],
    ['server.executable', { executable: { type: 'existing-path' as const, path: '/bin/temporal' } }],
    ['server.extraArgs', { extraArgs: ['--dynamic-config-value', 'limit.blobSize.error=1'] }],
    // There are no standalone activities to switch on.
    ['server.extraArgs', { extraArgs: ['--dynamic-config-value', 'activity.enableStandalone=true'] }],
  ])('%s is refused', (option, server) => {
    expect(() => serverSetup(server)).toThrow(
      expect.objectContaining({ code: 'BRANCHLINE_UNSUPPORTED_OPTION', option }),
    );
  });
});
