/** The last event of a closed run, and how it is shown to those who only ask for it. */
import { temporal } from '@temporalio/proto';
import type { HistoryEvent } from './engine/types';

const EventType = temporal.api.enums.v1.EventType;
const START_TO_CLOSE = temporal.api.enums.v1.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE;

/** "To the end" where ids of events are asked for (Postgres's integer). */
export const MAX_EVENT_ID = 2 ** 31 - 1;

const CLOSE_TYPES: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export const isCloseEvent = (event: HistoryEvent | undefined): event is HistoryEvent =>
  event !== undefined && CLOSE_TYPES.has(event.eventType as number);

/**
 * Callers that do not say `supported-features: follows-next-run-id` (the TypeScript client does not) see a Completed, Failed or TimedOut event
 * that has a successor (retry, cron) as ContinuedAsNew, as Temporal's server shows it to them.
 */
export function withoutNextRunId(event: HistoryEvent, metadata: Record<string, string>): HistoryEvent {
  if ((metadata['supported-features'] ?? '').split(',').includes('follows-next-run-id')) return event;
  const attributes = continuedAttributes(event);
  if (attributes === undefined) return event;
  const { eventId, eventTime, version, taskId } = event;
  return {
    eventId,
    eventTime,
    version,
    taskId,
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    workflowExecutionContinuedAsNewEventAttributes: attributes,
  };
}

function continuedAttributes(
  event: HistoryEvent,
): temporal.api.history.v1.IWorkflowExecutionContinuedAsNewEventAttributes | undefined {
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed?.newExecutionRunId) {
    return { newExecutionRunId: completed.newExecutionRunId, lastCompletionResult: completed.result };
  }
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed?.newExecutionRunId) return { newExecutionRunId: failed.newExecutionRunId, failure: failed.failure };
  const timedOut = event.workflowExecutionTimedOutEventAttributes;
  if (timedOut?.newExecutionRunId) {
    return {
      newExecutionRunId: timedOut.newExecutionRunId,
      failure: {
        message: 'workflow timeout',
        source: 'Server',
        timeoutFailureInfo: { timeoutType: START_TO_CLOSE },
      },
    };
  }
  return undefined;
}
