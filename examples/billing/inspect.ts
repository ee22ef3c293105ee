import { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

type History = temporal.api.history.v1.IHistory;

let quiet = false;

/** The official worker's replayer (Temporal's own Rust core) on a history that Postgres wrote. */
export async function replayVerdict(workflowsPath: string, history: History, workflowId: string): Promise<string> {
  if (!quiet) Runtime.install({ logger: new DefaultLogger('ERROR') });
  quiet = true;
  try {
    await Worker.runReplayHistory({ workflowsPath }, history, workflowId);
    return 'accepted';
  } catch (err) {
    return `REFUSED: ${(err as Error).message}`;
  }
}

/** One line per event: id, type, and the names that tell what it is about. */
export function describeHistory(history: History): string[] {
  return history.events!.map((event) => {
    const about =
      event.workflowExecutionStartedEventAttributes?.workflowType?.name ??
      event.activityTaskScheduledEventAttributes?.activityType?.name ??
      event.workflowExecutionSignaledEventAttributes?.signalName ??
      event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name ??
      event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ??
      (event.activityTaskStartedEventAttributes && event.activityTaskStartedEventAttributes.attempt! > 1
        ? `attempt ${event.activityTaskStartedEventAttributes.attempt}`
        : undefined) ??
      event.workflowTaskTimedOutEventAttributes?.timeoutType ??
      '';
    return `${String(event.eventId).padStart(3)} ${typeName(event.eventType!)} ${about}`.trimEnd();
  });
}

function typeName(type: temporal.api.enums.v1.EventType): string {
  return temporal.api.enums.v1.EventType[type]!.replace(/^EVENT_TYPE_/, '').toLowerCase();
}
