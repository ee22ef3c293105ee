/** Polls that ask for the tasks of one version of the code alone: Branchline hands tasks out by task queue. */
import { temporal } from '@temporalio/proto';
import { Code, ServiceError, unimplemented } from './errors';
import { BUILD_ID_RULES, DEPLOYMENTS } from './refused-rpcs';

const { WORKER_VERSIONING_MODE_VERSIONED } = temporal.api.enums.v1.WorkerVersioningMode;

interface Poll {
  deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions | null;
  workerVersionCapabilities?: temporal.api.common.v1.IWorkerVersionCapabilities | null;
}

/** Throws UNIMPLEMENTED for a versioned deployment, PERMISSION_DENIED for build-id versioning (as Temporal where that is switched off). */
export function refuseVersionedPoll(poll: Poll): void {
  if (poll.deploymentOptions?.workerVersioningMode === WORKER_VERSIONING_MODE_VERSIONED)
    throw unimplemented(DEPLOYMENTS);
  if (poll.workerVersionCapabilities?.useVersioning) throw new ServiceError(Code.PERMISSION_DENIED, BUILD_ID_RULES);
}
