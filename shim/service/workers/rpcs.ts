/** RecordWorkerHeartbeat, ListWorkers, DescribeWorker, CountWorkers: what the Web UI's pages of workers read. */
import type { temporal } from '@temporalio/proto';
import { long } from '../../common/proto-values';
import { invalidArgument, notFound } from '../errors';
import { decodeToken, encodeToken } from '../page-token';
import type { Rpc, ServiceParts } from '../types';
import { workerFilter } from './filter';
import type { Heartbeat, Workers } from './registry';

type Ws = typeof temporal.api.workflowservice.v1;
type Requests = {
  [K in keyof Ws]: Ws[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never;
};

const MAX_PAGE_SIZE = 1000;

export function workerRpcs(parts: ServiceParts, workers: Workers) {
  const found = async (
    namespace: string | null | undefined,
    query: string | null | undefined,
  ): Promise<Heartbeat[]> => {
    const { id } = await parts.namespace(namespace);
    const matches = workerFilter(query ?? '');
    return (await workers.list(id)).filter(matches);
  };

  const recordWorkerHeartbeat: Rpc<Requests['RecordWorkerHeartbeatRequest'], object> = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    for (const heartbeat of request.workerHeartbeat ?? []) workers.record(id, heartbeat);
    return {};
  };

  const listWorkers: Rpc<Requests['ListWorkersRequest'], temporal.api.workflowservice.v1.IListWorkersResponse> = async (
    request,
  ) => {
    const all = await found(request.namespace, request.query);
    const after = decodeToken<{ after: string }>(
      request.nextPageToken,
      ({ after }) => typeof after === 'string',
    )?.after;
    const rest = after === undefined ? all : all.filter(({ workerInstanceKey }) => (workerInstanceKey ?? '') > after);
    const size = request.pageSize && request.pageSize > 0 ? Math.min(request.pageSize, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
    const page = rest.slice(0, size);
    const last = page.at(-1)?.workerInstanceKey;
    return {
      workersInfo: page.map((workerHeartbeat) => ({ workerHeartbeat })),
      workers: page.map(listInfo),
      ...(rest.length > page.length && last ? { nextPageToken: encodeToken({ after: last }) } : {}),
    };
  };

  const countWorkers: Rpc<
    Requests['CountWorkersRequest'],
    temporal.api.workflowservice.v1.ICountWorkersResponse
  > = async (request) => ({ count: long((await found(request.namespace, request.query)).length) });

  const describeWorker: Rpc<
    Requests['DescribeWorkerRequest'],
    temporal.api.workflowservice.v1.IDescribeWorkerResponse
  > = async ({ namespace, workerInstanceKey }) => {
    if (!workerInstanceKey) throw invalidArgument('WorkerInstanceKey is not set on request.');
    const worker = (await found(namespace, '')).find((each) => each.workerInstanceKey === workerInstanceKey);
    if (worker === undefined) throw notFound(`worker not found: ${workerInstanceKey}`);
    return { workerInfo: { workerHeartbeat: worker } };
  };

  return { recordWorkerHeartbeat, listWorkers, countWorkers, describeWorker };
}

function listInfo(heartbeat: Heartbeat): temporal.api.worker.v1.IWorkerListInfo {
  const { workerInstanceKey, workerIdentity, taskQueue, deploymentVersion, sdkName, sdkVersion } = heartbeat;
  const { status, startTime, plugins, drivers, hostInfo } = heartbeat;
  const { hostName, workerGroupingKey, processId } = hostInfo ?? {};
  const worker = { workerInstanceKey, workerIdentity, taskQueue, deploymentVersion, sdkName, sdkVersion };
  return { ...worker, status, startTime, plugins, drivers, hostName, workerGroupingKey, processId };
}
