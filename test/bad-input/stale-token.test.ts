/** Tokens of attempts that are over. */
import { randomUUID } from 'node:crypto';
import { activityInfo, CompleteAsyncError } from '@temporalio/activity';
import { ActivityNotFoundError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { expect, it } from 'vitest';
import { testClient } from '../support/connection';
import { complete } from '../support/scripted-worker';
import { bench, errorOf } from './bench';

it('a token of an activity attempt that was retried completes nothing', async () => {
  const tokens: Uint8Array[] = [];
  const take = (): Promise<unknown> => {
    tokens.push(activityInfo().taskToken);
    if (tokens.length === 1) return Promise.reject(new Error('again'));
    return Promise.reject(new CompleteAsyncError());
  };
  const { run } = await bench({ activities: { take } });
  await run(async ({ client, taskQueue }) => {
    const handle = await client.workflow.start('insists', { taskQueue, workflowId: randomUUID() });
    while (tokens.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const call of [
      () => client.activity.complete(tokens[0]!, 'stale'),
      () => client.activity.fail(tokens[0]!, new Error('stale')),
      () => client.activity.heartbeat(tokens[0]!, 'stale'),
    ]) {
      expect(await errorOf(call()), String(call)).toBeInstanceOf(ActivityNotFoundError);
    }
    await client.activity.complete(tokens[1]!, 'fresh');
    expect(await handle.result()).toBe('fresh');
    expect(await errorOf(client.activity.complete(tokens[1]!, 'twice'))).toBeInstanceOf(ActivityNotFoundError);
  });
});

it('a token of a workflow task that timed out changes nothing', async () => {
  const { client, connection, queue } = await testClient();
  const handle = await client.workflow.start('w', {
    taskQueue: queue,
    workflowId: randomUUID(),
    workflowTaskTimeout: '1s',
  });
  const poll = () =>
    connection.withDeadline(Date.now() + 20_000, () =>
      connection.workflowService.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: queue },
        identity: 'slow',
      }),
    );
  const first = await poll();
  const second = await poll();
  const respond = ({ taskToken }: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse, result: string) =>
    connection.workflowService.respondWorkflowTaskCompleted({
      namespace: 'default',
      taskToken: taskToken!,
      commands: [complete(result)],
    });
  expect(await errorOf(respond(first, 'stale'))).toMatchObject({ code: 5 });
  await respond(second, 'fresh');
  expect(await handle.result()).toBe('fresh');
});
