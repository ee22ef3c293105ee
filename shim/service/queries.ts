/** QueryWorkflow: what can be answered or refused here; the rest is a worker's. */
import { temporal } from '@temporalio/proto';
import { MAX_EVENT_ID } from './close-event';
import { payloadsSize } from './engine/size';
import { type Payloads, Status } from './engine/types';
import { BLOB_TOO_LARGE } from './engine/validate';
import { Code, ServiceError, invalidArgument, workflowNotReady } from './errors';
import { type CurrentRuns, runNotFound, targetOf } from './target';
import type { CallContext, Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IQueryWorkflowRequest;
type Response = temporal.api.workflowservice.v1.IQueryWorkflowResponse;

const Reject = temporal.api.enums.v1.QueryRejectCondition;
const ResultType = temporal.api.enums.v1.QueryResultType;
/** From that many failed workflow task attempts on, queries fail at once. */
const FAILED_ATTEMPTS = 3;

export function queryWorkflow(parts: ServiceParts, current: CurrentRuns): Rpc<Request, Response> {
  return async (request, ctx) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    const { query } = request;
    if (!query) throw invalidArgument('WorkflowQuery is not set on request.');
    if (!query.queryType) throw invalidArgument('QueryType is not set on request.');
    const tooLarge = (payloads: Payloads | null | undefined): boolean =>
      payloadsSize(payloads) > parts.limits.blobSizeError;
    if (tooLarge(query.queryArgs)) throw invalidArgument(BLOB_TOO_LARGE);
    const runId = target.runId || (await current.current(target)).runId;

    const status = await queryableStatus(parts, target, runId, ctx.deadlineMs);
    const condition = request.queryRejectCondition ?? Reject.QUERY_REJECT_CONDITION_NONE;
    const notOpen = condition === Reject.QUERY_REJECT_CONDITION_NOT_OPEN;
    const notClean =
      condition === Reject.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY && status.value !== Status.Completed;
    const link = (reason: string): temporal.api.common.v1.ILink => ({
      workflow: { namespace: request.namespace, workflowId: target.workflowId, runId, reason },
    });
    if (status.value !== Status.Running && (notOpen || notClean)) {
      return { queryRejected: { status: status.value as number }, link: link('Query rejected') };
    }
    status.check();

    const task = {
      namespace: request.namespace ?? '',
      namespaceId: target.namespaceId,
      workflowId: target.workflowId,
      runId,
      query,
    };
    const result = await parts.matching.query(task, ctx).catch((error: unknown) => {
      throw isLate(ctx, error) ? new ServiceError(Code.DEADLINE_EXCEEDED, TIMED_OUT) : error;
    });
    if (result.resultType === ResultType.QUERY_RESULT_TYPE_FAILED) {
      throw new ServiceError(Code.INVALID_ARGUMENT, result.errorMessage ?? '', [
        { type: 'QueryFailedFailure', value: { failure: result.failure } },
      ]);
    }
    if (tooLarge(result.answer)) throw invalidArgument(BLOB_TOO_LARGE);
    return { queryResult: result.answer, link: link('Query processed') };
  };
}

const TIMED_OUT = 'query timed out before a worker could process it';

/** Did the wait end because the caller's time did? */
function isLate({ deadlineMs }: CallContext, error: unknown): boolean {
  if (deadlineMs === undefined || Date.now() < deadlineMs || !(error instanceof ServiceError)) return false;
  return error.code === Code.CANCELLED || error.code === Code.DEADLINE_EXCEEDED;
}

/** The run's status, and the check (after the reject conditions) that a worker could answer at all. */
async function queryableStatus(
  parts: ServiceParts,
  target: { namespaceId: number; workflowId: string },
  runId: string,
  deadlineMs: number | undefined,
): Promise<{ value: Status; check(): void }> {
  const state = await parts.runs.read(runId);
  if (state === null || state.status !== Status.Running) {
    const row = await parts.store.loadExecution(target.namespaceId, runId);
    if (row === null || row.workflowId !== target.workflowId) throw runNotFound(target.workflowId, runId);
    const worked = state === null ? await hasCompletedTask(parts, runId) : state.lastCompletedTaskStartedEventId > 0;
    return {
      value: row.status,
      check() {
        if (!worked) throw workflowNotReady('Workflow execution closed before WorkflowTaskStarted event');
      },
    };
  }
  if (state.workflowId !== target.workflowId) throw runNotFound(target.workflowId, runId);
  return {
    value: Status.Running,
    check() {
      const untouched = state.workflowTask === null && state.lastCompletedTaskStartedEventId === 0;
      // Without a deadline the caller would wait for the whole start delay.
      if (untouched && (deadlineMs === undefined || state.firstTaskAtMs > deadlineMs)) {
        throw workflowNotReady('Workflow task is not scheduled yet.');
      }
      if (state.failedTaskAttempts >= FAILED_ATTEMPTS) {
        throw workflowNotReady('Unable to query workflow due to Workflow Task in failed state.');
      }
    },
  };
}

/** The first task of a run is completed within its first events, unless signals came before. */
async function hasCompletedTask(parts: ServiceParts, runId: string): Promise<boolean> {
  const events = await parts.runs.history(runId, 1, MAX_EVENT_ID);
  return events.some((event) => event.workflowTaskCompletedEventAttributes);
}
