/** RespondWorkflowTaskCompleted and RespondWorkflowTaskFailed: what a worker made of its workflow task. */
import { temporal } from '@temporalio/proto';
import { int64, long, ms } from '../../common/proto-values';
import { Code, ServiceError, invalidArgument, notFound } from '../errors';
import { withBuildId } from './build-ids';
import type { CompletedTask, Request, WorkflowTaskToken } from './api';
import { terminate } from './close';
import { closeCommands, handleCommand, isHandledCommand } from './commands';
import { CommandError, TaskFailedCause } from './commands/command-error';
import type { CommandContext } from './commands/context';
import { EventType } from './event-fields';
import { enforceHistoryLimits } from './history-limits';
import { TASK_HEARTBEAT_TIMEOUT_MS } from './limits';
import { workflowCompleted } from './run-refusals';
import type { RunTransition } from './transition';
import type { Command, Failure, HistoryEvent, ProtocolMessage, RunState, WorkflowTaskState } from './types';
import { isMoving, reofferingActivities } from './versioning/transition';
import { versionAttributes } from './versioning/completion';
import { handleUpdateMessage, hasWaitingUpdates, rejectUnprocessed, updateMessageType } from './updates';
import {
  SERVER_IDENTITY,
  failStartedTask,
  resendUpdates,
  scheduleWorkflowTask,
  taskNotFound,
  timeOutStartedTask,
} from './workflow-task';

import CommandType = temporal.api.enums.v1.CommandType;
const VERSIONED = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;

type CompletedRequest = Request<'RespondWorkflowTaskCompletedRequest'>;
type FailedRequest = Request<'RespondWorkflowTaskFailedRequest'>;

/** A speculative task that carried more events than this is kept in history even if all its updates were rejected. */
const DISCARDED_TASK_EVENTS = 10;

