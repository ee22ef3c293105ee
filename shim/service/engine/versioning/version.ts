/** Versions of worker deployments, and the ways in which Temporal spells them. */

/** One build of one deployment. Where a version may be null, null means workers without versioning. */
export interface DeploymentVersion {
  deploymentName: string;
  buildId: string;
}

/** temporal.api.enums.v1.VersioningBehavior */
export enum Behavior {
  Unspecified = 0,
  Pinned = 1,
  AutoUpgrade = 2,
}

export const UNVERSIONED = '__unversioned__';

export function sameVersion(a: DeploymentVersion | null, b: DeploymentVersion | null): boolean {
  if (a === null || b === null) return a === b;
  return a.buildId === b.buildId && a.deploymentName === b.deploymentName;
}

/** `name:build`, as search attributes have it; '' for none. */
export const versionText = (version: DeploymentVersion | null): string =>
  version === null ? '' : `${version.deploymentName}:${version.buildId}`;

/** `name.build`, as the deprecated text fields have it; `__unversioned__` for none. */
export const dottedVersion = (version: DeploymentVersion | null): string =>
  version === null ? UNVERSIONED : `${version.deploymentName}.${version.buildId}`;

/** From either spelling, cut at whichever delimiter comes first. Null for `__unversioned__`; throws RangeError with the server's words. */
export function parseVersion(text: string): DeploymentVersion | null {
  if (text === UNVERSIONED) return null;
  const at = text.search(/[.:]/);
  if (at < 0) throw new RangeError(`expected delimiter ':' or '.' not found in version string ${text}`);
  if (at === 0) throw new RangeError(`deployment name is empty in version string ${text}`);
  const buildId = text.slice(at + 1);
  if (buildId === '') throw new RangeError(`build id is empty in version string ${text}`);
  return { deploymentName: text.slice(0, at), buildId };
}

interface WireVersion {
  deploymentName?: string | null;
  buildId?: string | null;
}

/** A version as messages have it. Null for none. */
export const versionOf = (wire: WireVersion | null | undefined): DeploymentVersion | null =>
  wire ? { deploymentName: wire.deploymentName ?? '', buildId: wire.buildId ?? '' } : null;
