import { Pool } from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { BranchlineOptionError, Client, Connection, ServiceError } from '../../shim/client';
import { afterTest, freshSchema } from '../support/database';
import { testClient } from '../support/connection';

describe('connection', () => {
  it.each([
    [{ address: 'localhost:7233' }, 'address', 'postgres://user:password@host:5432/database'],
    [{ url: 'postgres://a/b', tls: true }, 'tls', 'sslmode'],
    [{ url: 'postgres://a/b', tls: {} }, 'tls', 'sslmode'],
    [{ url: 'postgres://a/b', apiKey: 'secret' }, 'apiKey', 'Postgres URL'],
    [{ url: 'postgres://a/b', interceptors: [() => undefined as never] }, 'interceptors', 'interceptors of the client'],
    [{ url: 'postgres://a/b', address: 'postgres://a/c' }, 'address', 'give one of them'],
  ])('refuses %o by the name of the option', async (options, option, advice) => {
    const connecting = Connection.connect(options);
    await expect(connecting).rejects.toThrow(BranchlineOptionError);
    await expect(connecting).rejects.toMatchObject({ code: 'BRANCHLINE_UNSUPPORTED_OPTION', option });
    await expect(connecting).rejects.toThrow(advice);
    expect(() => Connection.lazy(options)).toThrow(BranchlineOptionError);
  });

  it('lets options pass that ask for nothing', async () => {
    await testClient({ tls: false, interceptors: [], channelArgs: {} });
  });

  it('takes the URL as address', async () => {
    const { url, schema } = freshSchema();
    const connection = await Connection.connect({ address: url, schema });
    await connection.close();
  });

  it('says that the database is not there, in time', async () => {
    const before = Date.now();
    const connecting = Connection.connect({ url: 'postgres://localhost:1/none', connectTimeout: '1s' });
    await expect(connecting).rejects.toThrow(ServiceError);
    expect(Date.now() - before).toBeLessThan(8000);
  });

  it('shares one pool between connections to the same schema, and survives the close of one', async () => {
    const { connection, database } = await testClient();
    const other = await Connection.connect(database);
    expect(await other.service()).toBe(await connection.service());
    await other.close();
    await new Client({ connection }).workflow.count('');
    await expect(Connection.connect({ ...database, maxConnections: 3 })).rejects.toMatchObject({
      code: 'BRANCHLINE_OPTION_CONFLICT',
    });
    await expect(other.workflowService.getClusterInfo({})).rejects.toMatchObject({ code: 1 });
  });

  it("works on the application's own pool and leaves it open", async () => {
    const { schema } = freshSchema();
    const pool = new Pool({ connectionString: inject('databaseUrl'), application_name: schema });
    afterTest(() => pool.end());
    const connection = await Connection.connect({ pool, schema });
    await new Client({ connection }).workflow.start('w', { taskQueue: 'q', workflowId: 'w' });
    await connection.close();
    const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM "${schema}".executions`);
    expect(rows[0]?.n).toBe(1);
  });

  it('is used by a client that was given none, from the environment', async () => {
    const { url, schema } = freshSchema();
    const before = process.env.BRANCHLINE_URL;
    const withSchema = new URL(url);
    process.env.BRANCHLINE_URL = withSchema.href;
    try {
      const client = new Client({ connection: Connection.lazy({ schema }) });
      expect((await client.workflow.count('')).count).toBe(0);
      await client.connection.close();
      expect(new Client().connection).toBeInstanceOf(Connection);
    } finally {
      if (before === undefined) delete process.env.BRANCHLINE_URL;
      else process.env.BRANCHLINE_URL = before;
    }
  });

  it('describes itself as a Temporal server', async () => {
    const { connection } = await testClient();
    const info = await connection.workflowService.getSystemInfo({});
    expect(info.capabilities).toMatchObject({
      signalAndQueryHeader: true,
      internalErrorDifferentiation: true,
      activityFailureIncludeHeartbeat: true,
      supportsSchedules: true,
      encodedFailureAttributes: true,
      upsertMemo: true,
      sdkMetadata: true,
      countGroupByExecutionStatus: true,
    });
    expect(await connection.healthService.check({})).toMatchObject({ status: 1 });
  });

  it('registers, describes, updates and lists namespaces', async () => {
    const { connection } = await testClient();
    const { workflowService } = connection;
    const week = { seconds: (7 * 86400) as never, nanos: 0 };
    await workflowService.registerNamespace({
      namespace: 'tenants',
      workflowExecutionRetentionPeriod: week,
      description: 'd',
    });
    const again = workflowService.registerNamespace({ namespace: 'tenants', workflowExecutionRetentionPeriod: week });
    await expect(again).rejects.toMatchObject({ code: 6 });
    const short = workflowService.registerNamespace({
      namespace: 'x',
      workflowExecutionRetentionPeriod: { seconds: 1 as never },
    });
    await expect(short).rejects.toMatchObject({ code: 3, details: 'A valid retention period is not set on request.' });
    await workflowService.updateNamespace({ namespace: 'tenants', updateInfo: { ownerEmail: 'a@b.c' } });
    const described = await workflowService.describeNamespace({ namespace: 'tenants' });
    expect(described.namespaceInfo).toMatchObject({ name: 'tenants', description: 'd', ownerEmail: 'a@b.c', state: 1 });
    expect(described.config?.workflowExecutionRetentionTtl?.seconds?.toNumber()).toBe(7 * 86400);
    const { namespaces } = await workflowService.listNamespaces({});
    expect(namespaces.map((one) => one.namespaceInfo?.name).sort()).toEqual(['default', 'tenants']);
    await expect(workflowService.describeNamespace({ namespace: 'none' })).rejects.toMatchObject({ code: 5 });
    const client = new Client({ connection, namespace: 'tenants' });
    await new Promise((resolve) => setTimeout(resolve, 250));
    await client.workflow.start('w', { taskQueue: 'q', workflowId: 'w' });
    await expect(new Client({ connection }).workflow.getHandle('w').describe()).rejects.toThrow('workflow not found');
  });
});
