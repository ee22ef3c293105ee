/** The worker's own version, as requests carry it. */
import { temporal } from '@temporalio/proto';
import type { WorkerDeploymentOptions } from './worker-options';

type WireOptions = temporal.api.deployment.v1.IWorkerDeploymentOptions;

const Mode = temporal.api.enums.v1.WorkerVersioningMode;
const behaviors = {
  PINNED: temporal.api.enums.v1.VersioningBehavior.VERSIONING_BEHAVIOR_PINNED,
  AUTO_UPGRADE: temporal.api.enums.v1.VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE,
};

/** On polls and answers; undefined for a worker without deployment options. */
export function wireDeploymentOptions(options: WorkerDeploymentOptions | undefined): WireOptions | undefined {
  if (options === undefined) return undefined;
  const { version, useWorkerVersioning } = options;
  return {
    deploymentName: version.deploymentName,
    buildId: version.buildId,
    workerVersioningMode: useWorkerVersioning
      ? Mode.WORKER_VERSIONING_MODE_VERSIONED
      : Mode.WORKER_VERSIONING_MODE_UNVERSIONED,
  };
}

/** Of workflows whose code names none. */
export const defaultBehavior = (
  options: WorkerDeploymentOptions | undefined,
): temporal.api.enums.v1.VersioningBehavior | undefined =>
  options?.useWorkerVersioning === true ? behaviors[options.defaultVersioningBehavior] : undefined;

/** @throws TypeError */
export function checkDeploymentOptions(options: WorkerDeploymentOptions | undefined): void {
  if (options === undefined) return;
  const { defaultVersioningBehavior: behavior, useWorkerVersioning } = options;
  if (useWorkerVersioning && !(behavior !== undefined && Object.hasOwn(behaviors, behavior))) {
    throw new TypeError(`Unknown versioning behavior: ${String(behavior)}`);
  }
  if (!useWorkerVersioning && behavior !== undefined) {
    throw new TypeError('defaultVersioningBehavior must not be set when useWorkerVersioning is false');
  }
}
