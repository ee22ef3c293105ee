/** Updates that the caller's own transaction admits. */
import { describe, expect, it } from 'vitest';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateStage } from '../../shim/client';
import { testClient } from '../support/connection';
import { sql } from '../support/database';
import { complete, scriptedWorker } from '../support/scripted-worker';
import { transactor, within } from '../support/transactor';
import { handleUpdates } from '../support/update-script';

const waitForStage = WorkflowUpdateStage.ACCEPTED;
const add = (updateId: string, ...numbers: number[]) => ({ updateId, args: numbers as [number], waitForStage });
/** Other work on the machine may make it slow. */
const poll = <T>(look: () => T) => expect.poll(look, { timeout: 20_000 });

describe('an update in a transaction', () => {
  it('is done after the commit, and its outcome read by handle', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    const update = await within(tx, async () => {
      const started = await client.workflow.getHandle('w').startUpdate('add', add('u', 1, 2));
      // Nobody else sees it.
      await expect(handle.getUpdateHandle('u').result()).rejects.toThrow('update "u" not found');
      return started;
    });
    expect(update).toMatchObject({ updateId: 'u', workflowId: 'w', workflowRunId: handle.firstExecutionRunId });
    expect(await handle.getUpdateHandle('u').result()).toBe(3);
    expect(await update.result()).toBe(3);
    expect(await sql(`SELECT FROM ${test.database.schema}.inbox`)).toEqual([]);
  });

  it('leaves nothing after a rollback', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await within(tx, () => client.workflow.getHandle('w').startUpdate('add', add('u', 1, 2)), 'ROLLBACK');
    await expect(handle.getUpdateHandle('u').result()).rejects.toThrow('update "u" not found');
    expect(await handle.executeUpdate('add', { updateId: 'u', args: [5] })).toBe(5);
  });

  it('fails by its outcome when the workflow rejects it or fails', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    const [bad, broken] = await within(tx, async () => {
      const { startUpdate } = client.workflow.getHandle('w');
      return [await startUpdate('bad', add('r')), await startUpdate('fail', add('f'))] as const;
    });
    await expect(bad.result()).rejects.toMatchObject({ cause: { message: 'not this' } });
    await expect(broken.result()).rejects.toThrow(WorkflowUpdateFailedError);
    await expect(handle.getUpdateHandle('f').result()).rejects.toMatchObject({ cause: { message: 'broken' } });
  });

  it('is one with others of its id, whichever way they come', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    expect(await handle.executeUpdate('add', { updateId: 'first', args: [1] })).toBe(1);
    const updates = await within(tx, async () => {
      const { startUpdate } = client.workflow.getHandle('w');
      const ids = ['first', 'second', 'second'];
      return Promise.all(ids.map((id, n) => startUpdate('add', add(id, 10 + n))));
    });
    expect(await Promise.all(updates.map((update) => update.result()))).toEqual([1, 11, 11]);
    expect(await handle.executeUpdate('add', { updateId: 'second', args: [7] })).toBe(11);
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(2);
  });

  it('goes with the start of its workflow', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const update = await within(tx, async () => {
      const handle = await client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
      return handle.startUpdate('add', add('u', 2, 3));
    });
    expect(await update.result()).toBe(5);
  });

  it('reaches a run that wants to close while the transaction is open', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await tx.query('BEGIN');
    const update = await client.workflow.getHandle('w').startUpdate('add', add('u', 1, 2));
    let tried = 0;
    scriptedWorker(test.connection, test.queue, (task) => {
      tried++;
      const { messages = [], commands = [] } = handleUpdates(task) as Awaited<ReturnType<typeof handleUpdates>>;
      return { messages, commands: [...commands, complete('closed')] };
    });
    await poll(() => tried).toBeGreaterThan(0);
    await tx.query('COMMIT');
    expect(await update.result()).toBe(3);
    expect(await handle.result()).toBe('closed');
  });

  it('is refused for closed and unknown workflows, and where it cannot be; the transaction goes on', async () => {
    const test = await testClient();
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    await within(tx, async () => {
      const joined = client.workflow.getHandle('w');
      await expect(joined.executeUpdate('add', { args: [1] })).rejects.toMatchObject({
        cause: { details: expect.stringContaining('use startUpdate()') },
      });
      await expect(joined.startUpdate('add', { ...add('x'.repeat(1001)) })).rejects.toMatchObject({
        cause: { code: 3 },
      });
      await expect(client.workflow.getHandle('never').startUpdate('add', add('u'))).rejects.toThrow(
        WorkflowNotFoundError,
      );
      await tx.query('SELECT 1');
    });
    expect(await handle.executeUpdate('finish', { updateId: 'last' }).catch(() => 'aborted')).toBe('aborted');
    await within(tx, async () => {
      const joined = client.workflow.getHandle('w');
      await expect(joined.startUpdate('add', add('u'))).rejects.toThrow(WorkflowNotFoundError);
      // One that the run has had is found.
      await joined.startUpdate('finish', add('last'));
    });
  });

  it('that the run cannot take any more tells so by its outcome', async () => {
    const test = await testClient({ dynamicConfig: { 'history.maxTotalUpdates': 1 } });
    const { tx, client } = await transactor(test);
    scriptedWorker(test.connection, test.queue, handleUpdates);
    const handle = await test.client.workflow.start('w', { taskQueue: test.queue, workflowId: 'w' });
    expect(await handle.executeUpdate('add', { args: [1] })).toBe(1);
    const update = await within(tx, () => client.workflow.getHandle('w').startUpdate('add', add('u', 2)));
    await expect(update.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('limit on the total number') },
    });
  });
});
