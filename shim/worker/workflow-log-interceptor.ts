/** Interceptors that Temporal keeps for old code. They do nothing: workflow code logs by itself. */
import type {
  Next,
  WorkflowExecuteInput,
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptors,
} from '@temporalio/workflow';
import type { GetLogAttributesInput, WorkflowOutboundCallsInterceptor } from '@temporalio/workflow';

/** @deprecated Does nothing. Intercept `getLogAttributes` to change what is logged. */
export class WorkflowLogInterceptor implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  getLogAttributes(
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'getLogAttributes'>,
  ): Record<string, unknown> {
    return next(input);
  }

  execute(input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    return next(input);
  }
}

/** @deprecated Does nothing. */
export const WorkflowInboundLogInterceptor = WorkflowLogInterceptor;

export const interceptors = (): WorkflowInterceptors => {
  const interceptor = new WorkflowLogInterceptor();
  return { inbound: [interceptor], outbound: [interceptor] };
};
