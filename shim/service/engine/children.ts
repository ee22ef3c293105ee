/** Child workflows from their parent's side: how one is started, what the parent hears of it, and what happens to it when the parent closes. */
import { temporal } from '@temporalio/proto';
import { long } from '../../common/proto-values';
import { schedulerOf } from './schedules/start-request';
import { cronBackoffMs } from './cron';
import { EventType } from './event-fields';
import { mergeFields } from './payload-fields';
import { mergePriority } from './priority';
import { asRun } from './transition';
import type { ChildState, Header, HistoryEvent, Obligation, RunState, StartInput, Transition } from './types';
import { inheritedByChild } from './versioning/inheritance';
import { scheduleWorkflowTask } from './workflow-task';

const Initiator = temporal.api.enums.v1.ContinueAsNewInitiator;
const ParentClosePolicy = temporal.api.enums.v1.ParentClosePolicy;

/** Records the child's first run. A repeated or late call changes nothing. */
export function childStarted(t: Transition, initiatedEventId: number, runId: string, header: Header | null): void {
  const child = t.state.children[initiatedEventId];
  if (asRun(t).closed || child === undefined || child.startedEventId !== 0) return;
  writeStarted(t, child, runId, header);
  scheduleWorkflowTask(asRun(t));
}

function writeStarted(t: Transition, child: ChildState, runId: string, header: Header | null): void {
  asRun(t).addEvent(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, {
    namespace: child.namespace,
    initiatedEventId: long(child.initiatedEventId),
    workflowExecution: { workflowId: child.workflowId, runId },
    workflowType: { name: child.workflowType },
    ...(header ? { header } : {}),
  });
}

/** The child could not be started; it is not pending any more. */
export function childStartFailed(
  t: Transition,
  initiatedEventId: number,
  cause: temporal.api.enums.v1.StartChildWorkflowExecutionFailedCause,
): void {
  const child = t.state.children[initiatedEventId];
  if (asRun(t).closed || child === undefined || child.startedEventId !== 0) return;
  asRun(t).addEvent(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, {
    namespace: child.namespace,
    workflowId: child.workflowId,
    workflowType: { name: child.workflowType },
    cause,
    initiatedEventId: long(initiatedEventId),
  });
  scheduleWorkflowTask(asRun(t));
}

/**
 * Records how the child's chain of runs ended, from the close event of its last run. False when the child is not pending (any more): then
 * it was recorded before, or belongs to no command of this run.
 */
export function childClosed(
  t: Transition,
  initiatedEventId: number,
  closed: { workflowId: string; runId: string; workflowType: string },
  closeEvent: HistoryEvent,
): boolean {
  const run = asRun(t);
  const child = t.state.children[initiatedEventId];
  if (run.closed || child === undefined || child.workflowId !== closed.workflowId) return false;
  // The end can overtake the news of the start.
  if (child.startedEventId === 0) writeStarted(t, child, closed.runId, null);
  const about = {
    namespace: child.namespace,
    workflowExecution: { workflowId: closed.workflowId, runId: closed.runId },
    workflowType: { name: child.workflowType },
    initiatedEventId: long(initiatedEventId),
    startedEventId: long(child.startedEventId),
  };
  switch (closeEvent.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const result = closeEvent.workflowExecutionCompletedEventAttributes?.result;
      run.addEvent(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, {
        ...(result ? { result } : {}),
        ...about,
      });
      break;
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const { failure, retryState } = closeEvent.workflowExecutionFailedEventAttributes ?? {};
      run.addEvent(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, {
        ...(failure ? { failure } : {}),
        ...about,
        retryState,
      });
      break;
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
      const details = closeEvent.workflowExecutionCanceledEventAttributes?.details;
      run.addEvent(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, {
        ...(details ? { details } : {}),
        ...about,
      });
      break;
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
      const retryState = closeEvent.workflowExecutionTimedOutEventAttributes?.retryState;
      run.addEvent(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, { ...about, retryState });
      break;
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      run.addEvent(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, about);
      break;
    default:
      // Continued as new: the chain goes on, its last run will tell.
      return false;
  }
  scheduleWorkflowTask(run);
  return true;
}

