/** A run that moves to another version: from the moment one of its tasks is handed to that version until it has completed a workflow task. */
import type { RunTransition } from '../transition';
import type { HistoryEvent } from '../types';
import { forgetStickyQueue } from './apply';
import { obsoleteTask } from './obsolete';
import { effectiveBehavior, effectiveVersion, moves, noVersioning, pinnedVersion } from './run-versioning';
import { type DeploymentVersion, sameVersion } from './version';

/** A workflow task is started by that version's worker. NOT_FOUND when the run is pinned to another one. */
export function taskStartedBy(t: RunTransition, version: DeploymentVersion | null): void {
  if (moves(t.state, version)) beginMove(t, version);
}

export function beginMove(t: RunTransition, to: DeploymentVersion | null): void {
  const { state } = t;
  if (pinnedVersion(state) !== null) throw obsoleteTask();
  state.deployment = { ...(state.deployment ?? noVersioning()), transition: { to }, wasVersioned: true };
  forgetStickyQueue(state);
}

/** Runs `change`, after which activities that nobody has started are handed out anew if they may belong to others now. */
export function reofferingActivities(t: RunTransition, change: () => HistoryEvent): HistoryEvent {
  const { state } = t;
  const was = state.deployment;
  const before = { version: effectiveVersion(state), behavior: effectiveBehavior(state) };
  const event = change();
  const { deployment } = state;
  if (was === null && deployment === null) return event;
  const moved =
    (was?.transition != null && deployment?.transition == null) ||
    !sameVersion(before.version, effectiveVersion(state)) ||
    before.behavior !== effectiveBehavior(state);
  if (moved) offerActivities(t);
  return event;
}

export function offerActivities(t: RunTransition): void {
  for (const activity of Object.values(t.state.activities)) {
    const { scheduledEventId, startedAtMs, backingOff, paused } = activity;
    if (startedAtMs === 0 && !backingOff && !paused)
      t.effect({ type: 'activityScheduled', scheduledEventId, eager: false });
  }
}

/** Whether activities have to wait until the run has moved. */
export const isMoving = (t: RunTransition): boolean => t.state.deployment?.transition != null;
