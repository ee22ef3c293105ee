/** Connections that come from other modules of the repository, by whatever way: followed, or reported. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { CodemodReport } from '../file-report';
import { checkResidue } from '../check';
import { runCodemod } from '../run';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

const workflows = {
  'workflows.ts': `import { sleep } from '@temporalio/workflow';\nexport async function signup() { await sleep(1); }\n`,
  'worker.ts': `import { Worker } from '@temporalio/worker';\nexport const made = Worker.create({ taskQueue: 'q', workflowsPath: require.resolve('./workflows') });\n`,
};

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-routed-'));
  folders.push(folder);
  for (const [name, text] of Object.entries({ ...workflows, ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const read = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]),
  );

const move = (root: string): Promise<CodemodReport> =>
  runCodemod({ root, direction: 'forward', workflows: ['signup'], write: true, allowDirty: true });

/** A client over what the module gives. */
const using = (imports: string, connection: string): string =>
  `import { Client } from '@temporalio/client';\n${imports}\nexport const client = async () => new Client({ connection: ${connection} });\n`;

const shared = `import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
export const connection = Connection.connect();
export async function connect() {
  return await Connection.connect();
}
export const native = () => NativeConnection.connect();
export default class Holder {
  static one = Connection.connect();
  readonly connection = Connection.connect();
  client!: Client;
}
export const parts = async () => ({ connection: await connect(), name: 'n' });
export { Connection as Again };
`;

it.each([
  ['an exported constant', using(`import { connection } from './shared';`, 'await connection')],
  ['an exported function', using(`import { connect as open } from './shared.js';`, 'await open()')],
  ['a namespace', using(`import * as shared from './shared';`, 'await shared.connect()')],
  ['a member of what a function gives', using(`import { parts } from './shared';`, '(await parts()).connection')],
  ['a static member', using(`import Holder from './shared';`, 'await Holder.one')],
  ['a member of an instance', using(`import { default as Holder } from './shared';`, 'await new Holder().connection')],
  [
    'a member of an injected service',
    using(
      `import Holder from './shared';\nclass A { constructor(readonly holder: Holder) {}\n  make() { return new Client({ connection: this.holder.client.connection }); } }`,
      'await connectTo()',
    ).replace('await connectTo()', 'await Holder.one'),
  ],
  ['a re-export', using(`import { connect } from './index';`, 'await connect()')],
  ['an alias of tsconfig.json', using(`import { connect } from '@/shared';`, 'await connect()')],
  ['a workspace package', using(`import { connect } from '@acme/shared/client';`, 'await connect()')],
  ['a class handed on', using(`import { Again } from './shared';`, 'await Again.connect()')],
])('follows a connection through %s', async (_, text) => {
  const files = {
    'shared.ts': shared,
    'index.ts': `export * from './shared';\n`,
    'tsconfig.json': `{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }\n`,
    'packages/shared/package.json': `{ "name": "@acme/shared" }\n`,
    'packages/shared/src/client.ts': shared,
    'user.ts': text,
  };
  const folder = folderWith(files);
  const before = read(folder);
  const report = await move(folder);
  expect(report.files.find((file) => file.path === 'user.ts')?.leftovers).toEqual([]);
  expect((await move(folder)).diff).toBe('');
  await runCodemod({ root: folder, direction: 'reverse', write: true, allowDirty: true });
  expect(read(folder)).toEqual(before);
});

it('follows CommonJS modules too', async () => {
  const folder = folderWith({
    'shared.js': `const { Connection } = require('@temporalio/client');\nconst open = () => Connection.connect();\nmodule.exports = { open, Connection };\nmodule.exports.later = () => open();\n`,
    'user.js': `const { Client } = require('@temporalio/client');
const { open, Connection } = require('./shared');
const shared = require('./shared');
exports.all = async () => [
  new Client({ connection: await open() }),
  new Client({ connection: await shared.later() }),
  new Client({ connection: await Connection.connect() }),
];
`,
  });
  await move(folder);
  const now = read(folder)['user.js']!;
  expect(now).not.toContain('@branchline-todo');
  expect(now).toContain('await RoutedConnection.connect/* @branchline-was Connection.connect() */');
});

it.each([
  ['a NativeConnection of a helper', using(`import { native } from './shared';`, 'await native()'), 'NativeConnection'],
  ['a module that there is not', using(`import { connect } from './nowhere';`, 'await connect()'), 'not followed'],
  ['a package of others', using(`import { connect } from 'acme';`, 'await connect()'), 'not followed'],
  ['a name that is not exported', using(`import { nothing } from './shared';`, 'await nothing()'), 'not followed'],
  ['modules that import each other', using(`import { round } from './circle';`, 'await round()'), 'not followed'],
])('reports %s, where it is used', async (_, text, words) => {
  const folder = folderWith({
    'shared.ts': shared,
    'circle.ts': `import { round as again } from './circle';\nexport const round = () => again();\n`,
    'user.ts': text,
  });
  await move(folder);
  expect(checkResidue(folder).residue).toEqual([
    { path: 'user.ts', line: 3, code: 'routed-client', reason: expect.stringContaining(words) as string },
  ]);
});
