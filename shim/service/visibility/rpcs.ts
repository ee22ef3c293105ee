/** List, Scan and Count of workflow executions, and the older ListOpen and ListClosed. */
import { temporal } from '@temporalio/proto';
import { long, optionalMs } from '../../common/proto-values';
import type { VisibilityQuery } from '../../store/types';
import { executionInfo } from '../describe';
import { Status } from '../engine/types';
import { invalidArgument } from '../errors';
import type { NamespaceInfo, Rpc, ServiceParts } from '../types';
import { filterSql } from './filter-sql';
import { FilterError } from './lexer';
import { positionOf, tokenAfter } from './list-order';
import { resolveAttribute } from './attributes';
import { type ParsedFilter, parseFilter } from './parser';

type Info = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type ListRequest = temporal.api.workflowservice.v1.IListWorkflowExecutionsRequest;
type ListResponse = temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse;
type CountRequest = temporal.api.workflowservice.v1.ICountWorkflowExecutionsRequest;
type CountResponse = temporal.api.workflowservice.v1.ICountWorkflowExecutionsResponse;
type OpenRequest = temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsRequest;
type ClosedRequest = temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsRequest;

const MAX_PAGE_SIZE = 1000;
/** As Temporal names the statuses in visibility, by number. */
const STATUS_NAMES: Record<Status, string> = {
  [Status.Running]: 'Running',
  [Status.Completed]: 'Completed',
  [Status.Failed]: 'Failed',
  [Status.Canceled]: 'Canceled',
  [Status.Terminated]: 'Terminated',
  [Status.ContinuedAsNew]: 'ContinuedAsNew',
  [Status.TimedOut]: 'TimedOut',
};

interface Page {
  executions: Info[];
  nextPageToken?: Uint8Array;
}

/** A filter's text as the store runs it; INVALID_ARGUMENT says what is wrong with it and where. */
function compile(
  text: string | null | undefined,
  namespace: NamespaceInfo,
): { query: VisibilityQuery; parsed: ParsedFilter } {
  try {
    const parsed = parseFilter(text ?? '');
    const sql = filterSql(parsed.where, namespace.searchAttributeTypes);
    return { query: { namespaceId: namespace.id, ...sql }, parsed };
  } catch (error) {
    if (error instanceof FilterError) throw invalidArgument(`invalid query: ${error.message}`);
    throw error;
  }
}

async function page(
  parts: ServiceParts,
  namespaceName: string | null | undefined,
  filter: string | null | undefined,
  size: number | null | undefined,
  token: Uint8Array | null | undefined,
): Promise<Page> {
  const namespace = await parts.namespace(namespaceName);
  const { query, parsed } = compile(filter, namespace);
  if (parsed.groupBy.length > 0) throw invalidArgument("invalid query: operation is not supported: 'GROUP BY' clause");
  const limit = size && size > 0 ? Math.min(size, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
  const rows = await parts.store.list(query, limit, positionOf(token));
  const last = rows.at(-1);
  return {
    executions: rows.map((row) => executionInfo(row, namespace.uuid)),
    ...(rows.length === limit && last !== undefined ? { nextPageToken: tokenAfter(last) } : {}),
  };
}

export const listWorkflowExecutions =
  (parts: ServiceParts): Rpc<ListRequest, ListResponse> =>
  (request) =>
    page(parts, request.namespace, request.query, request.pageSize, request.nextPageToken);

export function countWorkflowExecutions(parts: ServiceParts): Rpc<CountRequest, CountResponse> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const { query, parsed } = compile(request.query, namespace);
    if (parsed.groupBy.length === 0) return { count: long(await parts.store.count(query)), groups: [] };
    checkGroupBy(parsed.groupBy, namespace);
    const groups = await parts.store.countByStatus(query);
    return {
      count: long(groups.reduce((sum, group) => sum + group.count, 0)),
      groups: groups.map(({ status, count }) => ({ groupValues: [keyword(STATUS_NAMES[status])], count: long(count) })),
    };
  };
}

function checkGroupBy(names: string[], namespace: NamespaceInfo): void {
  if (names.length > 1) {
    throw invalidArgument("invalid query: operation is not supported: 'GROUP BY' clause supports only a single field");
  }
  try {
    const attribute = resolveAttribute(names[0] ?? '', namespace.searchAttributeTypes);
    if (attribute.form === 'status') return;
    throw new FilterError(
      `operation is not supported: 'GROUP BY' clause is not supported for search attribute ${attribute.name}`,
    );
  } catch (error) {
    if (error instanceof FilterError) throw invalidArgument(`invalid query: ${error.message}`);
    throw error;
  }
}

const keyword = (value: string): temporal.api.common.v1.IPayload => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
  data: Buffer.from(JSON.stringify(value)),
});

export const listOpenWorkflowExecutions =
  (parts: ServiceParts): Rpc<OpenRequest, temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsResponse> =>
  (request) => {
    const filters = [
      "ExecutionStatus = 'Running'",
      ...timeFilter('StartTime', request.startTimeFilter),
      ...idFilter(request),
    ];
    return page(parts, request.namespace, filters.join(' AND '), request.maximumPageSize, request.nextPageToken);
  };

export const listClosedWorkflowExecutions =
  (parts: ServiceParts): Rpc<ClosedRequest, temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsResponse> =>
  (request) => {
    const status = request.statusFilter?.status;
    if (status === temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) {
      throw invalidArgument('StatusFilter must be specified and must be not Running.');
    }
    const filters = [
      "ExecutionStatus != 'Running'",
      ...timeFilter('CloseTime', request.startTimeFilter),
      ...idFilter(request),
      ...(status ? [`ExecutionStatus = ${status}`] : []),
    ];
    return page(parts, request.namespace, filters.join(' AND '), request.maximumPageSize, request.nextPageToken);
  };

function timeFilter(name: string, filter: temporal.api.filter.v1.IStartTimeFilter | null | undefined): string[] {
  const earliest = optionalMs(filter?.earliestTime);
  const latest = optionalMs(filter?.latestTime);
  if (earliest !== undefined && latest !== undefined && earliest > latest) {
    throw invalidArgument('EarliestTime in StartTimeFilter should not be larger than LatestTime.');
  }
  const bound = (operator: string, ms: number | undefined): string[] =>
    ms === undefined || ms <= 0 ? [] : [`${name} ${operator} '${new Date(ms).toISOString()}'`];
  return [...bound('>=', earliest), ...bound('<=', latest)];
}

function idFilter(request: OpenRequest | ClosedRequest): string[] {
  const quote = (text: string | null | undefined): string => `'${(text ?? '').replace(/[\\']/g, '\\$&')}'`;
  if (request.executionFilter) return [`WorkflowId = ${quote(request.executionFilter.workflowId)}`];
  if (request.typeFilter) return [`WorkflowType = ${quote(request.typeFilter.name)}`];
  return [];
}
