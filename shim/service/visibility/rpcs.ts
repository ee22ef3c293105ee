/** List, Scan and Count of workflow executions, and the older ListOpen and ListClosed. */
import { temporal } from '@temporalio/proto';
import { long, optionalMs } from '../../common/proto-values';
import type { ListPosition, VisibilityQuery } from '../../store/types';
import { executionInfo } from '../describe';
import { typeNames } from '../engine/search-attributes';
import { invalidArgument } from '../errors';
import { decodeToken, encodeToken } from '../page-token';
import type { NamespaceInfo, Rpc, ServiceParts } from '../types';
import type { Attribute } from './attributes';
import { type Comparison, type Filter, is } from './filter';
import { columnOf, compiled, countQuery, listQuery, refusing } from './query';
import { isDatetime, statusName } from './values';

type Info = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type ListRequest = temporal.api.workflowservice.v1.IListWorkflowExecutionsRequest;
type ListResponse = temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse;
type CountRequest = temporal.api.workflowservice.v1.ICountWorkflowExecutionsRequest;
type CountResponse = temporal.api.workflowservice.v1.ICountWorkflowExecutionsResponse;
type OpenRequest = temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsRequest;
type ClosedRequest = temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsRequest;

const MAX_PAGE_SIZE = 1000;
const MAX_GROUPS = 10_000;

interface Page {
  executions: Info[];
  nextPageToken?: Uint8Array;
}

async function page(
  parts: ServiceParts,
  namespace: NamespaceInfo,
  query: VisibilityQuery,
  size: number | null | undefined,
  token: Uint8Array | null | undefined,
): Promise<Page> {
  const limit = size && size > 0 ? Math.min(size, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
  const { rows, next } = await parts.store.list(query, limit, positionOf(token, query));
  return {
    executions: rows.map((row) => executionInfo(row, namespace.uuid)),
    ...(next === null ? {} : { nextPageToken: encodeToken(next) }),
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A token of this service, for a list in this order. */
function positionOf(token: Uint8Array | null | undefined, { order }: VisibilityQuery): ListPosition | null {
  const types = order?.map(({ type }) => type) ?? ['timestamptz', 'timestamptz'];
  const fits = ({ keys, runId, closedBy }: Partial<ListPosition>): boolean =>
    Array.isArray(keys) &&
    keys.length === types.length &&
    keys.every((key, i) => (key === null ? order !== undefined : isOf(types[i] ?? '', key))) &&
    isOf('uuid', runId) &&
    (closedBy === null || isOf('timestamptz', closedBy));
  return decodeToken<ListPosition>(token, fits) ?? null;
}

function isOf(type: string, key: unknown): boolean {
  if (typeof key !== 'string' || key.includes('\0')) return false;
  switch (type) {
    case 'timestamptz':
      return key === 'infinity' || isDatetime(key);
    case 'uuid':
      return UUID.test(key);
    case 'boolean':
      return key === 'true' || key === 'false';
    case 'smallint':
      return /^\d$/.test(key);
    case 'numeric':
      return /^-?\d+(\.\d+)?$/.test(key);
    default:
      return true;
  }
}

export const listWorkflowExecutions =
  (parts: ServiceParts): Rpc<ListRequest, ListResponse> =>
  async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const query = listQuery(request.query, namespace);
    return page(parts, namespace, query, request.pageSize, request.nextPageToken);
  };

export function countWorkflowExecutions(parts: ServiceParts): Rpc<CountRequest, CountResponse> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const { query, by } = countQuery(request.query, namespace);
    if (by.length === 0) return { count: long(await parts.store.count(query)), groups: [] };
    const columns = by.map((attribute) => columnOf(attribute));
    const groups = await parts.store.countGroups(query, columns, MAX_GROUPS + 1);
    if (groups.length > MAX_GROUPS) {
      throw invalidArgument(`invalid query: operation is not supported: 'GROUP BY' of more than ${MAX_GROUPS} groups`);
    }
    return {
      count: long(groups.reduce((sum, group) => sum + group.count, 0)),
      groups: groups.map(({ values, count }) => ({
        groupValues: values.map((value, i) => groupValue(by[i]!, value)),
        count: long(count),
      })),
    };
  };
}

/** `json`: null = the group of those that have none. */
function groupValue({ form, type }: Attribute, json: string | null): temporal.api.common.v1.IPayload {
  const text = json === null ? 'null' : form === 'status' ? JSON.stringify(statusName(Number(json))) : json;
  const metadata = { encoding: Buffer.from('json/plain') };
  return {
    metadata: json === null ? metadata : { ...metadata, type: Buffer.from(typeNames[type] ?? '') },
    data: Buffer.from(text),
  };
}

export const listOpenWorkflowExecutions =
  (parts: ServiceParts): Rpc<OpenRequest, temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsResponse> =>
  (request) =>
    older(parts, request, [is('ExecutionStatus', '=', 'Running'), ...timeFilter('StartTime', request.startTimeFilter)]);

export const listClosedWorkflowExecutions =
  (parts: ServiceParts): Rpc<ClosedRequest, temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsResponse> =>
  (request) => {
    const status = request.statusFilter?.status;
    if (status === temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) {
      throw invalidArgument('StatusFilter must be specified and must be not Running.');
    }
    return older(parts, request, [
      is('ExecutionStatus', '!=', 'Running'),
      ...timeFilter('CloseTime', request.startTimeFilter),
      ...(status ? [is('ExecutionStatus', '=', statusName(status))] : []),
    ]);
  };

async function older(parts: ServiceParts, request: OpenRequest | ClosedRequest, filters: Filter[]): Promise<Page> {
  const namespace = await parts.namespace(request.namespace);
  const operands = [...filters, ...idFilter(request)];
  const query = refusing(() => compiled({ where: { kind: 'and', operands }, orderBy: [] }, namespace));
  return page(parts, namespace, query, request.maximumPageSize, request.nextPageToken);
}

function timeFilter(name: string, filter: temporal.api.filter.v1.IStartTimeFilter | null | undefined): Filter[] {
  const earliest = optionalMs(filter?.earliestTime);
  const latest = optionalMs(filter?.latestTime);
  if (earliest !== undefined && latest !== undefined && earliest > latest) {
    throw invalidArgument('EarliestTime in StartTimeFilter should not be larger than LatestTime.');
  }
  const bound = (operator: Comparison, ms: number | undefined): Filter[] =>
    ms === undefined || ms <= 0 ? [] : [is(name, operator, new Date(ms).toISOString())];
  return [...bound('>=', earliest), ...bound('<=', latest)];
}

function idFilter(request: OpenRequest | ClosedRequest): Filter[] {
  if (request.executionFilter) return [is('WorkflowId', '=', request.executionFilter.workflowId ?? '')];
  if (request.typeFilter) return [is('WorkflowType', '=', request.typeFilter.name ?? '')];
  return [];
}
