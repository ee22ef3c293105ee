/** The RPCs of schedules that only read: describe, list, count, matching times. */
import type { temporal } from '@temporalio/proto';
import { fromMs, long, ms } from '../../common/proto-values';
import type { VisibilityQuery } from '../../store/types';
import { withTypes } from '../engine/search-attributes';
import { shownInfo, shownListInfo, shownSchedule } from '../engine/schedules/shown';
import { matchingTimes } from '../engine/schedules/times';
import type { ScheduleState } from '../engine/schedules/types';
import { type Payload, Status } from '../engine/types';
import { invalidArgument } from '../errors';
import { decodeToken, encodeToken } from '../page-token';
import type { NamespaceInfo, Rpc, ServiceParts } from '../types';
import { SYSTEM_TYPES } from '../visibility/attributes';
import { namesIn } from '../visibility/filter';
import { filterSql } from '../visibility/filter-sql';
import { readFilter, refusing } from '../visibility/query';
import { scheduleNotFound, tokenOf } from './changes';

type Wf = typeof temporal.api.workflowservice.v1;
type Requests = { [K in keyof Wf]: Wf[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never };
type Position = { createdMs: number; scheduleId: string };

const MAX_PAGE_SIZE = 1000;

export function describeSchedule(
  parts: ServiceParts,
): Rpc<Requests['DescribeScheduleRequest'], temporal.api.workflowservice.v1.IDescribeScheduleResponse> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const state = await load(parts, namespace, request.scheduleId);
    const { store } = parts;
    // One may have ended this moment.
    const isOpen = await Promise.all(
      state.running.map(async ({ workflowId, firstRunId }) => {
        const current = await store.currentRun(namespace.id, workflowId);
        return current?.status === Status.Running && current.firstRunId === firstRunId;
      }),
    );
    const running = state.running.filter((_, i) => isOpen[i]);
    return {
      schedule: shownSchedule(state, namespace.searchAttributeTypes),
      info: shownInfo(state, running, store.nowMs()),
      ...shownFields(state, namespace),
      conflictToken: tokenOf(state),
    };
  };
}

export function listSchedules(
  parts: ServiceParts,
): Rpc<Requests['ListSchedulesRequest'], temporal.api.workflowservice.v1.IListSchedulesResponse> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const size = request.maximumPageSize ?? 0;
    const limit = size > 0 ? Math.min(size, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
    const after = decodeToken<Position>(
      request.nextPageToken,
      (value) => typeof value.createdMs === 'number' && typeof value.scheduleId === 'string',
    );
    const states = await parts.store.schedules.list(compile(request.query, namespace), limit, after ?? null);
    const nowMs = parts.store.nowMs();
    const last = states.at(-1);
    return {
      schedules: states.map((state) => ({
        scheduleId: state.scheduleId,
        ...shownFields(state, namespace),
        info: shownListInfo(state, nowMs),
      })),
      ...(states.length === limit && last !== undefined
        ? { nextPageToken: encodeToken({ createdMs: last.createdMs, scheduleId: last.scheduleId }) }
        : {}),
    };
  };
}

export function countSchedules(
  parts: ServiceParts,
): Rpc<Requests['CountSchedulesRequest'], temporal.api.workflowservice.v1.ICountSchedulesResponse> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    return { count: long(await parts.store.schedules.count(compile(request.query, namespace))), groups: [] };
  };
}

export function listScheduleMatchingTimes(
  parts: ServiceParts,
): Rpc<
  Requests['ListScheduleMatchingTimesRequest'],
  temporal.api.workflowservice.v1.IListScheduleMatchingTimesResponse
> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const state = await load(parts, namespace, request.scheduleId);
    if (!request.startTime || !request.endTime) throw invalidArgument('missing or invalid query');
    return { startTime: matchingTimes(state, ms(request.startTime), ms(request.endTime)).map(fromMs) };
  };
}

async function load(
  parts: ServiceParts,
  namespace: NamespaceInfo,
  scheduleId: string | null | undefined,
): Promise<ScheduleState> {
  const loaded = await parts.store.schedules.load({ namespaceId: namespace.id, scheduleId: scheduleId ?? '' });
  if (loaded === null) throw scheduleNotFound();
  return loaded.state;
}

/** Absent when empty, as on Temporal. */
function shownFields(
  { memo, searchAttributes }: ScheduleState,
  { searchAttributeTypes }: NamespaceInfo,
): {
  memo?: { fields: Record<string, Payload> };
  searchAttributes?: { indexedFields: Record<string, Payload> };
} {
  const some = (fields: object): boolean => Object.keys(fields).length > 0;
  return {
    ...(some(memo) ? { memo: { fields: memo } } : {}),
    ...(some(searchAttributes)
      ? { searchAttributes: { indexedFields: withTypes(searchAttributes, searchAttributeTypes) } }
      : {}),
  };
}

const SCHEDULE_ID = /^(Temporal)?ScheduleId$/;
const PAUSED = /^(Temporal)?SchedulePaused$/;

/** Filters on custom search attributes, ScheduleId and TemporalSchedulePaused. */
function compile(text: string | null | undefined, namespace: NamespaceInfo): VisibilityQuery {
  const custom = namespace.searchAttributeTypes;
  const where = readFilter(text);
  return refusing(() => {
    for (const { name } of where === null ? [] : namesIn(where)) {
      if (Object.hasOwn(custom, name) || SCHEDULE_ID.test(name) || PAUSED.test(name)) continue;
      if (!Object.hasOwn(SYSTEM_TYPES, name)) continue;
      throw invalidArgument(`invalid query filter for schedules: cannot filter on "${name}"`);
    }
    const { condition, values } = filterSql(where, custom);
    return { namespaceId: namespace.id, condition, values };
  });
}
