/** Namespaces: Register, Describe, List, Update. */
import { temporal } from '@temporalio/proto';
import { fromMs, long, optionalMs } from '../common/proto-values';
import type { NamespaceRow } from '../store/types';
import { Code, ServiceError, invalidArgument, notFound } from './errors';
import { checkLength } from './target';
import type { Rpc, ServiceParts } from './types';

type Ws = temporal.api.workflowservice.v1.IRegisterNamespaceRequest;
type DescribeRequest = temporal.api.workflowservice.v1.IDescribeNamespaceRequest;
type DescribeResponse = temporal.api.workflowservice.v1.IDescribeNamespaceResponse;
type ListRequest = temporal.api.workflowservice.v1.IListNamespacesRequest;
type ListResponse = temporal.api.workflowservice.v1.IListNamespacesResponse;
type UpdateRequest = temporal.api.workflowservice.v1.IUpdateNamespaceRequest;
type UpdateResponse = temporal.api.workflowservice.v1.IUpdateNamespaceResponse;

const HOUR_MS = 3_600_000;
const REGISTERED = temporal.api.enums.v1.NamespaceState.NAMESPACE_STATE_REGISTERED;
const DELETED = temporal.api.enums.v1.NamespaceState.NAMESPACE_STATE_DELETED;
/** Temporal's defaults, told to workers: 2 MiB. */
const SIZE_LIMIT = 2 * 1024 * 1024;

const namespaceNotFound = (name: string): ServiceError =>
  notFound(`Namespace ${name} is not found.`, [{ type: 'NamespaceNotFoundFailure', value: { namespace: name } }]);

async function find(parts: ServiceParts, by: { namespace?: string | null; id?: string | null }): Promise<NamespaceRow> {
  if (by.namespace && by.id) {
    throw invalidArgument('GetNamespace operation failed. Both ID and Name specified in request.');
  }
  if (!by.namespace && !by.id) throw invalidArgument('Namespace is not set on request.');
  const row = (await parts.store.namespaces.all()).find((one) => one.name === by.namespace || one.uuid === by.id);
  if (row === undefined) throw namespaceNotFound((by.namespace || by.id) ?? '');
  return row;
}

/** At least an hour; 0 only in UpdateNamespace to mean "as it is". */
function retentionOf(duration: Ws['workflowExecutionRetentionPeriod']): number {
  const retentionMs = optionalMs(duration);
  if (retentionMs === undefined || retentionMs < HOUR_MS) {
    throw invalidArgument('A valid retention period is not set on request.');
  }
  return retentionMs;
}

export function registerNamespace(
  parts: ServiceParts,
): Rpc<Ws, temporal.api.workflowservice.v1.IRegisterNamespaceResponse> {
  return async (request) => {
    const name = request.namespace ?? '';
    if (name === '') throw invalidArgument('Namespace is not set on request.');
    checkLength(name, 'Namespace');
    if (request.isGlobalNamespace) throw invalidArgument('Cannot register global namespace when not enabled');
    const retentionMs = retentionOf(request.workflowExecutionRetentionPeriod);
    const exists = new ServiceError(Code.ALREADY_EXISTS, `Namespace "${name}" already exists`, [
      { type: 'NamespaceAlreadyExistsFailure', value: {} },
    ]);
    if ((await parts.store.namespaces.all()).some((row) => row.name === name)) throw exists;
    try {
      await parts.store.namespaces.create({
        uuid: parts.newId(),
        name,
        description: request.description ?? '',
        ownerEmail: request.ownerEmail ?? '',
        retentionMs,
        state: REGISTERED,
        data: request.data ?? {},
      });
    } catch (error) {
      // Another process was faster.
      if ((await parts.store.namespaces.all()).some((row) => row.name === name)) throw exists;
      throw error;
    }
    return {};
  };
}

function describe(row: NamespaceRow): DescribeResponse {
  return {
    namespaceInfo: {
      name: row.name,
      state: row.state,
      description: row.description,
      ownerEmail: row.ownerEmail,
      data: row.data,
      id: row.uuid,
      capabilities: {
        eagerWorkflowStart: true,
        syncUpdate: true,
        asyncUpdate: true,
        workerHeartbeats: true,
        workerPollCompleteOnShutdown: true,
      },
      limits: { blobSizeLimitError: long(SIZE_LIMIT), memoSizeLimitError: long(SIZE_LIMIT) },
      supportsSchedules: true,
    },
    config: { workflowExecutionRetentionTtl: fromMs(row.retentionMs) },
    replicationConfig: { activeClusterName: 'active', clusters: [{ clusterName: 'active' }] },
    isGlobalNamespace: false,
  };
}

export const describeNamespace =
  (parts: ServiceParts): Rpc<DescribeRequest, DescribeResponse> =>
  async (request) =>
    describe(await find(parts, request));

export function listNamespaces(parts: ServiceParts): Rpc<ListRequest, ListResponse> {
  return async (request) => {
    const includeDeleted = request.namespaceFilter?.includeDeleted === true;
    const rows = (await parts.store.namespaces.all()).filter(
      (row) => includeDeleted || row.state !== (DELETED as number),
    );
    // One page holds them all: a database of one application has few.
    return { namespaces: rows.map(describe) };
  };
}

export function updateNamespace(parts: ServiceParts): Rpc<UpdateRequest, UpdateResponse> {
  return async (request) => {
    const row = await find(parts, { namespace: request.namespace });
    if (request.promoteNamespace)
      throw invalidArgument('Branchline has one cluster: promoteNamespace is not supported.');
    const info = request.updateInfo;
    const retention = request.config?.workflowExecutionRetentionTtl;
    const updated: NamespaceRow = {
      ...row,
      description: info?.description || row.description,
      ownerEmail: info?.ownerEmail || row.ownerEmail,
      state: info?.state || row.state,
      data: { ...row.data, ...info?.data },
      retentionMs: retention ? retentionOf(retention) : row.retentionMs,
    };
    await parts.store.namespaces.update(updated);
    const { namespaceInfo, config, replicationConfig, isGlobalNamespace } = describe(updated);
    return { namespaceInfo, config, replicationConfig, isGlobalNamespace };
  };
}
