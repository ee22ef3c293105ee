/** Children, and signals to others, over the engines, by workflows that know nothing of it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { type RoutesInput, createWorkers } from '../../shim/router';
import { describeWithTemporal } from '../support/temporal';
import * as activities from './activities';
import { type Routed, routed } from './harness';

/** Children whose ids begin so live there, wherever their parents do. */
const routes: RoutesInput = {
  rules: [
    { name: 'pg', workflowId: { pattern: 'pg-.*' }, engine: 'postgres', children: true },
    { name: 't', workflowId: { pattern: 't-.*' }, engine: 'temporal', children: true },
  ],
};
const DIRECTIONS = [
  { here: 'pg-', there: 't-', other: 'temporal', own: 'postgres' },
  { here: 't-', there: 'pg-', other: 'postgres', own: 'temporal' },
] as const;

async function withWorkers(address: string, body: (r: Routed) => Promise<void>): Promise<void> {
  const r = await routed(address, { routes });
  const workers = await createWorkers({
    temporal: { address },
    postgres: { ...r.database },
    taskQueue: r.queue,
    workflowsPath: join(__dirname, 'workflows.ts'),
    activities,
    across: r.client,
  });
  await workers.runUntil(() => body(r));
}

const status = async (r: Routed, engine: 'temporal' | 'postgres', id: string): Promise<string> => {
  try {
    return (await r.plain[engine].workflow.getHandle(id).describe()).status.name;
  } catch {
    return 'none';
  }
};

describeWithTemporal('A child that the routes declare to live on the other engine', (server) => {
  it('runs there with what its parent gave it, and ends its parent’s call as a child does', async () => {
    await withWorkers(server().address, async (r) => {
      for (const { here, there, other } of DIRECTIONS) {
        const call = (id: string, type: string, ...args: unknown[]) =>
          r.client.workflow.start('parentOf', {
            workflowId: `${here}${randomUUID()}`,
            taskQueue: r.queue,
            args: [type, id, args],
          });
        const ended = `${there}${randomUUID()}`;
        expect(await (await call(ended, 'described')).result()).toEqual({
          parent: null,
          memo: { made: 'by a parent' },
        });
        expect(await status(r, other, ended)).toBe('COMPLETED');
        const chained = `${there}${randomUUID()}`;
        expect(await (await call(chained, 'chain', 2)).result()).toBe('end of chain');
        // The id's own client reaches the workflow itself.
        expect(await r.client.workflow.getHandle(chained).result()).toBe('end of chain');
        expect(await r.connection.engineOf('default', chained)).toBe(other);

        const failed: unknown = await (
          await call(`${there}${randomUUID()}`, 'failing', 'no luck')
        )
          .result()
          .catch((error: unknown) => error);
        const failure = (failed as WorkflowFailedError).cause?.cause;
        expect(failure).toBeInstanceOf(ApplicationFailure);
        expect(failure).toMatchObject({ message: 'no luck', type: 'Luck', details: [7], nonRetryable: true });

        // A child that stays runs beside its parent.
        const near = `${here}${randomUUID()}`;
        await (await call(near, 'described')).result();
        expect(await status(r, other, near)).toBe('none');
      }
    });
  });

  it('is cancelled and terminated with its parent, and may ignore a cancellation', async () => {
    await withWorkers(server().address, async (r) => {
      for (const { here, there, other } of DIRECTIONS) {
        const begin = async (type: string) => {
          const child = `${there}${randomUUID()}`;
          const parent = await r.client.workflow.start('parentOf', {
            workflowId: `${here}${randomUUID()}`,
            taskQueue: r.queue,
            args: [type, child, [1]],
          });
          await expect.poll(() => status(r, other, child), { timeout: 20_000 }).toBe('RUNNING');
          return { child, parent };
        };
        const cancelled = await begin('counter');
        await cancelled.parent.cancel();
        await expect(cancelled.parent.result()).rejects.toBeInstanceOf(WorkflowFailedError);
        expect(await status(r, other, cancelled.child)).toBe('CANCELLED');

        const stubborn = await begin('stubborn');
        await stubborn.parent.cancel();
        expect(await stubborn.parent.result()).toBe('all the same');

        const terminated = await begin('counter');
        await terminated.parent.terminate();
        await expect.poll(() => status(r, other, terminated.child), { timeout: 30_000 }).toBe('TERMINATED');
      }
    });
  });

  it('has the signals of its parent in order, and of workflows that only know its id', async () => {
    await withWorkers(server().address, async (r) => {
      for (const { here, there } of DIRECTIONS) {
        const sum = await r.client.workflow.execute('family', {
          workflowId: `${here}${randomUUID()}`,
          taskQueue: r.queue,
          args: [`${there}${randomUUID()}`, [1, 20, 300]],
        });
        expect(sum).toBe(321);

        const target = await r.client.workflow.start('counter', {
          workflowId: `${there}${randomUUID()}`,
          taskQueue: r.queue,
          args: [1],
        });
        const reach = (id: string) =>
          r.client.workflow.execute('outreach', {
            workflowId: `${here}${randomUUID()}`,
            taskQueue: r.queue,
            args: [id, 10],
          });
        await reach(target.workflowId);
        expect(await target.query('value')).toBe(11);
        await expect(reach(`${there}${randomUUID()}`)).rejects.toBeInstanceOf(WorkflowFailedError);
      }
    });
  });
});
