/** Activities of a run that moves to another version. */
import { asRun } from '../transition';
import type { Transition } from '../types';
import { scheduleWorkflowTask } from '../workflow-task';
import { workflowTaskVersion } from './routing';
import { moves, pinnedVersion } from './run-versioning';
import { beginMove, isMoving } from './transition';
import { type DeploymentVersion, sameVersion } from './version';

/**
 * An activity would be started by a version that the run's own tasks go to by now: the run moves first, and the activity waits for it. On a queue
 * with a version of its own an activity goes its own way.
 */
export function movesBeforeActivity(transition: Transition, version: DeploymentVersion | null): boolean {
  const t = asRun(transition);
  const { state } = t;
  if (state.deployment === null && version === null) return false;
  if (isMoving(t)) return true;
  if (pinnedVersion(state) !== null || !moves(state, version)) return false;
  if (!sameVersion(version, workflowTaskVersion(state, t.ctx.routing))) return false;
  beginMove(t, version);
  const task = state.workflowTask;
  if (task === null) scheduleWorkflowTask(t);
  else if (task.startedEventId === 0 && task.kind !== 'speculative') t.effect({ type: 'workflowTaskScheduled' });
  return true;
}
