/** The workers' side of activities, and asynchronous completion by token or by id. */
import type { temporal } from '@temporalio/proto';
import { plainFailure } from '../common/plain-failure';
import type { ActivityToken } from './engine/api';
import { payloadsSize } from './engine/size';
import type { ActivityState, Payloads, Transition } from './engine/types';
import { Code, ServiceError, invalidArgument } from './errors';
import { type ActivityTaskTokenData, decodeToken } from './matching/task-token';
import { type CurrentRuns, targetOf } from './target';
import type { CallContext, MutateOptions, Rpc } from './types';
import type { WorkerParts } from './workflow-tasks';

type Wf = typeof temporal.api.workflowservice.v1;
type Requests = {
  [K in keyof Wf]: Wf[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never;
};
type HeartbeatResponse = temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatResponse;
type ByToken = {
  namespace?: string | null;
  taskToken?: Uint8Array | string | null;
};
type ById = {
  namespace?: string | null;
  workflowId?: string | null;
  runId?: string | null;
  activityId?: string | null;
};

/** Retries carry the details of the last heartbeat along, whichever process recorded it. */
const withHeartbeats: MutateOptions = { needsHeartbeats: true };

export function activityTaskRpcs(parts: WorkerParts, current: CurrentRuns) {
  const { engine, runs, matching, limits } = parts;

  /** A namespace that does not exist is told of before a token that says nothing. */
  const tokenOf = (request: ByToken): ActivityTaskTokenData | Promise<ActivityTaskTokenData> => {
    const token = () => decodeToken('activity', request.taskToken);
    const namespace = request.namespace ? parts.namespace(request.namespace) : undefined;
    return namespace instanceof Promise ? namespace.then(token) : token();
  };

  const byToken = async (
    request: ByToken,
    decide: (t: Transition, token: ActivityToken) => void,
    options?: MutateOptions,
  ): Promise<void> => {
    const read = tokenOf(request);
    const { runId, scheduledEventId, attempt, requestId } = read instanceof Promise ? await read : read;
    return runs.change(runId, (t) => decide(t, { scheduledEventId, attempt, requestId }), options);
  };

  const byId = async (
    request: ById,
    decide: (t: Transition, token: ActivityToken) => void,
    options?: MutateOptions,
  ): Promise<void> => {
    const { activityId } = request;
    if (!activityId) throw invalidArgument('activityID is not set on request.');
    const target = await targetOf(parts, request.namespace, { workflowId: request.workflowId, runId: request.runId });
    await current.mutate(target, '', (t) => decide(t, engine.activityById(t.state, activityId)), options);
  };

  const heartbeat = async (
    runId: string,
    token: ActivityToken,
    details: Payloads | null,
    identity: string | null | undefined,
  ): Promise<HeartbeatResponse> => {
    if (payloadsSize(details) > limits.blobSizeError) {
      await runs.change(runId, (t) => engine.failForHeartbeat(t, token, identity ?? ''));
      return { cancelRequested: true };
    }
    const { cancelRequested, paused, reset } = await runs.heartbeat(runId, token, details);
    return { cancelRequested, activityPaused: paused, activityReset: reset };
  };

  const pollActivityTaskQueue = (
    request: Requests['PollActivityTaskQueueRequest'],
    ctx: CallContext,
  ): Promise<temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse> => matching.pollActivityTask(request, ctx);

  const respondActivityTaskCompleted: Rpc<Requests['RespondActivityTaskCompletedRequest'], object> = async (
    request,
    { within },
  ) => {
    const { result = null } = request;
    await byToken(
      request,
      (t, token) => {
        if (within !== undefined) refuseUnwanted(t.state.activities[String(token.scheduledEventId)]);
        engine.completeActivity(t, token, { result, identity: request.identity ?? '' });
      },
      within && { within },
    );
    return {};
  };

  const respondActivityTaskFailed: Rpc<Requests['RespondActivityTaskFailedRequest'], object> = async (request) => {
    const { lastHeartbeatDetails = null } = request;
    const failure = request.failure ? plainFailure(request.failure) : null;
    await byToken(
      request,
      (t, token) => engine.failActivity(t, token, { failure, lastHeartbeatDetails, identity: request.identity ?? '' }),
      withHeartbeats,
    );
    return { failures: [] };
  };

  const respondActivityTaskCanceled: Rpc<Requests['RespondActivityTaskCanceledRequest'], object> = async (request) => {
    const { details = null } = request;
    await byToken(request, (t, token) => {
      engine.cancelActivity(t, token, { details, identity: request.identity ?? '' });
    });
    return {};
  };

  const recordActivityTaskHeartbeat: Rpc<Requests['RecordActivityTaskHeartbeatRequest'], HeartbeatResponse> = async (
    request,
  ) => {
    const { runId, scheduledEventId, attempt, requestId } = await tokenOf(request);
    return heartbeat(runId, { scheduledEventId, attempt, requestId }, request.details ?? null, request.identity);
  };

  const respondActivityTaskCompletedById: Rpc<Requests['RespondActivityTaskCompletedByIdRequest'], object> = async (
    request,
  ) => {
    const { result = null } = request;
    await byId(request, (t, token) => engine.completeActivity(t, token, { result, identity: request.identity ?? '' }));
    return {};
  };

  const respondActivityTaskFailedById: Rpc<Requests['RespondActivityTaskFailedByIdRequest'], object> = async (
    request,
  ) => {
    const { lastHeartbeatDetails = null } = request;
    const failure = request.failure ? plainFailure(request.failure) : null;
    await byId(
      request,
      (t, token) => engine.failActivity(t, token, { failure, lastHeartbeatDetails, identity: request.identity ?? '' }),
      withHeartbeats,
    );
    return { failures: [] };
  };

  const respondActivityTaskCanceledById: Rpc<Requests['RespondActivityTaskCanceledByIdRequest'], object> = async (
    request,
  ) => {
    const { details = null } = request;
    await byId(request, (t, token) => engine.cancelActivity(t, token, { details, identity: request.identity ?? '' }));
    return {};
  };

  const recordActivityTaskHeartbeatById: Rpc<
    Requests['RecordActivityTaskHeartbeatByIdRequest'],
    HeartbeatResponse
  > = async (request) => {
    const { activityId } = request;
    if (!activityId) throw invalidArgument('activityID is not set on request.');
    const target = await targetOf(parts, request.namespace, { workflowId: request.workflowId, runId: request.runId });
    // Finds the run and checks it; the heartbeat itself is no change of the run.
    const { runId, value } = await current.mutate(target, '', (t, run) => {
      const token = engine.activityById(t.state, activityId);
      run.unchanged();
      return token;
    });
    return heartbeat(runId, value, request.details ?? null, request.identity);
  };

  return {
    pollActivityTaskQueue,
    respondActivityTaskCompleted,
    respondActivityTaskFailed,
    respondActivityTaskCanceled,
    recordActivityTaskHeartbeat,
    respondActivityTaskCompletedById,
    respondActivityTaskFailedById,
    respondActivityTaskCanceledById,
    recordActivityTaskHeartbeatById,
  };
}

/** An attempt that is no longer wanted commits nothing of a transaction, though its plain result would be taken. */
function refuseUnwanted(activity: ActivityState | undefined): void {
  if (activity?.cancelRequested === true) {
    throw new ServiceError(Code.CANCELLED, 'The activity was cancelled: nothing is committed.');
  }
  if (activity?.resetRequested === true) {
    throw new ServiceError(Code.ABORTED, 'The activity was reset: nothing is committed.');
  }
}
