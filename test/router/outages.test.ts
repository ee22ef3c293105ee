/** One side away while starts are tried and tried again: nothing is started twice, and what can go on goes on. */
import { randomUUID } from 'node:crypto';
import { Client, Connection as TemporalConnection, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { RoutedConnection, type RoutesInput } from '../../shim/router';
import { cuttingProxy } from '../support/cutting-proxy';
import { afterTest, freshSchema, sql } from '../support/database';
import { FlakyLink } from '../support/flaky-link';
import { describeWithTemporal } from '../support/temporal';
import { all, byIdRoutes, listLogger, routed, type Routed } from './harness';

/** Another process: on Temporal at that address, without the client's own retries. */
async function through(
  address: string,
  database: Routed['database'],
  routes: RoutesInput,
): Promise<{ client: Client; connection: RoutedConnection; logged: Routed['logged'] }> {
  const logged: Routed['logged'] = [];
  const connection = await RoutedConnection.connect({
    temporal: { address, interceptors: [] },
    postgres: { ...database },
    routes,
    graceMs: 500,
    logger: listLogger(logged),
  });
  afterTest(() => connection.close());
  return { client: new Client({ connection }), connection, logged };
}

const saying = (code: string) => ({ cause: { details: expect.stringContaining(code) as string } });
const hostOf = (url: string): string => new URL(url).host;

describeWithTemporal('With Temporal away', (server) => {
  const runs = async ({ plain }: Routed, workflowId: string): Promise<string[]> => {
    const query = `WorkflowId = '${workflowId}'`;
    const found: string[] = [];
    for (const [name, client] of Object.entries(plain)) {
      for await (const { runId } of client.workflow.list({ query })) found.push(`${name} ${runId}`);
    }
    return found;
  };

  it('a start whose answer was lost is not made again on Postgres, though the routes now say so', async () => {
    const proxy = await cuttingProxy(`http://${server().address}`);
    afterTest(() => proxy.close());
    const direct = await routed(server().address, { routes: all('temporal') });
    const cut = await through(hostOf(proxy.url), direct.database, all('temporal'));
    const workflowId = `lost-${randomUUID()}`;
    const start = { workflowId, taskQueue: direct.queue };
    // With the first start the namespace is looked at: the answer to that must not be the one that is cut, before the start has arrived.
    const first = await cut.client.workflow.start('any', { ...start, workflowId: `first-${workflowId}` });
    await first.terminate();
    const lost = proxy.cutAnswerTo(workflowId, 60);
    await expect(cut.client.workflow.start('any', start)).rejects.toMatchObject(
      saying('BRANCHLINE_ROUTER_ENGINE_AWAY'),
    );
    await lost;

    const moved = await through(server().address, direct.database, all('postgres'));
    await expect(moved.client.workflow.start('any', start)).rejects.toBeInstanceOf(
      WorkflowExecutionAlreadyStartedError,
    );
    const same = await moved.client.workflow.start('any', { ...start, workflowIdConflictPolicy: 'USE_EXISTING' });
    await expect
      .poll(() => runs(direct, workflowId), { timeout: 20_000 })
      .toEqual([`temporal ${same.firstExecutionRunId}`]);
    await same.terminate();
  });

  it('a start fails clearly, is nowhere, and may be tried again until Temporal is back', async () => {
    const link = await FlakyLink.to(`http://${server().address}`);
    afterTest(() => link.close());
    const direct = await routed(server().address, { routes: byIdRoutes });
    const cut = await through(hostOf(link.url), direct.database, byIdRoutes);
    const start = { workflowId: `t-${randomUUID()}`, taskQueue: direct.queue };
    link.cut();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(cut.client.workflow.start('any', start)).rejects.toMatchObject(
        saying("engine 'temporal' is out of reach"),
      );
    }
    // What goes to Postgres goes on, and says what it could not ask.
    const other = await cut.client.workflow.start('any', { ...start, workflowId: `pg-${randomUUID()}` });
    expect(cut.logged).toContainEqual(
      expect.objectContaining({
        meta: expect.objectContaining({ code: 'BRANCHLINE_ROUTER_UNVERIFIED_START' }) as object,
      }),
    );
    await other.terminate();
    expect(await runs(direct, start.workflowId)).toEqual([]);
    link.mend();
    let handle: Awaited<ReturnType<typeof cut.client.workflow.start>> | undefined;
    await expect
      .poll(
        async () => {
          handle = await cut.client.workflow.start('any', start).catch(() => undefined);
          return handle !== undefined;
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    await expect
      .poll(() => runs(direct, start.workflowId), { timeout: 20_000 })
      .toEqual([`temporal ${handle!.firstExecutionRunId}`]);
    await handle!.terminate();
  });
});

describeWithTemporal('With the home Postgres away', (server) => {
  it('a connection closes all the same', async () => {
    const database = freshSchema();
    const link = await FlakyLink.to(database.url);
    afterTest(() => link.close());
    const postgres = await Connection.connect({ ...database, url: link.url });
    afterTest(() => postgres.close());
    const connection = await RoutedConnection.connect({
      temporal: { address: server().address },
      postgres,
      routes: {
        guard: { mode: 'on', budgets: { connections: 1000 }, sampleSeconds: 0.1 },
        rules: [{ name: 'any', workflowType: 'any', engine: 'postgres', movable: true }],
      },
      dataConverter: {},
      graceMs: 200,
      logger: listLogger([]),
    });
    link.cut();
    const looking = [connection.checkLoad(), connection.checkPayloads(), connection.reconcile()];
    await connection.close();
    link.mend();
    await Promise.all(looking);
  });

  it('remembered ids on Temporal are reached, starts fail clearly, and a repeated one is made once', async () => {
    const database = freshSchema();
    const link = await FlakyLink.to(database.url);
    afterTest(() => link.close());
    const temporal = await TemporalConnection.connect({ address: server().address });
    afterTest(() => temporal.close());
    const postgres = await Connection.connect({ ...database, url: link.url });
    afterTest(() => postgres.close());
    const connection = await RoutedConnection.connect({
      temporal,
      postgres,
      routes: all('temporal'),
      logger: listLogger([]),
    });
    afterTest(() => connection.close());
    const client = new Client({ connection });
    const plain = new Client({ connection: temporal });
    const taskQueue = `q-${randomUUID()}`;
    const known = await client.workflow.start('any', { workflowId: randomUUID(), taskQueue });

    link.cut();
    await known.signal('hello');
    expect((await known.describe()).status.name).toBe('RUNNING');
    const start = { workflowId: randomUUID(), taskQueue };
    await expect(client.workflow.start('any', start)).rejects.toMatchObject(saying('BRANCHLINE_ROUTER_STORE_AWAY'));
    await expect(plain.workflow.getHandle(start.workflowId).describe()).rejects.toThrow();
    await expect(client.workflow.getHandle('unknown').describe()).rejects.toMatchObject(
      saying('BRANCHLINE_ROUTER_STORE_AWAY'),
    );

    link.mend();
    const tries = async (): Promise<string> =>
      (await client.workflow.start('any', { ...start, workflowIdConflictPolicy: 'USE_EXISTING' })).firstExecutionRunId;
    let runId = '';
    await expect.poll(async () => (runId = await tries().catch(() => '')), { timeout: 30_000 }).not.toBe('');
    expect(await tries()).toBe(runId);
    await expect
      .poll(
        () =>
          sql(`SELECT engine, settled, starting FROM ${database.schema}.routed_ids WHERE id = $1`, [start.workflowId]),
        {
          timeout: 20_000,
        },
      )
      .toEqual([{ engine: 'temporal', settled: true, starting: [] }]);
    await known.terminate();
    await plain.workflow.getHandle(start.workflowId).terminate();
  });
});
