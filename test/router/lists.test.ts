/** One list over both engines. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { ENGINE_ATTRIBUTE, RoutedConnection } from '../../shim/router';
import { startTemporal } from '../../compat-tests/scenarios/harness/temporal-server';
import { findTemporalCli } from '../../compat-tests/temporal-cli';
import { Client } from '@temporalio/client';
import { afterTest } from '../support/database';
import { describeWithTemporal } from '../support/temporal';
import { byIdRoutes, listLogger, routed } from './harness';

describeWithTemporal('The list of both engines', (server) => {
  it('has every run once, in one order, whatever the size of its pages', async () => {
    const { client, queue: taskQueue, plain } = await routed(server().address, { routes: byIdRoutes });
    const ids = Array.from({ length: 24 }, (_, i) => `${i % 3 === 0 ? 'pg-' : 't-'}${randomUUID()}`);
    const type = `listed-${randomUUID()}`;
    for (const workflowId of ids) await client.workflow.start(type, { workflowId, taskQueue });
    for (const workflowId of ids.slice(0, 12)) await client.workflow.getHandle(workflowId).terminate();
    const query = `WorkflowType = '${type}'`;
    // Temporal writes its visibility a moment later.
    await expect
      .poll(async () => (await client.workflow.count(`${query} AND ExecutionStatus = 'Terminated'`)).count, {
        timeout: 20_000,
      })
      .toBe(12);
    expect((await client.workflow.count(query)).count).toBe(24);
    const groups = (await client.workflow.count(`${query} GROUP BY ExecutionStatus`)).groups;
    expect(groups.map(({ count, groupValues }) => [String(groupValues[0]), count]).sort()).toEqual([
      ['Running', 12],
      ['Terminated', 12],
    ]);

    const expected = [...ids.slice(12).reverse(), ...ids.slice(0, 12).reverse()];
    for (const pageSize of [1, 5, 100]) {
      const listed: string[] = [];
      for await (const run of client.workflow.list({ query, pageSize })) {
        listed.push(run.workflowId);
        const engine = run.workflowId.startsWith('pg-') ? 'postgres' : 'temporal';
        expect(run.searchAttributes[ENGINE_ATTRIBUTE]).toEqual([engine]);
      }
      expect(listed).toEqual(expected);
    }
    const onPostgres: string[] = [];
    for await (const { workflowId } of client.workflow.list({
      query: `${ENGINE_ATTRIBUTE} = 'postgres' AND ${query}`,
    })) {
      onPostgres.push(workflowId);
    }
    expect(onPostgres).toEqual(expected.filter((id) => id.startsWith('pg-')));
    expect((await plain.postgres.workflow.count(query)).count).toBe(8);
    await expect(client.workflow.count(`${query} OR ${ENGINE_ATTRIBUTE} = 'postgres'`)).rejects.toMatchObject({
      cause: { details: expect.stringContaining('BRANCHLINE_ROUTER_ENGINE_FILTER') as string },
    });
    for (const workflowId of ids.slice(12)) await client.workflow.getHandle(workflowId).terminate();
  });

  it('gives what the living engine has, and then says that it is only a part', async () => {
    const dying = await startTemporal(findTemporalCli()!);
    afterTest(() => dying.stop());
    const first = await routed(dying.address, { routes: byIdRoutes });
    const { queue: taskQueue, database } = first;
    const ids = ['pg-1', 'pg-2', 't-1'].map((prefix) => `${prefix}-${randomUUID()}`);
    for (const workflowId of ids) await first.client.workflow.start('any', { workflowId, taskQueue });
    await dying.stop();
    const logger = listLogger([]);
    const connection = await RoutedConnection.connect({
      temporal: { address: dying.address, interceptors: [] },
      postgres: { ...database },
      routes: byIdRoutes,
      logger,
    });
    afterTest(() => connection.close());
    const client = new Client({ connection });
    const listed: string[] = [];
    const listing = (async () => {
      for await (const { workflowId } of client.workflow.list()) listed.push(workflowId);
    })();
    const error: unknown = await listing.catch((error: unknown) => error);
    const cause = { code: 14, details: expect.stringContaining('BRANCHLINE_ROUTER_PARTIAL') as string };
    expect(error).toMatchObject({ cause });
    expect(listed.sort()).toEqual(ids.filter((id) => id.startsWith('pg-')).sort());
    await expect(client.workflow.count()).rejects.toMatchObject({
      cause: { details: expect.stringContaining('postgres counts 2') as string },
    });

    // Temporal down: what goes to Postgres goes on, what goes to Temporal fails with a clear error, and is nowhere else.
    await client.workflow.start('any', { workflowId: `pg-3-${randomUUID()}`, taskQueue });
    const lost = { workflowId: `t-2-${randomUUID()}`, taskQueue };
    await expect(client.workflow.start('any', lost)).rejects.toMatchObject({
      cause: { details: expect.stringContaining("engine 'temporal' is out of reach") as string },
    });
    await expect(first.plain.postgres.workflow.getHandle(lost.workflowId).describe()).rejects.toThrow();
    expect(await connection.engineOf('default', lost.workflowId)).toBe('temporal');
  }, 90_000);
});
