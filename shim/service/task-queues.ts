/** DescribeTaskQueue and ListTaskQueuePartitions. */
import { temporal } from '@temporalio/proto';
import { fromMs, long } from '../common/proto-values';
import type { PollerInfo } from '../store/types';
import { invalidArgument } from './errors';
import type { Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IDescribeTaskQueueRequest;
type Response = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type PartitionsRequest = temporal.api.workflowservice.v1.IListTaskQueuePartitionsRequest;
type PartitionsResponse = temporal.api.workflowservice.v1.IListTaskQueuePartitionsResponse;
type Kind = PollerInfo['kind'];

const ENHANCED = temporal.api.enums.v1.DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
const Type = temporal.api.enums.v1.TaskQueueType;
/** A poller not seen for longer is not shown. */
const POLLER_SHOWN_MS = 5 * 60_000;

export function describeTaskQueue(parts: ServiceParts): Rpc<Request, Response> {
  return async (request) => {
    const queue = request.taskQueue?.name;
    if (!queue) throw invalidArgument('TaskQueue is not set on request.');
    const { id } = await parts.namespace(request.namespace);
    const pollers = (await parts.store.pollers(id, queue)).filter(
      ({ lastPollMs }) => lastPollMs > parts.store.nowMs() - POLLER_SHOWN_MS,
    );
    if (request.apiMode === ENHANCED) return enhanced(parts, id, queue, request, pollers);
    const kind = kindOf(request.taskQueueType);
    const wantsStats = request.reportStats === true || request.includeTaskQueueStatus === true;
    const backlog = wantsStats ? await stats(parts, id, queue, kind) : undefined;
    return {
      pollers: ofKind(pollers, kind),
      ...(request.includeTaskQueueStatus
        ? { taskQueueStatus: { backlogCountHint: backlog?.approximateBacklogCount } }
        : {}),
      ...(request.reportStats ? { stats: backlog } : {}),
    };
  };
}

/** Pollers by kind and per unversioned queue, for UIs that ask in the enhanced form. */
async function enhanced(
  parts: ServiceParts,
  namespaceId: number,
  queue: string,
  request: Request,
  pollers: PollerInfo[],
): Promise<Response> {
  const types = request.taskQueueTypes?.length
    ? request.taskQueueTypes
    : [Type.TASK_QUEUE_TYPE_WORKFLOW, Type.TASK_QUEUE_TYPE_ACTIVITY];
  const infos: Record<number, temporal.api.taskqueue.v1.ITaskQueueTypeInfo> = {};
  for (const type of types) {
    const kind = kindOf(type);
    infos[type] = {
      ...(request.reportPollers ? { pollers: ofKind(pollers, kind) } : {}),
      ...(request.reportStats ? { stats: await stats(parts, namespaceId, queue, kind) } : {}),
    };
  }
  return { versionsInfo: { '': { typesInfo: infos } } };
}

/** Nexus queues are asked about too: nobody polls them and nothing waits in them. */
function kindOf(type: temporal.api.enums.v1.TaskQueueType | null | undefined): Kind | undefined {
  if (type === Type.TASK_QUEUE_TYPE_NEXUS) return undefined;
  return type === Type.TASK_QUEUE_TYPE_ACTIVITY ? 'activity' : 'workflow';
}

function ofKind(pollers: PollerInfo[], kind: Kind | undefined): temporal.api.taskqueue.v1.IPollerInfo[] {
  return pollers
    .filter((poller) => poller.kind === kind)
    .map(({ identity, lastPollMs }) => ({ identity, lastAccessTime: fromMs(lastPollMs) }));
}

/** Counts the work that no poller of its own process took. */
async function stats(
  parts: ServiceParts,
  namespaceId: number,
  queue: string,
  kind: Kind | undefined,
): Promise<temporal.api.taskqueue.v1.ITaskQueueStats> {
  const { count, oldestMs } =
    kind === undefined ? { count: 0, oldestMs: 0 } : await parts.store.backlog(namespaceId, queue, kind);
  const ageMs = count > 0 ? Math.max(0, parts.store.nowMs() - oldestMs) : 0;
  return { approximateBacklogCount: long(count), approximateBacklogAge: fromMs(ageMs) };
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
