/** What a repository may hold that is no good, or in a way that is rare: clear words, nothing broken, the rest done; `--all` and `--workflows` alike. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  readFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkResidue } from './check';
import type { CodemodReport, FileReport } from './file-report';
import { runCodemod } from './run';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const app: Record<string, string | Buffer> = {
  'workflows.ts': `import { sleep } from '@temporalio/workflow';\nexport async function signup() { await sleep(1); }\n`,
  'client.ts': `import { Client, Connection } from '@temporalio/client';\nexport const client = async () => new Client({ connection: await Connection.connect() });\n`,
  'worker.ts': `import { Worker } from '@temporalio/worker';\nexport const made = Worker.create({ taskQueue: 'q', workflowsPath: './workflows' });\n`,
};
const manifest = { 'package.json': '{ "dependencies": { "@temporalio/client": "^1.24.0" } }\n' };

function folderWith(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-bad-'));
  folders.push(folder);
  for (const [name, text] of Object.entries({ ...app, ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { encoding: 'utf8' });

const bytes = (folder: string, name: string): Buffer => readFileSync(path.join(folder, name));
const of = (report: CodemodReport, name: string): FileReport | undefined =>
  report.files.find((file) => file.path === name);

const MODES = [
  { mode: '--all', options: {}, marker: 'branchline/client' },
  { mode: '--workflows', options: { workflows: ['signup'] }, marker: 'RoutedConnection' },
];

describe.each(MODES)('codemod $mode', ({ options, marker }) => {
  const move = (root: string, more = {}): Promise<CodemodReport> =>
    runCodemod({ root, direction: 'forward', write: true, ...options, ...more });
  const back = (root: string): Promise<CodemodReport> =>
    runCodemod({ root, direction: 'reverse', write: true, allowDirty: true });
  const isMoved = (folder: string): void => expect(bytes(folder, 'client.ts').toString()).toContain(marker);

  it('leaves files that do not parse, or are no UTF-8, as they are, and says where', async () => {
    const bad = {
      'syntax.ts': `import { Client } from '@temporalio/client';\nnew Client(;\n`,
      'conflict.ts': `import { Client, Connection } from '@temporalio/client';\n<<<<<<< HEAD\nConnection.connect();\n=======\n>>>>>>> other\n`,
      'latin1.ts': Buffer.from([...Buffer.from(`import { Client } from '@temporalio/client'; // `), 0xe9, 0x0a]),
      'utf16.ts': Buffer.from(`\uFEFFimport { Client } from '@temporalio/client';`, 'utf16le'),
    };
    const folder = folderWith({ ...manifest, ...bad });
    const report = await move(folder);
    expect(of(report, 'syntax.ts')).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^line 2, column \d+ does not parse: /) as string,
    });
    expect(of(report, 'conflict.ts')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('line 2') as string,
    });
    for (const name of ['latin1.ts', 'utf16.ts'])
      expect(of(report, name)).toMatchObject({ status: 'failed', reason: 'it is not UTF-8' });
    for (const [name, text] of Object.entries(bad)) expect(bytes(folder, name)).toEqual(Buffer.from(text));
    isMoved(folder);
    expect(checkResidue(folder).failed.map((one) => one.path)).toEqual(['latin1.ts', 'utf16.ts']);
  });

  it('keeps byte order mark, shebang and line ends, there and back', async () => {
    const connect = `import { Client, Connection } from '@temporalio/client';\nnew Client({ connection: await Connection.connect() });\n`;
    const odd = {
      'bom.ts': `\uFEFF${connect}`,
      'shebang.mts': `#!/usr/bin/env node\n${connect}`,
      'windows.ts': connect.replaceAll('\n', '\r\n'),
      'all.mts': `\uFEFF#!/usr/bin/env node\n'use strict';\n${connect}`.replaceAll('\n', '\r\n'),
      'no-end.ts': connect.trimEnd(),
    };
    const folder = folderWith({ ...manifest, ...odd });
    const report = await move(folder);
    for (const name of Object.keys(odd)) expect(of(report, name)).toMatchObject({ status: 'changed' });
    expect(bytes(folder, 'bom.ts').subarray(0, 3)).toEqual(Buffer.from('\uFEFF'));
    expect(bytes(folder, 'shebang.mts').toString()).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(bytes(folder, 'windows.ts').toString()).not.toMatch(/[^\r]\n/);
    expect((await move(folder)).diff).toBe('');
    await back(folder);
    for (const [name, text] of Object.entries(odd)) expect(bytes(folder, name).toString()).toBe(text);
  });

  it('goes on beside a folder named as a file, a link to nothing, a loop of links and a pipe', async () => {
    const folder = folderWith(manifest);
    mkdirSync(path.join(folder, 'folder.ts'));
    writeFileSync(path.join(folder, 'folder.ts/inner.ts'), app['client.ts']!);
    symlinkSync('nowhere.ts', path.join(folder, 'dangling.ts'));
    symlinkSync('b.ts', path.join(folder, 'a.ts'));
    symlinkSync('a.ts', path.join(folder, 'b.ts'));
    symlinkSync('.', path.join(folder, 'loop'));
    execFileSync('mkfifo', [path.join(folder, 'pipe.ts')]);
    const report = await move(folder);
    expect(report.totals.failed).toBe(0);
    isMoved(folder);
    expect(bytes(folder, 'folder.ts/inner.ts').toString()).toContain(marker);
  });

  it('goes on beside a file that git knows and that is a folder by now, or is gone', async () => {
    const folder = folderWith({ ...manifest, 'turned.ts': 'export {};\n', 'gone.ts': 'export {};\n' });
    git(folder, 'init', '-q');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'before');
    for (const name of ['turned.ts', 'gone.ts']) rmSync(path.join(folder, name));
    mkdirSync(path.join(folder, 'turned.ts'));
    const report = await move(folder, { allowDirty: true });
    expect(of(report, 'turned.ts')).toMatchObject({
      status: 'nothing',
      reason: expect.stringMatching(/^not a regular file/) as string,
    });
    expect(of(report, 'gone.ts')?.reason).toBe('git knows it, but it is not there any more');
    isMoved(folder);
  });

  it('reports a large file that names Temporal, without parsing it', async () => {
    const large = `const { Client } = require('@temporalio/client');\n${'x();\n'.repeat(500_000)}`;
    const folder = folderWith({ ...manifest, 'bundle.js': large });
    const report = await move(folder);
    expect(of(report, 'bundle.js')).toMatchObject({
      status: 'person',
      changed: false,
      leftovers: [{ code: 'too-large', line: 1 }],
    });
    expect(bytes(folder, 'bundle.js').length).toBe(large.length);
    isMoved(folder);
  });

  it('moves code without a package.json, and says what to install', async () => {
    const folder = folderWith({});
    const report = await move(folder);
    expect(report.noPackage).toBe(true);
    isMoved(folder);
    await back(folder);
    for (const [name, text] of Object.entries(app)) expect(bytes(folder, name).toString()).toBe(text);
  });

  it('says that a package.json is no JSON, and goes on', async () => {
    const folder = folderWith({ 'package.json': '{ "dependencies": ' });
    const report = await move(folder);
    expect(of(report, 'package.json')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('line 1') as string,
    });
    isMoved(folder);
  });

  it('warns where the Temporal packages are older than what Branchline stands for', async () => {
    const folder = folderWith({
      'package.json': '{\n  "dependencies": {\n    "@temporalio/client": "~1.11.8"\n  }\n}\n',
    });
    const report = await move(folder);
    expect(of(report, 'package.json')?.notes).toEqual([
      {
        line: 3,
        reason: expect.stringMatching(
          /^@temporalio\/client is asked for as ~1\.11\.8: Branchline stands for/,
        ) as string,
      },
    ]);
  });

  it('refuses a tree with changes that are not committed, and names them', async () => {
    const folder = folderWith(manifest);
    git(folder, 'init', '-q');
    await expect(move(folder)).rejects.toMatchObject({
      code: 'BRANCHLINE_DIRTY_TREE',
      message: expect.stringContaining('client.ts') as string,
    });
    expect(bytes(folder, 'client.ts').toString()).toBe(app['client.ts']);
  });
});

it('says that there are no workflows, for --workflows and for assess', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-bad-'));
  folders.push(folder);
  writeFileSync(path.join(folder, 'a.ts'), `import { Client } from '@temporalio/client';\nnew Client();\n`);
  await expect(
    runCodemod({ root: folder, direction: 'forward', workflows: ['signup'], write: true }),
  ).rejects.toMatchObject({
    code: 'BRANCHLINE_NO_WORKFLOWS',
    message: expect.stringMatching(/^No workflows were found below .*: nothing is given as workflowsPath/) as string,
  });
});

// Root reads everything: then the command is run as nobody.
it('reports files and folders that may not be read, and moves the rest', () => {
  const folder = folderWith({ ...manifest, 'locked/inner.ts': app['client.ts']! });
  writeFileSync(path.join(folder, 'secret.ts'), app['client.ts']!);
  chmodSync(path.join(folder, 'secret.ts'), 0o000);
  chmodSync(path.join(folder, 'locked'), 0o000);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) execFileSync('chown', ['-R', '65534:65534', folder]);
  const main = path.resolve(__dirname, '../lib/cli/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'codemod', folder, '--all'], {
    encoding: 'utf8',
    ...(isRoot && { uid: 65534, gid: 65534 }),
    env: { ...process.env, HOME: folder },
  });
  chmodSync(path.join(folder, 'locked'), 0o755);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^secret\.ts: failed: it could not be read: EACCES/m);
  expect(stdout).toMatch(/^locked: failed: the folder could not be read: EACCES/m);
  expect(status).toBe(1);
  expect(bytes(folder, 'client.ts').toString()).toContain('branchline/client');
  expect(existsSync(path.join(folder, 'branchline-codemod.json'))).toBe(true);
});
