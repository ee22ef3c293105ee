import { expect, test } from 'vitest';
import { Status } from '../../shim/service/engine/types';
import { CommandType, ctx, startWorkflow, type TaskView } from '../support/polling-worker';
import { testService } from '../support/service';

interface Described {
  workflowExecutionInfo: { status: number };
  pendingWorkflowTask: object | null;
}

test('describe does not show a close that is decided and not yet durable', async () => {
  const service = await testService();
  const { store } = service.parts;
  await startWorkflow(service, 'wf', 'w', 'q');
  const poll = { namespace: 'default', taskQueue: { name: 'q' } };
  const { taskToken }: TaskView['task'] = await service.call('pollWorkflowTaskQueue', poll, ctx());
  // The started task is committed, so that memory alone answers.
  const described = { namespace: 'default', execution: { workflowId: 'wf' } };
  const describeNow = () => service.call('describeWorkflowExecution', described, ctx()) as Promise<Described>;
  await expect.poll(async () => (await describeNow()).pendingWorkflowTask).toMatchObject({ state: 2 });

  let goOn = (): void => {};
  const reached = new Promise<void>((resolve) => {
    const load = store.loadExecution.bind(store);
    store.loadExecution = async (...of) => {
      resolve();
      await new Promise<void>((open) => (goOn = open));
      return load(...of);
    };
  });
  const commit = store.commit.bind(store);
  let write = (): void => {};
  store.commit = async (group) => {
    await new Promise<void>((open) => (write = open));
    return commit(group);
  };
  const describing = describeNow();
  await reached;
  const commands = [
    {
      commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
      completeWorkflowExecutionCommandAttributes: {},
    },
  ];
  const completing = service.call('respondWorkflowTaskCompleted', { namespace: 'default', taskToken, commands }, ctx());
  await new Promise((resolve) => setImmediate(resolve));
  goOn();
  expect((await describing).workflowExecutionInfo.status).toBe(Status.Running);
  write();
  await completing;
});
