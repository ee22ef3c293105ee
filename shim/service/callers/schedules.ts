/** Schedules that a caller's transaction creates. */
import type { temporal } from '@temporalio/proto';
import type { CallerConnection } from '../../store/types';
import { leave } from '../engine/schedules/decide';
import { prepareSchedule, scheduleExists, tokenOf } from '../schedules/changes';
import type { ServiceParts } from '../types';

type CreateRequest = temporal.api.workflowservice.v1.ICreateScheduleRequest;

/** What is to be done at once (a trigger, backfills) is left to whoever hears of the commit. */
export async function createScheduleWithin(
  parts: ServiceParts,
  client: CallerConnection,
  request: CreateRequest,
): Promise<object> {
  const { namespaceId, requestId, state, patch } = await prepareSchedule(parts, request);
  const conflictToken = tokenOf(state);
  const dueAtMs = leave(state, state.createdMs, { type: 'patch', requestId, patch });
  const outcome = await parts.store.inbox.createSchedule(client, { namespaceId, requestId, state, dueAtMs });
  if (outcome === 'taken') throw scheduleExists(state.scheduleId);
  return { conflictToken };
}
