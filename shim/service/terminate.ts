/** TerminateWorkflowExecution and DeleteWorkflowExecution. */
import type { temporal } from '@temporalio/proto';
import { Code, ServiceError } from './errors';
import { type CurrentRuns, type Target, isWorkflowCompleted, runNotFound, targetOf } from './target';
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
        identity: request.identity || 'frontend-service',
      });
    });
    return {};
  };
}

/** What a run owes to others when it is deleted may take this long, ms. */
const DEBTS_MS = 10_000;

export class Deleter {
  constructor(
    private readonly parts: ServiceParts,
    private readonly current: CurrentRuns,
  ) {}

  /**
   * Terminates a running workflow first; when it owes nothing to its parent and children any more, all that was kept of it goes.
   * UNAVAILABLE when that takes too long: it is terminated then, and may be deleted again.
   */
  async delete(target: Target): Promise<void> {
    const { engine, runs, store } = this.parts;
    const runId = target.runId || (await this.current.current(target)).runId;
    const row = await store.loadExecution(target.namespaceId, runId);
    if (row === null || row.workflowId !== target.workflowId) throw runNotFound(target.workflowId, runId);
    try {
      await this.current.mutate({ ...target, runId }, '', (t) => {
        engine.terminate(t, { reason: 'Delete workflow execution', details: null, identity: 'history-service' });
      });
    } catch (error) {
      if (!isWorkflowCompleted(error)) throw error;
    }
    for (const until = performance.now() + DEBTS_MS; (await store.loadState(runId)) !== null;) {
      if (performance.now() > until) {
        throw new ServiceError(
          Code.UNAVAILABLE,
          `Workflow ${target.workflowId} is closed and still has news for its parent or children: delete it again later.`,
        );
      }
      await runs.changed(runId, 100);
    }
    await store.deleteExecution(runId);
  }
}

export function deleteWorkflowExecution(parts: ServiceParts, deleter: Deleter): Rpc<DeleteRequest, DeleteResponse> {
  return async (request) => {
    await deleter.delete(await targetOf(parts, request.namespace, request.workflowExecution));
    return {};
  };
}
