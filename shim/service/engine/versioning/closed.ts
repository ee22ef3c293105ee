/** A closed run's versioning, as far as its search attributes tell of it. */
import { payloadJson } from '../payload-fields';
import type { Payload } from '../types';
import { type RunVersioning, noVersioning } from './run-versioning';
import { Behavior, parseVersion } from './version';

/** An override is not told from the version that it named. */
export function closedVersioning({
  searchAttributes: attributes,
}: {
  searchAttributes: Record<string, Payload>;
}): RunVersioning | null {
  const deploymentName = textOf(attributes.TemporalWorkerDeployment);
  const version = textOf(attributes.TemporalWorkerDeploymentVersion);
  if (deploymentName === '' && version === '') return null;
  const name = textOf(attributes.TemporalWorkflowVersioningBehavior);
  const behavior =
    name === 'Pinned' ? Behavior.Pinned : name === 'AutoUpgrade' ? Behavior.AutoUpgrade : Behavior.Unspecified;
  const wasVersioned = behavior !== Behavior.Unspecified;
  return {
    ...noVersioning(),
    wasVersioned,
    behavior,
    deploymentName,
    version: version === '' ? null : parseVersion(version),
  };
}

function textOf(payload: Payload | undefined): string {
  const value: unknown = JSON.parse((payload && payloadJson(payload)) ?? '""');
  return typeof value === 'string' ? value : '';
}
