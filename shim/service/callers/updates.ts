/** Updates that a caller's transaction admits. */
import type { temporal } from '@temporalio/proto';
import type { CallerConnection } from '../../store/types';
import { targetOf, workflowCompleted } from '../target';
import type { ServiceParts } from '../types';
import { Stage, updateProgress } from '../update-outcome';
import { prepareUpdate, updateResponse } from '../updates';
import { notInTransaction } from './not-in-transaction';
import { send } from './send';

type UpdateRequest = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;

/**
 * Admits the update with the commit. No worker can have seen it before that: the stage of the answer, ACCEPTED, says that it will not be lost, as Temporal's client asks
 * again until it reads that.
 */
export async function updateWithin(
  parts: ServiceParts,
  client: CallerConnection,
  request: UpdateRequest,
): Promise<object> {
  const target = await targetOf(parts, request.namespace, request.workflowExecution);
  const update = prepareUpdate(parts, request);
  if (update.waitStage === Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED) {
    throw notInTransaction(
      'The outcome of an update cannot be part of your transaction, as no worker sees the update before the commit: use startUpdate(), and await result() after it',
    );
  }
  const { updateId } = update;
  parts.engine.validateUpdate(update.request, parts.runs.engineContext(target.namespaceId));
  const { admission, runId } = await send(parts, client, target, request.firstExecutionRunId ?? '', {
    kind: 'update',
    requestId: updateId,
    request: { ...request, request: update.request },
  });
  // One that a closed run has had is found again.
  if (admission === 'closed' && (await updateProgress(parts, runId, updateId)) === undefined) throw workflowCompleted();
  const admitted = { stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED, outcome: null };
  return {
    ...updateResponse(request.namespace ?? '', target.workflowId, runId, update, admitted),
    stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
  };
}
