/** `temporal operator …`, `task-queue …` and `worker …` */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { CliBench } from './bench';
import type { Row } from './row';

const fresh = (prefix: string): string => `${prefix}${randomBytes(4).toString('hex')}`;

async function namespace(bench: CliBench): Promise<string> {
  const name = fresh('cli-');
  const flags = ['--namespace', name, '--retention', '48h', '--description', 'made by a test'];
  await bench.text('operator', 'namespace', 'create', ...flags);
  return name;
}

export const operatorRows: Row[] = [
  {
    command: 'operator namespace create',
    async works(bench) {
      const name = await namespace(bench);
      const again = await bench.run('operator', 'namespace', 'create', '--namespace', name);
      expect(again.code).toBe(1);
      expect(again.stderr).toContain('already exists');
    },
  },
  {
    command: 'operator namespace describe',
    async works(bench) {
      const name = await namespace(bench);
      expect(await bench.json('operator', 'namespace', 'describe', '--namespace', name)).toMatchObject({
        namespaceInfo: { name, description: 'made by a test' },
        config: { workflowExecutionRetentionTtl: '172800s' },
      });
      const missing = await bench.run('operator', 'namespace', 'describe', '--namespace', 'nowhere');
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain('nowhere');
    },
  },
  {
    command: 'operator namespace list',
    async works(bench) {
      const name = await namespace(bench);
      expect(await bench.text('operator', 'namespace', 'list')).toContain(name);
    },
  },
  {
    command: 'operator namespace update',
    async works(bench) {
      const name = await namespace(bench);
      await bench.text('operator', 'namespace', 'update', '--namespace', name, '--retention', '72h', '--data', 'a=b');
      expect(await bench.json('operator', 'namespace', 'describe', '--namespace', name)).toMatchObject({
        namespaceInfo: { data: { a: 'b' } },
        config: { workflowExecutionRetentionTtl: '259200s' },
      });
    },
  },
  {
    command: 'operator namespace delete',
    needs: 'deleteNamespace',
    async works(bench) {
      await bench.text('operator', 'namespace', 'delete', '--namespace', await namespace(bench), '--yes');
    },
    refused: async (bench) => ['operator', 'namespace', 'delete', '--namespace', await namespace(bench), '--yes'],
  },
  {
    command: 'operator search-attribute create',
    async works(bench) {
      const name = fresh('Cli');
      await bench.text('operator', 'search-attribute', 'create', '--name', name, '--type', 'KeywordList');
      expect(await bench.text('operator', 'search-attribute', 'list')).toMatch(new RegExp(`${name}\\s+KeywordList`));
    },
  },
  {
    command: 'operator search-attribute list',
    async works(bench) {
      const text = await bench.text('operator', 'search-attribute', 'list');
      expect(text).toMatch(/CliPlan\s+Keyword/);
      expect(text).toMatch(/ExecutionStatus\s+Keyword/);
    },
  },
  {
    command: 'operator search-attribute remove',
    async works(bench) {
      const name = fresh('Cli');
      await bench.text('operator', 'search-attribute', 'create', '--name', name, '--type', 'Int');
      await bench.text('operator', 'search-attribute', 'remove', '--name', name, '--yes');
      expect(await bench.text('operator', 'search-attribute', 'list')).not.toContain(name);
    },
  },
  {
    command: 'operator cluster health',
    async works(bench) {
      expect(await bench.text('operator', 'cluster', 'health')).toContain('SERVING');
    },
  },
  {
    command: 'operator cluster describe',
    async works(bench) {
      const text = await bench.text('operator', 'cluster', 'describe', '--detail');
      expect(text).toContain('active');
      expect(text).toContain('postgres');
    },
  },
  {
    command: 'operator cluster system',
    async works(bench) {
      expect(await bench.json('operator', 'cluster', 'system')).toMatchObject({
        serverVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        capabilities: { sdkMetadata: true, supportsSchedules: true, eagerWorkflowStart: true },
      });
    },
  },
  {
    command: 'operator cluster list',
    needs: 'listClusters',
    refused: () => Promise.resolve(['operator', 'cluster', 'list']),
  },
  {
    command: 'operator cluster upsert',
    needs: 'addOrUpdateRemoteCluster',
    refused: () => Promise.resolve(['operator', 'cluster', 'upsert', '--frontend-address', 'elsewhere:7233']),
  },
  {
    command: 'operator cluster remove',
    needs: 'removeRemoteCluster',
    refused: () => Promise.resolve(['operator', 'cluster', 'remove', '--name', 'elsewhere']),
  },
  {
    command: 'operator nexus endpoint list',
    async works(bench) {
      expect(await bench.json('operator', 'nexus', 'endpoint', 'list')).toEqual([]);
    },
  },
  {
    command: 'operator nexus endpoint create',
    needs: 'createNexusEndpoint',
    refused: () => {
      const nexus = ['--target-namespace', 'default', '--target-task-queue', 'q'];
      return Promise.resolve(['operator', 'nexus', 'endpoint', 'create', '--name', 'e', ...nexus]);
    },
  },
  {
    command: 'task-queue describe',
    async works(bench) {
      const text = await bench.text('task-queue', 'describe', '--task-queue', bench.taskQueue);
      expect(text).toMatch(/workflow/);
      expect(text).toMatch(/activity/);
      expect(text).toContain(`${process.pid}@`);
      const legacy = ['--legacy-mode', '--task-queue-type-legacy', 'activity'];
      expect(await bench.text('task-queue', 'describe', '--task-queue', bench.taskQueue, ...legacy)).toContain(
        `${process.pid}@`,
      );
    },
  },
  {
    command: 'task-queue list-partition',
    async works(bench) {
      expect(await bench.text('task-queue', 'list-partition', '--task-queue', bench.taskQueue)).toContain(
        bench.taskQueue,
      );
    },
  },
  {
    command: 'task-queue config set',
    async works(bench) {
      const queue = ['--task-queue', 'limited', '--task-queue-type', 'activity'];
      const limits = [
        '--queue-rps-limit',
        '5',
        '--queue-rps-limit-reason',
        'a bank',
        '--fairness-key-rps-limit-default',
        '2',
      ];
      await bench.text('task-queue', 'config', 'set', ...queue, ...limits);
      const text = await bench.text('task-queue', 'config', 'get', ...queue);
      expect(text).toMatch(/5/);
      expect(text).toContain('a bank');
      await bench.text('task-queue', 'config', 'set', ...queue, '--queue-rps-limit', 'default');
      expect(await bench.text('task-queue', 'config', 'get', ...queue)).not.toContain('a bank');
    },
  },
  {
    command: 'task-queue config get',
    async works(bench) {
      const queue = ['--task-queue', 'fair', '--task-queue-type', 'activity'];
      await bench.text('task-queue', 'config', 'set', ...queue, '--fairness-key-rps-limit-default', '7');
      expect(await bench.text('task-queue', 'config', 'get', ...queue)).toMatch(/7/);
    },
  },
  {
    command: 'worker list',
    async works(bench) {
      await expect
        .poll(() => bench.text('worker', 'list', '--query', `TaskQueue = '${bench.taskQueue}'`), { timeout: 20_000 })
        .toContain(bench.taskQueue);
    },
  },
];
