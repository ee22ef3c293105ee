/** `codemod --workflows` on a small application: it compiles, runs on both engines, and comes back byte for byte. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Connection as TemporalConnection, Client as TemporalClient } from '@temporalio/client';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../shim/client';
import { freshSchema } from '../support/database';
import { describeWithTemporal } from '../support/temporal';

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'lib/cli/main.js');
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

const app = {
  'package.json': `{
  "name": "shop",
  "dependencies": {
    "@temporalio/client": "^1.24.0",
    "@temporalio/worker": "^1.24.0"
  }
}
`,
  'tsconfig.json': `{ "compilerOptions": { "strict": true, "noUnusedLocals": true, "module": "commonjs", "target": "es2022", "skipLibCheck": true, "rootDir": "src", "outDir": "out", "types": ["node"] }, "include": ["src"] }\n`,
  'src/workflows.ts': `import { executeChild, proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities';

const { greet } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 s' });

export async function signup(name: string): Promise<string> {
  return await executeChild(welcome, { args: [name] });
}

export async function welcome(name: string): Promise<string> {
  return await greet(name);
}

export async function billing(name: string): Promise<string> {
  return await greet(name + ', pay');
}
`,
  'src/activities.ts': `export async function greet(name: string): Promise<string> {\n  return 'hello ' + name;\n}\n`,
  'src/connection.ts': `import { Connection } from '@temporalio/client';

export async function connect(): Promise<Connection> {
  return Connection.connect({ address: process.env.CLUSTER });
}
`,
  'src/main.ts': `import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { connect } from './connection';
import { billing, signup } from './workflows';

async function main(): Promise<void> {
  const taskQueue = process.env.QUEUE!;
  const native = await NativeConnection.connect({ address: process.env.CLUSTER });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath: require.resolve('./workflows'),
    activities,
  });
  const connection = await connect();
  const { workflow } = new Client({ connection });
  await worker.runUntil(async () => {
    const first = await workflow.execute(signup, { taskQueue, workflowId: taskQueue + '-signup', args: ['Ada'] });
    const second = await workflow.execute(billing, { taskQueue, workflowId: taskQueue + '-billing', args: ['Bob'] });
    console.log(JSON.stringify([first, second]));
  });
  await connection.close();
  await native.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
`,
};

function appFolder(files: Record<string, string> = app): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-incremental-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** The packages as an installation would place them. */
function installed(folder: string): void {
  mkdirSync(path.join(folder, 'node_modules'));
  for (const name of ['@temporalio', '@types', 'undici-types'])
    symlinkSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name));
  symlinkSync(root, path.join(folder, 'node_modules/branchline'));
}

function read(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

const branchline = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });

describe('branchline codemod --workflows', () => {
  it('routes the types and those tied to them, once, and goes back byte for byte', () => {
    const folder = appFolder();
    const { status, stdout } = branchline('codemod', folder, '--workflows', 'signup');
    expect(status).toBe(0);
    expect(stdout).toContain('welcome goes to Postgres too: it is tied to signup');
    const now = read(folder);
    expect(JSON.parse(now['branchline-routes.json']!)).toEqual({
      default: 'temporal',
      rules: [{ name: 'signup', workflowType: ['signup', 'welcome'], engine: 'postgres' }],
    });
    expect(now['src/workflows.ts']).toBe(app['src/workflows.ts']);
    const { dependencies } = JSON.parse(now['package.json']!) as { dependencies: object };
    expect(Object.keys(dependencies)).toEqual(['@temporalio/client', '@temporalio/worker', 'branchline']);
    expect(branchline('codemod', folder, '--workflows', 'signup', '--check').status).toBe(0);

    expect(branchline('codemod', folder, '--reverse').status).toBe(0);
    expect(read(folder)).toEqual(app);
  });

  it('adds types later, and leaves the rules as people changed them', () => {
    const folder = appFolder();
    branchline('codemod', folder, '--workflows', 'signup');
    const routes = path.join(folder, 'branchline-routes.json');
    const edited = JSON.parse(readFileSync(routes, 'utf8')) as { rules: { percentage?: number }[] };
    edited.rules[0]!.percentage = 10;
    writeFileSync(routes, JSON.stringify(edited));
    branchline('codemod', folder, '--workflows', 'signup,billing');
    expect(JSON.parse(readFileSync(routes, 'utf8'))).toMatchObject({
      rules: [
        { name: 'signup', percentage: 10 },
        { name: 'billing', workflowType: ['billing'] },
      ],
    });
    branchline('codemod', folder, '--reverse');
    expect(read(folder)).toEqual(app);
  });

  it('takes the types that an assessment says to move', () => {
    const folder = appFolder();
    const { stdout } = branchline('assess', folder, '--output', 'json');
    const elsewhere = appFolder({ 'assessment.json': stdout });
    const file = path.join(elsewhere, 'assessment.json');
    expect(branchline('codemod', folder, '--from-assessment', file).status).toBe(0);
    const { rules } = JSON.parse(read(folder)['branchline-routes.json']!) as { rules: { name: string }[] };
    expect(rules.map(({ name }) => name)).toEqual(['billing', 'signup']);
    expect(branchline('codemod', folder, '--from-assessment', main).stderr).toContain('(BRANCHLINE_ASSESSMENT)');
  });

  it('names the nearest type for one that there is not, and touches nothing', () => {
    const folder = appFolder();
    const { status, stderr } = branchline('codemod', folder, '--workflows', 'singup');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /No workflow type is called 'singup'\. Did you mean 'signup'\?.*BRANCHLINE_UNKNOWN_WORKFLOW/s,
    );
    expect(read(folder)).toEqual(app);
  });

  it('refuses the other way while things are moved by one', () => {
    const folder = appFolder();
    branchline('codemod', folder, '--workflows', 'signup');
    expect(branchline('codemod', folder, '--all').stderr).toContain('(BRANCHLINE_CODEMOD_MODE)');
  });
});

describeWithTemporal('An application moved by --workflows', (server) => {
  it('compiles, and runs one type on Postgres and the other on Temporal', async () => {
    const folder = appFolder();
    installed(folder);
    const { stdout: report } = branchline('codemod', folder, '--workflows', 'signup');
    expect(report).toContain('0 need a person');
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
    expect(spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' }).stdout).toBe('');

    const database = freshSchema();
    const url = new URL(database.url);
    url.searchParams.set('schema', database.schema);
    const queue = path.basename(folder);
    const child = spawn(process.execPath, ['out/main.js'], {
      cwd: folder,
      env: {
        ...process.env,
        CLUSTER: server().address,
        QUEUE: queue,
        BRANCHLINE_URL: url.href,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(said).toContain(JSON.stringify(['hello Ada', 'hello Bob, pay']));

    const postgres = await Connection.connect({ ...database });
    const temporal = await TemporalConnection.connect({ address: server().address });
    try {
      const typesIn = async (client: Client | TemporalClient): Promise<string[]> => {
        const types: string[] = [];
        for await (const { type } of client.workflow.list({ query: `TaskQueue = '${queue}'` })) types.push(type);
        return types.sort();
      };
      expect(await typesIn(new Client({ connection: postgres }))).toEqual(['signup', 'welcome']);
      await expect
        .poll(() => typesIn(new TemporalClient({ connection: temporal })), { timeout: 20_000 })
        .toEqual(['billing']);
    } finally {
      await postgres.close();
      await temporal.close();
    }
  });
});
