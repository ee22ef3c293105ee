/** Request to cancel another workflow; the core makes one itself to cancel a child. */
import { temporal } from '@temporalio/proto';
import { EventType, eventType } from '../events';
import type { Failure } from '../messages';
import type { HistoryEvent } from '../types';
import { CommandType, StateMachine, attributesOf, job, nothing } from './machine';
import type { ExternalTarget, Responses, Table } from './machine';
import type { NewMachine } from './new-machine';

type State =
  | 'RequestCancelExternalCommandCreated'
  | 'RequestCancelExternalCommandRecorded'
  | 'CancelRequested'
  | 'RequestCancelFailed';

interface Events {
  CommandRequestCancelExternalWorkflowExecution: undefined;
  Initiated: undefined;
  CancelRequested: undefined;
  Failed: number;
}

const table: Table<CancelExternalMachine, State, Events> = {
  RequestCancelExternalCommandCreated: {
    CommandRequestCancelExternalWorkflowExecution: { to: 'RequestCancelExternalCommandCreated' },
    Initiated: { to: 'RequestCancelExternalCommandRecorded' },
  },
  RequestCancelExternalCommandRecorded: {
    CancelRequested: { to: 'CancelRequested', run: (machine) => machine.resolve(undefined) },
    Failed: { to: 'RequestCancelFailed', run: (machine, cause) => machine.failed(cause) },
  },
  CancelRequested: {},
  RequestCancelFailed: {},
};

const FailedCause = temporal.api.enums.v1.CancelExternalWorkflowExecutionFailedCause;
const causeTypes = new Map<number, string>([
  [
    FailedCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND,
    'ExternalWorkflowExecutionNotFound',
  ],
  [FailedCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND, 'NamespaceNotFound'],
]);

export class CancelExternalMachine extends StateMachine<State, Events> {
  readonly name = 'CancelExternalMachine';
  protected readonly title = 'Cancel external WF';
  protected readonly table = table;
  protected override readonly commands = {
    [CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]:
      'CommandRequestCancelExternalWorkflowExecution',
  } as const;

  /** @param seq lang's number, or undefined when the core made the request and lang must not hear of it. */
  constructor(private readonly seq: number | undefined) {
    super('RequestCancelExternalCommandCreated');
  }

  protected apply(event: HistoryEvent): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        return this.fire('Initiated', undefined);
      case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        return this.fire('CancelRequested', undefined);
      case EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: {
        const attributes = attributesOf(event.requestCancelExternalWorkflowExecutionFailedEventAttributes, event);
        return this.fire('Failed', attributes.cause ?? 0);
      }
      default:
        return this.unexpected(event);
    }
  }

  failed(cause: number): Responses {
    const type = causeTypes.get(cause);
    return this.resolve({
      message: `Unable to cancel external workflow because ${type === undefined ? 'unknown' : 'not found'}`,
      applicationFailureInfo: { type: type ?? 'Unspecified' },
    });
  }

  resolve(failure: Failure | undefined): Responses {
    if (this.seq === undefined) return nothing;
    return [job('resolveRequestCancelExternalWorkflow', { seq: this.seq, failure })];
  }
}

export function cancelExternal(
  seq: number | undefined,
  target: ExternalTarget,
  childWorkflowOnly: boolean,
  reason: string,
): NewMachine {
  return {
    machine: new CancelExternalMachine(seq),
    command: {
      commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
      requestCancelExternalWorkflowExecutionCommandAttributes: { ...target, childWorkflowOnly, reason },
    },
  };
}
