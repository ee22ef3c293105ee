/** Polls of workers that have a version. */
import { temporal } from '@temporalio/proto';
import { type DeploymentVersion, versionOf } from './engine/versioning/version';
import { Code, ServiceError } from './errors';
import { BUILD_ID_RULES } from './refused-rpcs';

const { WORKER_VERSIONING_MODE_VERSIONED } = temporal.api.enums.v1.WorkerVersioningMode;

interface Poll {
  deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions | null;
  workerVersionCapabilities?: temporal.api.common.v1.IWorkerVersionCapabilities | null;
}

/** Null for a worker without versioning. Throws PERMISSION_DENIED for build-id versioning, as Temporal where that is switched off. */
export function pollerVersion({ deploymentOptions, workerVersionCapabilities }: Poll): DeploymentVersion | null {
  if (workerVersionCapabilities?.useVersioning) throw new ServiceError(Code.PERMISSION_DENIED, BUILD_ID_RULES);
  return deploymentOptions?.workerVersioningMode === WORKER_VERSIONING_MODE_VERSIONED
    ? versionOf(deploymentOptions)
    : null;
}
