/** Wrong URLs, and a database that is not there: at the start, and in the middle of a run. */
import { randomUUID } from 'node:crypto';
import { inject, describe, expect, it } from 'vitest';
import { BranchlineOptionError, Connection, ServiceError } from '../../shim/client';
import { NativeConnection, TransportError } from '../../shim/worker';
import { afterTest, freshSchema } from '../support/database';
import { FlakyLink } from '../support/flaky-link';
import { bench, errorOf } from './bench';

const connectTimeout = '1s';

async function both(options: object): Promise<Error[]> {
  return [
    await errorOf(Connection.connect({ connectTimeout, ...options })),
    await errorOf(NativeConnection.connect({ connectTimeout, ...options } as object)),
  ];
}

describe('a wrong URL', () => {
  it.each([
    ['localhost:7233', 'is not a Postgres URL'],
    ['http://localhost/app', 'is not a Postgres URL'],
  ])('%s as address says what to give', async (address, message) => {
    for (const error of await both({ address })) {
      expect(error).toBeInstanceOf(BranchlineOptionError);
      expect(error.message).toContain(message);
      expect(error.message).toContain('postgres://user:password@host:5432/database');
    }
  });

  it.each([
    ['not a url', 'is not a URL'],
    ['mysql://localhost/app', 'begins with mysql:// and not with postgres://'],
  ])('%s as url says what to give', async (url, message) => {
    for (const error of await both({ url })) {
      expect(error.message).toContain(message);
    }
  });

  it('with a wrong password or database says which', async () => {
    const password = new URL(inject('databaseUrl'));
    password.password = 'wrong';
    const database = new URL(inject('databaseUrl'));
    database.pathname = '/no_such_database';
    const [client, worker] = await both({ url: database.href });
    expect(client).toBeInstanceOf(ServiceError);
    expect(worker).toBeInstanceOf(TransportError);
    expect(client?.message).toContain('"no_such_database" does not exist. Create it, or correct the name in the URL');
    // A server of the environment may trust everybody.
    const refused = await Connection.connect({ ...freshSchema(), url: password.href }).then(
      async (connection) => connection.close(),
      (error: unknown) => error as Error,
    );
    if (refused !== undefined) expect(refused.message).toContain('Check user and password in the URL');
  });
});

describe('a database that is down', () => {
  it('at the start is waited for, and connected to when it comes', async () => {
    const { schema } = freshSchema();
    const link = await FlakyLink.to(inject('databaseUrl'));
    afterTest(() => link.close());
    link.cut();
    const connecting = Connection.connect({ url: link.url, schema });
    await new Promise((resolve) => setTimeout(resolve, 700));
    link.mend();
    const connection = await connecting;
    await connection.close();
  });

  it('at the start and for good is told by class and name, in time', async () => {
    const before = Date.now();
    const [client, worker] = await both({ url: 'postgres://user:secret@127.0.0.1:1/app' });
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(client).toBeInstanceOf(ServiceError);
    expect(client?.cause).toMatchObject({ code: 14 });
    expect(worker).toBeInstanceOf(TransportError);
    for (const error of [client, worker]) {
      expect(error?.message).toMatch(/127\.0\.0\.1:1\/app|before the deadline/);
      expect(error?.message).not.toContain('secret');
    }
  });

  it('in the middle of a run is waited for: calls, polls and the run go on', async () => {
    const { schema, url } = freshSchema();
    const link = await FlakyLink.to(url);
    afterTest(() => link.close());
    const { run } = await bench({}, { url: link.url, schema });
    await run(async ({ client, taskQueue }) => {
      const handles = await Promise.all(
        Array.from({ length: 5 }, () =>
          client.workflow.start('steps', { taskQueue, workflowId: randomUUID(), args: [20] }),
        ),
      );
      const results = Promise.all(handles.map((handle) => handle.result()));
      await new Promise((resolve) => setTimeout(resolve, 150));
      link.cut();
      const late = client.workflow.start('makes', { taskQueue, workflowId: randomUUID(), args: ['late'] });
      late.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      link.mend();
      expect(await results).toEqual([20, 20, 20, 20, 20]);
      expect(await (await late).result()).toBe('late');
      for (const handle of handles) {
        const { events } = await handle.fetchHistory();
        const completed = events!.filter((event) => event.activityTaskCompletedEventAttributes != null);
        expect(completed).toHaveLength(20);
      }
    });
  });

  it('and stays down does not keep a worker from shutting down', async () => {
    const { schema, url } = freshSchema();
    const link = await FlakyLink.to(url);
    afterTest(() => link.close());
    const { run, worker } = await bench({ shutdownForceTime: '5s' }, { url: link.url, schema });
    await run(async () => {
      link.cut();
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    expect(worker.getState()).toBe('STOPPED');
  });
});
