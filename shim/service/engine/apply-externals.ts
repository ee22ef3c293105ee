/** Signals and cancel requests to other workflows, folded into `RunState.externals` from their Initiated event until the answer. */
import { int64 } from '../../common/proto-values';
import type { Applier, Appliers } from './apply';
import { EventType } from './event-fields';
import type { ExternalRequestState, HistoryEvent } from './types';

const begins =
  (kind: ExternalRequestState['kind']): Applier =>
  (state, event) => {
    const initiatedEventId = int64(event.eventId);
    // Made of what never changes, so that a request repeated after a crash is known to be the same.
    state.externals[initiatedEventId] = { kind, initiatedEventId, requestId: `${state.runId}:${initiatedEventId}` };
  };

const ends =
  (attributesOf: (event: HistoryEvent) => { initiatedEventId?: unknown } | null | undefined): Applier =>
  (state, event) =>
    void delete state.externals[int64(attributesOf(event)!.initiatedEventId as number)];

export const externalAppliers: Appliers = {
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]: begins('signal'),
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]: begins('cancel'),
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED]: ends(
    (event) => event.externalWorkflowExecutionSignaledEventAttributes,
  ),
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]: ends(
    (event) => event.signalExternalWorkflowExecutionFailedEventAttributes,
  ),
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED]: ends(
    (event) => event.externalWorkflowExecutionCancelRequestedEventAttributes,
  ),
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]: ends(
    (event) => event.requestCancelExternalWorkflowExecutionFailedEventAttributes,
  ),
};
