/** COMPLETE, FAIL and CANCEL_WORKFLOW_EXECUTION. */
import { long } from '../../../common/proto-values';
import { closeRun } from '../close';
import { EventType } from '../event-fields';
import { beginNextRun, planAfterCompletion, planAfterFailure } from '../next-run';
import { messageSize, payloadsSize } from '../size';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import { checkBlobSize, extrasOf } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

/** A run may not close on something that the workflow has not seen. */
export function refuseIfUnhandled(c: CommandContext): void {
  if (c.unhandled) throw new CommandError(TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, '');
}

/** With a cron schedule the chain goes on, and the next run is given the result. */
export function completeWorkflow(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  refuseIfUnhandled(c);
  const attributes = command.completeWorkflowExecutionCommandAttributes;
  if (!attributes) {
    throw new CommandError(
      TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
      'CompleteWorkflowExecutionCommandAttributes is not set on CompleteWorkflowExecutionCommand.',
    );
  }
  const { result } = attributes;
  checkBlobSize(
    // The cause that Temporal's server gives.
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
    payloadsSize(result),
    t.ctx,
    'CompleteWorkflowExecutionCommandAttributes.Result',
  );
  const next = planAfterCompletion(t, result, c.startedEvent);
  const event = closeRun(
    t,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    {
      ...(result ? { result } : {}),
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(next ? { newExecutionRunId: next.runId } : {}),
    },
    extrasOf(command),
  );
  if (next !== null) beginNextRun(t, next);
  return event;
}

/** The retry policy goes before the cron schedule. A retry is given no last result, a cron run the one this run was given. */
export function failWorkflow(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  refuseIfUnhandled(c);
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const attributes = command.failWorkflowExecutionCommandAttributes;
  if (!attributes) {
    throw new CommandError(cause, 'FailWorkflowExecutionCommandAttributes is not set on FailWorkflowExecutionCommand.');
  }
  const { failure } = attributes;
  if (!failure) throw new CommandError(cause, 'Failure is not set on FailWorkflowExecutionCommand.');
  checkBlobSize(cause, messageSize(failure), t.ctx, 'FailWorkflowExecutionCommandAttributes.Failure');
  const { retryState, next } = planAfterFailure(t, failure, c.startedEvent);
  const event = closeRun(
    t,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    {
      failure,
      retryState,
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(next ? { newExecutionRunId: next.runId } : {}),
    },
    extrasOf(command),
  );
  if (next !== null) beginNextRun(t, next);
  return event;
}

/** Ends a cron chain too. */
export function cancelWorkflow(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  refuseIfUnhandled(c);
  const attributes = command.cancelWorkflowExecutionCommandAttributes;
  if (!attributes) {
    throw new CommandError(
      TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
      'CancelWorkflowExecutionCommandAttributes is not set on CancelWorkflowExecutionCommand.',
    );
  }
  return closeRun(
    t,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    {
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(attributes.details ? { details: attributes.details } : {}),
    },
    extrasOf(command),
  );
}
