/**
 * How long `codemod --all` and `assess` take on a repository of 2,000 files, and how much memory: `tsx compat-tests/bench/codemod.ts [files]`.
 * Each file is some 200 lines; four in ten name Temporal's packages, which is more than in an application. Prints a line for each.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const count = Number(process.argv[2] ?? 2000);
const TARGET = { seconds: 20, mebibytes: 1024 };

const filler = Array.from(
  { length: 60 },
  (_, index) =>
    `export function step${index}(input: { id: string; amount: number }): number {\n  return input.amount * ${index} + input.id.length;\n}`,
).join('\n');

const kinds = [
  (n: number) => `import { proxyActivities, sleep, executeChild } from '@temporalio/workflow';
import type * as activities from './a${n}';
const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '1m' });
export async function workflow${n}(list: string[]): Promise<void> {
  await sleep('1 day');
  await Promise.all(list.map((one) => charge(one)));
  await executeChild('workflow${n + 10}', { args: [list] });
}`,
  (n: number) => `import { Client, Connection } from '@temporalio/client';
export async function start${n}() {
  const connection = await Connection.connect({ address: 'localhost:7233' });
  return new Client({ connection }).workflow.start('workflow${n}', { taskQueue: 'q', workflowId: '${n}' });
}`,
  (n: number) => `const { Worker, NativeConnection } = require('@temporalio/worker');
module.exports.run${n} = async (options) => Worker.create({ connection: await NativeConnection.connect(options), taskQueue: 'q', workflowsPath: require.resolve('./f${n}') });`,
  (n: number) => `import { ApplicationFailure } from '@temporalio/common';
export async function charge${n}(id: string) { if (id === '') throw ApplicationFailure.nonRetryable('empty'); }`,
];

function makeRepository(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-codemod-bench-'));
  writeFileSync(
    path.join(folder, 'package.json'),
    '{ "dependencies": { "@temporalio/client": "1", "@temporalio/worker": "1" } }',
  );
  for (let n = 0; n < count; n++) {
    const below = path.join(folder, `part${n % 40}`);
    mkdirSync(below, { recursive: true });
    const own = n % 10 < kinds.length ? kinds[n % 10]!(n) : `import { connect } from 'other';\nconnect(${n});`;
    writeFileSync(path.join(below, n % 10 === 2 ? `f${n}.js` : `f${n}.ts`), `${own}\n${n % 10 === 2 ? '' : filler}\n`);
  }
  return folder;
}

const main = path.resolve(__dirname, '../../lib/cli/main.js');
const folder = makeRepository();
const meter = path.join(folder, '.meter.cjs');
writeFileSync(
  meter,
  "process.on('exit', () => { const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage(); console.error('peak ' + maxRSS); console.error('cpu ' + (userCPUTime + systemCPUTime)); });",
);
let slow = false;
for (const args of [
  ['assess', folder, '--output', 'json'],
  ['codemod', folder, '--all', '--json'],
  ['codemod', folder, '--reverse', '--json'],
]) {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--require', meter, main, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const seconds = (performance.now() - started) / 1000;
  const mebibytes = Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024;
  const cpu = Number(/^cpu (\d+)$/m.exec(stderr)?.[1]) / 1e6;
  if (status !== 0) throw new Error(stderr);
  slow ||= seconds > TARGET.seconds || mebibytes > TARGET.mebibytes;
  console.log(
    `${args[0]} ${args[2]}: ${count} files in ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of CPU), peak ${mebibytes.toFixed(0)} MiB (targets: ${TARGET.seconds} s, ${TARGET.mebibytes} MiB)`,
  );
}
rmSync(folder, { recursive: true });
process.exitCode = slow ? 1 : 0;
