/**
 * Updates from admission to outcome. Admission and rejection leave no events; acceptance and completion do, from the worker's messages.
 * Unlike Temporal's, admitted updates are kept with the run: they survive failed tasks and crashes.
 */
import { temporal } from '@temporalio/proto';
import { int64, long } from '../../common/proto-values';
import { Code, ServiceError, invalidArgument } from '../errors';
import { CommandError, TaskFailedCause } from './commands/command-error';
import { EventType } from './event-fields';
import { workflowClosing, workflowCompleted } from './run-refusals';
import { messageSize } from './size';
import type { RunTransition } from './transition';
import type { EngineContext, Failure, ProtocolMessage, RunState, UpdateState } from './types';
import { blobTooLarge } from './limit-warnings';
import { requireBlobSize, tooLong } from './validate';
import { scheduleWorkflowTask } from './workflow-task';

type UpdateRequest = temporal.api.update.v1.IRequest;

const MESSAGE_PREFIX = 'type.googleapis.com/temporal.api.update.v1.';

/** From this attempt of a failing workflow task on, updates are refused. */
const FAILING_TASK_ATTEMPT = 3;

/** Rejected updates are remembered this long, for callers in other processes. */
const REJECTED_KEPT_MS = 60_000;

const unprocessed: Failure = {
  message:
    "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.",
  source: 'Server',
  applicationFailureInfo: { type: 'UnprocessedUpdate', nonRetryable: true },
};

const inFlight = (update: UpdateState): boolean => update.stage !== 'completed' && update.stage !== 'rejected';

/** Throws what `admitUpdate` would refuse whatever the run; gives the update's id. */
export function validateUpdate(request: UpdateRequest, ctx: EngineContext): string {
  if (!request.meta) throw invalidArgument('Update meta is not set on request.');
  const updateId = request.meta.updateId || ctx.newId();
  if (tooLong(updateId, ctx.limits)) throw invalidArgument('UpdateId length exceeds limit.');
  if (!request.input) throw invalidArgument('Update input is not set on request.');
  if (!request.input.name) throw invalidArgument('Update name is not set on request.');
  requireBlobSize(messageSize(request), ctx, 'UpdateWorkflowExecution');
  return updateId;
}

/**
 * Admits the update, or finds it by its id. It goes with the pending workflow task, else with a speculative one made for it.
 * Throws NOT_FOUND for a closed run, RESOURCE_EXHAUSTED for too many in flight, FAILED_PRECONDITION for too many in all or a failing task.
 * `committed`: its caller has been told that it is admitted, and cannot come again. Only the end of the run and too many in all are refused.
 */
export function admitUpdate(t: RunTransition, request: UpdateRequest, committed = false): UpdateState {
  const { state } = t;
  const { limits } = t.ctx;
  const updateId = validateUpdate(request, t.ctx);
  const known = state.updates[updateId];
  if (known !== undefined) {
    if (committed) known.committed = true;
    return known;
  }
  if (t.closed) throw workflowCompleted();
  if (!committed && state.failedTaskAttempts + 1 >= FAILING_TASK_ATTEMPT) {
    throw new ServiceError(
      Code.FAILED_PRECONDITION,
      'Unable to perform workflow execution update due to Workflow Task in failed state.',
      [{ type: 'temporal.api.errordetails.v1.WorkflowNotReadyFailure', value: {} }],
    );
  }
  if (!committed && state.closeAttempted && t.taskStarted) throw workflowClosing();
  forgetRejected(state, t.ctx.nowMs);
  const updates = Object.values(state.updates);
  if (!committed && limits.updatesInFlight > 0 && updates.filter(inFlight).length >= limits.updatesInFlight) {
    throw new ServiceError(
      Code.RESOURCE_EXHAUSTED,
      `limit on number of concurrent in-flight updates has been reached (${limits.updatesInFlight})`,
      // RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT, RESOURCE_EXHAUSTED_SCOPE_NAMESPACE
      [{ type: 'temporal.api.errordetails.v1.ResourceExhaustedFailure', value: { cause: 2, scope: 1 } }],
    );
  }
  if (limits.updatesPerRun > 0 && updates.length >= limits.updatesPerRun) {
    throw new ServiceError(
      Code.FAILED_PRECONDITION,
      `The limit on the total number of distinct updates in this workflow has been reached (${limits.updatesPerRun}). Make sure any duplicate updates share an Update ID so the server can deduplicate them, and consider rejecting updates that you aren't going to process. You can also Continue-as-New to avoid this; we recommend you check Continue-as-New Suggested in your Workflow.`,
    );
  }
  const update: UpdateState = {
    updateId,
    stage: 'admitted',
    request: request.meta?.updateId ? request : { ...request, meta: { ...request.meta, updateId } },
    sequence: ++state.updateSequence,
    acceptedEventId: 0,
    completedEventId: 0,
    failure: null,
    decidedAtMs: 0,
    ...(committed ? { committed } : {}),
  };
  state.updates[updateId] = update;
  // While a task is started its completion makes the next one.
  scheduleWorkflowTask(t, { speculative: true });
  return update;
}

