/** What an assessment says of a repository. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { assess, type Assessment } from './assess';
import { assessmentPage } from './html';
import { assessmentText } from './text';
import { DEFAULT_THRESHOLDS, thresholdsFrom, type Verdict } from './verdict';

const worker = `import { Worker } from '@temporalio/worker';
Worker.create({ taskQueue: 'q', workflowsPath: require.resolve('./workflows') });
`;

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-assess-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const of = (files: Record<string, string>, thresholds = DEFAULT_THRESHOLDS): Promise<Assessment> =>
  assess({ root: folderWith(files), thresholds });
const workflows = (code: string, more: Record<string, string> = {}): Promise<Assessment> =>
  of({
    'worker.ts': worker,
    'workflows.ts': `import * as wf from '@temporalio/workflow';
const { act, other } = wf.proxyActivities<typeof import('./activities')>({ startToCloseTimeout: '1m' });
${code}`,
    ...more,
  });
const verdict = (assessment: Assessment, type: string): Verdict =>
  assessment.verdicts.find((one) => one.type === type)!;
const facts = (assessment: Assessment, type: string) => assessment.workflows.find((one) => one.type === type)!;

describe('which functions are workflows', () => {
  it('takes the exports of workflowsPath, through re-exports and CommonJS, and where clients start them', async () => {
    const found = await of({
      'worker.mts': `import { Worker } from '@temporalio/worker';
        Worker.create({ taskQueue: 'q', workflowsPath: fileURLToPath(new URL('./src/workflows/index.js', import.meta.url)) });`,
      'src/workflows/index.ts': `export * from './a';\nexport { inner as outer } from './b';`,
      'src/workflows/a.ts': `import { sleep } from '@temporalio/workflow';\nexport async function first() { await sleep(1); }\nexport const limit = 3;\nfunction hidden() {}`,
      'src/workflows/b.ts': `import { sleep } from '@temporalio/workflow';\nexport const inner = async () => { await sleep(1); };`,
      'client.ts': `import { Client } from '@temporalio/client';
        import { first } from './src/workflows';
        const client = new Client();
        client.workflow.start(first, { taskQueue: 'q', workflowId: 'a' });
        client.workflow.execute('elsewhere', { taskQueue: 'q', workflowId: 'b' });
        server.start(first, {});`,
    });
    expect(found.workflows.map(({ type }) => type)).toEqual(['elsewhere', 'first', 'outer']);
    expect(facts(found, 'first')).toMatchObject({
      defined: { path: 'src/workflows/a.ts', line: 2 },
      startedAt: [{ path: 'client.ts', line: 4 }],
      api: ['sleep'],
    });
    expect(verdict(found, 'elsewhere')).toMatchObject({
      verdict: 'fix first',
      reasons: [expect.stringContaining('not in this folder') as string],
    });
  });

  it('takes a workflowsPath that is relative to where processes are started, in every package that has it', async () => {
    const one = (name: string): string =>
      `import { sleep } from '@temporalio/workflow';\nexport async function ${name}() { await sleep(1); }`;
    const found = await of({
      'archetypes/package.json': '{}',
      'archetypes/worker.ts': `import { Worker } from '@temporalio/worker';\nWorker.create({ taskQueue: 'q', workflowsPath: path.resolve('./src/workflows') });`,
      'apps/a/package.json': '{}',
      'apps/a/src/workflows.ts': one('inA'),
      'apps/b/package.json': '{}',
      'apps/b/src/workflows/index.ts': one('inB'),
      'apps/c/src/workflows.ts': one('inC'),
    });
    expect(found.workflows.map(({ type }) => type)).toEqual(['inA', 'inB']);
    expect(found.notFollowed).toEqual([]);
  });

  it('finds a type that is started by its name, where no workflowsPath leads to its code', async () => {
    const named = `import { sleep } from '@temporalio/workflow';\nexport async function named() { await sleep(1); }`;
    const start = `client.workflow.start('named', { taskQueue: 'q', workflowId: 'w' });`;
    const found = await of({ 'flows/named.ts': named, 'client.ts': start });
    expect(facts(found, 'named').defined).toEqual({ path: 'flows/named.ts', line: 2 });
    const twice = await of({ 'flows/named.ts': named, 'old/named.ts': named, 'client.ts': start });
    expect(facts(twice, 'named').defined).toBeUndefined();
  });

  it('says where a workflowsPath leads to nothing it could read', async () => {
    const found = await workflows('export async function one() { await act(); }', {
      'other.ts': `import { Worker } from '@temporalio/worker';\nWorker.create({ taskQueue: 'q', workflowsPath: './elsewhere' });\nWorker.create({ taskQueue: 'q', workflowsPath: process.env.W! });`,
    });
    expect(found.notFollowed).toEqual([
      { path: 'other.ts', line: 2 },
      { path: 'other.ts', line: 3 },
    ]);
    expect(assessmentText(found)).toMatch(
      /workflowsPath that leads to no file here.*\n {2}other\.ts:2\n {2}other\.ts:3/,
    );
    expect(assessmentPage(found)).toContain('<li><code>other.ts:3</code></li>');
  });

  it('counts the starts by schedules, and by clients that a helper gives', async () => {
    const found = await workflows('export async function one() { await act(); }', {
      'schedule.ts': `import { one } from './workflows';\nclient.schedule.create({ action: { type: 'startWorkflow', workflowType: one, taskQueue: 'q' } });`,
      'helped.ts': `import { client } from './client';\nclient.workflow.start('one', { taskQueue: 'q', workflowId: 'w' });`,
    });
    expect(facts(found, 'one').startedAt).toEqual([
      { path: 'helped.ts', line: 2 },
      { path: 'schedule.ts', line: 2 },
    ]);
  });

  it('refuses a folder without any', async () => {
    await expect(of({ 'a.ts': `import '@temporalio/client';` })).rejects.toMatchObject({
      code: 'BRANCHLINE_NO_WORKFLOWS',
    });
  });

  it('says which files it could not read, and goes on', async () => {
    const found = await workflows('export async function one() { await act(); }', {
      'bad.ts': `import '@temporalio/client'; const = 1`,
    });
    expect(found.failed).toEqual([
      { path: 'bad.ts', reason: expect.stringMatching(/^line 1, column \d+ does not parse/) as string },
    ]);
    expect(verdict(found, 'one').verdict).toBe('move');
  });
});

describe('fan-out', () => {
  it.each([
    ['Promise.all over a list', 'await Promise.all(list.map((one) => act(one)));', 'map', undefined],
    ['a list of known length', 'await Promise.all(Array.from({ length: 200 }, () => 0).map(() => act()));', 'map', 200],
    ['Array.from with a callback', 'await Promise.all(Array.from({ length: 1_000 }, () => act()));', 'map', 1000],
    ['members written out', 'await Promise.allSettled([act(1), other(2), 3]);', 'Promise.all', 3],
    [
      'calls in a loop that are awaited later',
      'const all = []; for (const one of list) all.push(act(one)); await Promise.all(all);',
      'loop',
      undefined,
    ],
    ['children', 'await Promise.all(list.map((one) => wf.executeChild(child, { args: [one] })));', 'map', undefined],
    ['a function given to map', 'await Promise.all(list.map(act));', 'map', undefined],
    ['a helper given to map', 'await Promise.all(list.map(helper));', 'map', undefined],
    ['a helper in a callback', 'await Promise.all(list.map((one) => helper(one)));', 'map', undefined],
  ])('sees %s', async (_, code, how, width) => {
    const found = await workflows(
      `export async function main(list: string[]) { ${code} }
      async function helper(one: string) { await act(one); }
      export async function child(one: string) { await wf.sleep(1); }`,
    );
    const { fanOut } = facts(found, 'main');
    expect(fanOut[0]).toMatchObject({ how, ...(width === undefined ? {} : { width }) });
  });

  it('sees none where calls follow each other, and tells the loop', async () => {
    const found = await workflows(
      'export async function main(list: string[]) {\n for (const one of list) { await act(one); }\n await act();\n}',
    );
    expect(facts(found, 'main')).toMatchObject({
      fanOut: [],
      loops: [{ path: 'workflows.ts', line: 4 }],
      activities: ['act'],
    });
  });

  it('turns the verdict when a threshold is changed, and names the number', async () => {
    const code = 'export async function main() { await Promise.all(Array.from({ length: 40 }, () => act())); }';
    expect(verdict(await workflows(code), 'main')).toMatchObject({
      verdict: 'move',
      reasons: ['40 activities at once (workflows.ts:3) ≤ maxFanOut 50'],
    });
    const files = {
      'worker.ts': worker,
      'workflows.ts': `import { proxyActivities } from '@temporalio/workflow';\nconst { act } = proxyActivities({});\n${code}`,
    };
    const strict = await of(files, thresholdsFrom('{"maxFanOut": 39}'));
    expect(verdict(strict, 'main')).toMatchObject({
      verdict: 'keep on Temporal',
      reasons: ['40 activities at once (workflows.ts:3) > maxFanOut 39'],
    });
    expect(() => thresholdsFrom('{"maxFanout": 39}')).toThrow(/no threshold is called 'maxFanout'/);
    expect(() => thresholdsFrom('{"maxFanOut": "many"}')).toThrow(/must be a number/);
  });
});

describe('what is tied together', () => {
  it('keeps a parent with its child, and names the edge', async () => {
    const found = await workflows(`export async function parent() { await wf.executeChild(child, { args: [] }); }
      export async function child() { await Promise.all(Array.from({ length: 500 }, () => act())); }
      export async function alone() { await act(); }`);
    expect(verdict(found, 'parent')).toEqual({
      type: 'parent',
      verdict: 'keep on Temporal',
      reasons: ['tied to child (keep on Temporal): parent → child, child, workflows.ts:3'],
      group: ['child', 'parent'],
    });
    expect(verdict(found, 'alone')).toMatchObject({ verdict: 'move', group: ['alone'] });
  });

  it('ties types by names, by activities that start them, and tells handles by id', async () => {
    const found = await workflows(
      `export async function a() { await wf.startChild('b', {}); await wf.getExternalWorkflowHandle('x').cancel(); }
      export async function b() { await act(); }
      export async function c() { await wf.sleep(1); }`,
      {
        'activities.ts': `import { Client } from '@temporalio/client';
          export async function act() { await new Client().workflow.start('c', { taskQueue: 'q', workflowId: 'c' }); }`,
      },
    );
    expect(verdict(found, 'a').group).toEqual(['a', 'b', 'c']);
    expect(found.edges).toEqual(
      expect.arrayContaining([
        { from: 'a', to: 'b', how: 'child', path: 'workflows.ts', line: 3 },
        { from: 'b', to: 'c', how: 'activity starts it', path: 'activities.ts', line: 2 },
        { from: 'a', to: '(by id)', how: 'external', path: 'workflows.ts', line: 3 },
      ]),
    );
  });
});

describe('what must be fixed first', () => {
  it.each([
    ['a module of Node', `import fs from 'node:fs';`, 'fs.readFileSync("a");', /node:fs is a module of Node's/],
    ['the client', `import { Client } from '@temporalio/client';`, 'new Client();', /use `import type`/],
    ['the process', '', 'return process.env.A;', /process\.env: the process is not the same/],
    ['the network', '', 'await fetch("http://a");', /reached in activities/],
    [
      'Nexus',
      `import { createNexusServiceClient } from '@temporalio/workflow';`,
      'createNexusServiceClient({});',
      /no Nexus endpoints/,
    ],
  ])('finds %s', async (_, imports, code, words) => {
    const found = await workflows(`${imports}\nexport async function main() { ${code} }`);
    const { reasons, verdict: is } = verdict(found, 'main');
    expect(is).toBe('fix first');
    expect(reasons[0]).toMatch(words);
    expect(reasons[0]).toMatch(/^workflows\.ts:\d+ /);
  });

  it('finds it in a helper of another file, and not in what only types use', async () => {
    const found = await workflows(
      `import { help } from './helper';\nimport { Client } from '@temporalio/client';
      export async function bad() { help(); }\nexport async function typed(client: Client) { await act(); }`,
      { 'helper.ts': `export const help = () => performance.now();` },
    );
    expect(verdict(found, 'bad').reasons).toEqual([expect.stringMatching(/^helper\.ts:1 performance\.now/) as string]);
    expect(verdict(found, 'typed').verdict).toBe('move');
  });

  it('takes a local name for what it is', async () => {
    const found = await workflows(
      'export async function main(fetch: () => void) { const process = { env: 1 }; fetch(); return process.env; }',
    );
    expect(facts(found, 'main').hazards).toEqual([]);
  });
});

it('draws what is tied together, what starts others first, circles too', async () => {
  const found = await workflows(`export async function child() { await act(); }
    export async function parent() { await wf.executeChild(child, {}); await wf.executeChild(round, {}); }
    export async function round() { await wf.executeChild(parent, {}); }
    export async function alone() { await act(); }`);
  const page = assessmentPage(found);
  const at = (type: string): number => Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${type}<`).exec(page)?.[1]);
  expect(at('parent')).toBeLessThan(at('child'));
  expect(at('round')).toBeGreaterThan(0);
  expect(page).toContain('parent → child: child, workflows.ts:4');
  expect(page).not.toContain('>alone</text>');
  expect(page).toContain('1 of 4 types are tied to none');
});

it('is shown as text and as a page that needs nothing else', async () => {
  const found = await workflows(
    'export async function main() { await Promise.all([act("<"), other()]); await wf.executeChild(main, {}); }',
  );
  expect(assessmentText(found)).toMatch(/^workflow type +verdict[^\n]*\nmain +move +2 +2 +0 +workflows\.ts:3$/m);
  const page = assessmentPage(found);
  expect(page).toContain('<code>main</code>');
  expect(page).toContain('each moves alone');
  expect(page).not.toMatch(/(?:src|href)=|https?:/);
});
