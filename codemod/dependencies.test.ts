/** What the move makes of dependencies: of the code that goes, of the code that stays, and of packages that share them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith, forward, of, read } from '../test/support/codemod-folder';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
const client = `import { Connection } from '@temporalio/client';\n`;
const dependencies = (folder: string, name = 'package.json'): string[] => {
  const manifest = JSON.parse(read(folder)[name]!) as Record<string, object>;
  return ['dependencies', 'devDependencies'].flatMap((section) => Object.keys(manifest[section] ?? {}));
};

describe('dependencies', () => {
  it('are on branchline wherever code imports it, though a comment or a setting names the package', async () => {
    const commented = folderWith({
      'package.json': json({ dependencies: { '@temporalio/client': '^1.24.0' } }),
      'a.ts': `// a thin layer on \`@temporalio/client\`\n${client}`,
    });
    await forward(commented);
    expect(dependencies(commented)).toEqual(['branchline']);
    const set = folderWith({
      'package.json': json({ dependencies: { '@temporalio/worker': '^1.24.0' } }),
      'a.ts': `import { Worker } from '@temporalio/worker';\n`,
      'esbuild.mjs': `export default { external: ['@temporalio/worker'] };\n`,
    });
    await forward(set);
    expect(dependencies(set)).toEqual(['@temporalio/worker', 'branchline']);
  });

  it('stay for files that stay as they are', async () => {
    const folder = folderWith({
      'package.json': json({ dependencies: { '@temporalio/client': '^1.24.0', '@temporalio/common': '^1.24.0' } }),
      'a.ts': client,
      'b.ts': `import { Client } from '@temporalio/client';\nnew Client(;\n`,
      'c.vue': `<script>import { ApplicationFailure } from '@temporalio/common'</script>\n`,
    });
    await forward(folder);
    expect(dependencies(folder)).toEqual(['@temporalio/client', '@temporalio/common', 'branchline']);
  });

  it('of a package above stay for code below it that still asks for them', async () => {
    const folder = folderWith({
      'package.json': json({ dependencies: { '@temporalio/client': '~1.23.7', '@temporalio/worker': '~1.23.7' } }),
      'packages/a/package.json': json({ name: 'a' }),
      'packages/a/a.ts': `${client}import u from '@temporalio/worker/lib/utils';\n`,
    });
    await forward(folder);
    expect(dependencies(folder)).toEqual(['@temporalio/worker', 'branchline']);
    expect(dependencies(folder, 'packages/a/package.json')).toEqual([]);
  });

  it('of the incremental way are where the code runs', async () => {
    const application = {
      'workflows.ts': `import { sleep } from '@temporalio/workflow';\nexport async function signup() { await sleep(1); }\n`,
      'client.ts': `import { Client, Connection } from '@temporalio/client';\nexport const client = async () => new Client({ connection: await Connection.connect() });\n`,
      'worker.ts': `import { Worker } from '@temporalio/worker';\nexport const made = Worker.create({ taskQueue: 'q', workflowsPath: './workflows' });\n`,
    };
    const hoisted = folderWith({
      'package.json': json({ name: 'r', dependencies: { '@temporalio/client': '1.24.0' } }),
      'packages/a/package.json': json({ name: 'a' }),
      ...Object.fromEntries(Object.entries(application).map(([name, text]) => [`packages/a/${name}`, text])),
    });
    await forward(hoisted, { workflows: ['signup'] });
    expect(dependencies(hoisted)).toEqual(['@temporalio/client', 'branchline']);
    const forCommand = folderWith({
      'package.json': json({ dependencies: { '@temporalio/client': '1' }, devDependencies: { branchline: '^0.1.0' } }),
      ...application,
    });
    await forward(forCommand, { workflows: ['signup'] });
    expect(dependencies(forCommand)).toEqual(['@temporalio/client', 'branchline', 'branchline']);
  });
});

describe('the router in JavaScript', () => {
  it('is imported in modules, and required before it is used', async () => {
    const folder = folderWith({
      'package.json': json({ type: 'module', dependencies: { '@temporalio/client': '1.24.0' } }),
      'workflows.js': `import { sleep } from '@temporalio/workflow';\nexport async function signup() { await sleep(1); }\n`,
      'worker.js': `import { Worker } from '@temporalio/worker';\nexport const made = Worker.create({ taskQueue: 'q', workflowsPath: './workflows' });\n`,
      'start.js': `const { Connection, Client } = await import('@temporalio/client');\nconst connection = await Connection.connect();\nnew Client({ connection });\n`,
      'late.cjs': `const { Connection, Client } = require('@temporalio/client');\nconst client = Connection.connect().then((connection) => new Client({ connection }));\nconst fs = require('fs');\nmodule.exports = { client, fs };\n`,
    });
    await forward(folder, { workflows: ['signup'] });
    const { 'start.js': start, 'late.cjs': late } = read(folder);
    expect(start).toContain(`import { RoutedConnection } from 'branchline/router'`);
    expect(late!.indexOf(`require('branchline/router')`)).toBeGreaterThan(0);
    expect(late!.indexOf(`require('branchline/router')`)).toBeLessThan(late!.indexOf('RoutedConnection.connect'));
  });
});

describe('files', () => {
  it('that were saved while it runs are not written over', async () => {
    const folder = folderWith({
      'package.json': json({}),
      ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${String(i).padStart(2, '0')}.ts`, client])),
    });
    const saved = `${client}export const mine = 1;\n`;
    const report = await forward(folder, {
      onProgress: (done: number) => done === 55 && writeFileSync(path.join(folder, 'f00.ts'), saved),
    });
    expect(of(report, 'f00.ts')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('changed in the meantime') as string,
    });
    expect(read(folder)).toMatchObject({
      'f00.ts': saved,
      'f01.ts': `import { Connection } from 'branchline/client';\n`,
    });
  });

  it('keep their mode whatever the mask, and their text when they are read-only', async () => {
    const folder = folderWith({ 'package.json': json({}), 'a.ts': client, 'b.ts': client });
    chmodSync(path.join(folder, 'a.ts'), 0o775);
    chmodSync(path.join(folder, 'b.ts'), 0o444);
    const mask = process.umask(0o077);
    const report = await forward(folder, { allowDirty: true }).finally(() => process.umask(mask));
    expect(statSync(path.join(folder, 'a.ts')).mode & 0o777).toBe(0o775);
    expect(of(report, 'b.ts').status).toBe('failed');
    expect(read(folder)['b.ts']).toBe(client);
  });

  it('are left alone when git does not answer for them', async () => {
    const folder = folderWith({ 'package.json': json({}), '.gitignore': 'gen/\n', 'gen/a.ts': client, 'b.ts': client });
    const before = read(folder);
    process.env.GIT_TEST_ASSUME_DIFFERENT_OWNER = '1';
    try {
      await expect(forward(folder)).rejects.toMatchObject({ code: 'BRANCHLINE_GIT' });
    } finally {
      delete process.env.GIT_TEST_ASSUME_DIFFERENT_OWNER;
    }
    expect(read(folder)).toEqual(before);
    expect(execFileSync('git', ['-C', folder, 'status', '--porcelain'], { encoding: 'utf8' })).toBe('');
  });

  it('with a comment between an option and its comma go over', async () => {
    const folder = folderWith({
      'package.json': json({}),
      'b.ts': `${client}export const d = Connection.connect({ address: 'a' /* x */, tls: true });\n`,
    });
    const report = await forward(folder);
    expect(of(report, 'b.ts').status).not.toBe('failed');
  });
});
