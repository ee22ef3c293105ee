/** Names of deployments and builds (service/worker/workerdeployment/util.go, validateVersionWfParams). */
import { invalidArgument } from '../../errors';
import type { Limits } from '../types';
import { type DeploymentVersion, parseVersion } from '../versioning/version';

/** Both names share a workflow id on Temporal, behind this and a colon. */
const ID_PREFIX = 'temporal-sys-worker-deployment-version:';

function check(field: string, value: string, limits: Limits): void {
  if (value === '') throw invalidArgument(`${field} cannot be empty`);
  if (Buffer.byteLength(value) > Math.floor((limits.idLength - ID_PREFIX.length) / 2)) {
    throw invalidArgument(`size of ${field} larger than the maximum allowed`);
  }
}

export function checkDeploymentName(name: string, limits: Limits): void {
  check('WorkerDeploymentName', name, limits);
  for (const delimiter of ['.', ':']) {
    if (name.includes(delimiter)) throw invalidArgument(`worker deployment name cannot contain '${delimiter}'`);
  }
  if (name.startsWith('__')) throw invalidArgument("WorkerDeploymentName cannot start with '__'");
}

export function checkBuildId(buildId: string, limits: Limits): void {
  check('BuildID', buildId, limits);
  if (buildId.startsWith('__')) throw invalidArgument("BuildID cannot start with '__'");
}

/** Of a poller (common/worker_versioning, DeploymentFromCapabilities). */
export function checkPollerVersion({ deploymentName, buildId }: DeploymentVersion): void {
  if (deploymentName === '') throw invalidArgument('versioned worker must have deployment name');
  if (buildId === '') throw invalidArgument('versioned worker must have build id');
  if (/[.:]/.test(deploymentName)) throw invalidArgument("deployment name cannot contain ':' or '.'");
}

/** INVALID_ARGUMENT with `message` of the parser's words. */
export function parsedVersion(text: string, message: (why: string) => string): DeploymentVersion | null {
  try {
    return parseVersion(text);
  } catch (error) {
    if (error instanceof RangeError) throw invalidArgument(message(error.message));
    throw error;
  }
}
