/** SignalWorkflowExecution. */
import { temporal } from '@temporalio/proto';
import { invalidArgument } from './errors';
import { requestLink } from './links';
import { type CurrentRuns, checkLength, targetOf } from './target';
import type { Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.ISignalWorkflowExecutionResponse;

const SIGNALED = temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED;

/** Recorded once per request id and run; NOT_FOUND on closed runs; RESOURCE_EXHAUSTED while the run tries to close. */
export function signalWorkflowExecution(parts: ServiceParts, current: CurrentRuns): Rpc<Request, Response> {
  return async (request) => {
    if (!request.signalName) throw invalidArgument('SignalName is not set on request.');
    const { signalName } = request;
    checkLength(signalName, 'SignalName');
    checkLength(request.requestId, 'RequestId');
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const requestId = request.requestId ?? '';
    const signal = {
      signalName,
      input: request.input ?? null,
      identity: request.identity ?? '',
      header: request.header ?? null,
      links: request.links ?? [],
      requestId,
    };
    const { runId } = await current.mutate(
      target,
      '',
      (t) => {
        parts.engine.signal(t, signal);
      },
      requestId === '' ? undefined : { signalRequestId: requestId },
    );
    return { link: requestLink(request.namespace ?? '', target.workflowId, runId, requestId, SIGNALED) };
  };
}
