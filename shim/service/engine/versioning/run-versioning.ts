/** What a run knows of versions, and which of it counts (service/history/workflow/util.go, GetEffective…). */
import { Behavior, type DeploymentVersion, sameVersion } from './version';

/** Set by an operator, and stronger than what workers say. */
export type OverrideState = { pinned: DeploymentVersion } | { autoUpgrade: true };

/** Runs of workers without versioning have none. */
export interface RunVersioning {
  /** As the worker of the last completed task said, or inherited. */
  behavior: Behavior;
  version: DeploymentVersion | null;
  override: OverrideState | null;
  /** A task was handed to another version (null = to workers without one) that has not completed it yet. Activities wait for it. */
  transition: { to: DeploymentVersion | null } | null;
  /** The first task goes to the ramping version, whatever the percentage: its predecessor continued as new so. */
  rampingFirst: boolean;
  /** It had a version, an override or a transition once. */
  wasVersioned: boolean;
  /** Of the last worker, also of one without versioning. */
  deploymentName: string;
}

/** The part of a run's state that this is about. */
export interface Versioned {
  deployment: RunVersioning | null;
}

export const noVersioning = (): RunVersioning => ({
  behavior: Behavior.Unspecified,
  version: null,
  override: null,
  transition: null,
  rampingFirst: false,
  wasVersioned: false,
  deploymentName: '',
});

export const pinnedOverride = (deployment: RunVersioning | null): DeploymentVersion | null =>
  deployment?.override && 'pinned' in deployment.override ? deployment.override.pinned : null;

/** Without regard to a transition. */
export function settledBehavior(deployment: RunVersioning | null): Behavior {
  if (deployment === null) return Behavior.Unspecified;
  const { override, behavior } = deployment;
  if (override === null) return behavior;
  return 'pinned' in override ? Behavior.Pinned : Behavior.AutoUpgrade;
}

export function effectiveBehavior({ deployment }: Versioned): Behavior {
  return deployment?.transition ? Behavior.AutoUpgrade : settledBehavior(deployment);
}

/** The version whose workers may do the run's work now. */
export function effectiveVersion({ deployment }: Versioned): DeploymentVersion | null {
  if (deployment === null) return null;
  if (deployment.transition !== null) return deployment.transition.to;
  const pinned = pinnedOverride(deployment);
  if (pinned !== null) return pinned;
  return settledBehavior(deployment) === Behavior.Unspecified ? null : deployment.version;
}

/** The version that the run is pinned to; null when it is not pinned. */
export const pinnedVersion = (run: Versioned): DeploymentVersion | null =>
  effectiveBehavior(run) === Behavior.Pinned ? effectiveVersion(run) : null;

/** Does work done by that version mean that the run moves? */
export const moves = (run: Versioned, to: DeploymentVersion | null): boolean => !sameVersion(effectiveVersion(run), to);
