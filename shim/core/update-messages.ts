/** Update requests as they reach a run: by a protocol message of the workflow task, or out of history's events. */
import { temporal } from '@temporalio/proto';
import { int64 } from '../common/proto-values';
import { FatalMachineError } from './errors';
import { describeEvent, eventId } from './events';
import type { ProtocolMessage } from './messages';
import type { HistoryEvent } from './types';

import update = temporal.api.update.v1;

export interface UpdateRequestMessage {
  id: string;
  protocolInstanceId: string;
  /** The update is to be seen right after this event; undefined when the message is sequenced by command instead. */
  sequencingEventId: number;
  request: update.IRequest;
}

/** Reads a message of a workflow task. Only update requests are known. */
export function updateRequestOf(message: ProtocolMessage): UpdateRequestMessage {
  const value = message.body?.value;
  if (!value) throw new FatalMachineError('Protocol message body must be populated');
  if (message.eventId === null || message.eventId === undefined) {
    throw new FatalMachineError('Update request messages must contain an event sequencing id!');
  }
  return {
    id: message.id ?? '',
    protocolInstanceId: message.protocolInstanceId ?? '',
    sequencingEventId: int64(message.eventId),
    request: complete(decode(value), 'Update request message'),
  };
}

function decode(value: Uint8Array): update.IRequest {
  try {
    return update.Request.decode(value);
  } catch (err) {
    throw new FatalMachineError(`Protocol message body is no update request: ${String(err)}`);
  }
}

/** The request that a WorkflowExecutionUpdateAdmitted event stands for (written by a reset). */
export function updateRequestOfAdmitted(event: HistoryEvent): UpdateRequestMessage | undefined {
  const attributes = event.workflowExecutionUpdateAdmittedEventAttributes;
  if (!attributes) return undefined;
  const request = complete(attributes.request, describeEvent(event));
  const protocolInstanceId = request.meta?.updateId ?? '';
  return { id: `${protocolInstanceId}/request`, protocolInstanceId, sequencingEventId: eventId(event), request };
}

/** The request that led to a WorkflowExecutionUpdateAccepted event, made up in replay. */
export function updateRequestOfAccepted(event: HistoryEvent): UpdateRequestMessage {
  const attributes = event.workflowExecutionUpdateAcceptedEventAttributes;
  return {
    id: attributes?.acceptedRequestMessageId ?? '',
    protocolInstanceId: attributes?.protocolInstanceId ?? '',
    sequencingEventId: int64(attributes?.acceptedRequestSequencingEventId),
    request: complete(attributes?.acceptedRequest, describeEvent(event)),
  };
}

function complete(request: update.IRequest | null | undefined, where: string): update.IRequest {
  if (!request?.input) throw new FatalMachineError(`Update request's \`input\` field must be populated: ${where}`);
  if (!request.meta) throw new FatalMachineError(`Update request's \`meta\` field must be populated: ${where}`);
  return request;
}
