/** Children on the other engine when what carries them over is killed: each is started once, and hears each signal once. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { RoutesInput } from '../../shim/router';
import { routed } from '../router/harness';
import { afterTest } from '../support/database';
import { describeWithTemporal } from '../support/temporal';

const routes: RoutesInput = {
  rules: [
    { name: 'pg', workflowId: { pattern: 'pg-.*' }, engine: 'postgres', children: true },
    { name: 't', workflowId: { pattern: 't-.*' }, engine: 'temporal', children: true },
  ],
};
const KILLS = ['after:start', 'before:start', 'after:signal', 'before:signal', 'after:signal'];
const FAMILIES = 8;
const ADDS = [1, 20, 300, 4000];

describeWithTemporal('Children on the other engine, when their bridge is killed', (server) => {
  it('are started once, hear each signal once and in order, and end as they end', async () => {
    const { connection, client, plain, queue, database } = await routed(server().address, { routes });
    const start = (KILL: string): ChildProcess => {
      const child = fork(path.join(__dirname, '../support/processes/across-workers.ts'), {
        execArgv: ['--import', 'tsx'],
        env: {
          ...process.env,
          DATABASE_URL: database.url,
          SCHEMA: database.schema,
          TEMPORAL: server().address,
          QUEUE: queue,
          ROUTES: JSON.stringify(routes),
          KILL,
        },
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      afterTest(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      });
      return child;
    };
    const families = await Promise.all(
      Array.from({ length: FAMILIES }, async (_, n) => {
        const [here, there] = n % 2 === 0 ? ['pg-', 't-'] : ['t-', 'pg-'];
        const childId = `${there}${randomUUID()}`;
        const parent = await client.workflow.start('family', {
          workflowId: `${here}${randomUUID()}`,
          taskQueue: queue,
          args: [childId, ADDS],
        });
        return { childId, parent, other: n % 2 === 0 ? plain.temporal : plain.postgres };
      }),
    );
    for (const kill of KILLS) {
      const [, signal] = (await once(start(kill), 'exit')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
    }
    // The stand-ins of these are terminated with their parents while no worker lives.
    const orphans = await Promise.all(
      families.slice(0, 2).map(async ({ other }, n) => {
        const childId = `${n % 2 === 0 ? 't-' : 'pg-'}${randomUUID()}`;
        const parent = await client.workflow.start('parentOf', {
          workflowId: `${n % 2 === 0 ? 'pg-' : 't-'}${randomUUID()}`,
          taskQueue: queue,
          args: ['counter', childId, [1]],
        });
        const status = async (): Promise<string> => {
          const found = await other.workflow
            .getHandle(childId)
            .describe()
            .catch(() => undefined);
          return found?.status.name ?? 'none';
        };
        return { parent, status };
      }),
    );
    const workers = start('');
    for (const { status } of orphans) await expect.poll(status, { timeout: 60_000 }).toBe('RUNNING');
    workers.kill('SIGKILL');
    await once(workers, 'exit');
    for (const { parent } of orphans) await parent.terminate();
    for (const { status } of orphans) {
      await expect
        .poll(
          async () => {
            await connection.reconcile();
            return status();
          },
          { timeout: 30_000 },
        )
        .toBe('TERMINATED');
    }
    start('');
    for (const { childId, parent, other } of families) {
      expect(await parent.result()).toBe(4321);
      await expect.poll(async () => (await other.workflow.count(`WorkflowId = '${childId}'`)).count).toBe(1);
      const { events } = await other.workflow.getHandle(childId).fetchHistory();
      const signals = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal ?? []);
      const heard = signals.map(({ input }) =>
        (input?.payloads ?? []).map(({ data }) => Buffer.from(data!).toString()).join(),
      );
      expect(heard).toEqual([...ADDS.map(String), '']);
    }
  }, 300_000);
});
