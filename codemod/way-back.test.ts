/** What a person, a formatter or git do between the move and the way back. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, type Options } from 'prettier';
import { describe, expect, it } from 'vitest';
import { folderWith, forward, of, read, reverse } from '../test/support/codemod-folder';
import { JOURNAL } from './journal';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
const client = `import { Connection } from '@temporalio/client';\n`;
const edit = (folder: string, name: string, change: (value: Record<string, never>) => object): void => {
  const file = path.join(folder, name);
  writeFileSync(file, json(change(JSON.parse(readFileSync(file, 'utf8')) as Record<string, never>)));
};
const anyway = { allowDirty: true };

const application = {
  'package.json': json({ dependencies: { '@temporalio/client': '1.24.0' } }),
  'workflows.ts': `import { sleep } from '@temporalio/workflow';\nexport async function signup() {\n  await sleep(1);\n}\nexport async function billing() {\n  await sleep(1);\n}\n`,
  'client.ts': `import { Client, Connection } from '@temporalio/client';\nexport const client = async () => new Client({ connection: await Connection.connect({ tls: false, address: 'localhost:7233' }) });\n`,
  'worker.ts': `import { Worker } from '@temporalio/worker';\nexport const made = Worker.create({ taskQueue: 'q', workflowsPath: './workflows' });\n`,
};

describe('the way back', () => {
  it.each<[string, Options, object]>([
    ['everything moved, prettier as it comes', {}, {}],
    ['everything moved, without trailing commas', { trailingComma: 'none', singleQuote: true }, {}],
    ['one type moved, prettier as it comes', {}, { workflows: ['signup'] }],
    ['one type moved, without trailing commas', { trailingComma: 'none' }, { workflows: ['signup'] }],
  ])('goes through what a formatter made of the code: %s', async (_, style, more) => {
    const formatted = async (files: Record<string, string>): Promise<Record<string, string>> =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(files)
            .filter(([name]) => name.endsWith('.ts'))
            .map(async ([name, text]) => [name, await format(text, { ...style, parser: 'typescript' })] as const),
        ),
      );
    const folder = folderWith(application, false);
    await forward(folder, more);
    for (const [name, text] of Object.entries(await formatted(read(folder))))
      writeFileSync(path.join(folder, name), text);
    const report = await reverse(folder);
    expect(report.totals.failed).toBe(0);
    // Blank lines aside, which a comment that stood alone leaves.
    const plain = (files: Record<string, string>): Record<string, string> =>
      Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replace(/\n+/g, '\n')]));
    expect(plain(await formatted(read(folder)))).toEqual(plain(await formatted(application)));
  });

  it('keeps what a person wrote into package.json and the routes between two moves', async () => {
    const folder = folderWith({
      'package.json': json({ dependencies: { '@temporalio/client': '~1.24.0', '@temporalio/worker': '~1.24.0' } }),
      'a.ts': client,
      'b.ts': `import x from '@temporalio/worker/lib/utils';\n`,
    });
    await forward(folder);
    edit(folder, 'package.json', ({ dependencies }) => ({ dependencies: { ...(dependencies as object), zod: '4' } }));
    writeFileSync(path.join(folder, 'b.ts'), `import x from '@temporalio/worker';\n`);
    await forward(folder, anyway);
    await reverse(folder, anyway);
    expect(JSON.parse(read(folder)['package.json']!)).toEqual({
      dependencies: { '@temporalio/client': '~1.24.0', '@temporalio/worker': '~1.24.0', zod: '4' },
    });

    const routed = folderWith({ ...application, 'branchline-routes.json': json({ default: 'temporal', rules: [] }) });
    await forward(routed, { workflows: ['signup'] });
    edit(routed, 'branchline-routes.json', ({ rules, ...rest }) => ({
      ...rest,
      rules: [{ name: 'mine', workflowType: 'more', engine: 'postgres' }, ...(rules as object[])],
    }));
    await forward(routed, { workflows: ['billing'], ...anyway });
    const report = await reverse(routed, anyway);
    expect(read(routed)['branchline-routes.json']).toContain('"mine"');
    expect(of(report, 'branchline-routes.json').notes[0]?.reason).toMatch(/edited after the move/);
  });

  it('keeps its record until every package.json has what was taken out', async () => {
    const before = json({ dependencies: { '@temporalio/client': '~1.23.7' } });
    const folder = folderWith({ 'package.json': before, 'a.ts': client });
    await forward(folder);
    const moved = read(folder)['package.json']!;
    writeFileSync(path.join(folder, 'package.json'), `<<<<<<< HEAD\n${moved}`);
    const first = await reverse(folder, anyway);
    expect(of(first, 'package.json').status).toBe('failed');
    expect(existsSync(path.join(folder, JOURNAL))).toBe(true);
    writeFileSync(path.join(folder, 'package.json'), moved);
    await reverse(folder, anyway);
    expect(read(folder)).toEqual({ 'package.json': before, 'a.ts': client });
  });

  it('says which package.json it does not find, and what belongs into it', async () => {
    const folder = folderWith({
      'package.json': json({ name: 'r' }),
      'packages/a/package.json': json({ dependencies: { '@temporalio/client': '~1.23.7' } }),
      'packages/a/a.ts': client,
    });
    await forward(folder);
    mkdirSync(path.join(folder, 'services'));
    renameSync(path.join(folder, 'packages/a'), path.join(folder, 'services/a'));
    const report = await reverse(folder, anyway);
    expect(of(report, 'packages/a/package.json')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('+@temporalio/client') as string,
    });
    expect(of(report, 'services/a/package.json').notes).toHaveLength(1);
    expect(existsSync(path.join(folder, JOURNAL))).toBe(true);
  });

  it('makes a section again that npm took out when the move had left it empty', async () => {
    const folder = folderWith({
      'package.json': json({
        name: 'a',
        dependencies: { '@temporalio/client': '~1.23.7' },
        devDependencies: { '@temporalio/testing': '~1.23.7' },
      }),
      'a.ts': client,
    });
    await forward(folder);
    edit(folder, 'package.json', ({ devDependencies: _, ...rest }) => rest);
    await reverse(folder, anyway);
    expect(read(folder)['package.json']).toBe(
      json({
        name: 'a',
        dependencies: { '@temporalio/client': '~1.23.7' },
        devDependencies: { '@temporalio/testing': '~1.23.7' },
      }),
    );
  });

  it('gives entries back in their order where they are not sorted', async () => {
    const before = json({
      dependencies: { zod: '1', '@temporalio/worker': '~1.24.0', '@temporalio/client': '~1.24.0', express: '1' },
    });
    const folder = folderWith({ 'package.json': before, 'a.ts': client });
    await forward(folder);
    const edited = (text: string): string => text.replace('"express": "1"', '"express": "2"');
    writeFileSync(path.join(folder, 'package.json'), edited(read(folder)['package.json']!));
    await reverse(folder, anyway);
    expect(read(folder)['package.json']).toBe(edited(before));
  });

  it('is byte for byte in a package whose dependencies stand further up', async () => {
    const files = {
      'package.json': json({ name: 'r', dependencies: { '@temporalio/client': '~1.23.7' } }),
      'packages/a/package.json': json({ name: 'a', dependencies: { zod: '4' } }),
      'packages/a/a.ts': client,
    };
    const folder = folderWith(files);
    await forward(path.join(folder, 'packages/a'));
    await expect(reverse(folder, anyway)).rejects.toThrow(/moved from packages\/a/);
    await reverse(path.join(folder, 'packages/a'), anyway);
    expect(read(folder)).toEqual(files);
  });

  it('is not begun below the folder that was moved', async () => {
    const folder = folderWith({
      'package.json': json({ name: 'r' }),
      'packages/a/package.json': json({ dependencies: { '@temporalio/client': '~1.23.7' } }),
      'packages/a/a.ts': client,
    });
    await forward(folder);
    await expect(reverse(path.join(folder, 'packages/a'), anyway)).rejects.toThrow('go back there');
  });

  it('keeps branchline for code that cannot go back', async () => {
    const folder = folderWith({
      'package.json': json({ dependencies: { '@temporalio/client': '~1.23.7' } }),
      'a.ts': client,
      'b.ts': client,
    });
    await forward(folder);
    writeFileSync(path.join(folder, 'b.ts'), `import { Connection } from 'branchline/client';\nexport const = 1;\n`);
    const report = await reverse(folder, anyway);
    expect(of(report, 'b.ts').status).toBe('failed');
    expect(Object.keys((JSON.parse(read(folder)['package.json']!) as { dependencies: object }).dependencies)).toEqual([
      '@temporalio/client',
      'branchline',
    ]);
    rmSync(path.join(folder, 'b.ts'));
    await reverse(folder, anyway);
    expect(read(folder)).toEqual({
      'package.json': json({ dependencies: { '@temporalio/client': '~1.23.7' } }),
      'a.ts': client,
    });
  });
});
