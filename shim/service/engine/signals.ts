/** Signals and cancel requests from outside. Repeated requests (same request id) are the caller's to find: signals of a run are remembered by the store. */
import type { temporal } from '@temporalio/proto';
import { invalidArgument } from '../errors';
import { EventType } from './event-fields';
import { refuseIfHistoryFull } from './history-limits';
import { workflowClosing, workflowCompleted } from './run-refusals';
import { messageSize, payloadsSize } from './size';
import type { RunTransition } from './transition';
import type { EngineContext, Header, Payloads } from './types';
import { requireBlobSize, tooLong } from './validate';
import { ensureWorkflowTask, scheduleWorkflowTask } from './workflow-task';

export interface SignalInput {
  signalName: string;
  input: Payloads | null;
  identity: string;
  header: Header | null;
  /** The workflow that sent it. */
  external?: temporal.api.common.v1.IWorkflowExecution;
  links?: temporal.api.common.v1.ILink[];
  requestId: string;
  /** Its sender has been told that it will arrive, and cannot come again: it is taken although the run is closing. */
  committed?: boolean;
}

/** INVALID_ARGUMENT for a signal without a name, or too big. */
export function validateSignal(input: SignalInput, ctx: EngineContext): void {
  const { limits } = ctx;
  if (input.signalName === '') throw invalidArgument('SignalName is not set on request.');
  if (tooLong(input.signalName, limits)) throw invalidArgument('SignalName length exceeds limit.');
  if (tooLong(input.requestId, limits)) throw invalidArgument('RequestId length exceeds limit.');
  requireBlobSize(payloadsSize(input.input), ctx, 'SignalWorkflowExecution');
  if (input.header) requireBlobSize(messageSize(input.header), ctx, 'SignalWorkflowExecution');
}

/** Attributes of WorkflowExecutionSignaled. */
export function signaledAttributes(
  input: SignalInput,
): temporal.api.history.v1.IWorkflowExecutionSignaledEventAttributes {
  return {
    signalName: input.signalName,
    ...(input.input ? { input: input.input } : {}),
    identity: input.identity,
    ...(input.header ? { header: input.header } : {}),
    ...(input.external ? { externalWorkflowExecution: input.external } : {}),
  };
}

/** Records a signal and sees to it that the workflow gets it; a run that still waits for its first task goes on waiting. */
export function signal(t: RunTransition, input: SignalInput): void {
  const { state } = t;
  const { limits } = t.ctx;
  if (t.closed) throw workflowCompleted();
  validateSignal(input, t.ctx);
  if (limits.signalsPerRun > 0 && state.signalCount >= limits.signalsPerRun) {
    throw invalidArgument('exceeded workflow execution limit for signal events');
  }
  if (input.committed !== true && state.closeAttempted && t.taskStarted) throw workflowClosing();
  refuseIfHistoryFull(t, t.taskStarted ? 0 : state.workflowTask === null ? 2 : 1);
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, signaledAttributes(input), { links: input.links });
  ensureWorkflowTask(t);
}

export interface CancelInput {
  identity: string;
  requestId: string;
  /** `cause` of the event. */
  reason: string;
  cause?: string;
  externalInitiatedEventId?: number;
  external?: temporal.api.common.v1.IWorkflowExecution;
}

/** Asks the workflow to cancel; false when that was asked before or the run is closed. Ends the wait for a delayed first task, as Temporal does. */
export function requestCancel(t: RunTransition, input: CancelInput): boolean {
  const { state } = t;
  if (t.closed || state.cancelRequested) return false;
  const cause = input.cause || input.reason;
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, {
    ...(cause ? { cause } : {}),
    identity: input.identity,
    ...(input.externalInitiatedEventId ? { externalInitiatedEventId: input.externalInitiatedEventId } : {}),
    ...(input.external ? { externalWorkflowExecution: input.external } : {}),
  });
  state.cancelRequestId = input.requestId;
  scheduleWorkflowTask(t);
  return true;
}
