/** Messages of the inbox as the engine takes them. */
import type { temporal } from '@temporalio/proto';
import type { InboxMessage } from '../../store/types';
import type { Engine } from '../engine/api';
import type { Transition } from '../engine/types';

type SignalRequest = temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest;
type CancelRequest = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest;
type TerminateRequest = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionRequest;
type UpdateRequest = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;

export function signalOf(message: InboxMessage): Parameters<Engine['signal']>[1] {
  const request = message.request as SignalRequest;
  return {
    signalName: request.signalName ?? '',
    input: request.input ?? null,
    identity: request.identity ?? '',
    header: request.header ?? null,
    links: request.links ?? [],
    requestId: message.requestId,
    committed: true,
  };
}

/** Decides what the message asks for. */
export function applyMessage(engine: Engine, t: Transition, message: InboxMessage): void {
  switch (message.kind) {
    case 'signal':
      return engine.signal(t, signalOf(message));
    case 'cancel': {
      const { identity, reason } = message.request as CancelRequest;
      engine.requestCancel(t, { identity: identity ?? '', requestId: message.requestId, reason: reason ?? '' });
      return;
    }
    case 'update':
      engine.admitUpdate(t, (message.request as UpdateRequest).request ?? {}, true);
      return;
    case 'terminate': {
      const { identity, reason, details } = message.request as TerminateRequest;
      engine.terminate(t, {
        reason: reason || 'terminated by user via frontend',
        details: details ?? null,
        identity: identity || 'frontend-service',
      });
    }
  }
}
