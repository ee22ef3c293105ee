/** What the service knows of workers, and how it lets them go. */
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { Code } from '../../shim/service/errors';
import type { CallContext, Service } from '../../shim/service/types';
import { freshSchema } from '../support/database';
import { testService } from '../support/service';

type Heartbeat = temporal.api.worker.v1.IWorkerHeartbeat;
const namespace = 'default';
const ask = (service: Service, method: string, request: object, ctx: Partial<CallContext> = {}): Promise<object> =>
  service.call(method, { namespace, ...request }, { metadata: {}, ...ctx });

async function list(service: Service, query = ''): Promise<Heartbeat[]> {
  const { workersInfo } = (await ask(service, 'listWorkers', { query })) as {
    workersInfo: { workerHeartbeat: Heartbeat }[];
  };
  return workersInfo.map(({ workerHeartbeat }) => workerHeartbeat);
}

const heartbeats: Heartbeat[] = [
  { workerInstanceKey: 'a', workerIdentity: 'one', taskQueue: 'orders', status: 1, sdkName: 'temporal-go' },
  { workerInstanceKey: 'b', workerIdentity: 'two', taskQueue: 'orders', status: 2, sdkVersion: '1.2.3' },
  {
    workerInstanceKey: 'c',
    workerIdentity: 'two',
    taskQueue: 'mail',
    status: 1,
    startTime: { seconds: 1_893_456_000 as never },
  },
];

describe('the service', () => {
  it('lists, counts and describes workers by their last heartbeats', async () => {
    const service = await testService();
    await ask(service, 'recordWorkerHeartbeat', { workerHeartbeat: heartbeats });
    await ask(service, 'recordWorkerHeartbeat', { workerHeartbeat: [{ ...heartbeats[0], sdkVersion: '2' }] });
    const cases: [query: string, keys: string][] = [
      ['', 'abc'],
      ["TaskQueue = 'orders'", 'ab'],
      ["TaskQueue = 'orders' AND Status = 'Running'", 'a'],
      ["Status != 'Running' OR WorkerIdentity = 'one'", 'ab'],
      ["NOT TaskQueue IN ('orders', 'none')", 'c'],
      ["SdkName STARTS_WITH 'temporal'", 'a'],
      ['SdkVersion IS NULL', 'c'],
      ["StartTime > '2029-01-01T00:00:00Z'", 'c'],
      ["StartTime BETWEEN '2029-01-01T00:00:00Z' AND '2029-02-01T00:00:00Z'", ''],
    ];
    for (const [query, keys] of cases) {
      const found = (await list(service, query)).map(({ workerInstanceKey }) => workerInstanceKey);
      expect([query, found.join('')]).toEqual([query, keys]);
    }
    expect(await ask(service, 'countWorkers', { query: "TaskQueue = 'orders'" })).toEqual({ count: 2 });
    expect(await ask(service, 'describeWorker', { workerInstanceKey: 'a' })).toMatchObject({
      workerInfo: { workerHeartbeat: { sdkVersion: '2' } },
    });
    const missing = ask(service, 'describeWorker', { workerInstanceKey: 'z' });
    await expect(missing).rejects.toMatchObject({ code: Code.NOT_FOUND });
    await expect(list(service, "Colour = 'red'")).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });

    const first = (await ask(service, 'listWorkers', { pageSize: 2 })) as {
      workersInfo: object[];
      nextPageToken: Uint8Array;
    };
    expect(first.workersInfo).toHaveLength(2);
    const { nextPageToken } = first;
    expect(await ask(service, 'listWorkers', { pageSize: 2, nextPageToken })).toMatchObject({
      workers: [{ workerInstanceKey: 'c', taskQueue: 'mail' }],
    });
  });

  it('knows workers without heartbeats by their polls, of other processes too', async () => {
    const database = freshSchema();
    const [here, there] = [
      await testService(database, { leaseMs: 900 }),
      await testService(database, { leaseMs: 900 }),
    ];
    const stop = new AbortController();
    const polls = ['first', 'second'].map((identity) =>
      ask(there, 'pollActivityTaskQueue', { taskQueue: { name: 'orders' }, identity }, { signal: stop.signal }),
    );
    const sticky = { taskQueue: { name: 'own', kind: 2 }, identity: 'first' };
    polls.push(ask(there, 'pollWorkflowTaskQueue', sticky, { signal: stop.signal }));
    await expect
      .poll(async () => (await list(here)).map(({ workerIdentity, taskQueue }) => [workerIdentity, taskQueue]).sort(), {
        timeout: 20_000,
      })
      .toEqual([
        ['first', 'orders'],
        ['second', 'orders'],
      ]);
    const { pollers } = (await ask(here, 'describeTaskQueue', { taskQueue: { name: 'orders' }, taskQueueType: 2 })) as {
      pollers: { identity: string }[];
    };
    expect(pollers.map(({ identity }) => identity).sort()).toEqual(['first', 'second']);
    stop.abort();
    await Promise.all(polls);
  });

  it('ends the polls of a worker that shuts down, and only those', async () => {
    const service = await testService();
    const stop = new AbortController();
    const poll = (method: string, workerInstanceKey: string): Promise<object> =>
      ask(service, method, { taskQueue: { name: 'orders' }, workerInstanceKey }, { signal: stop.signal });
    const leaving = ['pollWorkflowTaskQueue', 'pollActivityTaskQueue', 'pollNexusTaskQueue'].map((method) =>
      poll(method, 'a'),
    );
    let stays = true;
    const staying = poll('pollWorkflowTaskQueue', 'b').then((answer) => ((stays = false), answer));
    // The polls are registered before the shutdown is asked for.
    await ask(service, 'describeTaskQueue', { taskQueue: { name: 'orders' } });
    const workerHeartbeat = { ...heartbeats[0], status: 2 };
    await ask(service, 'shutdownWorker', { workerInstanceKey: 'a', workerHeartbeat });
    expect(await Promise.all(leaving)).toEqual([{}, {}, {}]);
    // One that was still on its way.
    expect(await poll('pollActivityTaskQueue', 'a')).toEqual({});
    expect(stays).toBe(true);
    expect(await list(service, "Status = 'ShuttingDown'")).toHaveLength(1);
    stop.abort();
    await staying;
  });
});
