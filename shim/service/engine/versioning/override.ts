/** Versioning overrides as requests and events have them (common/worker_versioning, ValidateVersioningOverride and ConvertOverrideToV32). */
import { temporal } from '@temporalio/proto';
import { invalidArgument } from '../../errors';
import type { OverrideState } from './run-versioning';
import { type DeploymentVersion, dottedVersion, parseVersion, versionOf } from './version';

import VersioningBehavior = temporal.api.enums.v1.VersioningBehavior;
import PinnedBehavior = temporal.api.workflow.v1.VersioningOverride.PinnedOverrideBehavior;

type Override = temporal.api.workflow.v1.IVersioningOverride;

/** Null when there is none. Throws INVALID_ARGUMENT. */
export function overrideOf(override: Override | null | undefined): OverrideState | null {
  if (!override) return null;
  if (override.autoUpgrade) return { autoUpgrade: true };
  const { pinned, pinnedVersion, deployment } = override;
  if (pinned) {
    const version = versionOf(pinned.version);
    if (version === null) throw invalidArgument('must provide version if override is pinned.');
    if (!pinned.behavior) throw invalidArgument('must specify pinned override behavior if override is pinned.');
    return { pinned: version };
  }
  switch (override.behavior ?? VersioningBehavior.VERSIONING_BEHAVIOR_UNSPECIFIED) {
    case VersioningBehavior.VERSIONING_BEHAVIOR_PINNED:
      if (deployment) return { pinned: checkedDeployment(deployment) };
      if (pinnedVersion) return { pinned: checkedText(pinnedVersion) };
      throw invalidArgument("must provide deployment (deprecated) or pinned version if behavior is 'PINNED'");
    case VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE:
      if (deployment) throw invalidArgument("only provide deployment if behavior is 'PINNED'");
      if (pinnedVersion) throw invalidArgument("only provide pinned version if behavior is 'PINNED'");
      return { autoUpgrade: true };
    case VersioningBehavior.VERSIONING_BEHAVIOR_UNSPECIFIED:
      throw invalidArgument('override behavior is required');
    default:
      throw invalidArgument(`override behavior ${override.behavior} not recognized`);
  }
}

function checkedDeployment({ seriesName, buildId }: temporal.api.deployment.v1.IDeployment): DeploymentVersion {
  if (!seriesName) throw invalidArgument('deployment name cannot be empty');
  if (/[.:]/.test(seriesName)) throw invalidArgument("deployment name cannot contain '.' or ':'");
  if (!buildId) throw invalidArgument('deployment build ID cannot be empty');
  return { deploymentName: seriesName, buildId };
}

function checkedText(text: string): DeploymentVersion {
  try {
    const version = parseVersion(text);
    if (version !== null) return version;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalidArgument(`invalid version string "${text}", expected format is "<deployment_name>.<build_id>"`);
}

/** As events have it. */
export function wireOverride(override: OverrideState): Override {
  if ('autoUpgrade' in override) return { autoUpgrade: true };
  return { pinned: { behavior: PinnedBehavior.PINNED_OVERRIDE_BEHAVIOR_PINNED, version: { ...override.pinned } } };
}

/** As describe has it: the deprecated fields are filled too. */
export function shownOverride(override: OverrideState): Override {
  const deprecated =
    'autoUpgrade' in override
      ? { behavior: VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE }
      : {
          behavior: VersioningBehavior.VERSIONING_BEHAVIOR_PINNED,
          pinnedVersion: dottedVersion(override.pinned),
        };
  return { ...wireOverride(override), ...deprecated };
}