function forgetRejected(state: RunState, nowMs: number): void {
  for (const id in state.updates) {
    const update = state.updates[id];
    if (update?.stage === 'rejected' && update.decidedAtMs + REJECTED_KEPT_MS <= nowMs) delete state.updates[id];
  }
}

/** Request messages that go with the started task, in order of admission; they count as sent from now on. */
export function deliverUpdates(t: RunTransition): ProtocolMessage[] {
  const { state } = t;
  const task = state.workflowTask;
  if (task === null || task.startedEventId === 0) return [];
  const waiting: UpdateState[] = [];
  for (const id in state.updates) {
    const update = state.updates[id];
    if (update?.stage === 'admitted') waiting.push(update);
  }
  waiting.sort((a, b) => a.sequence - b.sequence);
  const messages: ProtocolMessage[] = [];
  for (const update of waiting) {
    update.stage = 'sent';
    // One carried over by a reset reaches the worker by its UpdateAdmitted event.
    if (update.request === null) continue;
    messages.push({
      id: requestMessageId(update.updateId),
      protocolInstanceId: update.updateId,
      // To be handled after all events before the task's start.
      eventId: long(task.startedEventId - 1),
      body: {
        type_url: `${MESSAGE_PREFIX}Request`,
        value: temporal.api.update.v1.Request.encode(update.request).finish(),
      },
    });
  }
  return messages;
}

const requestMessageId = (updateId: string): string => `${updateId}/request`;

export function hasWaitingUpdates(state: RunState, committedOnly = false): boolean {
  for (const id in state.updates) {
    const update = state.updates[id];
    if (update?.stage === 'admitted' && (update.committed === true || !committedOnly)) return true;
  }
  return false;
}

const badMessage = (message: string): CommandError =>
  new CommandError(TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE, message);

/** The name of an update message: Acceptance, Rejection or Response; '' for anything else. */
export function updateMessageType(message: ProtocolMessage): string {
  const url = message.body?.type_url ?? '';
  return url.startsWith(MESSAGE_PREFIX) ? url.slice(MESSAGE_PREFIX.length) : '';
}

const toPlain = { longs: Number } as const;

/** Carries out one message of a completed task. Adds the id of the update to `moved`. Throws `CommandError`. */
export function handleUpdateMessage(t: RunTransition, message: ProtocolMessage, moved: string[]): void {
  const { state } = t;
  const type = updateMessageType(message);
  const updateId = message.protocolInstanceId ?? '';
  const value = message.body?.value;
  if (type === '' || !value) throw badMessage(`unsupported protocol type ${message.body?.type_url ?? ''}`);
  if (blobTooLarge(value.byteLength, t.ctx, 'UpdateWorkflowExecution')) {
    throw new CommandError(
      TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
      `Message type temporal.api.update.v1.${type} exceeds size limit.`,
      true,
    );
  }
  // A closed run takes rejections only; what it leaves open is aborted with it.
  if (t.closed && type !== 'Rejection') return;
  const { Acceptance, Rejection, Response } = temporal.api.update.v1;
  switch (type) {
    case 'Acceptance': {
      const body = Acceptance.toObject(Acceptance.decode(value), toPlain) as temporal.api.update.v1.IAcceptance;
      const update = state.updates[updateId] ?? resurrect(state, updateId, body.acceptedRequest);
      accept(t, updateId, update, body);
      break;
    }
    case 'Rejection': {
      const body = Rejection.toObject(Rejection.decode(value), toPlain) as temporal.api.update.v1.IRejection;
      const update = known(state.updates[updateId] ?? resurrect(state, updateId, body.rejectedRequest), updateId);
      requireStage(update, type, update.stage === 'admitted' || update.stage === 'sent');
      reject(update, body.failure ?? null, t.ctx.nowMs);
      break;
    }
    case 'Response': {
      const body = Response.toObject(Response.decode(value), toPlain) as temporal.api.update.v1.IResponse;
      respond(t, updateId, state.updates[updateId], body);
      break;
    }
    default:
      throw badMessage(`Message type temporal.api.update.v1.${type} not supported`);
  }
  if (!moved.includes(updateId)) moved.push(updateId);
}

