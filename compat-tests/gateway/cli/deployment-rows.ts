/** `temporal worker deployment …` */
import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { temporal } from '@temporalio/proto';
import type { CliBench } from './bench';
import type { Row } from './row';

const VERSIONED = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;

interface Deployed {
  name: string;
  /** Names the deployment, or one of its versions. */
  flags: string[];
  version: (buildId: string) => string[];
}

/** A deployment whose builds have polled once; nobody polls any more. */
async function deployed(bench: CliBench, ...buildIds: string[]): Promise<Deployed> {
  const name = `cli-${randomBytes(4).toString('hex')}`;
  const { workflowService } = bench.client.connection;
  const queue = randomUUID();
  for (const buildId of buildIds) {
    await bench.client.connection
      .withDeadline(Date.now() + 1000, () =>
        workflowService.pollWorkflowTaskQueue({
          namespace: 'default',
          identity: 'poller',
          taskQueue: { name: queue },
          deploymentOptions: { deploymentName: name, buildId, workerVersioningMode: VERSIONED },
        }),
      )
      .catch(() => undefined);
  }
  const flags = ['--deployment-name', name];
  return { name, flags, version: (buildId) => [...flags, '--build-id', buildId] };
}

const describe = (bench: CliBench, { name }: Deployed) =>
  bench.json('worker', 'deployment', 'describe', '--name', name);
const setCurrent = (bench: CliBench, d: Deployed, buildId: string) =>
  bench.text('worker', 'deployment', 'set-current-version', ...d.version(buildId), '--yes');

export const deploymentRows: Row[] = [
  {
    command: 'worker deployment list',
    async works(bench) {
      const d = await deployed(bench, '1');
      expect(await bench.text('worker', 'deployment', 'list')).toContain(d.name);
    },
  },
  {
    command: 'worker deployment describe',
    async works(bench) {
      const d = await deployed(bench, '1', '2');
      await setCurrent(bench, d, '1');
      expect(await describe(bench, d)).toMatchObject({
        name: d.name,
        routingConfig: { currentVersionBuildID: '1' },
        versionSummaries: [{ BuildID: '2' }, { BuildID: '1' }],
      });
    },
  },
  {
    command: 'worker deployment describe-version',
    async works(bench) {
      const d = await deployed(bench, '1');
      const shown = await bench.text('worker', 'deployment', 'describe-version', ...d.version('1'));
      expect(shown).toContain(d.name);
    },
  },
  {
    command: 'worker deployment set-current-version',
    async works(bench) {
      const d = await deployed(bench, '1');
      await setCurrent(bench, d, '1');
      expect(await describe(bench, d)).toMatchObject({ routingConfig: { currentVersionBuildID: '1' } });
      const unversioned = ['--unversioned', '--yes'];
      await bench.text('worker', 'deployment', 'set-current-version', ...d.flags, ...unversioned);
      expect(await describe(bench, d)).not.toMatchObject({ routingConfig: { currentVersionBuildID: '1' } });
      const unknown = ['--deployment-name', 'unknown', '--build-id', '1', '--yes'];
      const refused = await bench.run('worker', 'deployment', 'set-current-version', ...unknown);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('Worker Deployment not found');
    },
  },
  {
    command: 'worker deployment set-ramping-version',
    async works(bench) {
      const d = await deployed(bench, '1', '2');
      await setCurrent(bench, d, '1');
      const ramp = ['worker', 'deployment', 'set-ramping-version', '--yes'];
      await bench.text(...ramp, ...d.version('2'), '--percentage', '15');
      expect(await describe(bench, d)).toMatchObject({
        routingConfig: { rampingVersionBuildID: '2', rampingVersionPercentage: 15 },
      });
      await bench.text(...ramp, ...d.flags, '--delete');
      expect(await describe(bench, d)).not.toMatchObject({ routingConfig: { rampingVersionBuildID: '2' } });
    },
  },
  {
    command: 'worker deployment update-metadata-version',
    async works(bench) {
      const d = await deployed(bench, '1');
      const update = ['worker', 'deployment', 'update-metadata-version', ...d.version('1')];
      await bench.text(...update, '--metadata', 'owner="billing"');
      expect(await bench.text('worker', 'deployment', 'describe-version', ...d.version('1'))).toContain('owner');
    },
  },
  {
    command: 'worker deployment manager-identity set',
    async works(bench) {
      const d = await deployed(bench, '1');
      const set = ['worker', 'deployment', 'manager-identity', 'set', ...d.flags, '--yes'];
      await bench.text(...set, '--manager-identity', 'boss');
      const refused = await bench.run('worker', 'deployment', 'set-current-version', ...d.version('1'), '--yes');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('boss');
    },
  },
  {
    command: 'worker deployment manager-identity unset',
    async works(bench) {
      const d = await deployed(bench, '1');
      const manager = ['worker', 'deployment', 'manager-identity'];
      await bench.text(...manager, 'set', ...d.flags, '--manager-identity', 'boss', '--yes');
      await bench.text(...manager, 'unset', ...d.flags, '--yes');
      await setCurrent(bench, d, '1');
    },
  },
  {
    command: 'worker deployment delete-version',
    async works(bench) {
      const d = await deployed(bench, '1', '2');
      await setCurrent(bench, d, '1');
      const current = await bench.run('worker', 'deployment', 'delete-version', ...d.version('1'));
      expect(current.stderr).toContain('current or ramping');
      // Polls count for 10 seconds.
      await expect
        .poll(async () => (await bench.run('worker', 'deployment', 'delete-version', ...d.version('2'))).code, {
          timeout: 30_000,
          interval: 1000,
        })
        .toBe(0);
      expect(JSON.stringify(await describe(bench, d))).not.toContain('"BuildID":"2"');
    },
  },
  {
    command: 'worker deployment delete',
    async works(bench) {
      const d = await deployed(bench, '1');
      const refused = await bench.run('worker', 'deployment', 'delete', '--name', d.name);
      expect(refused.stderr).toContain('has versions');
      await expect
        .poll(async () => (await bench.run('worker', 'deployment', 'delete-version', ...d.version('1'))).code, {
          timeout: 30_000,
          interval: 1000,
        })
        .toBe(0);
      await bench.text('worker', 'deployment', 'delete', '--name', d.name);
      expect((await bench.run('worker', 'deployment', 'describe', '--name', d.name)).code).toBe(1);
    },
  },
];
