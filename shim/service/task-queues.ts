/** DescribeTaskQueue and ListTaskQueuePartitions. */
import { temporal } from '@temporalio/proto';
import { fromMs, long } from '../common/proto-values';
import type { PollerInfo } from '../store/types';
import { PRIORITY_LEVELS } from './engine/priority';
import type { Deployments } from './deployments/deployments';
import type { QueueRouting, Routing } from './engine/versioning/routing';
import { type DeploymentVersion, dottedVersion } from './engine/versioning/version';
import { invalidArgument } from './errors';
import { physicalNames, splitName } from './matching/physical-queue';
import type { Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IDescribeTaskQueueRequest;
type Response = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type PartitionsRequest = temporal.api.workflowservice.v1.IListTaskQueuePartitionsRequest;
type PartitionsResponse = temporal.api.workflowservice.v1.IListTaskQueuePartitionsResponse;
type Stats = temporal.api.taskqueue.v1.ITaskQueueStats;
type Kind = PollerInfo['kind'];

const ENHANCED = temporal.api.enums.v1.DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
const Type = temporal.api.enums.v1.TaskQueueType;
const Source = temporal.api.enums.v1.RateLimitSource;
const VERSIONED = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;
type SeenPoller = PollerInfo & { version: DeploymentVersion | null };
/** A poller not seen for longer is not shown. */
const POLLER_SHOWN_MS = 5 * 60_000;

export function describeTaskQueue(
  parts: ServiceParts,
  deployments: Pick<Deployments, 'routing'>,
): Rpc<Request, Response> {
  return async (request) => {
    const queue = request.taskQueue?.name;
    if (!queue) throw invalidArgument('TaskQueue is not set on request.');
    const { id } = await parts.namespace(request.namespace);
    parts.matching.announce();
    const routing = deployments.routing(id);
    const seen = (await parts.store.pollers(id))
      .map((poller) => ({ ...poller, ...splitName(poller.queue) }))
      .filter(({ taskQueue }) => taskQueue === queue);
    if (request.apiMode === ENHANCED) return enhanced(parts, id, queue, request, seen, routing);
    const kind = kindOf(request.taskQueueType);
    const wantsStats = request.reportStats === true || request.includeTaskQueueStatus === true;
    const backlog = wantsStats ? await stats(parts, id, queue, kind, seen, routing) : undefined;
    const config = kind === undefined ? undefined : (await parts.store.taskQueues.config(id, queue, kind))?.config;
    const effectiveRateLimit = effectiveLimit(config, seen, kind);
    return {
      pollers: shown(parts, seen, kind),
      ...(request.includeTaskQueueStatus
        ? { taskQueueStatus: { backlogCountHint: backlog?.all.approximateBacklogCount } }
        : {}),
      ...(request.reportStats ? { stats: backlog?.all, statsByPriorityKey: backlog?.byPriority } : {}),
      ...(request.reportConfig && config !== undefined ? { config } : {}),
      ...(effectiveRateLimit === undefined ? {} : { effectiveRateLimit }),
      ...(kind === undefined ? {} : { versioningInfo: versioningInfo(routing?.queue(queue, kind)) }),
    };
  };
}

/** Pollers by kind and per unversioned queue, for UIs that ask in the enhanced form. */
async function enhanced(
  parts: ServiceParts,
  namespaceId: number,
  queue: string,
  request: Request,
  seen: SeenPoller[],
  routing: Routing | null,
): Promise<Response> {
  const types = request.taskQueueTypes?.length
    ? request.taskQueueTypes
    : [Type.TASK_QUEUE_TYPE_WORKFLOW, Type.TASK_QUEUE_TYPE_ACTIVITY];
  const infos: Record<number, temporal.api.taskqueue.v1.ITaskQueueTypeInfo> = {};
  for (const type of types) {
    const kind = kindOf(type);
    infos[type] = {
      ...(request.reportPollers ? { pollers: shown(parts, seen, kind) } : {}),
      ...(request.reportStats ? { stats: (await stats(parts, namespaceId, queue, kind, seen, routing)).all } : {}),
    };
  }
  return { versionsInfo: { '': { typesInfo: infos } } };
}

/** Nexus queues are asked about too: nobody polls them and nothing waits in them. */
function kindOf(type: temporal.api.enums.v1.TaskQueueType | null | undefined): Kind | undefined {
  if (type === Type.TASK_QUEUE_TYPE_NEXUS) return undefined;
  return type === Type.TASK_QUEUE_TYPE_ACTIVITY ? 'activity' : 'workflow';
}

function shown(
  parts: ServiceParts,
  seen: SeenPoller[],
  kind: Kind | undefined,
): temporal.api.taskqueue.v1.IPollerInfo[] {
  const since = parts.store.nowMs() - POLLER_SHOWN_MS;
  return seen
    .filter((poller) => poller.kind === kind && poller.lastPollMs > since)
    .map(({ identity, lastPollMs, version, stats: told }) => ({
      identity,
      lastAccessTime: fromMs(lastPollMs),
      ...(told?.workerRate === undefined ? {} : { ratePerSecond: told.workerRate }),
      ...(version === null ? {} : { deploymentOptions: { ...version, workerVersioningMode: VERSIONED } }),
    }));
}

/** Where tasks of runs that are not pinned go. */
function versioningInfo(routing: QueueRouting | undefined): temporal.api.taskqueue.v1.ITaskQueueVersioningInfo {
  const { current = null, currentUpdatedMs = 0, ramping = null } = routing ?? {};
  const updatedMs = Math.max(currentUpdatedMs, ramping?.updatedMs ?? 0);
  return {
    currentVersion: dottedVersion(current),
    currentDeploymentVersion: current,
    ...(ramping === null
      ? {}
      : {
          rampingVersion: dottedVersion(ramping.version),
          rampingDeploymentVersion: ramping.version,
          rampingVersionPercentage: ramping.percentage,
        }),
    updateTime: updatedMs > 0 ? fromMs(updatedMs) : null,
  };
}

/** What waits in the memory of each process (as it last told, about every 2 s) and in rows, for all versions together. */
async function stats(
  parts: ServiceParts,
  namespaceId: number,
  queue: string,
  kind: Kind | undefined,
  seen: SeenPoller[],
  routing: Routing | null,
): Promise<{ all: Stats; byPriority: Record<number, Stats> }> {
  const waiting = new Map<number, { count: number; oldestMs: number }>();
  const add = (priority: number, count: number, oldestMs: number): void => {
    const before = waiting.get(priority);
    waiting.set(priority, {
      count: count + (before?.count ?? 0),
      oldestMs: Math.min(oldestMs, before?.oldestMs ?? Infinity),
    });
  };
  let added = 0;
  let dispatched = 0;
  if (kind !== undefined) {
    for (const name of physicalNames(queue, routing?.queue(queue, kind))) {
      for (const row of await parts.store.backlog(namespaceId, name, kind)) add(row.priority, row.count, row.oldestMs);
    }
    for (const { stats: told } of seen.filter((poller) => poller.kind === kind)) {
      for (const [priority, count, oldestMs] of told?.waiting ?? []) add(priority, count, oldestMs);
      added += told?.added ?? 0;
      dispatched += told?.dispatched ?? 0;
    }
  }
  const now = parts.store.nowMs();
  const shownAs = (count: number, oldestMs: number): Stats => ({
    approximateBacklogCount: long(count),
    approximateBacklogAge: fromMs(count > 0 ? Math.max(0, now - oldestMs) : 0),
  });
  const levels = [...waiting.values()];
  const count = levels.reduce((sum, level) => sum + level.count, 0);
  const all = shownAs(count, Math.min(...levels.map((level) => level.oldestMs)));
  const byPriority: Record<number, Stats> = {};
  for (let level = 1; level <= PRIORITY_LEVELS; level++) {
    const at = waiting.get(level);
    if (at !== undefined) byPriority[level] = shownAs(at.count, at.oldestMs);
  }
  return { all: { ...all, tasksAddRate: added, tasksDispatchRate: dispatched }, byPriority };
}

/** Undefined: nothing limits the queue. */
function effectiveLimit(
  config: temporal.api.taskqueue.v1.ITaskQueueConfig | undefined,
  seen: PollerInfo[],
  kind: Kind | undefined,
): Response['effectiveRateLimit'] | undefined {
  const set = config?.queueRateLimit?.rateLimit?.requestsPerSecond;
  if (set !== undefined && set !== null) {
    return { requestsPerSecond: set, rateLimitSource: Source.RATE_LIMIT_SOURCE_API };
  }
  const asked = seen.flatMap(({ kind: of, stats: told }) =>
    of === kind && told?.workerRate !== undefined ? [told.workerRate] : [],
  );
  if (asked.length === 0) return undefined;
  return { requestsPerSecond: Math.min(...asked), rateLimitSource: Source.RATE_LIMIT_SOURCE_WORKER };
}

/** Queues have one partition here. */
export function listTaskQueuePartitions(parts: ServiceParts): Rpc<PartitionsRequest, PartitionsResponse> {
  return async (request) => {
    const name = request.taskQueue?.name;
    if (!name) throw invalidArgument('TaskQueue is not set on request.');
    await parts.namespace(request.namespace);
    const partition = { key: name, ownerHostName: '' };
    return { activityTaskQueuePartitions: [partition], workflowTaskQueuePartitions: [partition] };
  };
}
