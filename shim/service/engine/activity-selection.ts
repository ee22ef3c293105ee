/** Which pending activities an operator means. */
import { notFound } from '../errors';
import { findByActivityId } from './activities';
import type { ActivitySelector } from './api';
import { workflowCompleted } from './run-refusals';
import { type ActivityState, type RunState, Status } from './types';

/** The pending activities that are meant, in order of their scheduling; NOT_FOUND when there are none. */
export function selectActivities(state: RunState, which: ActivitySelector): ActivityState[] {
  if (state.status !== Status.Running) throw workflowCompleted();
  const all = Object.values(state.activities);
  let found: ActivityState[];
  if ('id' in which) {
    const one = findByActivityId(state, which.id);
    found = one === undefined ? [] : [one];
  } else found = 'type' in which ? all.filter(({ activityType }) => activityType === which.type) : all;
  if (found.length === 0) {
    throw notFound("Can't find pending activity with such ID. Invalid activityID or activity already completed");
  }
  return found;
}
