/** The RPCs of schedules that change one: create, update, patch, delete. */
import type { temporal } from '@temporalio/proto';
import type { SchedulePatch, ScheduleState } from '../engine/schedules/types';
import { configFromMessage, patchFromMessage } from '../engine/schedules/config-request';
import { newSchedule } from '../engine/schedules/create';
import { validateSearchAttributes, validateSearchAttributesSize } from '../engine/search-attributes';
import { payloadMapSize } from '../engine/size';
import type { Payload } from '../engine/types';
import { Code, ServiceError, failedPrecondition, invalidArgument, notFound } from '../errors';
import { MAX_ID_LENGTH, checkLength } from '../target';
import type { Rpc, ServiceParts } from '../types';
import type { Schedules } from './schedules';

type Wf = typeof temporal.api.workflowservice.v1;
type Requests = { [K in keyof Wf]: Wf[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never };
type Fields = Record<string, Payload>;

export const scheduleNotFound = (): ServiceError => notFound('schedule not found');

export function createSchedule(
  parts: ServiceParts,
  schedules: Schedules,
): Rpc<Requests['CreateScheduleRequest'], temporal.api.workflowservice.v1.ICreateScheduleResponse> {
  return async (request) => {
    const { namespaceId, requestId, state, patch } = await prepareSchedule(parts, request);
    const { scheduleId } = state;
    const conflictToken = tokenOf(state);
    if (!(await schedules.create(namespaceId, requestId, state))) throw scheduleExists(scheduleId);
    // After a crash in between, the caller's next try does this part, and it alone.
    const event = { type: 'patch', requestId, patch } as const;
    const asked = patch.trigger !== null || patch.backfills.length > 0 || patch.pause !== '' || patch.unpause !== '';
    if (asked) await schedules.change({ namespaceId, scheduleId }, () => event);
    return { conflictToken };
  };
}

/** A schedule as it begins, and what is to be done to it at once. */
export async function prepareSchedule(
  parts: ServiceParts,
  request: Requests['CreateScheduleRequest'],
): Promise<{ namespaceId: number; requestId: string; state: ScheduleState; patch: SchedulePatch }> {
  const scheduleId = checkId(request.scheduleId);
  const { requestId } = request;
  if (!requestId) throw invalidArgument('RequestId is not set on request.');
  checkLength(requestId, 'RequestId');
  const namespace = await parts.namespace(request.namespace);
  const context = parts.runs.engineContext(namespace.id);
  const config = configFromMessage(request.schedule, context, namespace.name);
  const memo = checkedMemo(parts, request.memo?.fields) ?? {};
  const attributes = checkedAttributes(parts, namespace, request.searchAttributes?.indexedFields) ?? {};
  const patch = patchFromMessage(request.initialPatch, context.nowMs);
  const identity = { namespace: namespace.name, scheduleId, uuid: parts.newId() };
  const state = newSchedule(identity, config, memo, attributes, context.nowMs);
  return { namespaceId: namespace.id, requestId, state, patch };
}

export const scheduleExists = (scheduleId: string): ServiceError =>
  new ServiceError(Code.ALREADY_EXISTS, `Schedule ${scheduleId} already exists.`, [
    { type: 'WorkflowExecutionAlreadyStartedFailure', value: {} },
  ]);

export function updateSchedule(
  parts: ServiceParts,
  schedules: Schedules,
): Rpc<Requests['UpdateScheduleRequest'], temporal.api.workflowservice.v1.IUpdateScheduleResponse> {
  return async (request) => {
    checkLength(request.requestId, 'RequestId');
    const namespace = await parts.namespace(request.namespace);
    const context = parts.runs.engineContext(namespace.id);
    const update = {
      type: 'update',
      requestId: request.requestId ?? '',
      config: configFromMessage(request.schedule, context, namespace.name),
      memo: checkedMemo(parts, request.memo?.fields, request.memo != null),
      searchAttributes: checkedAttributes(
        parts,
        namespace,
        request.searchAttributes?.indexedFields,
        request.searchAttributes != null,
      ),
    } as const;
    const asked = request.conflictToken ?? new Uint8Array();
    const key = { namespaceId: namespace.id, scheduleId: request.scheduleId ?? '' };
    const changed = await schedules.change(key, (state) => {
      const repeated = update.requestId !== '' && state.requestIds.includes(update.requestId);
      if (!repeated && asked.byteLength >= 8 && !tokenOf(state).equals(asked)) {
        throw failedPrecondition('mismatched conflict token');
      }
      return update;
    });
    if (changed === null) throw scheduleNotFound();
    return {};
  };
}

export function patchSchedule(
  parts: ServiceParts,
  schedules: Schedules,
): Rpc<Requests['PatchScheduleRequest'], temporal.api.workflowservice.v1.IPatchScheduleResponse> {
  return async (request) => {
    checkLength(request.requestId, 'RequestId');
    const namespace = await parts.namespace(request.namespace);
    const patch = patchFromMessage(request.patch, parts.store.nowMs());
    const event = { type: 'patch', requestId: request.requestId ?? '', patch } as const;
    const key = { namespaceId: namespace.id, scheduleId: request.scheduleId ?? '' };
    if ((await schedules.change(key, () => event)) === null) throw scheduleNotFound();
    return {};
  };
}

export function deleteSchedule(
  parts: ServiceParts,
  schedules: Schedules,
): Rpc<Requests['DeleteScheduleRequest'], temporal.api.workflowservice.v1.IDeleteScheduleResponse> {
  return async (request) => {
    const namespace = await parts.namespace(request.namespace);
    const removed = await schedules.remove({ namespaceId: namespace.id, scheduleId: request.scheduleId ?? '' });
    if (!removed) throw scheduleNotFound();
    return {};
  };
}

/** Eight bytes, big-endian. */
export function tokenOf({ conflictToken }: ScheduleState): Buffer {
  const token = Buffer.alloc(8);
  token.writeBigUInt64BE(BigInt(conflictToken));
  return token;
}

/** On Temporal a schedule is a workflow with this before its id, and has a workflow id's length. */
const PREFIX_LENGTH = 'temporal-sys-scheduler:'.length;

function checkId(scheduleId: string | null | undefined): string {
  if (!scheduleId) throw invalidArgument('ScheduleId is not set on request.');
  if (Buffer.byteLength(scheduleId) > MAX_ID_LENGTH - PREFIX_LENGTH) {
    throw invalidArgument('ScheduleId length exceeds limit.');
  }
  return scheduleId;
}

/** null = not given. */
function checkedMemo(parts: ServiceParts, fields: Fields | null | undefined, given = true): Fields | null {
  if (!given) return null;
  if (payloadMapSize(fields) > parts.limits.memoSizeError) throw invalidArgument('Memo size exceeds limit.');
  return fields ?? {};
}

function checkedAttributes(
  parts: ServiceParts,
  namespace: { id: number; name: string },
  fields: Fields | null | undefined,
  given = true,
): Fields | null {
  if (!given) return null;
  const { searchAttributeTypes } = parts.runs.engineContext(namespace.id);
  validateSearchAttributes(fields, searchAttributeTypes, namespace.name);
  validateSearchAttributesSize(fields);
  return fields ?? {};
}
