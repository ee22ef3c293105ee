/** How runs end. */
import { temporal } from '@temporalio/proto';
import { closingObligations } from './children';
import { type AttributesOf, EventType } from './event-fields';
import { beginNextRun, planAfterFailure } from './next-run';
import { workflowCompleted } from './run-refusals';
import type { EventExtras, RunTransition } from './transition';
import type { Failure, HistoryEvent, Payloads } from './types';
import { abortUpdates } from './updates';
import { SERVER_IDENTITY, failStartedTask } from './workflow-task';

import Cause = temporal.api.enums.v1.WorkflowTaskFailedCause;
import RetryState = temporal.api.enums.v1.RetryState;
import TimeoutType = temporal.api.enums.v1.TimeoutType;

export type CloseEventType =
  | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
  | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
  | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED
  | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
  | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
  | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT;

/**
 * Writes the closing event and notes what the run owes to its parent and children. A new run named in `newExecutionRunId` is made by the
 * caller (next-run.ts).
 */
export function closeRun<T extends CloseEventType>(
  t: RunTransition,
  type: T,
  attributes: AttributesOf<T>,
  extras?: EventExtras,
): HistoryEvent {
  const { state } = t;
  const event = t.addEvent(type, attributes, extras);
  state.obligations.push(...closingObligations(state, state.newRunId));
  t.effect({ type: 'closed' });
  t.effect({ type: 'visibilityChanged' });
  abortUpdates(t);
  return event;
}

/** Ends a started workflow task by force, so that a run can be closed from outside; what waited for it is written first. */
function endTaskByForce(t: RunTransition): void {
  if (t.taskStarted) {
    failStartedTask(t, { cause: Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, identity: SERVER_IDENTITY });
  }
  t.flushBuffered();
}

/** Closes the run at once, whatever it is doing. NOT_FOUND when it is closed. */
export function terminate(
  t: RunTransition,
  input: {
    reason: string;
    details: Payloads | null;
    identity: string;
    links?: temporal.api.common.v1.ILink[];
  },
): void {
  if (t.closed) throw workflowCompleted();
  forgetSpeculativeTask(t);
  endTaskByForce(t);
  closeRun(
    t,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    {
      ...(input.reason ? { reason: input.reason } : {}),
      ...(input.details ? { details: input.details } : {}),
      ...(input.identity ? { identity: input.identity } : {}),
    },
    { links: input.links },
  );
}

/** A speculative task that nobody has started leaves no history when its run closes. */
function forgetSpeculativeTask({ state }: RunTransition): void {
  if (state.workflowTask?.kind === 'speculative' && state.workflowTask.startedEventId === 0) state.workflowTask = null;
}

/** The execution timeout passed: closed for good, never retried. */
export function timeOutExecution(t: RunTransition): void {
  timeOut(t, RetryState.RETRY_STATE_TIMEOUT, '');
}

/** The run timeout passed: the chain may go on by retry policy or cron. */
export function timeOutRun(t: RunTransition, startedEvent: () => HistoryEvent): void {
  const { state } = t;
  const { nowMs } = t.ctx;
  const failure: Failure = {
    message: 'workflow timeout',
    source: 'Server',
    timeoutFailureInfo: { timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE },
  };
  if (state.executionExpiresAtMs > 0 && state.executionExpiresAtMs <= nowMs) {
    return timeOut(t, RetryState.RETRY_STATE_TIMEOUT, '');
  }
  const { retryState, next } = planAfterFailure(t, failure, startedEvent, true);
  timeOut(t, retryState, next?.runId ?? '');
  if (next !== null) beginNextRun(t, next);
}

function timeOut(t: RunTransition, retryState: RetryState, newExecutionRunId: string): void {
  forgetSpeculativeTask(t);
  endTaskByForce(t);
  closeRun(t, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, {
    retryState,
    ...(newExecutionRunId ? { newExecutionRunId } : {}),
  });
}
