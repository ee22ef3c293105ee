/** A namespace that one engine has and the other has not. */
import { randomUUID } from 'node:crypto';
import { Client, NamespaceNotFoundError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { type TestSchema, freshSchema } from '../support/database';
import { describeWithTemporal } from '../support/temporal';
import { all, routed } from './harness';

const missing = (engine: string, namespace: string) =>
  expect.objectContaining({
    level: 'WARN',
    meta: { code: 'BRANCHLINE_ROUTER_NAMESPACE_MISSING', engine, namespace },
  }) as object;

/** A namespace that stands on one of them only. */
async function onlyOn(
  address: string,
  engine: 'temporal' | 'postgres',
): Promise<{ namespace: string; database: TestSchema }> {
  const database = freshSchema();
  const { plain } = await routed(address, { routes: all('temporal') }, database);
  const namespace = `n-${randomUUID()}`;
  const workflowExecutionRetentionPeriod = { seconds: 86_400 as never };
  const { workflowService } = plain[engine];
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  await expect
    .poll(
      () =>
        workflowService.describeNamespace({ namespace }).then(
          () => true,
          () => false,
        ),
      { timeout: 30_000 },
    )
    .toBe(true);
  return { namespace, database };
}

describeWithTemporal('A namespace that is missing on one side', (server) => {
  it.each(['temporal', 'postgres'] as const)('(there on %s) is warned of when a connection is made', async (there) => {
    const { namespace, database } = await onlyOn(server().address, there);
    const lacking = there === 'temporal' ? 'postgres' : 'temporal';
    const { logged } = await routed(
      server().address,
      { routes: { default: there, rules: [{ name: 'moves', namespace, engine: lacking, percentage: 50 }] } },
      database,
    );
    expect(logged.filter(({ level }) => level === 'WARN')).toEqual([missing(lacking, namespace)]);
  });

  it('is no warning where none of its workflows may go', async () => {
    const { namespace, database } = await onlyOn(server().address, 'temporal');
    const {
      logged,
      connection,
      queue: taskQueue,
    } = await routed(
      server().address,
      { routes: { default: 'postgres', rules: [{ name: 'stays', namespace, engine: 'temporal' }] } },
      database,
    );
    const client = new Client({ connection, namespace });
    const handle = await client.workflow.start('any', { workflowId: randomUUID(), taskQueue });
    await handle.terminate();
    expect(logged.filter(({ level }) => level === 'WARN')).toEqual([]);
  });

  it.each(['temporal', 'postgres'] as const)(
    '(there on %s) refuses starts that the other side gets, in the words of the router, and leaves the id free',
    async (there) => {
      const { namespace, database } = await onlyOn(server().address, there);
      const lacking = there === 'temporal' ? 'postgres' : 'temporal';
      const {
        logged,
        connection,
        queue: taskQueue,
      } = await routed(server().address, { routes: all(lacking) }, database);
      const client = new Client({ connection, namespace });
      const workflowId = randomUUID();
      await expect(client.workflow.start('any', { workflowId, taskQueue })).rejects.toMatchObject({
        cause: {
          code: 9,
          details: expect.stringMatching(
            new RegExp(`^BRANCHLINE_ROUTER_NAMESPACE_MISSING: engine '${lacking}'.*'${namespace}'; ${there} has it`),
          ) as string,
        },
      });
      // Told of once, when it was met.
      await expect.poll(() => logged).toContainEqual(missing(lacking, namespace));
      const right = await routed(server().address, { routes: all(there) }, database);
      const handle = await new Client({ connection: right.connection, namespace }).workflow.start('any', {
        workflowId,
        taskQueue,
      });
      await handle.terminate();
    },
  );

  it('that no engine has is the error that Temporal gives', async () => {
    const { connection, queue: taskQueue } = await routed(server().address, { routes: all('postgres') });
    const client = new Client({ connection, namespace: 'nowhere' });
    const start = client.workflow.start('any', { workflowId: randomUUID(), taskQueue });
    await expect(start).rejects.toBeInstanceOf(NamespaceNotFoundError);
  });
});
