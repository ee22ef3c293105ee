/** Deployments as Temporal's messages show them. */
import { temporal } from '@temporalio/proto';
import { fromMs } from '../../../common/proto-values';
import type { QueueKind } from '../versioning/routing';
import { dottedVersion } from '../versioning/version';
import { findVersion, textOf } from './decide';
import { type DeploymentState, type Target, type VersionState, VersionStatus } from './types';

type Deployment = typeof temporal.api.deployment.v1;
type Info = temporal.api.deployment.v1.IWorkerDeploymentInfo;
type VersionInfo = temporal.api.deployment.v1.IWorkerDeploymentVersionInfo;
type VersionSummary = NonNullable<Info['versionSummaries']>[number];
type RoutingConfig = ReturnType<Deployment['RoutingConfig']['create']>;
type Summary = temporal.api.workflowservice.v1.ListWorkerDeploymentsResponse.IWorkerDeploymentSummary;

const Type = temporal.api.enums.v1.TaskQueueType;
const COMPLETED = temporal.api.enums.v1.RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_COMPLETED;

const at = (epochMs: number): ReturnType<typeof fromMs> | null => (epochMs > 0 ? fromMs(epochMs) : null);

export const typeOf = (kind: QueueKind): temporal.api.enums.v1.TaskQueueType =>
  kind === 'workflow' ? Type.TASK_QUEUE_TYPE_WORKFLOW : Type.TASK_QUEUE_TYPE_ACTIVITY;

/** Null = workers without versioning, or nothing. */
export const wireTarget = (d: DeploymentState, target: Target | undefined) =>
  typeof target === 'string' ? { deploymentName: d.name, buildId: target } : null;

export function routingConfig(d: DeploymentState): Partial<RoutingConfig> {
  return {
    currentVersion: textOf(d, d.current),
    rampingVersion: textOf(d, d.ramping),
    currentDeploymentVersion: wireTarget(d, d.current),
    rampingDeploymentVersion: wireTarget(d, d.ramping),
    rampingVersionPercentage: d.rampPercentage,
    currentVersionChangedTime: at(d.currentChangedMs),
    rampingVersionChangedTime: at(d.rampingChangedMs),
    rampingVersionPercentageChangedTime: at(d.rampPercentageChangedMs),
  } as Partial<RoutingConfig>;
}

function drainageInfo({ drainage }: VersionState): VersionInfo['drainageInfo'] {
  if (drainage === null) return null;
  return {
    status: drainage.status as number,
    lastChangedTime: at(drainage.changedMs),
    lastCheckedTime: at(drainage.checkedMs),
  };
}

/** In summaries the current version has one too, that says nothing. */
function summarizedDrainage({ status, routingUpdatedMs }: VersionState): VersionInfo['drainageInfo'] {
  if (status !== VersionStatus.Current) return null;
  return { lastChangedTime: at(routingUpdatedMs), lastCheckedTime: at(routingUpdatedMs) };
}

function versionSummary(d: DeploymentState, version: VersionState): VersionSummary {
  const deploymentVersion = { deploymentName: d.name, buildId: version.buildId };
  return {
    version: dottedVersion(deploymentVersion),
    deploymentVersion,
    status: version.status as number,
    createTime: at(version.createdMs),
    drainageStatus: (version.drainage?.status ?? 0) as number,
    drainageInfo: drainageInfo(version) ?? summarizedDrainage(version),
    routingUpdateTime: at(version.routingUpdatedMs),
    currentSinceTime: at(version.currentSinceMs),
    rampingSinceTime: at(version.rampingSinceMs),
    firstActivationTime: at(version.firstActivatedMs),
    lastDeactivationTime: at(version.lastDeactivatedMs),
  };
}

const newestFirst = (d: DeploymentState): VersionState[] =>
  [...d.versions].sort((a, b) => b.createdMs - a.createdMs || d.versions.indexOf(b) - d.versions.indexOf(a));

export function deploymentInfo(d: DeploymentState): Info {
  return {
    name: d.name,
    createTime: at(d.createdMs),
    routingConfig: routingConfig(d),
    lastModifierIdentity: d.lastModifier,
    managerIdentity: d.manager,
    versionSummaries: newestFirst(d).map((version) => versionSummary(d, version)),
    routingConfigUpdateState: COMPLETED,
  };
}

export function deploymentSummary(d: DeploymentState): Summary {
  const summaryOf = (version: VersionState | undefined) => (version === undefined ? null : versionSummary(d, version));
  return {
    name: d.name,
    createTime: at(d.createdMs),
    routingConfig: routingConfig(d),
    latestVersionSummary: summaryOf(newestFirst(d)[0]),
    currentVersionSummary: summaryOf(findVersion(d, d.current)),
    rampingVersionSummary: summaryOf(findVersion(d, d.ramping)),
  };
}

export function versionInfo(d: DeploymentState, version: VersionState): VersionInfo {
  const deploymentVersion = { deploymentName: d.name, buildId: version.buildId };
  return {
    version: dottedVersion(deploymentVersion),
    deploymentVersion,
    status: version.status as number,
    createTime: at(version.createdMs),
    routingChangedTime: at(version.routingUpdatedMs),
    currentSinceTime: at(version.currentSinceMs),
    rampingSinceTime: at(version.rampingSinceMs),
    firstActivationTime: at(version.firstActivatedMs),
    lastDeactivationTime: at(version.lastDeactivatedMs),
    rampPercentage: version.rampPercentage,
    taskQueueInfos: version.taskQueues.map(({ name, kind }) => ({ name, type: typeOf(kind) })),
    drainageInfo: drainageInfo(version),
    metadata: version.metadata === null ? null : { entries: version.metadata },
  };
}
