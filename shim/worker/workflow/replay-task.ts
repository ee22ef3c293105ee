/** A recorded history as the one workflow task that replays it. */
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import { int64, long } from '../../common/proto-values';
import type { HistoryEvent, WorkflowTask } from '../../core';

type History = temporal.api.history.v1.IHistory;
const { EventType } = temporal.api.enums.v1;

/** @throws TypeError when it is no history */
export function validateHistory(history: unknown): History {
  if (typeof history !== 'object' || history === null) {
    throw new TypeError(`Expected a non-null history object, got ${typeof history}`);
  }
  const { events } = history as { events?: { eventId?: unknown }[] };
  if (!Array.isArray(events) || events.length === 0) throw new TypeError('History is empty');
  // JSON writes int64 as strings.
  return typeof events[0]?.eventId === 'string' ? historyFromJSON(history) : (history as History);
}

const interrupted: ReadonlySet<unknown> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
]);

/** The last workflow task that the history began, and the one that counts as replayed before it. */
function startedIds(events: readonly HistoryEvent[]): { previous: number; started: number } {
  let started = 0;
  for (const [index, event] of events.entries()) {
    if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
    const next = events[index + 1];
    if (next === undefined) return { previous: started, started: int64(event.eventId) };
    if (next.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) started = int64(event.eventId);
    else if (!interrupted.has(next.eventType)) {
      throw new TypeError(
        `Invalid history! Event ${int64(next.eventId)} should be WFT completed, failed, or timed out - or WE terminated.`,
      );
    }
  }
  // The history is complete: all of it is replay.
  return { previous: started, started };
}

export function replayTask(history: History, workflowId: string): WorkflowTask {
  const events = history.events ?? [];
  const attributes = events[0]?.workflowExecutionStartedEventAttributes;
  if (attributes == null) throw new TypeError('First event in history was not workflow execution started!');
  const { previous, started } = startedIds(events);
  return {
    taskToken: new TextEncoder().encode(`replay:${workflowId}`),
    workflowExecution: { workflowId, runId: attributes.originalExecutionRunId ?? '' },
    workflowType: attributes.workflowType,
    history: { events },
    previousStartedEventId: long(previous),
    startedEventId: long(started),
    attempt: 1,
  };
}
