/** Priority, fairness and limits of task queues, over two processes on one database. */
import { describe, expect, it } from 'vitest';
import type { temporal } from '@temporalio/proto';
import type { Service } from '../../shim/service/types';
import { freshSchema, sql } from '../support/database';
import {
  EventType,
  NO_ANSWER,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  payloads,
  scheduleActivity,
  startWorkflow,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
type Described = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type Priority = temporal.api.common.v1.IPriority;

/** Schedules one activity per priority and completes when all are done. */
const activitiesOf =
  (queue: string, priorities: Priority[]): WorkflowScript =>
  ({ count }) => {
    if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) {
      return priorities.map((priority, i) =>
        scheduleActivity('do', i, queue, {
          priority,
          startToCloseTimeout: null,
          scheduleToCloseTimeout: { seconds: 60 } as never,
        }),
      );
    }
    return count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) === priorities.length ? [completeWorkflow('all')] : [];
  };

const poll = async (service: Service, queue: string, more: object = {}): Promise<ActivityTask> =>
  (await service.call(
    'pollActivityTaskQueue',
    { namespace: 'default', identity: 'one', taskQueue: { name: queue }, ...more },
    ctx(),
  )) as ActivityTask;
const complete = (service: Service, task: ActivityTask): Promise<object> =>
  service.call(
    'respondActivityTaskCompleted',
    { namespace: 'default', taskToken: task.taskToken, result: payloads(1) },
    ctx(),
  );
const describeQueue = async (service: Service, queue: string, more: object = {}): Promise<Described> =>
  (await service.call(
    'describeTaskQueue',
    {
      namespace: 'default',
      taskQueue: { name: queue },
      taskQueueType: 2,
      reportStats: true,
      reportConfig: true,
      ...more,
    },
    ctx(),
  )) as Described;
const setConfig = (service: Service, queue: string, more: object): Promise<object> =>
  service.call(
    'updateTaskQueueConfig',
    { namespace: 'default', identity: 'op', taskQueue: queue, taskQueueType: 2, ...more },
    ctx(),
  );
const setKeyLimit = (service: Service, queue: string, fairnessKey: string, limit: object): Promise<object> =>
  service.call('setFairnessKeyLimit', { namespace: 'default', taskQueue: queue, fairnessKey, ...limit }, ctx());
const backlog = async (service: Service, queue: string): Promise<number> =>
  Number((await describeQueue(service, queue)).stats!.approximateBacklogCount);

