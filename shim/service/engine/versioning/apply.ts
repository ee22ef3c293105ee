/** What events say of a run's version, folded into its state. */
import { temporal } from '@temporalio/proto';
import type { RunState } from '../types';
import { refreshAttributes } from './attributes';
import { overrideOf } from './override';
import {
  type RunVersioning,
  effectiveBehavior,
  effectiveVersion,
  noVersioning,
  pinnedOverride,
} from './run-versioning';
import { Behavior, type DeploymentVersion, parseVersion, sameVersion, versionOf } from './version';

const USE_RAMPING_VERSION =
  temporal.api.enums.v1.ContinueAsNewVersioningBehavior.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_USE_RAMPING_VERSION;

type History = typeof temporal.api.history.v1;
type Attributes<T extends keyof History> = History[T] extends { create(properties?: infer P): unknown }
  ? NonNullable<P>
  : never;

/** WorkflowExecutionStarted: an override, or a version inherited from a pinned parent or predecessor. */
export function startedVersioned(state: RunState, a: Attributes<'WorkflowExecutionStartedEventAttributes'>): void {
  const override = overrideOf(a.versioningOverride);
  const inherited = versionOf(a.inheritedPinnedVersion);
  const upgrade = a.inheritedAutoUpgradeInfo;
  const deployment = (state.deployment = noVersioning());
  deployment.override = override;
  deployment.wasVersioned = true;
  if (inherited !== null) {
    deployment.version = inherited;
    deployment.behavior = Behavior.Pinned;
  }
  if (upgrade) {
    deployment.version = versionOf(upgrade.sourceDeploymentVersion);
    deployment.behavior = Behavior.AutoUpgrade;
    deployment.rampingFirst = upgrade.continueAsNewInitialVersioningBehavior === USE_RAMPING_VERSION;
  }
  if (upgrade || effectiveBehavior(state) === Behavior.Pinned) refreshAttributes(state, '');
  // Only now, as on Temporal: the attribute of a child's deployment is empty until its first task is completed.
  deployment.deploymentName = effectiveVersion(state)?.deploymentName ?? '';
}

/** Of WorkflowTaskCompleted: whose work it was. */
export function completedVersion(a: Attributes<'WorkflowTaskCompletedEventAttributes'>): DeploymentVersion | null {
  if (a.deploymentVersion) return versionOf(a.deploymentVersion);
  if (a.workerDeploymentVersion) return parseVersion(a.workerDeploymentVersion);
  return a.deployment ? { deploymentName: a.deployment.seriesName ?? '', buildId: a.deployment.buildId ?? '' } : null;
}

/** WorkflowTaskCompleted: a transition to the worker's version ends, and the run goes on as its code says. False when versions play no part. */
export function completedVersioned(
  state: RunState,
  a: Attributes<'WorkflowTaskCompletedEventAttributes'>,
  buildId: string,
): boolean {
  const behavior = (a.versioningBehavior ?? 0) as number as Behavior;
  const deploymentName = a.workerDeploymentName ?? '';
  if (state.deployment === null && behavior === Behavior.Unspecified && deploymentName === '') return false;
  const version = completedVersion(a);
  const before: RunVersioning = state.deployment ?? noVersioning();
  const { transition } = before;
  state.deployment = {
    ...before,
    transition: transition !== null && sameVersion(transition.to, version) ? null : transition,
    rampingFirst: false,
    wasVersioned: before.wasVersioned || behavior !== Behavior.Unspecified,
    behavior,
    version: behavior === Behavior.Unspecified ? null : version,
    deploymentName,
  };
  refreshAttributes(state, buildId);
  return true;
}

/** WorkflowExecutionOptionsUpdated. A transition under way is given up when the run is somewhere else now. */
export function optionsUpdated(state: RunState, a: Attributes<'WorkflowExecutionOptionsUpdatedEventAttributes'>): void {
  const override = overrideOf(a.versioningOverride);
  if (!a.unsetVersioningOverride && override === null) return;
  const before = { version: effectiveVersion(state), behavior: effectiveBehavior(state) };
  const deployment = (state.deployment = { ...(state.deployment ?? noVersioning()) });
  deployment.override = a.unsetVersioningOverride ? null : override;
  deployment.wasVersioned ||= override !== null;
  deployment.deploymentName =
    pinnedOverride(deployment)?.deploymentName ??
    (a.unsetVersioningOverride ? (deployment.version?.deploymentName ?? '') : deployment.deploymentName);
  if (sameVersion(before.version, effectiveVersion(state)) && before.behavior === effectiveBehavior(state)) return;
  deployment.transition = null;
  forgetStickyQueue(state);
  refreshAttributes(state, '');
}

/** The next task, and one that nobody has started, go to the normal queue. */
export function forgetStickyQueue(state: RunState): void {
  state.sticky = null;
  const task = state.workflowTask;
  if (task === null || !task.sticky || task.startedEventId !== 0) return;
  task.sticky = false;
  task.taskQueue = state.taskQueue;
  task.scheduleToStartAtMs = 0;
}
