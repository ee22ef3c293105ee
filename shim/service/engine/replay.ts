/** A run's state from its history alone: for resets and checks. */
import { int64 } from '../../common/proto-values';
import { applyEvent } from './apply';
import { messageSize } from './size';
import { emptyState } from './state';
import type { HistoryEvent, RunState } from './types';

/**
 * Folds a history from its first event. What leaves no events is at its beginning: sticky queue, running activity attempts, transient and
 * speculative tasks, admitted updates, obligations. The run id, when it is not given, is the original one, which differs after a reset.
 */
export function replay(events: HistoryEvent[], namespace: string, runId = ''): RunState {
  const state = emptyState(namespace);
  state.runId = runId;
  for (const event of events) {
    applyEvent(state, event);
    state.nextEventId = int64(event.eventId) + 1;
    state.historySizeBytes += messageSize(event);
  }
  return state;
}