describe('activities start', () => {
  /** With rows alone (no poller anywhere), and from the memory of a process whose poller is busy. */
  it.each(['rows', 'memory'])('by priority, then fair among keys by their weights: from %s', async (from) => {
    const database = freshSchema();
    const { schema } = database;
    const service = await testService(database);
    const priorities: Priority[] = [
      { priorityKey: 5 },
      ...Array.from({ length: 6 }, () => ({ fairnessKey: 'big' })),
      ...Array.from({ length: 3 }, () => ({ fairnessKey: 'small' })),
      ...Array.from({ length: 6 }, () => ({ priorityKey: 3, fairnessKey: 'heavy', fairnessWeight: 2 })),
      { priorityKey: 1 },
    ];
    if (from === 'memory') {
      testWorker({
        service,
        queue: 'q',
        workflows: {
          busy: ({ count }) =>
            count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0 ? [scheduleActivity('do', 'busy', 'a')] : [],
        },
      });
      // Its poll finds no rows and waits.
      const first = poll(service, 'a');
      await startWorkflow(service, 'busy', 'busy', 'q');
      await first;
    }
    testWorker({ service, queue: 'w', workflows: { many: activitiesOf('a', priorities) } });
    await startWorkflow(service, 'many', 'many', 'w');
    await eventually(async () => (await backlog(service, 'a')) === priorities.length);
    expect(await sql(`SELECT FROM "${schema}".tasks WHERE queue = 'a'`)).toHaveLength(
      from === 'rows' ? priorities.length : 0,
    );
    const order: string[] = [];
    for (let i = 0; i < priorities.length; i++) {
      const task = await poll(service, 'a');
      order.push(task.priority?.fairnessKey || String(task.priority?.priorityKey));
      await complete(service, task);
    }
    expect(order[0]).toBe('1');
    expect(order.at(-1)).toBe('5');
    // Of the first eight: four of the heavy one, two of each other.
    const share = order.slice(1, 9);
    expect(share.filter((key) => key === 'heavy').length).toBeGreaterThanOrEqual(3);
    expect(share.filter((key) => key === 'heavy').length).toBeLessThanOrEqual(5);
    expect(share.filter((key) => key === 'small').length).toBeGreaterThanOrEqual(1);
    expect(share.filter((key) => key === 'big').length).toBeLessThanOrEqual(3);
    await closeEvent(service, 'many');
  });

  it('in their turn behind rows that wait, also those that come when somebody polls', async () => {
    const service = await testService();
    const many = (fairnessKey: string, count: number, more: Priority = {}): Priority[] =>
      Array.from({ length: count }, () => ({ fairnessKey, ...more }));
    testWorker({
      service,
      queue: 'w',
      workflows: {
        early: activitiesOf('a', [...many('early', 12), ...many('early', 2, { priorityKey: 1 })]),
        late: activitiesOf('a', many('late', 6)),
      },
    });
    await startWorkflow(service, 'early', 'early', 'w');
    await eventually(async () => (await backlog(service, 'a')) === 14);
    const next = async (): Promise<string> => {
      const { priority, ...task } = await poll(service, 'a');
      await complete(service, task);
      return `${priority?.priorityKey || 3}${priority?.fairnessKey}`;
    };
    expect(await next()).toBe('1early');
    await startWorkflow(service, 'late', 'late', 'w');
    await eventually(async () => (await backlog(service, 'a')) === 19);
    expect(await next()).toBe('1early');
    const order: string[] = [];
    while (order.length < 8) order.push(await next());
    expect(order.filter((key) => key === '3early')).toHaveLength(4);
  });

  it('at once behind rows whose work is gone, with one poller', async () => {
    const database = freshSchema();
    const service = await testService(database);
    testWorker({ service, queue: 'w', workflows: { one: activitiesOf('a', [{ priorityKey: 5 }]) } });
    await startWorkflow(service, 'one', 'one', 'w');
    await eventually(async () => (await backlog(service, 'a')) === 1);
    // Of attempts that are over. A look for rows every five seconds, one row each, would not get through them in time.
    await sql(
      `INSERT INTO "${database.schema}".tasks (namespace_id, queue, kind, run_id, scheduled_event_id, attempt, priority, fairness_key, fairness_weight)
        SELECT namespace_id, queue, kind, run_id, scheduled_event_id, attempt + i, 1, fairness_key, fairness_weight
        FROM "${database.schema}".tasks, generate_series(1, 12) i WHERE queue = 'a'`,
    );
    const task = await poll(service, 'a');
    expect(task.attempt).toBe(1);
    await complete(service, task);
    await closeEvent(service, 'one');
    expect(await backlog(service, 'a')).toBe(0);
  });

  it('with the priority of their workflow where they have none of their own', async () => {
    const service = await testService();
    testWorker({
      service,
      queue: 'w',
      workflows: { many: activitiesOf('a', [{}, { priorityKey: 1 }, { fairnessKey: 'own' }]) },
    });
    await startWorkflow(service, 'many', 'many', 'w', {
      priority: { priorityKey: 4, fairnessKey: 'tenant', fairnessWeight: 2 },
    });
    const tasks = [await poll(service, 'a'), await poll(service, 'a'), await poll(service, 'a')];
    const seen = tasks
      .map(({ priority }) => priority)
      .sort((a, b) => Number(a!.priorityKey) - Number(b!.priorityKey) || (a!.fairnessKey! < b!.fairnessKey! ? -1 : 1));
    expect(seen).toEqual([
      { priorityKey: 1, fairnessKey: 'tenant', fairnessWeight: 2 },
      { priorityKey: 4, fairnessKey: 'own', fairnessWeight: 2 },
      { priorityKey: 4, fairnessKey: 'tenant', fairnessWeight: 2 },
    ]);
  });
});

