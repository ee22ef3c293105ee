/** `assess --temporal` against a real server: the figures are those of what ran there. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterEach, expect, it } from 'vitest';
import type { Assessment } from '../../codemod';
import { describeWithTemporal } from '../support/temporal';

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'lib/cli/main.js');
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** Types of names that nothing else on the server has. */
function appFolder(suffix: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'branchline-measure-'));
  folders.push(folder);
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(path.join(root, 'node_modules/@temporalio'), path.join(folder, 'node_modules/@temporalio'));
  writeFileSync(
    path.join(folder, 'workflows.ts'),
    `import { condition, proxyActivities } from '@temporalio/workflow';
const { greet } = proxyActivities<any>({ startToCloseTimeout: '10 s' });
export async function fan_${suffix}(names: string[]): Promise<string[]> {
  return await Promise.all(names.map((name) => greet(name)));
}
export async function wait_${suffix}(): Promise<void> {
  await condition(() => false);
}
`,
  );
  writeFileSync(
    path.join(folder, 'worker.ts'),
    `export const options = { workflowsPath: './workflows' };\nimport '@temporalio/worker';\n`,
  );
  return folder;
}

const assess = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [main, 'assess', ...args], { encoding: 'utf8' });

describeWithTemporal('assess --temporal', (server) => {
  it('tells starts, open runs, histories, payloads and the widest fan-out, and judges by them', async () => {
    const suffix = randomUUID().slice(0, 8);
    const folder = appFolder(suffix);
    const taskQueue = `q-${suffix}`;
    const waiting = randomUUID();
    const native = await NativeConnection.connect({ address: server().address });
    const connection = await Connection.connect({ address: server().address });
    try {
      const client = new Client({ connection });
      const worker = await Worker.create({
        connection: native,
        taskQueue,
        workflowsPath: path.join(folder, 'workflows.ts'),
        activities: { greet: (name: string) => `hello ${name}` },
      });
      await worker.runUntil(async () => {
        for (const width of [3, 7]) {
          const names = Array.from({ length: width }, (_, i) => `name ${i}`);
          await client.workflow.execute(`fan_${suffix}`, { taskQueue, workflowId: randomUUID(), args: [names] });
        }
        await client.workflow.start(`wait_${suffix}`, { taskQueue, workflowId: waiting });
        await expect
          .poll(async () => (await client.workflow.count(`TaskQueue = '${taskQueue}'`)).count, { timeout: 20_000 })
          .toBe(3);
        await expect
          .poll(
            async () =>
              (await client.workflow.count(`WorkflowType = 'fan_${suffix}' AND ExecutionStatus = 'Completed'`)).count,
            { timeout: 20_000 },
          )
          .toBe(2);
      });

      const page = path.join(folder, 'page.html');
      const { stdout, stderr } = assess(folder, '--temporal', server().address, '--output', 'json', '--html', page);
      expect(stderr).toBe('');
      const assessment = JSON.parse(stdout) as Assessment;
      const fan = assessment.measured!.types[`fan_${suffix}`]!;
      expect(fan).toMatchObject({
        starts: 2,
        startsPerSecond: 2 / 86_400,
        open: { count: 0 },
        histories: 2,
        activitiesPerRun: { p50: 3, most: 7 },
        widest: 7,
      });
      // Started, three events for each activity, a workflow task before and after, at least; completed.
      expect(fan.historyLength!.p99).toBeGreaterThan(7 * 3 + 5);
      expect(fan.payloadBytes!.largest).toBeGreaterThan(JSON.stringify(Array(7).fill('name 0')).length);
      const wait = assessment.measured!.types[`wait_${suffix}`]!;
      expect(wait).toMatchObject({ starts: 1, open: { count: 1 }, histories: 0 });
      expect(wait.open.oldestAgeMs).toBeGreaterThanOrEqual(0);
      expect(assessment.verdicts[0]).toMatchObject({ type: `fan_${suffix}`, verdict: 'move' });
      expect(assessment.verdicts[0]!.reasons[0]).toContain('7 activities or children at once in 2 histories');
      expect(assessment.estimate).toMatchObject({ types: [`fan_${suffix}`], connectionsPerProcess: 6 });
      expect(readFileSync(page, 'utf8')).toContain('Measured in namespace default');

      const thresholds = path.join(folder, 'thresholds.json');
      writeFileSync(thresholds, '{ "maxFanOut": 6 }');
      const { stdout: text } = assess(folder, '--temporal', server().address, '--thresholds', thresholds);
      expect(text).toContain('7 activities or children at once in 2 histories > maxFanOut 6');
      expect(text).toMatch(new RegExp(`^fan_${suffix} .* 3, most 7 +7 +2$`, 'm'));
      await client.workflow.getHandle(waiting).terminate();
    } finally {
      await connection.close();
      await native.close();
    }
  });
});

it('says so when the server cannot be reached, or the numbers are none', () => {
  const folder = appFolder('x');
  expect(assess(folder, '--temporal', '127.0.0.1:1').status).toBe(1);
  expect(assess(folder, '--temporal', '127.0.0.1:1', '--sample', '0').stderr).toContain('(BRANCHLINE_OPTION)');
});
