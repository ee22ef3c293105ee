import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { Code } from '../../shim/service/errors';
import { startDurableOf } from '../../shim/service/matching/ahead-of-start';
import type { Service } from '../../shim/service/types';
import type { CommitOutcome, RunCommit } from '../../shim/store/types';
import { CommandType, type TaskView } from '../support/polling-worker';
import { testService } from '../support/service';

type Task = TaskView['task'];

/** Keeps the commits of a service waiting until they are let through, or answered in place of the store. */
function gated(service: Service): { commits: RunCommit[][]; open: (answer?: CommitOutcome) => void } {
  const { store } = service.parts;
  const commit = store.commit.bind(store);
  const commits: RunCommit[][] = [];
  let waiting: (() => void)[] = [];
  let answer: CommitOutcome | undefined;
  let closed = true;
  store.commit = async (group) => {
    commits.push(group);
    if (closed) await new Promise<void>((resolve) => waiting.push(resolve));
    return answer ?? commit(group);
  };
  return {
    commits,
    open(given) {
      closed = false;
      answer = given;
      for (const go of waiting) go();
      waiting = [];
    },
  };
}

const start = (service: Service, workflowId: string): Promise<object> =>
  service.call(
    'startWorkflowExecution',
    {
      namespace: 'default',
      workflowId,
      workflowType: { name: 'w' },
      taskQueue: { name: 'q' },
      requestId: randomUUID(),
    },
    { metadata: {} },
  );
/** Resolves when the poll waits; `task` is what it brings. */
async function poll(service: Service, aheadOfStart: boolean): Promise<{ task: Promise<Task> }> {
  const request = { namespace: 'default', taskQueue: { name: 'q' } };
  const task: Promise<Task> = service.call('pollWorkflowTaskQueue', request, { metadata: {}, aheadOfStart });
  const { id } = await service.parts.namespace('default');
  await expect.poll(() => service.parts.matching.polledHere(id, 'q')).toBe(true);
  return { task };
}
const complete = (service: Service, task: Task): Promise<object> =>
  service.call(
    'respondWorkflowTaskCompleted',
    {
      namespace: 'default',
      taskToken: task.taskToken,
      commands: [
        {
          commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
          completeWorkflowExecutionCommandAttributes: {},
        },
      ],
    },
    { metadata: {} },
  );

test('a worker that may run ahead has the first task before the start is durable, and hears when it is', async () => {
  const service = await testService();
  const gate = gated(service);
  const polling = await poll(service, true);
  const starting = start(service, 'wf');
  const task = await polling.task;
  const durable = startDurableOf(task)!();
  gate.open();
  expect(await durable).toBe(true);
  await starting;
  await complete(service, task);
});

test('start, first task and its commands are one commit, if the worker is quick', async () => {
  const service = await testService();
  const gate = gated(service);
  const polling = await poll(service, true);
  const starting = start(service, 'wf');
  const completing = complete(service, await polling.task);
  gate.open();
  await Promise.all([starting, completing]);
  const events = gate.commits.flat().map((commit) => commit.events.length);
  // The hold of a start ends after some ms: on a busy machine the completion may miss it, never be lost.
  expect(events.reduce((sum, count) => sum + count)).toBe(5);
  expect(gate.commits[0]![0]!.create).not.toBeNull();
});

test('a refused start is told to the worker that ran ahead, and its completion finds nothing', async () => {
  const service = await testService();
  const gate = gated(service);
  const polling = await poll(service, true);
  const starting = start(service, 'wf');
  const task = await polling.task;
  const durable = startDurableOf(task)!();
  gate.open({ kind: 'idTaken' });
  expect(await durable).toBe(false);
  await expect(complete(service, task)).rejects.toMatchObject({ code: Code.NOT_FOUND });
  gate.open();
  await starting;
});

test('other pollers get the first task only once the start is durable', async () => {
  const service = await testService();
  const gate = gated(service);
  let answered = false;
  const polling = await poll(service, false);
  void polling.task.then(() => (answered = true));
  const starting = start(service, 'wf');
  await expect.poll(() => gate.commits.length).toBe(1);
  expect(answered).toBe(false);
  gate.open();
  await starting;
  await complete(service, await polling.task);
});