it("workflow tasks start by their workflow's priority, as rows of another process", async () => {
  const database = freshSchema();
  const [client, server] = [await testService(database), await testService(database)];
  for (const [id, priorityKey] of [
    ['low', 5],
    ['none', 0],
    ['high', 1],
  ] as const) {
    await startWorkflow(client, id, 'w', 'q', { priority: { priorityKey } });
  }
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    const task = (await server.call(
      'pollWorkflowTaskQueue',
      { namespace: 'default', taskQueue: { name: 'q' } },
      ctx(),
    )) as { workflowExecution: { workflowId: string } };
    seen.push(task.workflowExecution.workflowId);
  }
  expect(seen).toEqual(['high', 'none', 'low']);
});

describe('a limit on starts per second', () => {
  /** Starts within a second or so of two processes' pollers. */
  async function startsIn(
    ms: number,
    set: (a: Service, b: Service) => Promise<void>,
    metadata: object = {},
  ): Promise<{ started: number; seconds: number }> {
    const database = freshSchema();
    const [a, b] = [await testService(database), await testService(database)];
    await set(a, b);
    testWorker({
      service: a,
      queue: 'w',
      workflows: {
        many: activitiesOf(
          'a',
          Array.from({ length: 60 }, () => ({ fairnessKey: 'k' })),
        ),
      },
    });
    let started = 0;
    const loop = async (service: Service): Promise<void> => {
      while (Date.now() < until) {
        const task = (await service.call(
          'pollActivityTaskQueue',
          { namespace: 'default', taskQueue: { name: 'a' }, ...metadata },
          { metadata: {}, deadlineMs: until },
        )) as ActivityTask;
        if (!task.taskToken?.length) return;
        started++;
        await complete(service, task);
      }
    };
    await startWorkflow(a, 'many', 'many', 'w');
    await eventually(async () => (await backlog(a, 'a')) === 60);
    const until = Date.now() + ms;
    const from = performance.now();
    await Promise.all([loop(a), loop(a), loop(b), loop(b)]);
    return { started, seconds: (performance.now() - from) / 1000 };
  }

  it.each([
    ['that workers ask for', async () => undefined, { taskQueueMetadata: { maxTasksPerSecond: { value: 5 } } }],
    [
      'that the queue is configured with',
      (a: Service) =>
        setConfig(a, 'a', { updateQueueRateLimit: { rateLimit: { requestsPerSecond: 5 } } }).then(() => undefined),
      {},
    ],
    [
      'of each fairness key',
      (a: Service) =>
        setConfig(a, 'a', { updateFairnessKeyRateLimitDefault: { rateLimit: { requestsPerSecond: 5 } } }).then(
          () => undefined,
        ),
      {},
    ],
    ['of one fairness key', (a: Service) => setKeyLimit(a, 'a', 'k', { maxPerSecond: 5 }).then(() => undefined), {}],
    [
      'of each fairness key of ours',
      (a: Service) => setKeyLimit(a, 'a', '*', { maxPerSecond: 5 }).then(() => undefined),
      {},
    ],
  ])('%s holds over all processes', async (_name, set, metadata) => {
    // A second's worth at once, then five a second.
    const { started, seconds } = await startsIn(2000, set, metadata);
    expect(started).toBeLessThanOrEqual(5 + 1 + 5 * seconds);
    expect(started).toBeGreaterThan(0);
  });

  it('of 0 stops the queue until it is changed', async () => {
    const service = await testService();
    await setConfig(service, 'a', { updateQueueRateLimit: { rateLimit: { requestsPerSecond: 0 }, reason: 'stop' } });
    testWorker({ service, queue: 'w', workflows: { many: activitiesOf('a', [{}]) } });
    await startWorkflow(service, 'many', 'many', 'w');
    const task = poll(service, 'a');
    await eventually(async () => (await backlog(service, 'a')) === 1);
    const described = await describeQueue(service, 'a');
    expect(described.effectiveRateLimit).toMatchObject({ requestsPerSecond: 0, rateLimitSource: 1 });
    expect(described.config?.queueRateLimit).toMatchObject({
      rateLimit: { requestsPerSecond: 0 },
      metadata: { reason: 'stop', updateIdentity: 'op' },
    });
    await setConfig(service, 'a', { updateQueueRateLimit: {} });
    await complete(service, await task);
    await closeEvent(service, 'many');
  });
});

