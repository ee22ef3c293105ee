import { expect, test } from 'vitest';
import { freshSchema, sql } from '../support/database';
import {
  CommandType,
  EventType,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  payloads,
  seconds,
  startWorkflow,
  typesOf,
  valueOf,
  type WorkflowScript,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

const startChild = (workflowId: string, type: string, more: object = {}) => ({
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: {
    workflowId,
    workflowType: { name: type },
    taskQueue: { name: 'q' },
    input: payloads('in'),
    ...more,
  },
});
const signalExternal = (workflowId: string, more: object = {}) => ({
  commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  signalExternalWorkflowExecutionCommandAttributes: {
    execution: { workflowId },
    signalName: 's',
    input: payloads('hey'),
    ...more,
  },
});
const cancelExternal = (workflowId: string) => ({
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
  requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId },
});

const waitForSignal: WorkflowScript = ({ count, history }) => {
  if (count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) > 0) {
    return [
      { commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, cancelWorkflowExecutionCommandAttributes: {} },
    ];
  }
  const signal = history.find((event) => event.workflowExecutionSignaledEventAttributes);
  return signal ? [completeWorkflow(valueOf(signal.workflowExecutionSignaledEventAttributes!.input))] : [];
};

/** Starts one child, then completes with the type of the event that ended it. */
const parentOf =
  (...command: Parameters<typeof startChild>): WorkflowScript =>
  ({ history, count }) => {
    if (count(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED) === 0) return [startChild(...command)];
    const end = history.find(
      (event) =>
        event.childWorkflowExecutionCompletedEventAttributes ??
        event.childWorkflowExecutionFailedEventAttributes ??
        event.childWorkflowExecutionTerminatedEventAttributes ??
        event.startChildWorkflowExecutionFailedEventAttributes,
    );
    return end ? [completeWorkflow(typesOf([end])[0])] : [];
  };

test('a child runs and its parent hears of its start and its end', async () => {
  const database = freshSchema();
  const service = await testService(database);
  testWorker({
    service,
    queue: 'q',
    sticky: 'st',
    workflows: { parent: parentOf('child', 'child'), child: () => [completeWorkflow('from child')] },
  });
  await startWorkflow(service, 'parent', 'parent', 'q');
  const close = await closeEvent(service, 'parent');
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe('CHILD_WORKFLOW_EXECUTION_COMPLETED');
  const events = await historyOf(service, 'parent');
  const started = events.find(
    (event) => event.childWorkflowExecutionStartedEventAttributes,
  )!.childWorkflowExecutionStartedEventAttributes!;
  const [first] = await historyOf(service, 'child');
  expect(started.workflowExecution!.runId).toBe(first!.workflowExecutionStartedEventAttributes!.originalExecutionRunId);
  expect(first!.workflowExecutionStartedEventAttributes!.parentWorkflowExecution!.workflowId).toBe('parent');
  // Nobody owes anything: both rows are gone.
  await eventually(async () => (await sql(`SELECT FROM "${database.schema}".runs`)).length === 0);
});

test('a child whose id is taken fails to start', async () => {
  const service = await testService();
  testWorker({ service, queue: 'q', workflows: { parent: parentOf('taken', 'wait'), wait: waitForSignal } });
  await startWorkflow(service, 'taken', 'wait', 'q');
  await startWorkflow(service, 'parent', 'parent', 'q');
  const close = await closeEvent(service, 'parent');
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe(
    'START_CHILD_WORKFLOW_EXECUTION_FAILED',
  );
});

test.each([
  [1, 'WORKFLOW_EXECUTION_TERMINATED'],
  [3, 'WORKFLOW_EXECUTION_CANCELED'],
])('parent-close policy %i ends the child with %s', async (parentClosePolicy, end) => {
  const service = await testService();
  const parent: WorkflowScript = ({ count }) => {
    if (count(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED) === 0)
      return [startChild('child', 'wait', { parentClosePolicy })];
    return count(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) === 1 ? [completeWorkflow('bye')] : [];
  };
  testWorker({ service, queue: 'q', workflows: { parent, wait: waitForSignal } });
  await startWorkflow(service, 'parent', 'parent', 'q');
  await closeEvent(service, 'parent');
  expect(typesOf([await closeEvent(service, 'child')])).toEqual([end]);
});

