/** StartBatchOperation, StopBatchOperation, DescribeBatchOperation and ListBatchOperations (C129). */
import type { temporal } from '@temporalio/proto';
import { fromMs, long } from '../../common/proto-values';
import type { BatchJob, BatchTarget } from '../../store/batch-job-types';
import { Code, ServiceError, invalidArgument, notFound } from '../errors';
import { decodeToken, encodeToken } from '../page-token';
import { checkExecution, checkLength, workflowCompleted } from '../target';
import type { Rpc, ServiceParts } from '../types';
import { listWorkflowExecutions } from '../visibility/rpcs';
import { filterOf, operationOf } from './operations';

type Ws = typeof temporal.api.workflowservice.v1;
type Requests = {
  [K in keyof Ws]: Ws[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never;
};
type StartRequest = Requests['StartBatchOperationRequest'];

const MISSING = 'must provide required parameters: BatchType/Reason/Namespace/Query/Executions';
/** Operations per second of a job that does not say; Temporal's default. */
const DEFAULT_RATE = 50;
const MAX_PAGE_SIZE = 100;

/** Of both fields that name runs; null when a filter does. */
function targetsOf(request: StartRequest): BatchTarget[] | null {
  const named = [
    ...(request.executions ?? []),
    ...(request.targetExecutions ?? []).map(({ businessId, runId }) => ({ workflowId: businessId, runId })),
  ];
  if (request.visibilityQuery && named.length > 0) {
    throw invalidArgument('visibility query, executions, and target executions are mutually exclusive');
  }
  if (named.length === 0) return null;
  return named.map(checkExecution);
}

export function batchRpcs(parts: ServiceParts, started: () => void) {
  const jobs = () => parts.store.batchJobs;

  const startBatchOperation: Rpc<StartRequest, object> = async (request) => {
    const found = operationOf(request);
    const targets = targetsOf(request);
    if (found === undefined || !request.reason || (targets === null && !request.visibilityQuery)) {
      throw invalidArgument(MISSING);
    }
    if (!request.jobId) throw invalidArgument('JobId is not set on request.');
    checkLength(request.jobId, 'JobId');
    const rate = request.maxOperationsPerSecond ?? 0;
    if (rate < 0) throw invalidArgument('MaxOperationsPerSecond must not be negative.');
    const { id: namespaceId } = await parts.namespace(request.namespace);
    const { kind, operation, identity } = found;
    const query = targets === null ? request.visibilityQuery! : '';
    if (targets === null) {
      // A filter that makes no sense is refused now, and not found out by the job.
      const page = { namespace: request.namespace, query: filterOf(kind, query), pageSize: 1 };
      await listWorkflowExecutions(parts)(page, { metadata: {} });
    }
    const outcome = await jobs().start(
      {
        namespaceId,
        jobId: request.jobId,
        type: kind.type,
        operation: { ...operation, namespace: request.namespace ?? '' },
        query,
        reason: request.reason,
        identity,
        operationsPerSecond: rate || DEFAULT_RATE,
      },
      targets,
    );
    if (outcome === 'exists') {
      throw new ServiceError(Code.ALREADY_EXISTS, `Batch operation ${request.jobId} exists already.`);
    }
    if (outcome === 'busy') {
      // RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT, RESOURCE_EXHAUSTED_SCOPE_NAMESPACE
      throw new ServiceError(Code.RESOURCE_EXHAUSTED, 'Max concurrent batch operations is reached', [
        { type: 'temporal.api.errordetails.v1.ResourceExhaustedFailure', value: { cause: 2, scope: 1 } },
      ]);
    }
    started();
    return {};
  };

  const stopBatchOperation: Rpc<Requests['StopBatchOperationRequest'], object> = async (request) => {
    if (!request.reason) throw invalidArgument('Reason is not set on request.');
    const job = await jobOf(request);
    if (!(await jobs().stop(job))) throw workflowCompleted();
    return {};
  };

  const describeBatchOperation: Rpc<Requests['DescribeBatchOperationRequest'], object> = async (request) => {
    const job = await jobOf(request);
    return {
      ...infoOf(job),
      totalOperationCount: long(job.total),
      completeOperationCount: long(job.completed),
      failureOperationCount: long(job.failed),
      identity: job.identity,
      reason: job.reason,
      query: job.query,
    };
  };

  const listBatchOperations: Rpc<Requests['ListBatchOperationsRequest'], object> = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const limit = Math.min(request.pageSize || MAX_PAGE_SIZE, MAX_PAGE_SIZE);
    const after = decodeToken<{ startedMs: number; jobId: string }>(
      request.nextPageToken,
      (token) => typeof token.startedMs === 'number' && typeof token.jobId === 'string',
    );
    const page = await jobs().list(id, limit, after ?? null);
    const last = page[limit - 1];
    return {
      operationInfo: page.map(infoOf),
      ...(last ? { nextPageToken: encodeToken({ startedMs: last.startedMs, jobId: last.jobId }) } : {}),
    };
  };

  async function jobOf(request: { namespace?: string | null; jobId?: string | null }): Promise<BatchJob> {
    if (!request.jobId) throw invalidArgument('JobId is not set on request.');
    const { id: namespaceId } = await parts.namespace(request.namespace);
    const job = await jobs().load({ namespaceId, jobId: request.jobId });
    if (job === null) throw notFound(`workflow not found for ID: ${request.jobId}`);
    return job;
  }

  return { startBatchOperation, stopBatchOperation, describeBatchOperation, listBatchOperations };
}

const infoOf = (job: BatchJob): temporal.api.batch.v1.IBatchOperationInfo => ({
  jobId: job.jobId,
  state: job.state,
  operationType: job.type,
  startTime: fromMs(job.startedMs),
  closeTime: job.closedMs > 0 ? fromMs(job.closedMs) : null,
});
