/** Child workflow events folded into `RunState.children`. A child is there from its Initiated event until its end, or its refused start. */
import { int64 } from '../../common/proto-values';
import { temporal } from '@temporalio/proto';
import type { Applier, Appliers } from './apply';
import { EventType } from './event-fields';
import type { HistoryEvent, RunState } from './types';

const ParentClosePolicy = temporal.api.enums.v1.ParentClosePolicy;

function initiated(state: RunState, event: HistoryEvent): void {
  const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes!;
  const initiatedEventId = int64(event.eventId);
  state.children[initiatedEventId] = {
    initiatedEventId,
    startedEventId: 0,
    namespace: attributes.namespace || state.namespace,
    workflowId: attributes.workflowId ?? '',
    runId: '',
    workflowType: attributes.workflowType?.name ?? '',
    parentClosePolicy: attributes.parentClosePolicy || ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
    // Made of what never changes, so that a start repeated after a crash is known to be the same.
    requestId: `${state.runId}:${initiatedEventId}`,
  };
}

function started(state: RunState, event: HistoryEvent): void {
  const attributes = event.childWorkflowExecutionStartedEventAttributes!;
  const child = state.children[int64(attributes.initiatedEventId)];
  if (child === undefined) return;
  child.startedEventId = int64(event.eventId);
  child.runId = attributes.workflowExecution?.runId ?? '';
}

const ends =
  (attributesOf: (event: HistoryEvent) => { initiatedEventId?: unknown } | null | undefined): Applier =>
  (state, event) =>
    void delete state.children[int64(attributesOf(event)!.initiatedEventId as number)];

export const childAppliers: Appliers = {
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED]: initiated,
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED]: started,
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED]: ends(
    (event) => event.startChildWorkflowExecutionFailedEventAttributes,
  ),
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED]: ends(
    (event) => event.childWorkflowExecutionCompletedEventAttributes,
  ),
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED]: ends(
    (event) => event.childWorkflowExecutionFailedEventAttributes,
  ),
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED]: ends(
    (event) => event.childWorkflowExecutionCanceledEventAttributes,
  ),
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: ends(
    (event) => event.childWorkflowExecutionTimedOutEventAttributes,
  ),
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED]: ends(
    (event) => event.childWorkflowExecutionTerminatedEventAttributes,
  ),
};