test('an abandoned child is started and lives on though its parent closes with the same commands', async () => {
  const service = await testService();
  testWorker({
    service,
    queue: 'q',
    workflows: {
      parent: () => [startChild('child', 'wait', { parentClosePolicy: 2 }), completeWorkflow('bye')],
      wait: waitForSignal,
    },
  });
  await startWorkflow(service, 'parent', 'parent', 'q');
  await closeEvent(service, 'parent');
  await eventually(async () => (await historyOf(service, 'child').catch(() => [])).length >= 4);
  await service.call(
    'signalWorkflowExecution',
    {
      namespace: 'default',
      workflowExecution: { workflowId: 'child' },
      signalName: 's',
      input: payloads('x'),
      requestId: '1',
    },
    ctx(),
  );
  expect(typesOf([await closeEvent(service, 'child')])).toEqual(['WORKFLOW_EXECUTION_COMPLETED']);
});

test('a child of a parent that closes at once is never started', async () => {
  const service = await testService();
  testWorker({
    service,
    queue: 'q',
    workflows: { parent: () => [startChild('child', 'wait'), completeWorkflow('bye')], wait: waitForSignal },
  });
  await startWorkflow(service, 'parent', 'parent', 'q');
  await closeEvent(service, 'parent');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await expect(historyOf(service, 'child')).rejects.toThrow(/not found/);
});

test('signals and cancel requests reach other workflows; unknown ones and oneself are not found', async () => {
  const service = await testService();
  const sender: WorkflowScript = ({ count, history }) => {
    if (count(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) === 0) {
      return [
        signalExternal('a'),
        cancelExternal('b'),
        signalExternal('nobody'),
        signalExternal('sender'),
        signalExternal('b', { childWorkflowOnly: true }),
      ];
    }
    const answers = history.filter((event) =>
      /EXTERNAL_WORKFLOW_EXECUTION_(SIGNALED|CANCEL_REQUESTED|FAILED)$/.test(typesOf([event])[0]!),
    );
    return answers.length === 5 ? [completeWorkflow(typesOf(answers).sort())] : [];
  };
  testWorker({ service, queue: 'q', sticky: 'st', workflows: { sender, wait: waitForSignal } });
  await startWorkflow(service, 'a', 'wait', 'q');
  await startWorkflow(service, 'b', 'wait', 'q');
  await startWorkflow(service, 'sender', 'sender', 'q');
  const close = await closeEvent(service, 'sender');
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toEqual([
    'EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED',
    'EXTERNAL_WORKFLOW_EXECUTION_SIGNALED',
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED',
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED',
    'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED',
  ]);
  expect(valueOf((await closeEvent(service, 'a')).workflowExecutionCompletedEventAttributes?.result)).toBe('hey');
  expect(typesOf([await closeEvent(service, 'b')])).toEqual(['WORKFLOW_EXECUTION_CANCELED']);
});

test('a chain of runs continued as new goes on, each run with its own history', async () => {
  const service = await testService();
  const chain: WorkflowScript = ({ history }) => {
    const left = valueOf(history[0]!.workflowExecutionStartedEventAttributes!.input) as number;
    if (left === 0) return [completeWorkflow('end')];
    return [
      {
        commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continueAsNewWorkflowExecutionCommandAttributes: {
          workflowType: { name: 'chain' },
          taskQueue: { name: 'q' },
          input: payloads(left - 1),
          workflowRunTimeout: seconds(60),
          workflowTaskTimeout: seconds(10),
        },
      },
    ];
  };
  testWorker({ service, queue: 'q', sticky: 'st', workflows: { chain } });
  const runId = await startWorkflow(service, 'wf', 'chain', 'q', { input: payloads(2) });
  let close = await closeEvent(service, 'wf', runId);
  const runs = [runId];
  while (close.workflowExecutionContinuedAsNewEventAttributes) {
    const next = close.workflowExecutionContinuedAsNewEventAttributes.newExecutionRunId!;
    const [first] = await historyOf(service, 'wf', next);
    expect(first!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId).toBe(runs.at(-1));
    expect(first!.workflowExecutionStartedEventAttributes!.firstExecutionRunId).toBe(runId);
    runs.push(next);
    close = await closeEvent(service, 'wf', next);
  }
  expect(runs).toHaveLength(3);
  expect(valueOf(close.workflowExecutionCompletedEventAttributes?.result)).toBe('end');
});

test('terminate-if-running closes the old run and starts the new one together', async () => {
  const service = await testService();
  testWorker({ service, queue: 'q', workflows: { wait: waitForSignal } });
  const first = await startWorkflow(service, 'wf', 'wait', 'q');
  const second = await startWorkflow(service, 'wf', 'wait', 'q', { workflowIdConflictPolicy: 3 });
  expect(second).not.toBe(first);
  expect(typesOf([await closeEvent(service, 'wf', first)])).toEqual(['WORKFLOW_EXECUTION_TERMINATED']);
  await expect(startWorkflow(service, 'wf', 'wait', 'q')).rejects.toThrow(/already/i);
});
