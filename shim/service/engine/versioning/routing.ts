/** Who gets a task: the version that a run is pinned to, else the current or ramping version of the task queue. */
import { fingerprint32 } from './fingerprint';
import { type Versioned, effectiveVersion, pinnedVersion } from './run-versioning';
import { type DeploymentVersion, sameVersion, versionText } from './version';

export type QueueKind = 'workflow' | 'activity';

/** What deployments say of one task queue of one kind. */
export interface QueueRouting {
  /** `versionText` of those that have had a poller on it. */
  versions: ReadonlySet<string>;
  current: DeploymentVersion | null;
  currentUpdatedMs: number;
  /** `version` null: workers without versioning are ramping. */
  ramping: { version: DeploymentVersion | null; percentage: number; updatedMs: number } | null;
}

/** The deployments of one namespace as they are known here. */
export interface Routing {
  queue(name: string, kind: QueueKind): QueueRouting | undefined;
}

/** Where a workflow id stands, 0 ≤ share < 100: it ramps from that percentage on. */
export const shareOf = (workflowId: string): number => (100 * fingerprint32(workflowId)) / 2 ** 32;

type Run = Versioned & { workflowId: string; taskQueue: string };

/** The version that a run which is not pinned goes to. */
export function targetVersion(queue: QueueRouting | undefined, run: Run): DeploymentVersion | null {
  if (queue === undefined) return null;
  const { current, ramping } = queue;
  if (ramping === null) return current;
  if (run.deployment?.rampingFirst === true) return ramping.version;
  if (ramping.percentage <= 0) return current;
  return ramping.percentage === 100 || shareOf(run.workflowId) <= ramping.percentage ? ramping.version : current;
}

export function workflowTaskVersion(run: Run, routing: Routing | null): DeploymentVersion | null {
  const pinned = pinnedVersion(run);
  if (pinned !== null) return pinned;
  return routing === null ? null : targetVersion(routing.queue(run.taskQueue, 'workflow'), run);
}

/** Activities on a queue that the pinned version does not serve go their own way. */
export function activityVersion(run: Run, taskQueue: string, routing: Routing | null): DeploymentVersion | null {
  const queue = routing?.queue(taskQueue, 'activity');
  const pinned = pinnedVersion(run);
  if (pinned !== null && queue?.versions.has(versionText(pinned)) === true) return pinned;
  return targetVersion(queue, run);
}

/** The worker that has the run cached may go on with it: of a run that is not pinned, while its version is the one that tasks go to. */
export function stickyAllowed(run: Run, routing: Routing | null): boolean {
  if (pinnedVersion(run) !== null) return true;
  const target = routing === null ? null : targetVersion(routing.queue(run.taskQueue, 'workflow'), run);
  return target === null || sameVersion(target, effectiveVersion(run));
}

/** A pinned run whose queue's tasks go to another version by now: it may want to continue as new there. */
export function leftBehind(run: Run, routing: Routing): boolean {
  const pinned = pinnedVersion(run);
  if (pinned === null) return false;
  return !sameVersion(pinned, targetVersion(routing.queue(run.taskQueue, 'workflow'), run));
}

/** Whether a run on another queue may inherit a pinned version. */
export const servesWorkflows = (routing: Routing | null, taskQueue: string, version: DeploymentVersion): boolean =>
  routing?.queue(taskQueue, 'workflow')?.versions.has(versionText(version)) === true;
