/** The task queues of versions: what waits on them, and whether anything does. */
import type { temporal } from '@temporalio/proto';
import { fromMs, long } from '../../common/proto-values';
import type { QueueInUse } from '../engine/deployments/decide';
import { findVersion } from '../engine/deployments/decide';
import { typeOf } from '../engine/deployments/shown';
import type { DeploymentState, VersionState } from '../engine/deployments/types';
import { sameVersion } from '../engine/versioning/version';
import { physicalName } from '../matching/physical-queue';
import type { ServiceParts } from '../types';
import type { Deployments } from './deployments';

type VersionTaskQueue = temporal.api.workflowservice.v1.DescribeWorkerDeploymentVersionResponse.IVersionTaskQueue;

export function versionTaskQueues(
  parts: ServiceParts,
  namespaceId: number,
  { name: deploymentName }: DeploymentState,
  { buildId, taskQueues }: VersionState,
  withStats: boolean,
): Promise<VersionTaskQueue[]> {
  return Promise.all(
    taskQueues.map(async ({ name, kind }) => {
      const shown = { name, type: typeOf(kind) };
      if (!withStats) return shown;
      const physical = physicalName(name, { deploymentName, buildId });
      const levels = await parts.store.backlog(namespaceId, physical, kind);
      const count = levels.reduce((sum, level) => sum + level.count, 0);
      const oldestMs = Math.min(...levels.map((level) => level.oldestMs));
      const ageMs = count > 0 ? Math.max(0, parts.store.nowMs() - oldestMs) : 0;
      return { ...shown, stats: { approximateBacklogCount: long(count), approximateBacklogAge: fromMs(ageMs) } };
    }),
  );
}

/**
 * Whether a task queue of a deployment's current version is in use there: tasks wait on it, and no other deployment has taken it over. Looked up
 * ahead for all of them, as decisions do not wait.
 */
export async function queueInUse(
  parts: ServiceParts,
  deployments: Deployments,
  namespaceId: number,
  name: string,
): Promise<QueueInUse> {
  const state = await deployments.load(namespaceId, name);
  const current = state === null ? undefined : findVersion(state, state.current);
  const used = new Set<string>();
  for (const queue of current?.taskQueues ?? []) {
    const version = { deploymentName: name, buildId: current!.buildId };
    const routed = deployments.routing(namespaceId)?.queue(queue.name, queue.kind)?.current ?? null;
    if (!sameVersion(routed, version)) continue;
    const levels = await parts.store.backlog(namespaceId, physicalName(queue.name, version), queue.kind);
    if (levels.some(({ count }) => count > 0)) used.add(`${queue.kind}/${queue.name}`);
  }
  return (queue) => used.has(`${queue.kind}/${queue.name}`);
}
