/** Workflows and activities end to end: client, service, Postgres, worker, isolates. */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker as OfficialWorker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import * as activities from '../support/activities';
import { harness, logged, workflowsPath, workflowBundle } from './harness';
import { Worker } from '../../shim/worker/worker';

const { cancellations, tokens } = activities;

const eventually = async <T>(look: () => T | Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
  for (let i = 0; ; i++) {
    const value = await look();
    if (isIt(value)) return value;
    if (i > 200) throw new Error(`It never was: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe('a worker', () => {
  it('runs workflows with activities, timers and children', async () => {
    const { run } = await harness();
    await run(async (h) => {
      expect(await h.execute('hello', 'World')).toBe('Hello, World!');
      expect(await h.execute('timers', 3)).toBe(3);
      expect(await h.execute('parent', ['a', 'b'])).toEqual(['Hello, a!', 'Hello, b!']);
      expect(await h.execute('manyActivities', 50)).toBe(1225);
      expect(await h.execute('continuing', 2)).toBe('done');
    });
  });

  it('retries activities by their policy', async () => {
    const { run } = await harness();
    expect(await run((h) => h.execute('retried', 2))).toBe('attempt 3, info 3');
  });

  it('answers queries and updates and takes signals', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('waiting', { taskQueue, workflowId: randomUUID() });
      expect(await handle.query('state')).toBe('waiting');
      expect(await handle.executeUpdate('add', { args: [2] })).toBe(2);
      await expect(handle.executeUpdate('add', { args: [-1] })).rejects.toThrow(WorkflowUpdateFailedError);
      expect(await handle.executeUpdate('add', { args: [3] })).toBe(5);
      await handle.signal('go', 'gone');
      expect(await handle.result()).toBe('gone:5');
      expect(await handle.query('state')).toBe('gone');
    });
  });

  it('replays a run that left its cache', async () => {
    const { run } = await harness({ maxCachedWorkflows: 2, maxConcurrentWorkflowTaskExecutions: 2 });
    await run(async ({ client, taskQueue, worker }) => {
      const handles = await Promise.all(
        Array.from({ length: 6 }, () => client.workflow.start('waiting', { taskQueue, workflowId: randomUUID() })),
      );
      for (const handle of handles) expect(await handle.executeUpdate('add', { args: [1] })).toBe(1);
      expect(worker.getStatus().numCachedWorkflows).toBeLessThanOrEqual(2);
      for (const handle of handles) await handle.signal('go', 'on');
      expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(handles.map(() => 'on:1'));
    });
  });

  it('works without a cache', async () => {
    const { run } = await harness({ maxCachedWorkflows: 0 });
    await run(async (h) => {
      expect(await h.execute('hello', 'World')).toBe('Hello, World!');
      expect(await h.execute('locals', 1)).toEqual(['Hello, local!', 'attempt 2, info 2']);
    });
  });

  it('runs local activities, with retries, and keeps a long one alive by heartbeats', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue, execute }) => {
      expect(await execute('locals', 2)).toEqual(['Hello, local!', 'attempt 3, info 3']);
      const handle = await client.workflow.start('longLocal', {
        taskQueue,
        workflowId: randomUUID(),
        args: [2500],
        workflowTaskTimeout: '1s',
      });
      expect(await handle.result()).toBe('slow');
      const { events } = await handle.fetchHistory();
      const completed = events!.filter((event) => event.workflowTaskCompletedEventAttributes != null);
      expect(completed.length).toBeGreaterThan(2);
      expect(events!.filter((event) => event.workflowTaskTimedOutEventAttributes != null)).toEqual([]);
    });
  });

  it('cancels activities through their heartbeats', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('cancelledActivity', { taskQueue, workflowId: randomUUID() });
      await eventually(
        async () => (await handle.describe()).raw.pendingActivities ?? [],
        ([activity]) => activity?.heartbeatDetails != null,
      );
      await handle.cancel();
      expect(await handle.result()).toBe('Hello, cleanup!');
      expect(cancellations.at(-1)).toMatchObject({ reason: 'CANCELLED', details: { cancelRequested: true } });
    });
  });

  it('lets a cancelled activity clean up through its client', async () => {
    const cleanedUp: string[] = [];
    const heartbeatUntilCancelled = async (): Promise<void> => {
      const { info, cancelled, client, heartbeat } = Context.current();
      const beats = setInterval(heartbeat, 20);
      try {
        await cancelled;
      } finally {
        clearInterval(beats);
        cleanedUp.push((await client.workflow.getHandle(info.workflowExecution!.workflowId).describe()).type);
      }
    };
    const { run } = await harness({ activities: { ...activities, heartbeatUntilCancelled } });
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('cancelledActivity', { taskQueue, workflowId: randomUUID() });
      await eventually(
        async () => (await handle.describe()).raw.pendingActivities ?? [],
        ([activity]) => activity?.lastStartedTime != null,
      );
      await handle.cancel();
      expect(await handle.result()).toBe('Hello, cleanup!');
      expect(cleanedUp).toEqual(['cancelledActivity']);
    });
  });

  it('tells activities of pause and reset through their heartbeats', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('cancelledActivity', { taskQueue, workflowId: randomUUID() });
      const pending = async () => ((await handle.describe()).raw.pendingActivities ?? [])[0];
      const which = {
        namespace: 'default',
        execution: { workflowId: handle.workflowId },
        type: 'heartbeatUntilCancelled',
      };
      await eventually(pending, (activity) => activity?.heartbeatDetails != null);
      await client.workflowService.pauseActivity(which);
      // It fails with a failure of its own, and waits with its second attempt.
      await eventually(
        pending,
        (activity) => activity?.attempt === 2 && activity.lastFailure?.message === 'Activity paused',
      );
      expect(cancellations.at(-1)).toMatchObject({ reason: 'PAUSED', details: { paused: true, reset: false } });
      await client.workflowService.unpauseActivity({ ...which, resetAttempts: true });
      await eventually(pending, (activity) => activity?.attempt === 1 && activity.lastStartedTime != null);
      await client.workflowService.resetActivity(which);
      await eventually(pending, (activity) => activity?.lastFailure?.message === 'Activity reset');
      expect(cancellations.at(-1)).toMatchObject({ reason: 'RESET', details: { paused: false, reset: true } });
      await handle.cancel();
      expect(await handle.result()).toBe('Hello, cleanup!');
    });
  });

  it('gives the last heartbeat details to the next attempt', async () => {
    const { run } = await harness();
    expect(await run((h) => h.execute('heartbeatDetails'))).toEqual({ progress: 2 });
  });

  it('lets activities complete later, from elsewhere', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('asyncCompletion', { taskQueue, workflowId: randomUUID() });
      await eventually(
        () => tokens.length,
        (count) => count > 0,
      );
      await client.activity.complete(tokens.pop()!, 'completed by the client');
      expect(await handle.result()).toBe('completed by the client');
    });
  });

  it('fails activities as Temporal does', async () => {
    const { run } = await harness();
    await run(async (h) => {
      const failure = async (work: Promise<unknown>): Promise<WorkflowFailedError> => {
        const error: unknown = await work.then(
          () => undefined,
          (e: unknown) => e,
        );
        expect(error).toBeInstanceOf(WorkflowFailedError);
        expect((error as WorkflowFailedError).cause).toBeInstanceOf(ActivityFailure);
        return error as WorkflowFailedError;
      };
      const useless = (await failure(h.execute('failing', 'nonRetryable'))).cause!.cause as ApplicationFailure;
      expect(useless).toMatchObject({ type: 'Useless', nonRetryable: true, details: [1, 'two'] });
      const plain = (await failure(h.execute('failing', 'plain'))).cause!.cause as ApplicationFailure;
      expect(plain).toMatchObject({ type: 'TypeError', message: 'plain', nonRetryable: false });
      expect(plain.stack).toContain('failWith');
      const missing = (await failure(h.execute('unknownActivity'))).cause!.cause as ApplicationFailure;
      expect(missing.type).toBe('NotFoundError');
      expect(missing.message).toMatch(
        /^Activity function missing is not registered on this Worker, available activities: \[.*"greet"/,
      );
    });
  });

  it('tells activities who they are and gives them a client', async () => {
    const { run } = await harness();
    await run(async (h) => {
      expect(await h.execute('activityDetails')).toMatchObject({
        activityId: '1',
        activityType: 'details',
        attempt: 1,
        isLocal: false,
        inWorkflow: true,
        input: 'input',
        namespace: 'default',
        taskQueue: h.taskQueue,
        startToCloseTimeoutMs: 20_000,
        workflowType: 'activityDetails',
        type: 'activityDetails',
        retryPolicy: { initialInterval: 50, maximumAttempts: 5 },
      });
      const before = Date.now();
      expect(await h.execute('info')).toMatchObject({ attempt: 1, taskQueue: h.taskQueue, namespace: 'default' });
      expect(before).toBeLessThan(Date.now() + 1);
    });
  });

  it('carries out sink calls, and logs what sinks throw', async () => {
    const notes: string[] = [];
    const { run } = await harness({
      maxCachedWorkflows: 0,
      sinks: {
        recorder: {
          note: { fn: (info, text: string) => void notes.push(`note ${text} ${info.workflowType}`) },
          always: { fn: (_info, text: string) => void notes.push(`always ${text}`), callDuringReplay: true },
          throws: {
            fn: () => {
              throw new Error('sink failed');
            },
          },
        },
      },
    });
    await run((h) => h.execute('sinking'));
    // Without a cache the first task is replayed for the second one.
    expect(notes).toEqual(['note before sinking', 'always before', 'always before', 'note after sinking']);
    const line = logged.find(({ message }) => message === 'from the workflow');
    expect(line).toMatchObject({
      level: 'INFO',
      meta: { answer: 42, workflowType: 'sinking', sdkComponent: 'workflow' },
    });
    expect(logged.some(({ message }) => message === 'External sink function threw an error')).toBe(true);
  });

  it('fails the workflow task for plain errors, and the workflow for those that are named', async () => {
    const { run } = await harness({ workflowFailureErrorTypes: { '*': [], failsOnFirstTask: ['RangeError'] } });
    await run(async ({ client, taskQueue, execute }) => {
      await expect(execute('failsOnFirstTask')).rejects.toMatchObject({
        cause: { message: 'configured to fail the workflow', type: 'RangeError' },
      });
      const handle = await client.workflow.start('throwsPlainError', { taskQueue, workflowId: randomUUID() });
      const history = await eventually(
        () => handle.fetchHistory(),
        ({ events }) => events!.some((event) => event.workflowTaskFailedEventAttributes != null),
      );
      const failed = history.events!.find((event) => event.workflowTaskFailedEventAttributes != null);
      expect(failed!.workflowTaskFailedEventAttributes!.failure!.message).toBe('task failure');
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    });
  });

  it('fails the task of a workflow type that it does not have', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('noSuchWorkflow', { taskQueue, workflowId: randomUUID() });
      const history = await eventually(
        () => handle.fetchHistory(),
        ({ events }) => events!.some((event) => event.workflowTaskFailedEventAttributes != null),
      );
      const failed = history.events!.find((event) => event.workflowTaskFailedEventAttributes != null);
      expect(failed!.workflowTaskFailedEventAttributes!.failure!.message).toContain(
        "Failed to initialize workflow of type 'noSuchWorkflow'",
      );
      await handle.terminate();
    });
  });

  it('times out activities', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('blocked', {
        taskQueue,
        workflowId: randomUUID(),
        args: [60_000],
        workflowExecutionTimeout: '1s',
      });
      await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(TimeoutFailure) as unknown });
    });
  });

  it('cancels a workflow', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('waiting', { taskQueue, workflowId: randomUUID() });
      await handle.query('state');
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    });
  });

  it('writes histories that both replayers accept, with the same values', async () => {
    const { run } = await harness();
    await run(async ({ client, taskQueue }) => {
      for (const [workflow, args] of [
        ['deterministic', []],
        ['locals', [1]],
        ['parent', [['a']]],
        ['retried', [1]],
        ['manyActivities', [5]],
      ] as const) {
        const handle = await client.workflow.start(workflow, { taskQueue, workflowId: randomUUID(), args: [...args] });
        await handle.result();
        const history = await handle.fetchHistory();
        await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, handle.workflowId);
        const json: unknown = JSON.parse(historyToJSON(history));
        await OfficialWorker.runReplayHistory({ workflowsPath }, json, handle.workflowId);
      }
    });
  }, 120_000);
});
