/** TerminateWorkflowExecution and DeleteWorkflowExecution. */
import type { temporal } from '@temporalio/proto';
import { type CurrentRuns, isWorkflowCompleted, runNotFound, targetOf } from './target';
import type { Rpc, ServiceParts } from './types';

type TerminateRequest = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionRequest;
type TerminateResponse = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionResponse;
type DeleteRequest = temporal.api.workflowservice.v1.IDeleteWorkflowExecutionRequest;
type DeleteResponse = temporal.api.workflowservice.v1.IDeleteWorkflowExecutionResponse;

/** Closes the run at once; NOT_FOUND when it has closed, or when the current run is not of the chain named by `firstExecutionRunId`. */
export function terminateWorkflowExecution(
  parts: ServiceParts,
  current: CurrentRuns,
): Rpc<TerminateRequest, TerminateResponse> {
  return async (request) => {
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const firstRunId = request.firstExecutionRunId ?? '';
    if (firstRunId !== '') target.runId = '';
    await current.mutate(target, firstRunId, (t) => {
      parts.engine.terminate(t, {
        reason: request.reason || 'terminated by user via frontend',
        details: request.details ?? null,
        identity: request.identity ?? '',
      });
    });
    return {};
  };
}

/** Terminates a running workflow first; then its history and its visibility row go. */
export function deleteWorkflowExecution(parts: ServiceParts, current: CurrentRuns): Rpc<DeleteRequest, DeleteResponse> {
  return async (request) => {
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const runId = target.runId || (await current.current(target)).runId;
    const row = await parts.store.loadExecution(target.namespaceId, runId);
    if (row === null || row.workflowId !== target.workflowId) throw runNotFound(target.workflowId, runId);
    try {
      await current.mutate({ ...target, runId }, '', (t) => {
        parts.engine.terminate(t, { reason: 'Delete workflow execution', details: null, identity: 'history-service' });
      });
    } catch (error) {
      if (!isWorkflowCompleted(error)) throw error;
    }
    await parts.store.deleteExecution(runId);
    return {};
  };
}
