/** Workflows of one engine that reach those of the other. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { createWorkers, routedActivities } from '../../shim/router';
import { describeWithTemporal } from '../support/temporal';
import * as activities from './activities';
import { type Routed, byIdRoutes, routed } from './harness';

async function withWorkers(address: string, body: (r: Routed) => Promise<void>): Promise<void> {
  const r = await routed(address, { routes: byIdRoutes });
  const own = routedActivities(r.client);
  const workers = await createWorkers({
    temporal: { address },
    postgres: { ...r.database },
    taskQueue: r.queue,
    workflowsPath: join(__dirname, 'workflows.ts'),
    activities: {
      ...activities,
      ...own,
      // The answer to the first attempt is lost.
      branchlineSignalElsewhere: activities.lostOnce(own.branchlineSignalElsewhere!),
      branchlineExecuteElsewhere: activities.failsOnceAfterStart(own.branchlineExecuteElsewhere!),
    },
  });
  await workers.runUntil(() => body(r));
}

describeWithTemporal('A workflow that reaches one on the other engine', (server) => {
  it('signals it once, though the answer is lost, and cancels it', async () => {
    await withWorkers(server().address, async ({ client, queue: taskQueue }) => {
      for (const [here, there] of [
        ['pg-', 't-'],
        ['t-', 'pg-'],
      ] as const) {
        const workflowId = `${there}${randomUUID()}`;
        const target = await client.workflow.start('counter', { workflowId, taskQueue, args: [1] });
        const reach = (verb: string): Promise<unknown> =>
          client.workflow.execute('reaching', {
            workflowId: `${here}${randomUUID()}`,
            taskQueue,
            args: [verb, workflowId],
          });
        await reach('signal');
        expect(await target.query('value')).toBe(11);
        await reach('cancel');
        await expect(target.result()).rejects.toBeInstanceOf(WorkflowFailedError);
        await expect(reach('signal')).rejects.toMatchObject({ cause: { cause: { type: 'WorkflowNotFoundError' } } });
      }
    });
  });

  it('has its result or failure, once started, and cancels it with itself', async () => {
    await withWorkers(server().address, async ({ client, queue: taskQueue, plain }) => {
      for (const [here, there, engine] of [
        ['pg-', 't-', 'temporal'],
        ['t-', 'pg-', 'postgres'],
      ] as const) {
        const child = (): string => `${there}${randomUUID()}`;
        const call = (id: string, type: string, ...args: unknown[]) =>
          client.workflow.start('calling', { workflowId: `${here}${randomUUID()}`, taskQueue, args: [id, type, args] });
        const ended = child();
        expect(await (await call(ended, 'chain', 1)).result()).toBe('end of chain');
        expect((await plain[engine].workflow.getHandle(ended).describe()).status.name).toBe('COMPLETED');

        const failed: unknown = await (
          await call(child(), 'failing', 'no luck')
        )
          .result()
          .catch((error: unknown) => error);
        const failure = (failed as WorkflowFailedError).cause?.cause;
        expect(failure).toBeInstanceOf(ApplicationFailure);
        expect(failure).toMatchObject({ message: 'no luck', type: 'Luck', details: [7] });

        const open = child();
        const caller = await call(open, 'counter', 1);
        const status = async (): Promise<string | undefined> => {
          try {
            return (await plain[engine].workflow.getHandle(open).describe()).status.name;
          } catch {
            return undefined;
          }
        };
        await expect.poll(status, { timeout: 20_000 }).toBe('RUNNING');
        await caller.cancel();
        await expect(caller.result()).rejects.toBeInstanceOf(WorkflowFailedError);
        await expect.poll(status, { timeout: 20_000 }).toBe('CANCELLED');
      }
    });
  }, 90_000);
});
