/**
 * Each version of a worker deployment has a queue of its own behind a task queue's name; workers without versioning share the plain one. It is
 * spelled out in rows of `tasks` and in lists of pollers, with a character between that no name of ours or Temporal's has.
 */
import type { QueueRouting } from '../engine/versioning/routing';
import { type DeploymentVersion, parseVersion, versionText } from '../engine/versioning/version';

const SEPARATOR = '\u001f';

export const physicalName = (taskQueue: string, version: DeploymentVersion | null): string =>
  version === null ? taskQueue : taskQueue + SEPARATOR + versionText(version);

/** Of workers without versioning and of each version. */
export const physicalNames = (taskQueue: string, routing: QueueRouting | undefined): string[] => [
  taskQueue,
  ...[...(routing?.versions ?? [])].map((version) => physicalName(taskQueue, parseVersion(version))),
];

export function splitName(physical: string): { taskQueue: string; version: DeploymentVersion | null } {
  const at = physical.lastIndexOf(SEPARATOR);
  if (at < 0) return { taskQueue: physical, version: null };
  return { taskQueue: physical.slice(0, at), version: parseVersion(physical.slice(at + 1)) };
}
