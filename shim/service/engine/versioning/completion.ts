/** What a completed workflow task says of its worker's version. */
import { temporal } from '@temporalio/proto';
import type { Request } from '../api';

const VERSIONED = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;

type Attributes = Pick<
  temporal.api.history.v1.IWorkflowTaskCompletedEventAttributes,
  'workerDeploymentName' | 'deploymentVersion' | 'versioningBehavior'
>;

/** Of WorkflowTaskCompleted. SDKs name a behavior for workers without versioning too: it does not count. */
export function versionAttributes(request: Request<'RespondWorkflowTaskCompletedRequest'>): Attributes {
  const { deploymentOptions: options, deployment, versioningBehavior } = request;
  const deploymentName = options?.deploymentName || deployment?.seriesName;
  if (!deploymentName) return {};
  const versioned = options?.workerVersioningMode === VERSIONED;
  const version = versioned
    ? { deploymentName, buildId: options.buildId ?? '' }
    : deployment?.buildId
      ? { deploymentName, buildId: deployment.buildId }
      : null;
  return {
    workerDeploymentName: deploymentName,
    ...(version === null ? {} : { deploymentVersion: version }),
    ...(versioningBehavior && (versioned || !options) ? { versioningBehavior } : {}),
  };
}