/** The worker answers an update that this run has lost (it was carried by a caller that gave up): the message brings the request along. */
function resurrect(
  state: RunState,
  updateId: string,
  request: UpdateRequest | null | undefined,
): UpdateState | undefined {
  if (!request) return undefined;
  const update: UpdateState = {
    updateId,
    stage: 'admitted',
    request,
    sequence: ++state.updateSequence,
    acceptedEventId: 0,
    completedEventId: 0,
    failure: null,
    decidedAtMs: 0,
  };
  state.updates[updateId] = update;
  return update;
}

function known(update: UpdateState | undefined, updateId: string): UpdateState {
  if (update === undefined) {
    throw badMessage(
      `update ${updateId} wasn't found on the server. This is most likely a transient error which will be resolved automatically by retries`,
    );
  }
  return update;
}

function requireStage(update: UpdateState, type: string, allowed: boolean): void {
  if (allowed) return;
  throw badMessage(
    `invalid state transition attempted for Update ${update.updateId}: received *update.${type} message while in state ${update.stage}`,
  );
}

function accept(
  t: RunTransition,
  updateId: string,
  found: UpdateState | undefined,
  body: temporal.api.update.v1.IAcceptance,
): void {
  const update = known(found, updateId);
  requireStage(update, 'Acceptance', update.stage === 'admitted' || update.stage === 'sent');
  if (!body.acceptedRequestMessageId) {
    throw badMessage('invalid *update.Acceptance: accepted_request_message_id is not set');
  }
  const sequencingEventId = int64(body.acceptedRequestSequencingEventId);
  if (sequencingEventId === 0) {
    throw badMessage('invalid *update.Acceptance: accepted_request_sequencing_event_id is not set');
  }
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, {
    protocolInstanceId: updateId,
    acceptedRequestMessageId: requestMessageId(updateId),
    acceptedRequestSequencingEventId: sequencingEventId,
    ...(update.request ? { acceptedRequest: update.request } : {}),
  });
}

function respond(
  t: RunTransition,
  updateId: string,
  found: UpdateState | undefined,
  body: temporal.api.update.v1.IResponse,
): void {
  const update = known(found, updateId);
  requireStage(update, 'Response', update.stage === 'accepted');
  if (!body.meta) throw badMessage('invalid *update.Response: meta is not set');
  if (body.meta.updateId !== updateId) {
    throw badMessage(`invalid *update.Response: meta.update_id != ${updateId}`);
  }
  if (!body.outcome) throw badMessage('invalid *update.Response: outcome is not set');
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, {
    meta: body.meta,
    acceptedEventId: update.acceptedEventId,
    outcome: body.outcome,
  });
}

function reject(update: UpdateState, failure: Failure | null, nowMs: number): void {
  update.stage = 'rejected';
  update.request = null;
  update.failure = failure;
  update.decidedAtMs = nowMs;
}

/** Updates that went with the task and that the worker did not answer are rejected: it does not know them. */
export function rejectUnprocessed(t: RunTransition, moved: string[]): void {
  for (const id in t.state.updates) {
    const update = t.state.updates[id];
    if (update?.stage !== 'sent') continue;
    reject(update, unprocessed, t.ctx.nowMs);
    moved.push(id);
  }
}

/** The run closed: whoever waits for its updates looks at it again. Those in flight end with it. */
export function abortUpdates(t: RunTransition): void {
  const updateIds = Object.keys(t.state.updates).filter((id) => inFlight(t.state.updates[id] as UpdateState));
  if (updateIds.length > 0) t.effect({ type: 'updatesMoved', updateIds });
}
