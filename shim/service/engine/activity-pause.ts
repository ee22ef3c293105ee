/** Paused activities (C52): not dispatched, no timeout runs; list and describe show them. */
import { keywordList } from './search-attributes';
import { asRun } from './transition';
import type { ActivityState, Transition } from './types';

/** The search attribute by which paused activities are found (`property:activityType=…`). */
const PAUSE_INFO = 'TemporalPauseInfo';

/** A running attempt goes on until it ends by itself. Pausing again changes nothing. */
export function beginPause(t: Transition, activity: ActivityState, by: { identity: string; reason: string }): void {
  if (activity.paused) return;
  activity.paused = true;
  activity.pause = { atMs: t.ctx.nowMs, ...by };
  showPaused(t);
}

export function endPause(t: Transition, activity: ActivityState): void {
  activity.paused = false;
  activity.pause = null;
  showPaused(t);
}

function showPaused(t: Transition): void {
  const types = new Set<string>();
  for (const id in t.state.activities) {
    const activity = t.state.activities[id]!;
    if (activity.paused) types.add(`property:activityType=${activity.activityType}`);
  }
  const { [PAUSE_INFO]: _, ...others } = t.state.searchAttributes;
  t.state.searchAttributes = types.size === 0 ? others : { ...others, [PAUSE_INFO]: keywordList([...types]) };
  asRun(t).effect({ type: 'visibilityChanged' });
}
