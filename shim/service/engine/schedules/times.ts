/** Which slots of a schedule are still to come. */
import { ms } from '../../../common/proto-values';
import { ScheduleTimes, type Slot } from './spec';
import type { ScheduleState } from './types';

/** Most times that one question is answered with. */
const MAX_MATCHING = 1000;

export const timesOf = (state: ScheduleState): ScheduleTimes =>
  new ScheduleTimes(state.spec, `${state.namespace}/${state.scheduleId}`);

/** Whole seconds, as Go writes them. */
export const rfc3339 = (epochMs: number): string =>
  new Date(Math.floor(epochMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** Would a slot become a workflow now? Triggers and backfills always do. */
export const mayAct = ({ paused, limitedActions, remainingActions }: ScheduleState): boolean =>
  !paused && (!limitedActions || remainingActions > 0);

/** Slots after `afterMs` that the schedule has not dealt with. Those of before its last update are not made up for. */
export function* slotsAfter(state: ScheduleState, afterMs: number): Generator<Slot> {
  const times = timesOf(state);
  // A slot of before the update may act after it, as late as its jitter allows.
  const from = Math.max(afterMs, state.updatedMs - ms(state.spec.jitter) - 1000);
  for (let slot = times.next(from); slot !== null; slot = times.next(slot.actionMs)) {
    if (slot.actionMs >= state.updatedMs) yield slot;
  }
}

/** When the schedule acts next, epoch ms. */
export function futureTimes(state: ScheduleState, nowMs: number, count: number): number[] {
  const limit = state.limitedActions ? Math.min(state.remainingActions, count) : count;
  const times: number[] = [];
  if (limit <= 0) return times;
  // Time goes by unused while it may not act.
  const from = mayAct(state) ? state.processedMs : Math.max(state.processedMs, nowMs);
  for (const { actionMs } of slotsAfter(state, from)) {
    times.push(actionMs);
    if (times.length >= limit) break;
  }
  return times;
}

/** Every time of the spec after `startMs` up to `endMs`, whatever the schedule's state. */
export function matchingTimes(state: ScheduleState, startMs: number, endMs: number): number[] {
  const times = timesOf(state);
  const found: number[] = [];
  let slot = times.next(startMs);
  while (slot !== null && slot.actionMs <= endMs && found.length < MAX_MATCHING) {
    found.push(slot.actionMs);
    slot = times.next(slot.actionMs);
  }
  return found;
}
