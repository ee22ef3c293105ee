/** Appliers of updates. Admission and rejection leave no events: updates.ts keeps those stages itself. */
import { int64, ms } from '../../common/proto-values';
import type { Appliers } from './apply';
import { EventType } from './event-fields';
import type { RunState, UpdateState } from './types';

function updateOf(state: RunState, updateId: string): UpdateState {
  return (state.updates[updateId] ??= {
    updateId,
    stage: 'admitted',
    request: null,
    sequence: ++state.updateSequence,
    acceptedEventId: 0,
    completedEventId: 0,
    failure: null,
    decidedAtMs: 0,
  });
}

export const updateAppliers: Appliers = {
  // Only written by a reset: the worker finds the request in the history, so that no message and no Accepted event need carry it.
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED]: (state, event) => {
    const updateId = event.workflowExecutionUpdateAdmittedEventAttributes?.request?.meta?.updateId;
    if (updateId) updateOf(state, updateId);
  },
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED]: (state, event) => {
    const updateId = event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId;
    if (!updateId) return;
    const update = updateOf(state, updateId);
    update.stage = 'accepted';
    update.request = null;
    update.acceptedEventId = int64(event.eventId);
    update.decidedAtMs = ms(event.eventTime);
  },
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED]: (state, event) => {
    const updateId = event.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId;
    if (!updateId) return;
    const update = updateOf(state, updateId);
    update.stage = 'completed';
    update.completedEventId = int64(event.eventId);
    update.decidedAtMs = ms(event.eventTime);
  },
};
