/** RequestCancelWorkflowExecution. */
import type { temporal } from '@temporalio/proto';
import { type CurrentRuns, checkLength, isWorkflowCompleted, targetOf } from './target';
import type { Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionResponse;

/** Success also when it was requested before or the run has closed; NOT_FOUND only when there is no such run. */
export function requestCancelWorkflowExecution(parts: ServiceParts, current: CurrentRuns): Rpc<Request, Response> {
  return async (request) => {
    checkLength(request.requestId, 'RequestId');
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const firstRunId = request.firstExecutionRunId ?? '';
    // A chain is followed to its current run.
    if (firstRunId !== '') target.runId = '';
    try {
      await current.mutate(target, firstRunId, (t) => {
        parts.engine.requestCancel(t, {
          identity: request.identity ?? '',
          requestId: request.requestId ?? '',
          reason: request.reason ?? '',
        });
      });
    } catch (error) {
      if (!isWorkflowCompleted(error)) throw error;
    }
    return {};
  };
}
