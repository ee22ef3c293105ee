/** The unmodified official worker and client run workflows on our service, over TCP. */
import { randomUUID } from 'node:crypto';
import {
  WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateStage,
} from '@temporalio/client';
import { CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { sql } from '../../test/support/database';
import * as activities from './activities';
import { bench } from './harness';
import * as workflows from './workflows';

const start = (taskQueue: string, args: unknown[] = []) => ({
  taskQueue,
  workflowId: randomUUID(),
  args: args as never,
});

describe('the official worker runs', () => {
  it('a workflow with an activity', async () => {
    const { client, taskQueue, running } = await bench();
    const result = await running(() => client.workflow.execute(workflows.hello, start(taskQueue, ['wire'])));
    expect(result).toBe('Hello, wire!');
  });

  it('activities that are retried, carry heartbeats on, and are completed from outside', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      expect(await client.workflow.execute(workflows.retried, start(taskQueue, [2]))).toBe('attempt 3, info 3');
      expect(await client.workflow.execute(workflows.heartbeatDetails, start(taskQueue))).toEqual({ progress: 2 });
      const handle = await client.workflow.start(workflows.asyncCompletion, start(taskQueue));
      await expect.poll(() => activities.tokens.length, { timeout: 20_000 }).toBe(1);
      await client.activity.complete(activities.tokens[0]!, 'from outside');
      expect(await handle.result()).toBe('from outside');
    });
  });

  it('timers, and local activities that fail, and that outlast a workflow task', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      expect(await client.workflow.execute(workflows.timers, start(taskQueue, [3]))).toBe(3);
      expect(await client.workflow.execute(workflows.locals, start(taskQueue, [2]))).toEqual([
        'Hello, local!',
        'attempt 3, info 3',
      ]);
      const long = { ...start(taskQueue, [2500]), workflowTaskTimeout: '1s' };
      expect(await client.workflow.execute(workflows.longLocal, long)).toBe('slow');
    });
  });

  it('an activity only after the start or signal that led to it was answered', async () => {
    const { client, taskQueue, running, database } = await bench();
    const order: string[] = [];
    const noting = { echo: () => void order.push('echo'), greet: () => void order.push('greet') };
    const rounds = Array.from({ length: 20 }, () => ['started', 'echo', 'signalled', 'greet']).flat();
    await running(
      async () => {
        while (order.length < rounds.length) {
          const handle = await client.workflow.start(workflows.asked, start(taskQueue));
          order.push('started');
          await expect.poll(() => order.at(-1), { interval: 5 }).toBe('echo');
          await handle.signal(workflows.goSignal, 'on');
          order.push('signalled');
          await handle.result();
        }
      },
      { activities: noting },
    );
    expect(order).toEqual(rounds);
    // A row of history is a commit: who signalled did not wait for the one with the workflow's answer.
    const together = `SELECT FROM "${database.schema}".history h WHERE h.events::text LIKE '%workflowExecutionSignaledEventAttributes%'
      AND h.events::text LIKE '%activityTaskScheduledEventAttributes%'`;
    expect(await sql(together)).toEqual([]);
  });

  it('signals, queries and updates', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      const handle = await client.workflow.signalWithStart(workflows.collecting, {
        ...start(taskQueue),
        signal: workflows.nudge,
        signalArgs: [1],
      });
      await handle.signal(workflows.nudge, 2);
      expect(await handle.query(workflows.seen)).toEqual([1, 2]);
      expect(await handle.executeUpdate(workflows.submit, { args: ['update'] })).toBe('Hello, update!');
      const accepted = await handle.startUpdate(workflows.submit, {
        args: ['later'],
        waitForStage: WorkflowUpdateStage.ACCEPTED,
      });
      expect(await accepted.result()).toBe('Hello, later!');
      await handle.signal(workflows.finish);
      expect(await handle.result()).toEqual([1, 2]);
      // A closed run still answers queries, by a replay.
      expect(await handle.query(workflows.seen)).toEqual([1, 2]);

      const validating = await client.workflow.start(workflows.waiting, start(taskQueue));
      const rejected = validating.executeUpdate(workflows.addUpdate, { args: [-1] });
      await expect(rejected).rejects.toThrow(WorkflowUpdateFailedError);
      await validating.terminate();
    });
  });

  it('update with start', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      const startWorkflowOperation = new WithStartWorkflowOperation(workflows.collecting, {
        ...start(taskQueue),
        workflowIdConflictPolicy: 'FAIL',
      });
      const result = await client.workflow.executeUpdateWithStart(workflows.submit, {
        args: ['both'],
        startWorkflowOperation,
      });
      expect(result).toBe('Hello, both!');
      await (await startWorkflowOperation.workflowHandle()).terminate();
    });
  });

  it('children', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      const names = ['a', 'b', 'c'];
      expect(await client.workflow.execute(workflows.parent, start(taskQueue, [names]))).toEqual(
        names.map((name) => `Hello, ${name}!`),
      );
      expect(await client.workflow.execute(workflows.family, start(taskQueue))).toEqual([[1, 2], 7]);
      expect(await client.workflow.execute(workflows.cancelsChild, start(taskQueue))).toBe('child cancelled');
    });
  });

  it('runs that continue as new while signals come', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      const handle = await client.workflow.start(workflows.carryingOn, start(taskQueue, [20]));
      for (let i = 0; i < 20; i++) await handle.signal(workflows.nudge, i);
      const [numbers, runs] = await handle.result();
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(runs).toBeGreaterThan(0);
      expect(await client.workflow.execute(workflows.continuing, start(taskQueue, [3]))).toBe('done');
    });
  });

  it('cancellation and termination', async () => {
    const { client, taskQueue, running } = await bench();
    await running(async () => {
      const inActivity = await client.workflow.start(workflows.cancelledActivity, start(taskQueue));
      await expect
        .poll(async () => (await inActivity.describe()).raw.pendingActivities?.[0]?.lastStartedTime, {
          timeout: 20_000,
        })
        .toBeTruthy();
      await inActivity.cancel();
      expect(await inActivity.result()).toBe('Hello, cleanup!');

      const cancelled = await client.workflow.start(workflows.waitsForever, start(taskQueue));
      await cancelled.cancel();
      const error = await cancelled.result().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);

      const terminated = await client.workflow.start(workflows.waitsForever, start(taskQueue));
      await terminated.terminate('enough');
      const end = await terminated.result().catch((thrown: unknown) => thrown);
      expect((end as WorkflowFailedError).cause).toBeInstanceOf(TerminatedFailure);
    });
  });

  it('memo and search attributes', async () => {
    const { client, taskQueue, running, service } = await bench();
    await service.call(
      'addSearchAttributes',
      { namespace: 'default', searchAttributes: { GatewayKeyword: 2 } },
      { metadata: {} },
    );
    await running(async () => {
      const options = { ...start(taskQueue), memo: { first: 1 } };
      const handle = await client.workflow.start(workflows.describing, options);
      await handle.result();
      const { memo, searchAttributes } = await handle.describe();
      expect(memo).toEqual({ first: 1, note: 'from inside' });
      expect(searchAttributes).toMatchObject({ GatewayKeyword: ['set inside'] });
      const found: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query: 'GatewayKeyword = "set inside"' })) {
        found.push(workflowId);
      }
      expect(found).toEqual([handle.workflowId]);
      expect((await client.workflow.count('ExecutionStatus = "Completed"')).count).toBe(1);
    });
  });
});

