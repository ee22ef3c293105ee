/** The command on a folder: what it writes, what it leaves alone, what it says. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith, forward, git, of, read, reverse } from '../test/support/codemod-folder';
import { checkResidue } from './check';
import { JOURNAL } from './journal';

const manifest = `{
  "name": "app",
  "dependencies": {
    "@temporalio/client": "^1.20.0",
    "@temporalio/envconfig": "^1.20.0",
    "@temporalio/worker": "~1.20.0",
    "zod": "4"
  },
  "devDependencies": { "@temporalio/testing": "1.x" },
  "peerDependencies": {
    "@temporalio/common": "*"
  }
}
`;
const files = {
  'package.json': manifest,
  'src/client.ts': `import { Connection } from '@temporalio/client';\nexport const connection = Connection.connect({ address: 'localhost:7233' });\n`,
  'src/bom.ts': `\uFEFFimport '@temporalio/workflow'\r\n`,
  'src/plain.ts': `export const one = 1`,
  'src/left.ts': `import { Worker } from '@temporalio/worker';\nexport default [Worker, load('@temporalio/worker')];\n`,
  'ünusual "name".ts': `export * from '@temporalio/common'`,
  'tsconfig.json': `{\n  // paths\n  "compilerOptions": { "paths": { "@wf": ["./node_modules/@temporalio/workflow"] } },\n}\n`,
};

describe('there and back', () => {
  it('changes imports, set-up and dependencies, and gives a reason for every file', async () => {
    const folder = folderWith(files);
    const report = await forward(folder);
    const now = read(folder);
    expect(now['src/client.ts']).toBe(
      `import { Connection } from 'branchline/client';\nexport const connection = Connection.connect({ /* @branchline-was address: 'localhost:7233' */ });\n`,
    );
    expect(now['src/bom.ts']).toBe(`\uFEFFimport 'branchline/workflow'\r\n`);
    expect(now['tsconfig.json']).toContain('"./node_modules/branchline/lib/workflow"');
    const { version } = JSON.parse(readFileSync(path.join(__dirname, '../package.json'), 'utf8')) as {
      version: string;
    };
    expect(JSON.parse(now['package.json']!)).toEqual({
      name: 'app',
      dependencies: {
        branchline: `^${version}`,
        '@temporalio/worker': '~1.20.0',
        zod: '4',
      },
      devDependencies: {},
      peerDependencies: { branchline: `^${version}` },
    });
    expect(Object.fromEntries(report.files.map(({ path: name, status }) => [name, status]))).toEqual({
      'package.json': 'changed',
      'src/bom.ts': 'changed',
      'src/client.ts': 'changed',
      'src/left.ts': 'person',
      'src/plain.ts': 'nothing',
      'tsconfig.json': 'changed',
      'ünusual "name".ts': 'changed',
    });
    expect(report.files.every(({ reason }) => reason !== '')).toBe(true);
    expect(report.install).toBe('npm install');
  });

  it('changes nothing the second time, and still names what is left', async () => {
    const folder = folderWith(files);
    const first = await forward(folder);
    const after = read(folder);
    const second = await forward(folder, { allowDirty: true });
    expect(read(folder)).toEqual(after);
    expect(second.diff).toBe('');
    expect(second.totals).toMatchObject({ changed: 0, person: 1 });
    expect(of(second, 'src/left.ts').leftovers).toEqual(of(first, 'src/left.ts').leftovers);
  });

  it('comes back byte for byte', async () => {
    const folder = folderWith(files);
    await forward(folder);
    await reverse(folder, { allowDirty: true });
    expect(read(folder)).toEqual(files);
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });

  it('brings recorded dependencies back into a package.json that has changed since', async () => {
    const folder = folderWith(files);
    await forward(folder);
    const changed = readFileSync(path.join(folder, 'package.json'), 'utf8').replace(
      '"zod": "4"',
      '"ky": "1",\n    "zod": "5"',
    );
    writeFileSync(path.join(folder, 'package.json'), changed);
    await reverse(folder, { allowDirty: true });
    expect(read(folder)['package.json']).toBe(manifest.replace('"zod": "4"', '"ky": "1",\n    "zod": "5"'));
  });

  it('comes back without its record too, by what the code imports', async () => {
    const folder = folderWith(files);
    await forward(folder);
    execFileSync('rm', [path.join(folder, JOURNAL)]);
    await reverse(folder, { allowDirty: true });
    const { dependencies } = JSON.parse(read(folder)['package.json']!) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toEqual(
      expect.arrayContaining(['@temporalio/client', '@temporalio/worker', 'zod']),
    );
    expect(dependencies).not.toHaveProperty('branchline');
  });
});

describe('a dry run', () => {
  it('touches nothing, and its diff is one that git applies, there and back', async () => {
    const folder = folderWith(files);
    const there = await forward(folder, { write: false });
    expect(read(folder)).toEqual(files);
    execFileSync('git', ['-C', folder, 'apply', '--check', '-'], { input: there.diff });
    execFileSync('git', ['-C', folder, 'apply', '-'], { input: there.diff });
    const applied = read(folder);
    git(folder, 'checkout', '-q', '.');
    git(folder, 'clean', '-qfd');
    await forward(folder);
    expect(applied).toEqual(read(folder));
    const back = await reverse(folder, { write: false });
    execFileSync('git', ['-C', folder, 'apply', '-'], { input: back.diff });
    expect(read(folder)).toEqual(files);
  });
});

describe('manners', () => {
  it('refuses a tree with changes that are not committed, unless told', async () => {
    const folder = folderWith(files);
    writeFileSync(path.join(folder, 'src/plain.ts'), 'changed');
    await expect(forward(folder)).rejects.toMatchObject({ code: 'BRANCHLINE_DIRTY_TREE' });
    await expect(forward(folder, { write: false })).resolves.toBeDefined();
    await expect(forward(folder, { allowDirty: true })).resolves.toBeDefined();
  });

  it('keeps the mode of a file', async () => {
    const folder = folderWith({ 'run.js': `#!/usr/bin/env node\nrequire('@temporalio/worker');\n` }, false);
    chmodSync(path.join(folder, 'run.js'), 0o755);
    await forward(folder);
    expect(statSync(path.join(folder, 'run.js')).mode & 0o777).toBe(0o755);
  });

  it('leaves what git ignores, node_modules and symbolic links alone', async () => {
    const code = `import '@temporalio/worker';\n`;
    const folder = folderWith({
      '.gitignore': 'gen/\n',
      'gen/a.ts': code,
      'node_modules/x/index.js': code,
      'src/a.ts': code,
    });
    symlinkSync('a.ts', path.join(folder, 'src/link.ts'));
    symlinkSync('..', path.join(folder, 'src/loop'));
    const report = await forward(folder, { allowDirty: true });
    expect(read(folder)).toMatchObject({
      'gen/a.ts': code,
      'node_modules/x/index.js': code,
      'src/a.ts': `import 'branchline/worker';\n`,
    });
    expect(of(report, 'src/link.ts')).toMatchObject({
      status: 'nothing',
      reason: expect.stringContaining('link') as string,
    });
  });

  it('goes without git, and not into loops of links', async () => {
    const folder = folderWith(files, false);
    symlinkSync('.', path.join(folder, 'src/loop'));
    await forward(folder);
    await reverse(folder);
    expect(read(folder)).toEqual(files);
  });
});

