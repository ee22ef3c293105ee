/** Update: asked for by a protocol message, accepted or rejected, then completed; answers go out as messages. */
import { temporal } from '@temporalio/proto';
import type { coresdk } from '@temporalio/proto';
import { long } from '../../common/proto-values';
import { FatalMachineError, NondeterminismError } from '../errors';
import { EventType, eventType } from '../events';
import type { Failure, Payload } from '../messages';
import type { HistoryEvent } from '../types';
import type { UpdateRequestMessage } from '../update-messages';
import { CommandType, InvalidTransition, StateMachine, job } from './machine';
import type { Response, Responses, Table } from './machine';

import update = temporal.api.update.v1;

type State =
  | 'RequestInitiated'
  | 'Rejected'
  | 'Accepted'
  | 'AcceptCommandCreated'
  | 'AcceptCommandRecorded'
  | 'Completed'
  | 'CompletedCommandCreated'
  | 'CompletedCommandRecorded'
  | 'CompletedImmediately'
  | 'CompletedImmediatelyAcceptCreated'
  | 'CompletedImmediatelyCompleteCreated';

interface Events {
  Accept: undefined;
  Reject: Failure;
  Complete: Payload;
  CommandProtocolMessage: undefined;
  WorkflowExecutionUpdateAccepted: undefined;
  WorkflowExecutionUpdateCompleted: undefined;
}

const table: Table<UpdateMachine, State, Events> = {
  RequestInitiated: {
    Accept: { to: 'Accepted', run: (u) => u.accept() },
    Reject: { to: 'Rejected', run: (u, failure) => u.reject(failure) },
  },
  Rejected: {},
  Accepted: {
    Complete: { to: 'CompletedImmediately', run: (u, payload) => u.succeed(payload) },
    Reject: { to: 'CompletedImmediately', run: (u, failure) => u.fail(failure) },
    CommandProtocolMessage: { to: 'AcceptCommandCreated' },
  },
  AcceptCommandCreated: {
    WorkflowExecutionUpdateAccepted: { to: 'AcceptCommandRecorded' },
    // The acceptance is out but not yet in history, say while the handler runs a local activity.
    Complete: { to: 'CompletedImmediatelyAcceptCreated', run: (u, payload) => u.succeed(payload) },
    Reject: { to: 'CompletedImmediatelyAcceptCreated', run: (u, failure) => u.fail(failure) },
  },
  AcceptCommandRecorded: {
    Complete: { to: 'Completed', run: (u, payload) => u.succeed(payload) },
    Reject: { to: 'Completed', run: (u, failure) => u.fail(failure) },
  },
  Completed: { CommandProtocolMessage: { to: 'CompletedCommandCreated' } },
  CompletedCommandCreated: { WorkflowExecutionUpdateCompleted: { to: 'CompletedCommandRecorded' } },
  CompletedCommandRecorded: {},
  // Accepted and completed within one task: two messages, two commands.
  CompletedImmediately: { CommandProtocolMessage: { to: 'CompletedImmediatelyAcceptCreated' } },
  CompletedImmediatelyAcceptCreated: { CommandProtocolMessage: { to: 'CompletedImmediatelyCompleteCreated' } },
  CompletedImmediatelyCompleteCreated: { WorkflowExecutionUpdateAccepted: { to: 'CompletedCommandCreated' } },
};

export class UpdateMachine extends StateMachine<State, Events> {
  readonly name = 'UpdateMachine';
  protected readonly title = 'Update';
  protected readonly table = table;
  protected override readonly commands = {
    [CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE]: 'CommandProtocolMessage',
  } as const;
  /** The request, kept until it is answered. */
  private request: update.IRequest | undefined;
  private readonly messageId: string;
  private readonly instanceId: string;
  private readonly sequencingEventId: number;
  private readonly meta: update.IMeta;

  constructor(message: UpdateRequestMessage) {
    super('RequestInitiated');
    this.messageId = message.id;
    this.instanceId = message.protocolInstanceId;
    this.sequencingEventId = message.sequencingEventId;
    this.request = message.request;
    this.meta = message.request.meta ?? {};
  }

  /** The job that starts the handler; the validator runs only the first time. */
  start(replaying: boolean): Response {
    const input = this.request?.input;
    return job('doUpdate', {
      id: this.meta.updateId ?? '',
      protocolInstanceId: this.instanceId,
      name: input?.name ?? '',
      input: input?.args?.payloads ?? [],
      headers: input?.header?.fields ?? {},
      meta: this.meta,
      runValidator: !replaying,
    });
  }

  /** Lang's answer: accepted, rejected (a failure once accepted) or completed. */
  respond(response: coresdk.workflow_commands.IUpdateResponse): Responses {
    try {
      if (response.accepted) return this.fire('Accept', undefined);
      if (response.rejected) return this.fire('Reject', response.rejected);
      if (response.completed) return this.fire('Complete', response.completed);
    } catch (err) {
      if (!(err instanceof InvalidTransition)) throw err;
      throw new NondeterminismError(
        `Invalid transition while handling update response (id ${this.meta.updateId}) in state ${this.state}`,
      );
    }
    throw new FatalMachineError(`Update response for update ${this.meta.updateId} had an empty result`);
  }

  protected apply(event: HistoryEvent): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        return this.fire('WorkflowExecutionUpdateAccepted', undefined);
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
        return this.fire('WorkflowExecutionUpdateCompleted', undefined);
      default:
        return this.unexpected(event);
    }
  }

  accept(): Responses {
    const body = update.Acceptance.encode({
      acceptedRequestMessageId: this.messageId,
      acceptedRequestSequencingEventId: long(this.sequencingEventId),
      acceptedRequest: this.request,
    }).finish();
    this.request = undefined;
    return this.messageWithCommand('accept', 'Acceptance', body);
  }

  reject(failure: Failure): Responses {
    const body = update.Rejection.encode({
      rejectedRequestMessageId: this.messageId,
      rejectedRequestSequencingEventId: long(this.sequencingEventId),
      rejectedRequest: this.request,
      failure,
    }).finish();
    this.request = undefined;
    return [this.message('reject', 'Rejection', body)];
  }

  succeed(payload: Payload): Responses {
    return this.outcome({ success: { payloads: [payload] } });
  }

  fail(failure: Failure): Responses {
    return this.outcome({ failure });
  }

  private outcome(outcome: update.IOutcome): Responses {
    const body = update.Response.encode({ meta: this.meta, outcome } as update.IResponse).finish();
    return this.messageWithCommand('complete', 'Response', body);
  }

  private messageWithCommand(suffix: string, type: string, body: Uint8Array): Responses {
    return [
      this.message(suffix, type, body),
      {
        do: 'issueCommand',
        command: {
          commandType: CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
          protocolMessageCommandAttributes: { messageId: `${this.messageId}/${suffix}` },
        },
      },
    ];
  }

  private message(suffix: string, type: string, value: Uint8Array): Response {
    return {
      do: 'issueMessage',
      message: {
        id: `${this.messageId}/${suffix}`,
        protocolInstanceId: this.instanceId,
        body: { type_url: `type.googleapis.com/temporal.api.update.v1.${type}`, value },
      },
    };
  }
}