/** The child's first run as its Initiated event asks for it. The request id is the child's own, so that a repeated start finds its run. */
export function childStartInput(t: Transition, initiatedEvent: HistoryEvent, newRunId: string): StartInput {
  const { state, ctx } = t;
  const initiated = initiatedEvent.startChildWorkflowExecutionInitiatedEventAttributes!;
  const initiatedEventId = Number(initiatedEvent.eventId);
  const namespace = initiated.namespace || state.namespace;
  const workflowId = initiated.workflowId ?? '';
  const cronSchedule = initiated.cronSchedule ?? '';
  const priority = mergePriority(state.priority, initiated.priority);
  const memo = mergeFields({}, initiated.memo?.fields);
  const searchAttributes = mergeFields({}, initiated.searchAttributes?.indexedFields);
  return {
    namespace,
    workflowId,
    runId: newRunId,
    requestId: state.children[initiatedEventId]?.requestId ?? `${state.runId}:${initiatedEventId}`,
    attributes: {
      workflowType: initiated.workflowType,
      taskQueue: { name: initiated.taskQueue?.name, kind: 1 },
      ...(initiated.input ? { input: initiated.input } : {}),
      ...(initiated.workflowExecutionTimeout ? { workflowExecutionTimeout: initiated.workflowExecutionTimeout } : {}),
      workflowRunTimeout: initiated.workflowRunTimeout,
      workflowTaskTimeout: initiated.workflowTaskTimeout,
      originalExecutionRunId: newRunId,
      firstExecutionRunId: newRunId,
      ...(initiated.retryPolicy ? { retryPolicy: initiated.retryPolicy } : {}),
      attempt: 1,
      ...(cronSchedule === '' ? {} : { cronSchedule, initiator: Initiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE }),
      ...(initiated.memo ? { memo: { fields: memo } } : {}),
      ...(initiated.searchAttributes ? { searchAttributes: { indexedFields: searchAttributes } } : {}),
      ...(initiated.header ? { header: initiated.header } : {}),
      workflowId,
      ...(priority ? { priority } : {}),
      ...(namespace === state.namespace ? inheritedByChild(state, ctx, initiated.taskQueue?.name ?? '') : {}),
    },
    parent: { namespace: state.namespace, workflowId: state.workflowId, runId: state.runId, initiatedEventId },
    root: state.root,
    firstTaskBackoffMs: cronBackoffMs(cronSchedule, ctx.nowMs, ctx.nowMs) ?? 0,
    signal: null,
    userMetadata: initiatedEvent.userMetadata ?? null,
    links: [],
  };
}

/**
 * What a run that closes now owes: the news to its parent and its schedule, unless the chain goes on in `newRunId`; its parent-close policy to each pending
 * child; the starts of abandoned children and the signals that were not carried out yet. A child whose start is not known is addressed by
 * id alone: it may have been started all the same.
 */
export function closingObligations(state: RunState, newRunId: string): Obligation[] {
  const obligations: Obligation[] = [];
  if (newRunId === '') {
    if (state.parent !== null) obligations.push({ kind: 'notifyParent' });
    const scheduleId = schedulerOf(state.searchAttributes);
    if (scheduleId !== null) obligations.push({ kind: 'notifySchedule', scheduleId });
  }
  for (const key in state.children) {
    const { initiatedEventId, startedEventId, namespace, workflowId, runId, parentClosePolicy } = state.children[key]!;
    if (parentClosePolicy !== ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) {
      const child = { namespace, workflowId, runId };
      obligations.push({ kind: 'parentClose', initiatedEventId, child, policy: parentClosePolicy });
    } else if (startedEventId === 0) {
      obligations.push({ kind: 'startChild', initiatedEventId });
    }
  }
  for (const key in state.externals) {
    const { kind, initiatedEventId } = state.externals[key]!;
    // A cancel request dies with its sender, a signal does not.
    if (kind === 'signal') obligations.push({ kind: 'signalExternal', initiatedEventId });
  }
  return obligations;
}

/** Strikes out an obligation that was met. Indexes of the others stay valid only until the next call. */
export function obligationDone(t: Transition, index: number): void {
  t.state.obligations.splice(index, 1);
}