/** `WORKFLOW_TASK_FAILED_CAUSE_BAD_BINARY` as the server writes it in messages: `BadBinary`. */
function enumWords(name: string, prefix: string): string {
  return name
    .slice(prefix.length)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const causeName = (cause: TaskFailedCause): string =>
  enumWords(TaskFailedCause[cause] ?? '', 'WORKFLOW_TASK_FAILED_CAUSE_');

const commandName = (command: Command): string =>
  enumWords(CommandType[command.commandType ?? 0] ?? '', 'COMMAND_TYPE_');

/** The started task that the token names; NOT_FOUND when there is none. */
function startedTask(state: RunState, token: WorkflowTaskToken): WorkflowTaskState {
  const task = state.workflowTask;
  if (
    task === null ||
    task.startedEventId === 0 ||
    task.scheduledEventId !== token.scheduledEventId ||
    (token.startedEventId !== 0 && task.startedEventId !== token.startedEventId) ||
    task.attempt !== token.attempt ||
    (token.requestId !== '' && task.requestId !== token.requestId)
  ) {
    throw taskNotFound();
  }
  return task;
}

/** A command that closes the run must be the last one. */
function validateSequence(commands: Command[]): void {
  for (const command of commands) {
    const type = command.commandType ?? 0;
    if (type !== CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE && !isHandledCommand(type)) {
      throw invalidArgument(`unknown command type: ${commandName(command) || type}`);
    }
  }
  const closing = commands.findIndex((command) => closeCommands.has(command.commandType ?? 0));
  if (closing < 0 || closing === commands.length - 1) return;
  const names = commands.map(commandName).join(', ');
  throw invalidArgument(
    `invalid command sequence: [${names}], command ${commandName(commands[closing] as Command)} must be the last command.`,
  );
}

/**
 * Carries out the completion of a workflow task: its commands and messages become events in their order. A command that cannot be carried out
 * undoes all of it and fails the task instead (`error` in the result), or, from the second attempt on, is refused: the attempt then times out.
 * `startedEvent` is needed when the run has a retry policy or a cron schedule.
 */
export function completeWorkflowTask(
  t: RunTransition,
  token: WorkflowTaskToken,
  request: CompletedRequest,
  startedEvent?: () => HistoryEvent,
): CompletedTask {
  const { state } = t;
  if (t.closed) throw taskNotFound();
  const task = startedTask(state, token);
  const commands = request.commands ?? [];
  const messages = request.messages ?? [];
  refuseUnsupported(request);
  validateSequence(commands);

  const heartbeat = request.forceCreateNewWorkflowTask === true;
  const idle = heartbeat && commands.length === 0 && messages.length === 0;
  const result: CompletedTask = {
    error: null,
    returnNewTask: false,
    queryResults: (request.queryResults ?? {}) as CompletedTask['queryResults'],
    resetHistoryEventId: 0,
    movedUpdates: [],
  };
  if (idle && t.ctx.nowMs > task.originalScheduledAtMs + TASK_HEARTBEAT_TIMEOUT_MS) {
    timeOutStartedTask(t);
    result.error = notFound('workflow task heartbeat timeout');
    return result;
  }

  const { originalScheduledAtMs } = task;
  const undo = t.checkpoint(activitiesToCancel(commands));
  try {
    carryOut(t, task, request, result, startedEvent);
  } catch (error) {
    undo();
    if (!(error instanceof CommandError)) throw error;
    refuse(t, request, error, result);
    return result;
  }
  if (result.movedUpdates.length > 0) t.effect({ type: 'updatesMoved', updateIds: result.movedUpdates });
  if (t.closed || enforceHistoryLimits(t)) return result;

  if (heartbeat) resendUpdates(state);
  if (heartbeat || t.hasBuffered || isMoving(t)) {
    scheduleWorkflowTask(t, idle ? { originalScheduledAtMs } : {});
  } else if (hasWaitingUpdates(state)) {
    scheduleWorkflowTask(t, { speculative: request.returnNewWorkflowTask === true });
  }
  result.returnNewTask = request.returnNewWorkflowTask === true && state.workflowTask !== null && !isMoving(t);
  return result;
}

function refuseUnsupported(request: CompletedRequest): void {
  const versioned = request.deploymentOptions?.workerVersioningMode === VERSIONED;
  if (request.versioningBehavior && !request.deployment && !versioned) {
    throw invalidArgument(
      'versioning behavior cannot be specified without deployment options being set with versioned mode',
    );
  }
}

function activitiesToCancel(commands: Command[]): number[] {
  const ids: number[] = [];
  for (const command of commands) {
    const id = command.requestCancelActivityTaskCommandAttributes?.scheduledEventId;
    if (id) ids.push(int64(id));
  }
  return ids;
}

function carryOut(
  t: RunTransition,
  task: WorkflowTaskState,
  request: CompletedRequest,
  result: CompletedTask,
  startedEvent: (() => HistoryEvent) | undefined,
): void {
  const { state } = t;
  let completedEventId = 0;
  if (leavesNoTrace(state, task, request)) {
    // Nothing but rejections came of it: the worker goes back to where it was.
    state.workflowTask = null;
    state.closeAttempted = false;
    state.failedTaskAttempts = 0;
    result.resetHistoryEventId = state.lastCompletedTaskStartedEventId;
  } else {
    completedEventId = writeCompleted(t, task, request);
  }
  const { workerTaskQueue, scheduleToStartTimeout } = request.stickyAttributes ?? {};
  // The worker that the run is leaving keeps nothing.
  state.sticky =
    workerTaskQueue?.name && !isMoving(t)
      ? { queue: workerTaskQueue.name, scheduleToStartMs: ms(scheduleToStartTimeout) }
      : null;

  const context: CommandContext = {
    completedEventId,
    identity: request.identity ?? '',
    unhandled: t.hasBuffered || hasWaitingUpdates(state, true),
    startedChildren: new Set(),
    startedEvent: () => {
      if (startedEvent === undefined) throw new ServiceError(Code.INTERNAL, 'the Started event was not given');
      return startedEvent();
    },
  };
  t.hold(() => {
    interleave(t, request.commands ?? [], request.messages ?? [], context, result.movedUpdates);
  });
  // A heartbeat need not answer yet, a closed run need not at all.
  if (!request.forceCreateNewWorkflowTask && !t.closed) rejectUnprocessed(t, result.movedUpdates);
}

/** True for a speculative task that may be forgotten: no commands, no heartbeat, only rejections, and hardly any events that it showed the worker. */
function leavesNoTrace(state: RunState, task: WorkflowTaskState, request: CompletedRequest): boolean {
  if (task.kind !== 'speculative') return false;
  if (request.commands?.length || request.forceCreateNewWorkflowTask) return false;
  const discards = request.capabilities?.discardSpeculativeWorkflowTaskWithEvents === true;
  // Right after a completed task: Started, Completed.
  const firstNewEventId = state.lastCompletedTaskStartedEventId + 2;
  if (state.nextEventId > firstNewEventId + (discards ? DISCARDED_TASK_EVENTS : 0)) return false;
  return (request.messages ?? []).every((message) => updateMessageType(message) === 'Rejection');
}

function writeCompleted(t: RunTransition, task: WorkflowTaskState, request: CompletedRequest): number {
  if (task.kind !== 'normal') {
    // Scheduled and Started were virtual so far.
    task.kind = 'normal';
    task.identity = request.identity ?? task.identity;
    task.workerVersion = request.workerVersionStamp ?? task.workerVersion;
    t.writeTaskEvents();
  }
  const { buildId } = request.workerVersionStamp ?? {};
  if (buildId && withBuildId(t.state, buildId) !== undefined) t.effect({ type: 'visibilityChanged' });
  const { deployment } = t.state;
  const attributes = {
    scheduledEventId: long(task.scheduledEventId),
    startedEventId: long(task.startedEventId),
    ...(request.identity ? { identity: request.identity } : {}),
    ...(request.binaryChecksum ? { binaryChecksum: request.binaryChecksum } : {}),
    ...(request.workerVersionStamp ? { workerVersion: request.workerVersionStamp } : {}),
    ...(request.sdkMetadata ? { sdkMetadata: request.sdkMetadata } : {}),
    ...(request.meteringMetadata ? { meteringMetadata: request.meteringMetadata } : {}),
    ...versionAttributes(request),
  };
  const event = reofferingActivities(t, () => t.addEvent(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, attributes));
  if (t.state.deployment !== deployment) t.effect({ type: 'visibilityChanged' });
  return int64(event.eventId);
}

/** Commands in order; a PROTOCOL_MESSAGE command stands for the message it names. Messages that none names come last. */
function interleave(
  t: RunTransition,
  commands: Command[],
  messages: ProtocolMessage[],
  context: CommandContext,
  movedUpdates: string[],
): void {
  const waiting = new Map(messages.map((message) => [message.id ?? '', message]));
  for (const command of commands) {
    if (command.commandType !== CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE) {
      handleCommand(t, command, context);
      continue;
    }
    const messageId = command.protocolMessageCommandAttributes?.messageId ?? '';
    const message = waiting.get(messageId);
    if (message === undefined) {
      throw new CommandError(
        TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
        `ProtocolMessageCommand referenced absent message ID ${messageId}`,
      );
    }
    waiting.delete(messageId);
    handleUpdateMessage(t, message, movedUpdates);
  }
  for (const message of waiting.values()) handleUpdateMessage(t, message, movedUpdates);
}

/** The completion is undone; its task fails, and the run with it where the command says so. */
function refuse(t: RunTransition, request: CompletedRequest, error: CommandError, result: CompletedTask): void {
  const { failedCause } = error;
  const unhandled = failedCause === TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  const message = unhandled ? causeName(failedCause) : `${causeName(failedCause)}: ${error.message}`;
  const refusal = invalidArgument(message);
  // Dropped: it would fail again at once, so its timeout sets the pace.
  if ((t.state.workflowTask?.attempt ?? 1) > 1 && !unhandled) throw refusal;
  failStartedTask(t, {
    cause: failedCause,
    failure: { message, serverFailureInfo: {} },
    identity: request.identity ?? '',
    binaryChecksum: request.binaryChecksum ?? '',
  });
  result.error = refusal;
  result.movedUpdates = [];
  if (error.terminatesWorkflow) {
    terminate(t, { reason: message, details: null, identity: SERVER_IDENTITY });
    return;
  }
  resendUpdates(t.state);
  scheduleWorkflowTask(t);
}

/** The worker could not carry out the task: it is recorded (once) and tried again. */
export function failWorkflowTask(t: RunTransition, token: WorkflowTaskToken, request: FailedRequest): void {
  if (t.closed) throw workflowCompleted();
  startedTask(t.state, token);
  const cause = request.cause ?? TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED;
  if (cause === TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE) {
    terminate(t, { reason: causeName(cause), details: null, identity: SERVER_IDENTITY });
    return;
  }
  failStartedTask(t, {
    cause,
    failure: request.failure as Failure | null,
    identity: request.identity ?? '',
    binaryChecksum: request.binaryChecksum ?? '',
  });
  if (enforceHistoryLimits(t)) return;
  resendUpdates(t.state);
  scheduleWorkflowTask(t);
}
