/** The engine: Temporal's history service as pure decisions. */
import {
  activityById,
  cancelActivity,
  completeActivity,
  failActivity,
  failForHeartbeat,
  recordHeartbeat,
  startActivity,
} from './activities';
import { pauseActivities, resetActivities, unpauseActivities } from './activity-controls';
import { updateActivityOptions } from './activity-options';
import { selectActivities } from './activity-selection';
import type { Engine } from './api';
import { childClosed, childStartFailed, childStartInput, childStarted, obligationDone } from './children';
import { terminate } from './close';
import { fireDue, nextDue } from './due';
import { externalAnswered } from './externals';
import { replay } from './replay';
import { enforceHistoryLimits } from './history-limits';
import { beginReset, reapply, terminateForReset } from './reset';
import { requestCancel, signal, validateSignal } from './signals';
import { start, startInputFromRequest } from './start';
import { completeWorkflowTask, failWorkflowTask } from './task-completion';
import { asRun, begin } from './transition';
import { admitUpdate, deliverUpdates, validateUpdate } from './updates';
import { movesBeforeActivity } from './versioning/activity';
import { updateOverride } from './versioning/options';
import { startWorkflowTask, virtualTaskEvents } from './workflow-task';

export { defaultLimits } from './limits';
export type * from './api';
export type * from './types';

export const engine: Engine = {
  begin,
  start,
  startInputFromRequest,

  enforceHistoryLimits: (t) => enforceHistoryLimits(asRun(t)),
  signal: (t, input) => signal(asRun(t), input),
  validateSignal,
  requestCancel: (t, input) => requestCancel(asRun(t), input),
  terminate: (t, input) => terminate(asRun(t), input),
  admitUpdate: (t, request, committed) => admitUpdate(asRun(t), request, committed),
  validateUpdate,

  startWorkflowTask: (t, input) => startWorkflowTask(asRun(t), input),
  deliverUpdates: (t) => deliverUpdates(asRun(t)),
  virtualTaskEvents,
  completeWorkflowTask: (t, token, request, startedEvent) =>
    completeWorkflowTask(asRun(t), token, request, startedEvent),
  failWorkflowTask: (t, token, request) => failWorkflowTask(asRun(t), token, request),

  startActivity,
  movesBeforeActivity,
  completeActivity,
  failActivity,
  cancelActivity,
  failForHeartbeat,
  recordHeartbeat,
  activityById,

  selectActivities,
  pauseActivities,
  unpauseActivities,
  resetActivities,
  updateActivityOptions,
  updateOverride,

  childStarted,
  childStartFailed,
  childClosed,
  childStartInput,
  externalAnswered,
  obligationDone,

  nextDue,
  fireDue,

  replay,
  beginReset,
  reapply: (t, events, exclude) => reapply(asRun(t), events, exclude),
  terminateForReset: (t, reason) => terminateForReset(asRun(t), reason),
};
