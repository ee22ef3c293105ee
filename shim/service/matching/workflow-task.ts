/** A started workflow task as a worker gets it: PollWorkflowTaskQueueResponse. */
import type { temporal } from '@temporalio/proto';
import { fromMs } from '../../common/proto-values';
import type { Engine } from '../engine/api';
import type { HistoryEvent, ProtocolMessage, Transition } from '../engine/types';
import type { RunHandle } from '../runs/run-handle';
import { encodeToken } from './task-token';

export type WorkflowTaskResponse = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type Queries = Record<string, temporal.api.query.v1.IWorkflowQuery>;

/** What of the state the response needs, as it was when the task started. */
export interface StartedWorkflowTask {
  response: WorkflowTaskResponse;
  fromEventId: number;
  toEventId: number;
  /** Events that are not in history yet. */
  virtual: HistoryEvent[];
}

/** Starts the pending task within a transition. Throws NOT_FOUND when it is not there (any more). */
export function startWorkflowTask(
  engine: Engine,
  t: Transition,
  namespaceId: number,
  task: Parameters<Engine['startWorkflowTask']>[1] & { sticky: boolean },
): StartedWorkflowTask {
  engine.startWorkflowTask(t, task);
  const messages: ProtocolMessage[] = engine.deliverUpdates(t);
  const { state } = t;
  const started = state.workflowTask!;
  const previous = state.lastCompletedTaskStartedEventId;
  const response = {
    taskToken: encodeToken({
      kind: 'workflow',
      namespaceId,
      runId: state.runId,
      scheduledEventId: started.scheduledEventId,
      startedEventId: started.startedEventId,
      attempt: started.attempt,
      requestId: task.requestId,
    }),
    workflowExecution: { workflowId: state.workflowId, runId: state.runId },
    workflowType: { name: state.workflowType },
    previousStartedEventId: previous,
    startedEventId: started.startedEventId,
    attempt: started.attempt,
    backlogCountHint: 0,
    nextPageToken: new Uint8Array(0),
    workflowExecutionTaskQueue: { name: state.taskQueue, kind: 1 },
    scheduledTime: fromMs(started.scheduledAtMs),
    startedTime: fromMs(started.startedAtMs),
    messages,
    queries: {} as Queries,
  };
  return {
    response: response as unknown as WorkflowTaskResponse,
    fromEventId: task.sticky ? previous + 1 : 1,
    toEventId: state.nextEventId - 1,
    virtual: engine.virtualTaskEvents(state),
  };
}

/** Adds the history. Synchronous when memory has it, so that nothing comes in between. */
export function withHistory(
  run: RunHandle,
  task: StartedWorkflowTask,
): WorkflowTaskResponse | Promise<WorkflowTaskResponse> {
  const { response, fromEventId, toEventId, virtual } = task;
  const finish = (events: HistoryEvent[]): WorkflowTaskResponse => {
    response.history = { events: virtual.length === 0 ? events : events.concat(virtual) };
    return response;
  };
  const cached = run.cachedEvents(fromEventId, toEventId);
  return cached !== null ? finish(cached) : run.eventsBetween(fromEventId, toEventId).then(finish);
}
