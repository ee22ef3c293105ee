/** What the workflow can ask about its current task: history size, hints to continue as new, the version it runs on. */
import type { temporal } from '@temporalio/proto';
import { int64 } from '../common/proto-values';
import type { TaskCompletedAttributes } from './messages';
import type { CoreRunOptions } from './types';

export interface DeploymentVersion {
  deploymentName: string;
  buildId: string;
}

export class TaskInfo {
  historySizeBytes = 0;
  continueAsNewSuggested = false;
  suggestContinueAsNewReasons: temporal.api.enums.v1.SuggestContinueAsNewReason[] = [];
  targetWorkerDeploymentVersionChanged = false;
  /** The version that completed the task now replayed, or this worker's. */
  deploymentVersion: DeploymentVersion | undefined;
  private readonly ownVersion: DeploymentVersion | undefined;

  constructor(options: Pick<CoreRunOptions, 'buildId' | 'deploymentOptions'>) {
    const deployment = options.deploymentOptions;
    const buildId = deployment?.buildId ?? options.buildId;
    const own = { deploymentName: deployment?.deploymentName ?? '', buildId };
    this.ownVersion = own.buildId === '' && own.deploymentName === '' ? undefined : own;
  }

  started(attributes: temporal.api.history.v1.IWorkflowTaskStartedEventAttributes): void {
    this.historySizeBytes = int64(attributes.historySizeBytes);
    this.continueAsNewSuggested = attributes.suggestContinueAsNew === true;
    this.suggestContinueAsNewReasons = attributes.suggestContinueAsNewReasons ?? [];
    this.targetWorkerDeploymentVersionChanged = attributes.targetWorkerDeploymentVersionChanged === true;
  }

  completedBy(attributes: TaskCompletedAttributes): void {
    const version = versionOf(attributes);
    if (version.buildId !== '' || version.deploymentName !== '') this.deploymentVersion = version;
  }

  /** The task is done here and now, not replayed. */
  runsHere(): void {
    this.deploymentVersion = this.ownVersion;
  }
}

function versionOf(attributes: TaskCompletedAttributes): DeploymentVersion {
  const { deploymentVersion, workerDeploymentVersion } = attributes;
  if (deploymentVersion) {
    return { deploymentName: deploymentVersion.deploymentName ?? '', buildId: deploymentVersion.buildId ?? '' };
  }
  // Written as "deployment.build" by older servers.
  const dot = workerDeploymentVersion?.indexOf('.') ?? -1;
  if (workerDeploymentVersion && dot > 0) {
    return { deploymentName: workerDeploymentVersion.slice(0, dot), buildId: workerDeploymentVersion.slice(dot + 1) };
  }
  return {
    deploymentName: attributes.workerDeploymentName ?? '',
    buildId: attributes.workerVersion?.buildId ?? '',
  };
}
