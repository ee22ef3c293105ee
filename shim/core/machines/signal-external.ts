/** Signal to another workflow, which may be a child. */
import { temporal } from '@temporalio/proto';
import type { coresdk } from '@temporalio/proto';
import { FatalMachineError } from '../errors';
import { EventType, eventType } from '../events';
import { isEmptyMap, payloadsOf } from '../messages';
import type { Command, Failure } from '../messages';
import type { HistoryEvent } from '../types';
import { CommandType, StateMachine, attributesOf, job } from './machine';
import type { ExternalTarget, Responses, Table } from './machine';

type State = 'SignalExternalCommandCreated' | 'SignalExternalCommandRecorded' | 'Signaled' | 'Failed' | 'Cancelled';

interface Events {
  CommandSignalExternalWorkflowExecution: undefined;
  Cancel: undefined;
  Initiated: undefined;
  Signaled: undefined;
  Failed: number;
}

const table: Table<SignalExternalMachine, State, Events> = {
  SignalExternalCommandCreated: {
    CommandSignalExternalWorkflowExecution: { to: 'SignalExternalCommandCreated' },
    Cancel: { to: 'Cancelled', run: (machine) => machine.withdrawn() },
    Initiated: { to: 'SignalExternalCommandRecorded' },
  },
  SignalExternalCommandRecorded: {
    // What was sent cannot be called back.
    Cancel: { to: 'SignalExternalCommandRecorded' },
    Signaled: { to: 'Signaled', run: (machine) => machine.resolve(undefined) },
    Failed: { to: 'Failed', run: (machine, cause) => machine.failed(cause) },
  },
  Signaled: { Cancel: { to: 'Signaled' } },
  Failed: {},
  Cancelled: { Cancel: { to: 'Cancelled' } },
};

const FailedCause = temporal.api.enums.v1.SignalExternalWorkflowExecutionFailedCause;
const causes = new Map<number, { type: string; because: string }>([
  [
    FailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND,
    { type: 'ExternalWorkflowExecutionNotFound', because: 'it was not found' },
  ],
  [
    FailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
    { type: 'NamespaceNotFound', because: 'it was not found' },
  ],
  [
    FailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED,
    { type: 'SignalCountLimitExceeded', because: 'The per-workflow signal limit was exceeded' },
  ],
]);

export class SignalExternalMachine extends StateMachine<State, Events> {
  readonly name = 'SignalExternalMachine';
  protected readonly title = 'Signal external WF';
  protected readonly table = table;
  protected override readonly commands = {
    [CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: 'CommandSignalExternalWorkflowExecution',
  } as const;

  constructor(private readonly seq: number) {
    super('SignalExternalCommandCreated');
  }

  override get cancelledBeforeSent(): boolean {
    return this.state === 'Cancelled';
  }

  cancel(): Responses {
    return this.fireRequest('Cancel', undefined);
  }

  protected apply(event: HistoryEvent): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        return this.fire('Initiated', undefined);
      case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
        return this.fire('Signaled', undefined);
      case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: {
        const attributes = attributesOf(event.signalExternalWorkflowExecutionFailedEventAttributes, event);
        return this.fire('Failed', attributes.cause ?? 0);
      }
      default:
        return this.unexpected(event);
    }
  }

  withdrawn(): Responses {
    return this.resolve({ message: 'Signal was cancelled before being sent', canceledFailureInfo: {} });
  }

  failed(cause: number): Responses {
    const { type, because } = causes.get(cause) ?? { type: 'Unspecified', because: 'unknown' };
    return this.resolve({
      message: `Unable to signal external workflow because ${because}`,
      applicationFailureInfo: { type },
    });
  }

  resolve(failure: Failure | undefined): Responses {
    return [job('resolveSignalExternalWorkflow', { seq: this.seq, failure })];
  }
}

export function signalExternalCommand(
  attributes: coresdk.workflow_commands.ISignalExternalWorkflowExecution,
  ownNamespace: string,
): Command {
  const { childWorkflowId, workflowExecution, headers } = attributes;
  let target: ExternalTarget;
  if (childWorkflowId) {
    target = { namespace: ownNamespace, workflowId: childWorkflowId, runId: '' };
  } else if (workflowExecution) {
    target = {
      namespace: workflowExecution.namespace ?? '',
      workflowId: workflowExecution.workflowId ?? '',
      runId: workflowExecution.runId ?? '',
    };
  } else {
    throw new FatalMachineError('Signal external workflow command had empty target field');
  }
  return {
    commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
    signalExternalWorkflowExecutionCommandAttributes: {
      namespace: target.namespace,
      execution: { workflowId: target.workflowId, runId: target.runId },
      signalName: attributes.signalName ?? '',
      input: payloadsOf(attributes.args),
      header: isEmptyMap(headers) ? undefined : { fields: headers },
      childWorkflowOnly: Boolean(childWorkflowId),
    },
  };
}