describe('bad input', () => {
  it('leaves a bad file as it was and goes on with the rest', async () => {
    const folder = folderWith({
      'a-syntax.ts': `import { Client } from '@temporalio/client';\nexport const = 1;\n`,
      'b-latin1.ts': Buffer.from([0x2f, 0x2f, 0xe9, 0x0a]),
      'c-binary.js': Buffer.from([0xff, 0xfe, 0x00, 0x40]),
      'd-large.js': `require('@temporalio/worker');\n${'x();\n'.repeat(500_000)}`,
      'e-large.js': 'y();\n'.repeat(500_000),
      'f-good.ts': `import '@temporalio/client';\n`,
      'package.json': '{ "dependencies": { "@temporalio/client": 1, }',
    });
    const before = read(folder);
    const report = await forward(folder);
    expect(of(report, 'a-syntax.ts')).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^line 2, column \d+ does not parse/) as string,
    });
    expect(of(report, 'b-latin1.ts')).toMatchObject({ status: 'failed', reason: 'it is not UTF-8' });
    expect(of(report, 'c-binary.js').status).toBe('failed');
    expect(of(report, 'd-large.js')).toMatchObject({ status: 'person', changed: false });
    expect(of(report, 'e-large.js').status).toBe('nothing');
    expect(of(report, 'package.json')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('line 1') as string,
    });
    expect(read(folder)).toEqual({
      ...before,
      'f-good.ts': `import 'branchline/client';\n`,
      [JOURNAL]: expect.any(String) as string,
    });
  });

  it('reports what cannot be written, and goes on', async () => {
    const folder = folderWith({ 'a/a.ts': `import '@temporalio/client';`, 'b.ts': `import '@temporalio/client';` });
    // The name that the new text would have before it takes the file's place is taken.
    mkdirSync(path.join(folder, `a/.a.ts.${process.pid}.branchline/in the way`), { recursive: true });
    const report = await forward(folder, { allowDirty: true });
    expect(of(report, 'a/a.ts')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('could not be written') as string,
    });
    expect(read(folder)).toMatchObject({
      'a/a.ts': `import '@temporalio/client';`,
      'b.ts': `import 'branchline/client';`,
    });
  });

  it.each([
    ['a folder that is not there', 'no such', 'BRANCHLINE_NO_FOLDER'],
    ['an empty folder', '.', 'BRANCHLINE_NO_FILES'],
  ])('refuses %s', async (_, name, code) => {
    await expect(forward(path.join(folderWith({}, false), name))).rejects.toMatchObject({ code });
  });

  it('refuses a record that was damaged', async () => {
    const folder = folderWith({ ...files, [JOURNAL]: '{' });
    await expect(reverse(folder)).rejects.toMatchObject({ code: 'BRANCHLINE_JOURNAL' });
  });
});

