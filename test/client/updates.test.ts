import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  WorkflowUpdateStage,
} from '../../shim/client';
import { testClient } from '../support/connection';
import { scriptedWorker } from '../support/scripted-worker';
import { handleUpdates } from '../support/update-script';

const { CommandType } = temporal.api.enums.v1;

describe('updates', () => {
  it('completes, fails and rejects', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, handleUpdates);
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    expect(await handle.executeUpdate('add', { args: [1, 2] })).toBe(3);
    await expect(handle.executeUpdate('fail')).rejects.toMatchObject({ cause: { message: 'broken' } });
    const before = (await handle.fetchHistory()).events?.length;
    await expect(handle.executeUpdate('bad')).rejects.toThrow(WorkflowUpdateFailedError);
    // A rejected update alone leaves no trace.
    expect((await handle.fetchHistory()).events?.length).toBe(before);
  });

  it('is deduplicated by its id, also after the close', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, handleUpdates);
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const [a, b] = await Promise.all([1, 2].map((n) => handle.executeUpdate('add', { args: [n], updateId: 'same' })));
    expect(a).toBe(b);
    await handle.terminate();
    expect(await handle.executeUpdate('add', { args: [50], updateId: 'same' })).toBe(a);
    expect(await handle.getUpdateHandle('same').result()).toBe(a);
    await expect(handle.executeUpdate('add', { args: [50], updateId: 'other' })).rejects.toThrow(WorkflowNotFoundError);
    await expect(handle.getUpdateHandle('other').result()).rejects.toThrow(WorkflowNotFoundError);
  });

  it('waits for acceptance, and reports an accepted update that its workflow did not finish', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, handleUpdates);
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const update = await handle.startUpdate('open', { waitForStage: WorkflowUpdateStage.ACCEPTED });
    const result = update.result();
    setTimeout(() => void handle.terminate(), 50);
    await expect(result).rejects.toMatchObject({ cause: { type: 'AcceptedUpdateCompletedWorkflow' } });
    // And from history, when the run is no longer in anybody's memory.
    await expect(handle.getUpdateHandle(update.updateId).result()).rejects.toMatchObject({
      cause: { type: 'AcceptedUpdateCompletedWorkflow' },
    });
  });

  it('is aborted when the workflow closes before it was accepted', async () => {
    const { client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const update = handle.executeUpdate('add', { args: [1] });
    setTimeout(() => void handle.terminate(), 50);
    await expect(update).rejects.toThrow(WorkflowNotFoundError);
  });

  it('ends at a deadline', async () => {
    const { client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const late = client.withDeadline(Date.now() + 100, () => handle.executeUpdate('add'));
    await expect(late).rejects.toThrow(WorkflowUpdateRPCTimeoutOrCancelledError);
  });

  it('goes to the next run of the chain', async () => {
    const { connection, client, queue } = await testClient();
    let continued = false;
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const update = handle.executeUpdate('add', { args: [2, 2] });
    scriptedWorker(connection, queue, (task) => {
      if (continued) return handleUpdates(task);
      continued = true;
      return {
        commands: [
          {
            commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
            continueAsNewWorkflowExecutionCommandAttributes: {
              workflowType: { name: 'w' },
              taskQueue: { name: queue },
            },
          },
        ],
      };
    });
    expect(await update).toBe(4);
  });
});

describe('update with start', () => {
  const operation = (
    queue: string,
    workflowIdConflictPolicy: 'USE_EXISTING' | 'FAIL',
  ): WithStartWorkflowOperation<() => Promise<void>> =>
    new WithStartWorkflowOperation('w', { taskQueue: queue, workflowId: 'w', workflowIdConflictPolicy }) as never;

  it('starts a workflow, then uses it', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, handleUpdates);
    const first = operation(queue, 'USE_EXISTING');
    expect(await client.workflow.executeUpdateWithStart('add', { args: [1, 1], startWorkflowOperation: first })).toBe(
      2,
    );
    const second = operation(queue, 'USE_EXISTING');
    expect(await client.workflow.executeUpdateWithStart('add', { args: [2, 1], startWorkflowOperation: second })).toBe(
      3,
    );
    const handles = await Promise.all([first.workflowHandle(), second.workflowHandle()]);
    const [a, b] = await Promise.all(handles.map(async (handle) => (await handle.describe()).runId));
    expect(a).toBe(b);
  });

  it('refuses a running workflow by the conflict policy', async () => {
    const { client, queue } = await testClient();
    await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const refused = operation(queue, 'FAIL');
    const handle = refused.workflowHandle();
    handle.catch(() => undefined);
    await expect(
      client.workflow.executeUpdateWithStart('add', { args: [], startWorkflowOperation: refused }),
    ).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    await expect(handle).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  });

  it('reports a rejected update, with the workflow started', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, handleUpdates);
    const start = operation(queue, 'USE_EXISTING');
    await expect(
      client.workflow.executeUpdateWithStart('bad', { args: [], startWorkflowOperation: start }),
    ).rejects.toThrow(WorkflowUpdateFailedError);
    expect((await (await start.workflowHandle()).describe()).status.name).toBe('RUNNING');
  });

  it('refuses what does not go together', async () => {
    const { client, queue } = await testClient();
    const start = new WithStartWorkflowOperation('w', {
      taskQueue: queue,
      workflowId: 'w',
      workflowIdConflictPolicy: 'FAIL',
      cronSchedule: '* * * * *',
    });
    start.workflowHandle().catch(() => undefined);
    const update = client.workflow.executeUpdateWithStart('add', { args: [], startWorkflowOperation: start });
    await expect(update).rejects.toMatchObject({ code: 3, message: 'CronSchedule is not allowed.' });
  });
});