describe('a limit on concurrency per fairness key', () => {
  it('holds over all processes, leaves other keys alone, and goes on when attempts end', async () => {
    const database = freshSchema();
    const services = [await testService(database), await testService(database)];
    await setKeyLimit(services[0]!, 'a', 'tenant', { maxConcurrent: 2 });
    const priorities = [...Array.from({ length: 8 }, () => ({ fairnessKey: 'tenant' })), { fairnessKey: 'other' }];
    testWorker({ service: services[0]!, queue: 'w', workflows: { many: activitiesOf('a', priorities) } });
    let running = 0;
    let most = 0;
    let others = 0;
    const finish: (() => void)[] = [];
    for (const service of services) {
      testWorker({
        service,
        queue: 'a',
        pollers: 3,
        activities: {
          do: async (_input, task) => {
            if (task.priority?.fairnessKey === 'other') return (others += 1);
            most = Math.max(most, (running += 1));
            await new Promise<void>((resolve) => finish.push(resolve));
            return (running -= 1);
          },
        },
      });
    }
    await startWorkflow(services[0]!, 'many', 'many', 'w');
    await eventually(() => running === 2 && others === 1);
    expect(await services[1]!.call('listFairnessKeyLimits', { namespace: 'default', taskQueue: 'a' }, ctx())).toEqual({
      limits: [{ fairnessKey: 'tenant', maxConcurrent: 2, maxPerSecond: null, running: 2 }],
    });
    for (let i = 0; i < 8; i++) (await eventually(() => finish.shift()))();
    await closeEvent(services[0]!, 'many');
    expect(most).toBe(2);
    const places = `SELECT FROM ${database.schema}.limited_activities`;
    await eventually(async () => (await sql(places)).length === 0);
  });

  it('counts an attempt that its worker failed, and its retry, once each', async () => {
    const database = freshSchema();
    const service = await testService(database);
    await setKeyLimit(service, 'a', '*', { maxConcurrent: 1 });
    let failures = 0;
    testWorker({
      service,
      queue: 'w',
      workflows: { many: activitiesOf('a', [{ fairnessKey: 'k' }, { fairnessKey: 'k' }]) },
    });
    testWorker({
      service,
      queue: 'a',
      activities: {
        do: () => {
          if (failures++ === 0) throw new Error('once more');
          return 1;
        },
      },
    });
    await startWorkflow(service, 'many', 'many', 'w');
    await closeEvent(service, 'many');
    expect(failures).toBe(3);
  });

  it('frees places whose attempts ended while nobody looked', async () => {
    const database = freshSchema();
    const service = await testService(database);
    await setKeyLimit(service, 'a', 'k', { maxConcurrent: 1 });
    await sql(
      `INSERT INTO ${database.schema}.limited_activities VALUES (gen_random_uuid(), 5, 1, 1, 'a', 'k', gen_random_uuid(), now() - interval '1 minute')`,
    );
    testWorker({ service, queue: 'w', workflows: { many: activitiesOf('a', [{ fairnessKey: 'k' }]) } });
    testWorker({ service, queue: 'a', activities: { do: () => 1 } });
    await startWorkflow(service, 'many', 'many', 'w');
    await closeEvent(service, 'many');
  });

  it('does not free the place of an attempt that runs for long', async () => {
    const database = freshSchema();
    const service = await testService(database);
    await setKeyLimit(service, 'a', 'k', { maxConcurrent: 1 });
    testWorker({
      service,
      queue: 'w',
      workflows: { many: activitiesOf('a', [{ fairnessKey: 'k' }, { fairnessKey: 'k' }]) },
    });
    const worker = testWorker({ service, queue: 'a', activities: { do: () => NO_ANSWER } });
    await startWorkflow(service, 'many', 'many', 'w');
    await eventually(() => worker.activityTasks.length === 1);
    await sql(`UPDATE ${database.schema}.limited_activities SET admitted_at = now() - interval '1 hour'`);
    const store = service.parts.store;
    const other = {
      namespaceId: 1,
      queue: 'a',
      fairnessKey: 'k',
      runId: '00000000-0000-7000-8000-000000000000',
      scheduledEventId: 5,
      attempt: 1,
    };
    expect(await store.taskQueues.admit(other, 1)).toBe(false);
    await complete(service, worker.activityTasks[0]!);
    await eventually(() => worker.activityTasks.length === 2);
  });
});