it('asks for nothing on the way back in a package that asked for nothing before', async () => {
  const folder = folderWith({
    ...files,
    'packages/api/package.json': '{ "name": "api", "dependencies": { "zod": "4" } }',
    'packages/api/worker.ts': `import '@temporalio/worker';`,
  });
  await forward(folder);
  await reverse(folder, { allowDirty: true });
  expect(git(folder, 'status', '--porcelain')).toBe('');
});

describe('names that other modules hand on', () => {
  it('follows local modules, workspace packages and aliases to connections', async () => {
    const connect = (from: string): string =>
      `import { Connection } from '${from}';\nConnection.connect({ address: 'a:1' });\n`;
    const folder = folderWith({
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@client": ["./node_modules/@temporalio/client"] } } }',
      'packages/temporal/package.json': '{ "name": "@acme/temporal" }',
      'packages/temporal/src/index.ts': `export * from './inner.js';`,
      'packages/temporal/src/inner.ts': `import { Connection } from '@temporalio/client';\nexport { Connection };`,
      'a.ts': connect('./packages/temporal/src/inner'),
      'b.ts': connect('@acme/temporal'),
      'c.ts': connect('@client'),
      'd.ts': connect('mongodb'),
    });
    await forward(folder);
    const now = read(folder);
    for (const name of ['a.ts', 'b.ts', 'c.ts']) expect(now[name]).toContain('/* @branchline-was address');
    expect(now['d.ts']).toBe(connect('mongodb'));
    await reverse(folder, { allowDirty: true });
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });
});

describe('packages whose types name the worker', () => {
  const plugged = `import { OpenAIPlugin } from '@temporalio/openai-agents';\nexport default OpenAIPlugin;\n`;
  const config = `{\n  // ours\n  "compilerOptions": {\n    "strict": true\n  }\n}\n`;

  it('gets a line in paths of the tsconfig.json above them, once, which the way back takes out', async () => {
    const folder = folderWith({
      'a/tsconfig.json': config,
      'a/src/plugin.ts': plugged,
      'b/tsconfig.json': `{\r\n\t"compilerOptions": {\r\n\t\t"baseUrl": "src",\r\n\t\t"paths": {\r\n\t\t\t"x": ["y"]\r\n\t\t}\r\n\t}\r\n}`,
      'b/plugin.mts': plugged,
      'c/tsconfig.json': config,
      'c/plain.ts': `import '@temporalio/worker';`,
    });
    await forward(folder);
    const now = read(folder);
    expect(now['a/tsconfig.json']).toBe(
      config.replace(
        '    "strict"',
        '    "paths": { "@temporalio/worker": ["./node_modules/branchline/lib/worker"] }, // @branchline-added\n    "strict"',
      ),
    );
    expect(now['b/tsconfig.json']).toContain(
      '\t\t\t"@temporalio/worker": ["../node_modules/branchline/lib/worker"], // @branchline-added\r\n\t\t\t"x"',
    );
    expect(now['c/tsconfig.json']).toBe(config);
    await forward(folder, { allowDirty: true });
    expect(read(folder)).toEqual(now);
    await reverse(folder, { allowDirty: true });
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });

  it('leaves it to a person where a line would hide others, or has no place', async () => {
    const extending = config.replace('{\n', '{\n  "extends": "../tsconfig.base.json",\n');
    const folder = folderWith({
      'a/tsconfig.json': extending,
      'a/plugin.ts': plugged,
      'b/tsconfig.json': '{ "compilerOptions": { "strict": true } }',
      'b/plugin.ts': plugged,
    });
    const report = await forward(folder);
    for (const name of ['a/tsconfig.json', 'b/tsconfig.json'])
      expect(of(report, name).notes[0]?.reason).toContain(
        '"@temporalio/worker": ["./node_modules/branchline/lib/worker"]',
      );
    expect(read(folder)['a/tsconfig.json']).toBe(extending);
  });
});

describe('check', () => {
  it('lists what is left, until it is handled or ignored', async () => {
    const folder = folderWith(files);
    await forward(folder);
    expect(checkResidue(folder).residue).toEqual([
      {
        path: 'src/left.ts',
        line: 2,
        code: 'unknown-use',
        reason: expect.stringContaining("'@temporalio/worker'") as string,
      },
    ]);
    const left = path.join(folder, 'src/left.ts');
    writeFileSync(left, readFileSync(left, 'utf8').replace('@branchline-todo', '@branchline-ignore'));
    expect(checkResidue(folder).residue).toEqual([]);
    await reverse(folder, { allowDirty: true });
    expect(readFileSync(left, 'utf8')).toBe(files['src/left.ts']);
    expect(existsSync(path.join(folder, JOURNAL))).toBe(false);
  });
});
