/** What is said of a run that has closed or is about to. */
import { Code, ServiceError, notFound } from '../errors';

export const workflowCompleted = (): ServiceError => notFound('workflow execution already completed');

/** The run is trying to close: the caller may try again. */
export const workflowClosing = (): ServiceError =>
  new ServiceError(
    Code.RESOURCE_EXHAUSTED,
    'workflow operation can not be applied because workflow is closing',
    // RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, RESOURCE_EXHAUSTED_SCOPE_NAMESPACE
    [{ type: 'temporal.api.errordetails.v1.ResourceExhaustedFailure', value: { cause: 5, scope: 1 } }],
  );
