/** The workers' side of workflow tasks: PollWorkflowTaskQueue, RespondWorkflowTask…, RespondQueryTaskCompleted, sticky queues, shutdown. */
import type { temporal } from '@temporalio/proto';
import type { Request, WorkflowTaskToken } from './engine/api';
import type { HistoryEvent, Transition } from './engine/types';
import { notFound } from './errors';
import type { ActivityTaskResponse } from './matching/activity-task';
import type { TaskMatching } from './matching/matching';
import { decodeToken } from './matching/task-token';
import {
  type StartedWorkflowTask,
  type WorkflowTaskResponse,
  startWorkflowTask,
  withHistory,
} from './matching/workflow-task';
import type { Change } from './runs/change';
import type { RunHandle } from './runs/run-handle';
import type { RunRegistry } from './runs/registry';
import { type CurrentRuns, isWorkflowCompleted, targetOf } from './target';
import type { CallContext, Rpc, ServiceParts } from './types';
import { unlessAborted } from './unless-aborted';
import type { Workers } from './workers/registry';
import { pollerVersion } from './versioned-polls';

type Wf = typeof temporal.api.workflowservice.v1;
type Requests = {
  [K in keyof Wf]: Wf[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never;
};

/** What these families need of the service beyond its contract. */
export interface WorkerParts extends ServiceParts {
  runs: RunRegistry;
  matching: TaskMatching;
}

export function workflowTaskRpcs(parts: WorkerParts, current: CurrentRuns, workers: Workers) {
  const { engine, runs, matching } = parts;

  const pollWorkflowTaskQueue = (
    request: Requests['PollWorkflowTaskQueueRequest'],
    ctx: CallContext,
  ): Promise<WorkflowTaskResponse> => matching.pollWorkflowTask(request, ctx);

  const respondWorkflowTaskCompleted: Rpc<
    Requests['RespondWorkflowTaskCompletedRequest'],
    temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse
  > = async (request) => {
    const token = decodeToken('workflow', request.taskToken);
    const identity = request.identity ?? '';
    const version = pollerVersion(request);
    // The next run of a chain (retry, cron) is made like this one.
    const state = runs.loaded(token.runId)?.state;
    const chains = state === undefined || state.retryPolicy !== null || state.cronSchedule !== '';
    const complete = (t: Transition, change: Change, startedEvent: HistoryEvent | undefined) => {
      const completed = engine.completeWorkflowTask(
        t,
        fence(token),
        request as Request<'RespondWorkflowTaskCompletedRequest'>,
        startedEvent === undefined ? undefined : () => startedEvent,
      );
      change.answersTask();
      const eager: ActivityTaskResponse[] = [];
      for (const effect of t.effects) {
        if (effect.type !== 'activityScheduled' || !effect.eager) continue;
        const task = matching.dispatcher.startEagerActivity(t, change, effect.scheduledEventId, { identity, version });
        if (task !== null) eager.push(task);
      }
      let inline: { run: RunHandle; task: StartedWorkflowTask } | null = null;
      const next = t.state.workflowTask;
      if (completed.returnNewTask && next !== null && next.startedEventId === 0) {
        const { scheduledEventId, attempt } = next;
        const started = startWorkflowTask(engine, t, change.namespaceId, {
          scheduledEventId,
          attempt,
          // The server's own name for it.
          requestId: 'request-from-RespondWorkflowTaskCompleted',
          identity,
          // Whoever completed the task before has the history up to it.
          sticky: true,
        });
        inline = { run: change.run, task: started };
        change.keepsWork();
        const { requestId } = next;
        change.afterMerge(() => matching.queries.attach(token.runId, requestId, started.response));
      }
      change.afterCommit(() => matching.queries.answered(token.runId, completed.queryResults));
      return { completed, eager, inline };
    };
    const options = chains ? { needsStartedEvent: true } : undefined;
    const { completed, eager, inline } = await runs.change(token.runId, complete, options).catch(asTaskNotFound);
    if (completed.error !== null) throw completed.error;
    return {
      workflowTask: inline && (await withHistory(inline.run, inline.task)),
      activityTasks: eager,
      resetHistoryEventId: completed.resetHistoryEventId,
    } as unknown as temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse;
  };

  const respondWorkflowTaskFailed: Rpc<Requests['RespondWorkflowTaskFailedRequest'], object> = async (request) => {
    const token = decodeToken('workflow', request.taskToken);
    await runs.change(token.runId, (t, change) => {
      engine.failWorkflowTask(t, fence(token), request as Request<'RespondWorkflowTaskFailedRequest'>);
      change.answersTask();
    });
    return {};
  };

  const respondQueryTaskCompleted: Rpc<Requests['RespondQueryTaskCompletedRequest'], object> = async (request) => {
    const { queryId } = decodeToken('query', request.taskToken);
    if (!matching.queries.respond(queryId, request)) throw notFound('query task not found, or already expired');
    return {};
  };

  const resetStickyTaskQueue: Rpc<Requests['ResetStickyTaskQueueRequest'], object> = async (request) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    await current.mutate(target, '', (t) => {
      t.state.sticky = null;
    });
    return {};
  };

  /** The worker tells that it goes: its polls end with nothing, and its sticky runs need not wait for it. */
  const shutdownWorker: Rpc<Requests['ShutdownWorkerRequest'], object> = async (request, ctx) => {
    const namespace = await unlessAborted(parts.namespace(request.namespace), ctx.signal);
    if (namespace === undefined) return {};
    if (request.workerHeartbeat) workers.record(namespace.id, request.workerHeartbeat);
    matching.workerLeft(namespace.id, request.stickyTaskQueue ?? '', request.workerInstanceKey ?? '');
    return {};
  };

  return {
    pollWorkflowTaskQueue,
    respondWorkflowTaskCompleted,
    respondWorkflowTaskFailed,
    respondQueryTaskCompleted,
    resetStickyTaskQueue,
    shutdownWorker,
  };
}

/** A closed run has no task, whatever it had. */
function asTaskNotFound(error: unknown): never {
  throw isWorkflowCompleted(error) ? notFound('Workflow task not found.') : error;
}

function fence(token: ReturnType<typeof decodeToken<'workflow'>>): WorkflowTaskToken {
  const { scheduledEventId, startedEventId, attempt, requestId } = token;
  return { scheduledEventId, startedEventId, attempt, requestId };
}
