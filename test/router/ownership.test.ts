/** One owner for an id, over a real Temporal server and a real Postgres. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { sql } from '../support/database';
import { describeWithTemporal } from '../support/temporal';
import { all, byIdRoutes, routed } from './harness';

const has = async (client: { workflow: { getHandle(id: string): { describe(): Promise<unknown> } } }, id: string) => {
  try {
    await client.workflow.getHandle(id).describe();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(WorkflowNotFoundError);
    return false;
  }
};

describeWithTemporal('The owner of a workflow id', (server) => {
  it('is the engine that the routes say when it starts, and is reached by every call', async () => {
    const { client, plain, queue, connection } = await routed(server().address, { routes: byIdRoutes });
    for (const [prefix, owner, other] of [
      ['pg-', plain.postgres, plain.temporal],
      ['t-', plain.temporal, plain.postgres],
    ] as const) {
      const workflowId = `${prefix}${randomUUID()}`;
      const handle = await client.workflow.start('any', { workflowId, taskQueue: queue, args: [1] });
      expect(await has(owner, workflowId)).toBe(true);
      expect(await has(other, workflowId)).toBe(false);
      expect(await connection.engineOf('default', workflowId)).toBe(prefix === 'pg-' ? 'postgres' : 'temporal');
      await handle.signal('hello', 'there');
      await handle.cancel();
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await client.workflow.getHandle(workflowId).terminate('enough');
      const { status } = await owner.workflow.getHandle(workflowId).describe();
      expect(status.name).toBe('TERMINATED');
      const types = (await handle.fetchHistory()).events!.map(({ eventType }) => eventType);
      expect(types.length).toBeGreaterThan(4);
    }
  });

  it('keeps its id whatever the routes say later, until the run is closed', async () => {
    const first = await routed(server().address, { routes: all('temporal') });
    const { queue: taskQueue, plain } = first;
    const workflowId = `moves-${randomUUID()}`;
    const handle = await first.client.workflow.start('any', { workflowId, taskQueue });
    const second = await routed(server().address, { routes: all('postgres') }, first.database);
    await expect(second.client.workflow.start('any', { workflowId, taskQueue })).rejects.toBeInstanceOf(
      WorkflowExecutionAlreadyStartedError,
    );
    const same = await second.client.workflow.start('any', {
      workflowId,
      taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    expect(same.firstExecutionRunId).toBe(handle.firstExecutionRunId);
    await second.client.workflow.signalWithStart('any', { workflowId, taskQueue, signal: 'hello' });
    expect(await has(plain.postgres, workflowId)).toBe(false);

    await handle.terminate();
    const next = await second.client.workflow.start('any', { workflowId, taskQueue });
    expect(await has(plain.postgres, workflowId)).toBe(true);
    // Handles of both runs, in both processes, reach their run.
    await expect
      .poll(async () => (await first.client.workflow.getHandle(workflowId).describe()).runId, { timeout: 10_000 })
      .toBe(next.firstExecutionRunId);
    const old = await second.client.workflow.getHandle(workflowId, handle.firstExecutionRunId).describe();
    expect(old.status.name).toBe('TERMINATED');
  });

  it('judges id reuse policies over both engines', async () => {
    const before = await routed(server().address, { routes: all('temporal') });
    const after = await routed(server().address, { routes: all('postgres') }, before.database);
    const { queue: taskQueue } = before;
    const workflowId = `reuse-${randomUUID()}`;
    const handle = await before.client.workflow.start('any', { workflowId, taskQueue });
    await handle.terminate();
    const start = (workflowIdReusePolicy: WorkflowIdReusePolicy) =>
      after.client.workflow.start('any', { workflowId, taskQueue, workflowIdReusePolicy });
    await expect(start('REJECT_DUPLICATE')).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    // It was terminated, so failed.
    const next = await start('ALLOW_DUPLICATE_FAILED_ONLY');
    expect(await has(after.plain.postgres, workflowId)).toBe(true);
    await next.terminate();
  });

  it('is one of 200 concurrent starts that two processes with different routes make', async () => {
    const one = await routed(server().address, { routes: all('temporal') });
    const two = await routed(server().address, { routes: all('postgres') }, one.database);
    const workflowId = `race-${randomUUID()}`;
    const starts = Array.from({ length: 200 }, (_, i) =>
      [one, two][i % 2]!.client.workflow.start('any', { workflowId, taskQueue: one.queue }),
    );
    const outcomes = await Promise.allSettled(starts);
    const started = outcomes.filter(({ status }) => status === 'fulfilled');
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    expect(started).toHaveLength(1);
    expect(refused.filter((error) => !(error instanceof WorkflowExecutionAlreadyStartedError))).toEqual([]);
    const [there, here] = [await has(one.plain.temporal, workflowId), await has(one.plain.postgres, workflowId)];
    expect([there, here].filter(Boolean)).toHaveLength(1);
  });

  it('is found for workflows that were started without the router, and keeps them', async () => {
    const { client, plain, queue: taskQueue } = await routed(server().address, { routes: all('postgres') });
    const workflowId = `old-${randomUUID()}`;
    await plain.temporal.workflow.start('any', { workflowId, taskQueue });
    await client.workflow.getHandle(workflowId).signal('hello');
    await expect(client.workflow.start('any', { workflowId, taskQueue })).rejects.toBeInstanceOf(
      WorkflowExecutionAlreadyStartedError,
    );
    expect(await has(plain.postgres, workflowId)).toBe(false);
    await client.workflow.getHandle(workflowId).terminate();
    await client.workflow.start('any', { workflowId, taskQueue });
    expect(await has(plain.postgres, workflowId)).toBe(true);
  });

  it('is nobody when no engine knows the id', async () => {
    const { client, connection } = await routed(server().address, { routes: byIdRoutes });
    expect(await connection.engineOf('default', 'nobody')).toBeUndefined();
    await expect(client.workflow.getHandle('nobody').describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
    await expect(client.workflow.getHandle('nobody').signal('x')).rejects.toBeInstanceOf(WorkflowNotFoundError);
  });

  it('is free again after a start that was refused', async () => {
    const { client, database, connection } = await routed(server().address, { routes: byIdRoutes });
    const workflowId = `pg-${randomUUID()}`;
    await expect(client.workflow.start('any', { workflowId, taskQueue: '' })).rejects.toThrow();
    await connection.close();
    expect(await sql(`SELECT engine FROM ${database.schema}.routed_ids`)).toEqual([]);
  });

  it.each(['done', 'never sent'])(
    'is settled by the reconciler when its process died and the start was %s',
    async (fate) => {
      const { connection, database, plain, queue } = await routed(server().address, {
        routes: all('temporal'),
        graceMs: 200,
      });
      const workflowId = `dead-${randomUUID()}`;
      if (fate === 'done') await plain.temporal.workflow.start('any', { workflowId, taskQueue: queue });
      await sql(
        `INSERT INTO ${database.schema}.routed_ids (namespace, kind, id, engine, starting, changed_at)
       VALUES ('default', 'workflow', $1, 'temporal', ARRAY['${randomUUID()}/1'], now() - interval '1 hour')`,
        [workflowId],
      );
      await connection.reconcile();
      const rows = await sql(`SELECT engine, settled, starting FROM ${database.schema}.routed_ids`);
      expect(rows).toEqual(fate === 'done' ? [{ engine: 'temporal', settled: true, starting: [] }] : []);
    },
  );

  it('is settled by the reconciler when Postgres lost the end of a start whose process lives on', async () => {
    const { client, connection, database, queue } = await routed(server().address, {
      routes: all('temporal'),
      graceMs: 200,
    });
    const { schema } = database;
    const workflowId = `lost-${randomUUID()}`;
    // What a crash does to a commit that did not wait for the disk.
    await sql(`CREATE FUNCTION ${schema}.lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`);
    await sql(
      `CREATE TRIGGER lose BEFORE UPDATE ON ${schema}.routed_ids FOR EACH ROW EXECUTE FUNCTION ${schema}.lose()`,
    );
    await client.workflow.start('any', { workflowId, taskQueue: queue });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await sql(`DROP TRIGGER lose ON ${schema}.routed_ids`);
    const left = async () => {
      await connection.reconcile();
      return sql(`SELECT engine, settled, starting FROM ${schema}.routed_ids`);
    };
    await expect.poll(left, { timeout: 10_000 }).toEqual([{ engine: 'temporal', settled: true, starting: [] }]);
  });
});