describe('the official worker', () => {
  it('keeps one run in its cache and many at work', async () => {
    const { client, taskQueue, running } = await bench();
    const options = {
      maxCachedWorkflows: 1,
      maxConcurrentWorkflowTaskExecutions: 2,
      maxConcurrentWorkflowTaskPolls: 2,
    };
    await running(async () => {
      const handles = await Promise.all(
        Array.from({ length: 8 }, () => client.workflow.start(workflows.collecting, start(taskQueue))),
      );
      for (let round = 0; round < 3; round++) {
        await Promise.all(handles.map((handle) => handle.signal(workflows.nudge, round)));
        for (const handle of handles) expect((await handle.query(workflows.seen)).length).toBe(round + 1);
      }
      await Promise.all(handles.map((handle) => handle.signal(workflows.finish)));
      expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(handles.map(() => [0, 1, 2]));
    }, options);
  });

  it('is given activities with the answer to its workflow task', async () => {
    const { client, taskQueue, running, calls } = await bench();
    await running(() => client.workflow.execute(workflows.eagerActivities, start(taskQueue, [3])));
    const eager = calls.flatMap(({ method, response }) =>
      method === 'respondWorkflowTaskCompleted' ? ((response as { activityTasks?: object[] }).activityTasks ?? []) : [],
    );
    expect(eager.length).toBeGreaterThan(0);
  });

  it('is given the first task with the answer to an eager start', async () => {
    const { Client } = await import('@temporalio/client');
    const { connection, taskQueue, running, calls } = await bench();
    const client = new Client({ connection });
    await running(async () => {
      const handle = await client.workflow.start(workflows.hello, {
        ...start(taskQueue, ['eager']),
        requestEagerStart: true,
      });
      expect(handle.eagerlyStarted).toBe(true);
      expect(await handle.result()).toBe('Hello, eager!');
    });
    const answer = calls.find(({ method }) => method === 'startWorkflowExecution')?.response;
    expect(answer).toHaveProperty('eagerWorkflowTask.taskToken');
  });
});
