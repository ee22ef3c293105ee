/**
 * Lives a recorded history again: hands its workflow tasks to a run as the service did, lets the run complete them, and
 * compares each completion with what the Temporal worker did then.
 */
import { temporal } from '@temporalio/proto';
import { int64, long, optionalMs } from '../../shim/common/proto-values';
import { createCoreRun } from '../../shim/core';
import type {
  CoreAction,
  HistoryEvent,
  LocalActivityOutcome,
  RespondWorkflowTaskCompleted,
  WorkflowTask,
} from '../../shim/core';
import { EventType, isCommandEvent } from '../../shim/core/events';
import { localActivityMarkerOf } from '../../shim/core/markers';
import type { LocalActivityMarker } from '../../shim/core/markers';
import { options, perform } from './drive';
import type { Answer, Driven } from './drive';
import type { OfficialBundle } from './official-isolate';

/** A completed workflow task of a history. */
interface PastTask {
  task: WorkflowTask;
  /** Index of its WorkflowTaskStarted. */
  startedAt: number;
  completed: HistoryEvent;
  /** Events of its commands. */
  commandEvents: HistoryEvent[];
}

export interface ReenactedTask {
  past: PastTask;
  request: RespondWorkflowTaskCompleted;
}

/** @param sticky keep the run between tasks and hand it only new events; else each task goes to a new run. */
export async function reenact(
  bundle: OfficialBundle,
  workflowId: string,
  events: HistoryEvent[],
  sticky: boolean,
): Promise<ReenactedTask[]> {
  const taskQueue = events[0]?.workflowExecutionStartedEventAttributes?.taskQueue?.name ?? 'test';
  const runOptions = { ...options, taskQueue, stickyAttributes: sticky ? {} : undefined };
  const tasks = pastTasks(events, workflowId, sticky);
  const done: ReenactedTask[] = [];
  let driven: Driven | undefined;
  /** Local activities under way; they outlive the tasks that heartbeats end. */
  let running = new Set<number>();
  for (const past of tasks) {
    driven ??= {
      run: createCoreRun(past.task, runOptions),
      isolate: bundle.isolate(taskQueue),
      activations: [],
    };
    const request = await liveTask(driven, running, past, events);
    done.push({ past, request });
    const last = past === tasks[tasks.length - 1];
    const after = await perform(driven, driven.run.taskAnswered({}), events);
    const ended = after.some((answer) => answer.type === 'evicted');
    if (last && closes(events) !== ended)
      throw new Error(`The run is ${ended ? '' : 'not '}evicted after its last task`);
    if (!sticky || ended) {
      await driven.isolate.dispose();
      driven = undefined;
      running = new Set();
    }
  }
  await driven?.isolate.dispose();
  return done;
}

/** Whether the workflow's own last command ended it. */
function closes(events: HistoryEvent[]): boolean {
  const last = events[events.length - 1]?.eventType;
  return (
    last === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED ||
    last === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED ||
    last === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED ||
    last === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
  );
}

async function liveTask(
  driven: Driven,
  running: Set<number>,
  past: PastTask,
  events: HistoryEvent[],
): Promise<RespondWorkflowTaskCompleted> {
  const markers = past.commandEvents.map(localActivityMarkerOf).filter((marker) => marker !== undefined);
  const track = (answers: Answer[]): RespondWorkflowTaskCompleted | undefined => {
    let request: RespondWorkflowTaskCompleted | undefined;
    for (const answer of answers) {
      if (answer.type === 'startLocalActivity') running.add(answer.activity.seq);
      else if (answer.type === 'completeTask') request = answer.request;
      else if (answer.type !== 'scheduleHeartbeat' && answer.type !== 'cancelLocalActivity') {
        throw new Error(`Unexpected ${JSON.stringify(answer)}`);
      }
    }
    return request;
  };
  const act = async (actions: CoreAction[]): Promise<RespondWorkflowTaskCompleted | undefined> =>
    track(await perform(driven, actions, events));
  let request = await act(driven.run.handleTask(past.task));
  while (request === undefined) {
    const marker = markers.find(({ seq }) => running.has(seq));
    if (marker !== undefined) running.delete(marker.seq);
    request = await act(
      marker === undefined ? driven.run.heartbeatDue() : driven.run.localActivityResolved(outcomeOf(marker)),
    );
    if (request === undefined && marker === undefined) throw new Error('The task is never completed');
  }
  return request;
}

function outcomeOf(marker: LocalActivityMarker): LocalActivityOutcome {
  const { seq, attempt, result, failure, backoff } = marker;
  const time = (value: LocalActivityMarker['completeTime']): number =>
    optionalMs(value as { seconds: never; nanos: number } | undefined) ?? 0;
  return {
    seq,
    attempt,
    resolution: {
      ...(failure?.canceledFailureInfo ? { cancelled: { failure } } : {}),
      ...(failure && !failure.canceledFailureInfo ? { failed: { failure } } : {}),
      ...(failure ? {} : { completed: { result } }),
      ...(backoff ? { backoff: { backoffDuration: backoff as { seconds: never; nanos: number } } } : {}),
    },
    completeTimeMs: time(marker.completeTime),
    originalScheduleTimeMs: time(marker.originalScheduleTime),
  };
}

function pastTasks(events: HistoryEvent[], workflowId: string, sticky: boolean): PastTask[] {
  const start = events[0]?.workflowExecutionStartedEventAttributes;
  const tasks: PastTask[] = [];
  let previous = 0;
  for (const [i, event] of events.entries()) {
    const next = events[i + 1];
    if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
    if (next?.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) continue;
    const commandEvents: HistoryEvent[] = [];
    for (let j = i + 2; j < events.length && isCommandEvent(events[j] as HistoryEvent); j++) {
      commandEvents.push(events[j] as HistoryEvent);
    }
    tasks.push({
      task: {
        taskToken: new Uint8Array([i]),
        workflowExecution: { workflowId, runId: start?.originalExecutionRunId },
        workflowType: start?.workflowType,
        history: { events: events.slice(sticky ? previous : 0, i + 1) },
        attempt: 1,
        previousStartedEventId: long(previous),
        startedEventId: long(int64(event.eventId)),
        messages: commandEvents.flatMap(updateRequest),
      },
      startedAt: i,
      completed: next,
      commandEvents,
    });
    previous = i + 1;
  }
  return tasks;
}

/** The message that asked for an update accepted in this event. */
function updateRequest(event: HistoryEvent): temporal.api.protocol.v1.IMessage[] {
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
  // Updates admitted by a reset are in the history, not in messages.
  if (!accepted?.acceptedRequest) return [];
  return [
    {
      id: accepted.acceptedRequestMessageId,
      protocolInstanceId: accepted.protocolInstanceId,
      eventId: accepted.acceptedRequestSequencingEventId,
      body: {
        type_url: 'type.googleapis.com/temporal.api.update.v1.Request',
        value: temporal.api.update.v1.Request.encode(accepted.acceptedRequest).finish(),
      },
    },
  ];
}
