import { describe, expect, it } from 'vitest';
import { CommandType, TestRun, payloads } from '../../../test/support/engine-run';
import { engine } from '.';
import type { Command } from './types';

const signal: Command = {
  commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  signalExternalWorkflowExecutionCommandAttributes: {
    namespace: 'default',
    execution: { workflowId: 'other' },
    signalName: 'go',
    input: payloads('x'),
    childWorkflowOnly: true,
  },
};
const cancel: Command = {
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
  requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId: 'other', reason: 'enough' },
};

function sent(command: Command): TestRun {
  const run = new TestRun();
  run.task(command);
  return run;
}
const answer = (run: TestRun, failure: Parameters<typeof engine.externalAnswered>[2]): void =>
  run.change((t) => engine.externalAnswered(t, 5, failure, run.history[4]!));

describe('a request to another workflow', () => {
  it('is initiated with all that its target needs', () => {
    expect(sent(signal).last().signalExternalWorkflowExecutionInitiatedEventAttributes).toEqual({
      workflowTaskCompletedEventId: 4,
      namespace: 'default',
      workflowExecution: { workflowId: 'other', runId: '' },
      signalName: 'go',
      input: payloads('x'),
      childWorkflowOnly: true,
    });
    expect(sent(cancel).last().requestCancelExternalWorkflowExecutionInitiatedEventAttributes).toEqual({
      workflowTaskCompletedEventId: 4,
      workflowExecution: { workflowId: 'other', runId: '' },
      reason: 'enough',
    });
  });

  it.each([
    ['delivered signal', signal, null, 'ExternalWorkflowExecutionSignaled', undefined],
    ['signal to nobody', signal, 'notFound', 'SignalExternalWorkflowExecutionFailed', 1],
    ['signal to an unknown namespace', signal, 'namespaceNotFound', 'SignalExternalWorkflowExecutionFailed', 2],
    ['signal too many', signal, 'signalLimit', 'SignalExternalWorkflowExecutionFailed', 3],
    ['delivered cancel request', cancel, null, 'ExternalWorkflowExecutionCancelRequested', undefined],
    ['cancel request to nobody', cancel, 'notFound', 'RequestCancelExternalWorkflowExecutionFailed', 1],
    [
      'cancel request to an unknown namespace',
      cancel,
      'namespaceNotFound',
      'RequestCancelExternalWorkflowExecutionFailed',
      2,
    ],
  ] as const)('%s is answered once', (_, command, failure, type, cause) => {
    const run = sent(command);
    answer(run, failure);
    expect(run.types(5)).toEqual([type, 'WorkflowTaskScheduled']);
    const key = `${type.charAt(0).toLowerCase()}${type.slice(1)}EventAttributes`;
    expect(run.transition.events[0]).toHaveProperty(key, {
      initiatedEventId: 5,
      namespace: 'default',
      workflowExecution: { workflowId: 'other', runId: '' },
      ...(cause ? { cause } : {}),
    });
    expect(run.state.externals).toEqual({});
    answer(run, failure);
    expect(run.transition.events).toEqual([]);
  });
});