it('nothing is written or asked for where no limit is set', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const asked: string[] = [];
  const { taskQueues } = service.parts.store;
  for (const name of ['takeStarts', 'admit', 'leave'] as const) {
    const original = taskQueues[name].bind(taskQueues) as (...args: never[]) => Promise<never>;
    taskQueues[name] = (...args: never[]) => {
      asked.push(name);
      return original(...args);
    };
  }
  testWorker({ service, queue: 'w', workflows: { many: activitiesOf('a', [{}, { fairnessKey: 'k' }]) } });
  testWorker({ service, queue: 'a', activities: { do: () => 1 } });
  await startWorkflow(service, 'many', 'many', 'w');
  await closeEvent(service, 'many');
  expect(asked).toEqual([]);
  expect(await sql(`SELECT FROM ${database.schema}.task_queue_rates`)).toEqual([]);
});

describe('describe of a task queue', () => {
  it('counts what waits in rows and in the memory of every process, with age, rates and pollers', async () => {
    const database = freshSchema();
    const [a, b] = [await testService(database), await testService(database)];
    testWorker({ service: a, queue: 'w', workflows: { many: activitiesOf('a', [{ priorityKey: 2 }, {}, {}, {}]) } });
    await startWorkflow(a, 'many', 'many', 'w');
    await eventually(async () => (await backlog(b, 'a')) === 4);
    const task = await poll(a, 'a');
    await eventually(async () => {
      const { stats, statsByPriorityKey, pollers } = await describeQueue(b, 'a');
      return (
        Number(stats!.approximateBacklogCount) === 3 &&
        Number(statsByPriorityKey![3]!.approximateBacklogCount) === 3 &&
        stats!.tasksAddRate! > 0 &&
        stats!.tasksDispatchRate! > 0 &&
        stats!.tasksAddRate! > stats!.tasksDispatchRate! &&
        pollers!.some(({ identity }) => identity === 'one')
      );
    });
    expect(task.priority?.priorityKey).toBe(2);
  });

  it('refuses limits that mean nothing', async () => {
    const service = await testService();
    const refused = (request: object, message: string) =>
      expect(setConfig(service, 'a', request)).rejects.toThrow(message);
    await refused(
      { taskQueueType: 1, updateQueueRateLimit: { rateLimit: { requestsPerSecond: 1 } } },
      'Setting rate limit on workflow task queues is not allowed.',
    );
    await refused(
      { updateQueueRateLimit: { rateLimit: { requestsPerSecond: -1 } } },
      'RequestsPerSecond for UpdateQueueRateLimit rate limit must be non-negative.',
    );
    await refused({ setFairnessWeightOverrides: { a: 0 } }, 'must be greater than zero');
    await refused(
      { setFairnessWeightOverrides: { a: 1 }, unsetFairnessWeightOverrides: ['a'] },
      'present in both set and unset lists',
    );
    await expect(setKeyLimit(service, 'a', 'k', { maxConcurrent: -1 })).rejects.toThrow(
      'maxConcurrent must be a whole number',
    );
  });
});
