import { spawn } from 'node:child_process';
import path from 'node:path';
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { testClient } from '../support/connection';
import { freshSchema } from '../support/database';
import { complete, payloads, scriptedWorker } from '../support/scripted-worker';

const { CommandType } = temporal.api.enums.v1;
const CLOSE_EVENT = 2;

describe('history', () => {
  it('comes in pages of at most 256 events, forwards and backwards', async () => {
    const { client, connection, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    await Promise.all(Array.from({ length: 300 }, (_, n) => handle.signal('s', n)));
    const request = { namespace: 'default', execution: { workflowId: 'w' } };
    const { workflowService } = connection;
    const first = await workflowService.getWorkflowExecutionHistory({ ...request, maximumPageSize: 5000 });
    expect(first.history?.events).toHaveLength(256);
    const second = await workflowService.getWorkflowExecutionHistory({
      ...request,
      nextPageToken: first.nextPageToken,
    });
    expect(second.nextPageToken).toHaveLength(0);
    const ids = [first, second].flatMap((page) => page.history?.events?.map((event) => Number(event.eventId)));
    expect(ids).toEqual(Array.from({ length: 302 }, (_, n) => n + 1));

    const reverse: number[] = [];
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await workflowService.getWorkflowExecutionHistoryReverse({
        ...request,
        nextPageToken,
        maximumPageSize: 100,
      });
      reverse.push(...(page.history?.events ?? []).map((event) => Number(event.eventId)));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0);
    expect(reverse).toEqual(ids.reverse());
    expect((await handle.fetchHistory()).events).toHaveLength(302);
  });

  it('waits for new events, and says when there will be none', async () => {
    const { client, connection, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const request = { namespace: 'default', execution: { workflowId: 'w' }, waitNewEvent: true };
    const { workflowService } = connection;
    const first = await workflowService.getWorkflowExecutionHistory(request);
    expect(first.history?.events).toHaveLength(2);
    const waiting = workflowService.getWorkflowExecutionHistory({ ...request, nextPageToken: first.nextPageToken });
    await handle.signal('s');
    const second = await waiting;
    expect(second.history?.events?.map((event) => Number(event.eventId))).toEqual([3]);
    await handle.terminate();
    const last = await workflowService.getWorkflowExecutionHistory({ ...request, nextPageToken: second.nextPageToken });
    expect(last.history?.events).toHaveLength(1);
    expect(last.nextPageToken).toHaveLength(0);
  });

  it('gives exactly the close event to those who ask for it', async () => {
    const { client, connection, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const request = { namespace: 'default', execution: { workflowId: 'w' }, historyEventFilterType: CLOSE_EVENT };
    const open = await connection.workflowService.getWorkflowExecutionHistory(request);
    expect([open.history?.events, open.nextPageToken]).toEqual([[], expect.objectContaining({ length: 0 })]);
    await handle.terminate();
    const closed = await connection.workflowService.getWorkflowExecutionHistory(request);
    expect(closed.history?.events).toMatchObject([{ workflowExecutionTerminatedEventAttributes: {} }]);
  });

  it('refuses page tokens that are not its own', async () => {
    const { client, connection, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const other = await client.workflow.start('w', { taskQueue: queue, workflowId: 'other' });
    const read = (runId: string, nextPageToken: Uint8Array): Promise<unknown> =>
      connection.workflowService.getWorkflowExecutionHistory({
        namespace: 'default',
        execution: { workflowId: 'w', runId },
        nextPageToken,
        waitNewEvent: true,
      });
    await expect(read('', Buffer.from('what'))).rejects.toMatchObject({ code: 3, details: 'Invalid NextPageToken.' });
    const token = Buffer.from(JSON.stringify({ runId: handle.firstExecutionRunId, next: 2 }));
    await expect(read(other.firstExecutionRunId, token)).rejects.toMatchObject({
      code: 3,
      details: 'RunId in the request does not match the NextPageToken.',
    });
    await expect(read('not-a-uuid', token)).rejects.toMatchObject({ code: 3, details: 'Invalid RunId.' });
    await expect(read(other.firstExecutionRunId, new Uint8Array())).rejects.toMatchObject({ code: 5 });
  });
});

describe('describe', () => {
  it('shows what a run waits for', async () => {
    const { client, connection, queue } = await testClient();
    const seconds = (n: number): { seconds: never } => ({ seconds: n as never });
    scriptedWorker(connection, queue, (task) =>
      task.history?.events?.some((event) => event.activityTaskScheduledEventAttributes)
        ? {}
        : {
            commands: [
              {
                commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
                scheduleActivityTaskCommandAttributes: {
                  activityId: 'a1',
                  activityType: { name: 'charge' },
                  taskQueue: { name: 'activities' },
                  startToCloseTimeout: seconds(60),
                  heartbeatTimeout: seconds(20),
                  retryPolicy: { maximumAttempts: 4, initialInterval: seconds(100) },
                },
              },
              {
                commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
                startChildWorkflowExecutionCommandAttributes: {
                  workflowId: 'child',
                  workflowType: { name: 'sub' },
                  taskQueue: { name: 'nobody' },
                  parentClosePolicy: 2,
                },
              },
            ],
          },
    );
    const handle = await client.workflow.start('w', {
      taskQueue: queue,
      workflowId: 'w',
      workflowRunTimeout: '1h',
      staticSummary: 'sum',
    });
    const activity = await connection.workflowService.pollActivityTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'activities' },
      identity: 'me',
    });
    const { taskToken } = activity;
    await connection.workflowService.recordActivityTaskHeartbeat({
      namespace: 'default',
      taskToken,
      details: payloads(7),
    });
    await expect.poll(async () => (await handle.describe()).raw.pendingChildren?.[0]?.runId).not.toBe('');
    const { raw } = await handle.describe();
    expect(raw.pendingActivities).toMatchObject([
      {
        activityId: 'a1',
        activityType: { name: 'charge' },
        state: 2,
        attempt: 1,
        maximumAttempts: 4,
        lastWorkerIdentity: 'me',
      },
    ]);
    expect(raw.pendingActivities?.[0]?.lastHeartbeatTime).toBeTruthy();
    expect(raw.pendingChildren).toMatchObject([{ workflowId: 'child', workflowTypeName: 'sub', parentClosePolicy: 2 }]);
    expect(raw.executionConfig?.workflowRunTimeout?.seconds?.toNumber()).toBe(3600);
    expect(await (await handle.describe()).staticSummary()).toBe('sum');
    const failure = { message: 'declined', applicationFailureInfo: {} };
    await connection.workflowService.respondActivityTaskFailed({ namespace: 'default', taskToken, failure });
    const { raw: waiting } = await handle.describe();
    expect(waiting.pendingActivities).toMatchObject([{ state: 1, attempt: 2, lastFailure: { message: 'declined' } }]);
    expect(waiting.pendingActivities?.[0]?.nextAttemptScheduleTime).toBeTruthy();

    const pollers = async (taskQueueType: number) => {
      const request = { namespace: 'default', taskQueue: { name: queue }, taskQueueType };
      return (await connection.workflowService.describeTaskQueue(request)).pollers.map(({ identity }) => identity);
    };
    expect(await pollers(1)).toContain(`script-${queue}`);
    // Nexus: the same name, another queue.
    expect(await pollers(3)).toEqual([]);
  });

  it('forgets a deleted workflow', async () => {
    const { client, connection, queue } = await testClient();
    scriptedWorker(connection, queue, () => ({ commands: [complete(1)] }));
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    await handle.result();
    const workflowExecution = { workflowId: 'w', runId: handle.firstExecutionRunId };
    await connection.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
    await expect(client.workflow.getHandle('w').describe()).rejects.toThrow('workflow not found');
    expect((await client.workflow.count('')).count).toBe(0);
  });
});

describe('a pending call', () => {
  it('keeps the process alive, and nothing else does', async () => {
    const { url, schema } = freshSchema();
    const script = `
      const { Client, Connection } = require(${JSON.stringify(path.resolve('shim/client/index.ts'))});
      (async () => {
        const connection = await Connection.connect({ url: process.env.URL, schema: process.env.SCHEMA });
        const client = new Client({ connection });
        const handle = await client.workflow.start('w', { taskQueue: 'q', workflowId: 'w' });
        setTimeout(() => void handle.terminate('now'), 1000).unref();
        await handle.result().catch((error) => console.log(error.cause.message));
        await connection.close();
      })();`;
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', script], {
      env: { ...process.env, URL: url, SCHEMA: schema },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([output.trim(), code]).toEqual(['now', 0]);
  });
});
