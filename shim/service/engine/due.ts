/**
 * What a run waits for by the clock: when the next thing is due, and doing everything that is due. Things are done in the order of their
 * deadlines, as a server that is never late would; those that come of it (a retry's backoff, the next workflow task) are due later.
 */
import { eachActivityDeadline, timeOutActivity, type TimeoutType } from './activity-timeouts';
import { timeOutExecution, timeOutRun } from './close';
import { fireTimer } from './timers';
import { asRun } from './transition';
import { Status, type HistoryEvent, type RunState, type Transition } from './types';
import { scheduleWorkflowTask, timeOutStartedTask, timeOutUnstartedTask } from './workflow-task';

/** Something with a deadline. The order of kinds decides between equal deadlines. */
type Deadline =
  | { kind: 'activityRetry'; atMs: number; scheduledEventId: number; attempt: number }
  | { kind: 'firstTask'; atMs: number }
  | { kind: 'timer'; atMs: number; timerId: string; startedEventId: number }
  | { kind: 'activityTimeout'; atMs: number; scheduledEventId: number; attempt: number; type: TimeoutType }
  | { kind: 'taskTimeout'; atMs: number; scheduledEventId: number; started: boolean }
  | { kind: 'runTimeout'; atMs: number }
  | { kind: 'executionTimeout'; atMs: number };

const kindOrder: Record<Deadline['kind'], number> = {
  activityRetry: 0,
  firstTask: 1,
  timer: 2,
  activityTimeout: 3,
  taskTimeout: 4,
  executionTimeout: 5,
  runTimeout: 6,
};

/** Epoch ms of the earliest deadline; 0 when the run waits for nothing by the clock. */
export function nextDue(state: RunState): number {
  let earliest = Infinity;
  eachDeadline(state, Infinity, ({ atMs }) => {
    if (atMs < earliest) earliest = atMs;
  });
  return earliest === Infinity ? 0 : earliest;
}

/** Does everything due at `ctx.nowMs`. The Started event is asked for when a run timeout leads to a retry or cron run. */
export function fireDue(t: Transition, input: { startedEvent: () => HistoryEvent }): void {
  const due: Deadline[] = [];
  eachDeadline(t.state, t.ctx.nowMs, (deadline) => due.push(deadline));
  due.sort(inOrder);
  let news = false;
  for (const deadline of due) {
    if (t.state.status !== Status.Running) return;
    news = fire(t, deadline, input.startedEvent) || news;
  }
  // One task for all of it, behind all of it.
  if (news) scheduleWorkflowTask(asRun(t));
}

/** Calls back with every deadline up to `untilMs`, in no particular order. */
function eachDeadline(state: RunState, untilMs: number, visit: (deadline: Deadline) => void): void {
  if (state.status !== Status.Running) return;
  const task = state.workflowTask;
  const { firstTaskAtMs, runExpiresAtMs, executionExpiresAtMs } = state;
  if (firstTaskAtMs > 0 && task === null && firstTaskAtMs <= untilMs) visit({ kind: 'firstTask', atMs: firstTaskAtMs });
  if (task !== null) {
    const { scheduledEventId, startedEventId, startedAtMs, timeoutMs, scheduleToStartAtMs } = task;
    const started = startedEventId !== 0;
    const atMs = started ? startedAtMs + timeoutMs : scheduleToStartAtMs;
    if (atMs > 0 && atMs <= untilMs) visit({ kind: 'taskTimeout', atMs, scheduledEventId, started });
  }
  for (const key in state.timers) {
    const { timerId, startedEventId, fireAtMs } = state.timers[key]!;
    if (fireAtMs <= untilMs) visit({ kind: 'timer', atMs: fireAtMs, timerId, startedEventId });
  }
  for (const key in state.activities) {
    const activity = state.activities[key]!;
    const { scheduledEventId, attempt, scheduledAtMs } = activity;
    if (activity.backingOff && !activity.paused && scheduledAtMs <= untilMs) {
      visit({ kind: 'activityRetry', atMs: scheduledAtMs, scheduledEventId, attempt });
    }
    eachActivityDeadline(activity, (atMs, type) => {
      if (atMs <= untilMs) visit({ kind: 'activityTimeout', atMs, scheduledEventId, attempt, type });
    });
  }
  // Of two that hit in the same millisecond the execution's counts, which is never retried.
  const runFirst = executionExpiresAtMs === 0 || runExpiresAtMs < executionExpiresAtMs - 1;
  if (runExpiresAtMs > 0 && runFirst && runExpiresAtMs <= untilMs) visit({ kind: 'runTimeout', atMs: runExpiresAtMs });
  if (executionExpiresAtMs > 0 && executionExpiresAtMs <= untilMs) {
    visit({ kind: 'executionTimeout', atMs: executionExpiresAtMs });
  }
}

function inOrder(a: Deadline, b: Deadline): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  if (a.kind !== b.kind) return kindOrder[a.kind] - kindOrder[b.kind];
  if (a.kind === 'timer' && b.kind === 'timer') return a.startedEventId - b.startedEventId;
  if (a.kind === 'activityTimeout' && b.kind === 'activityTimeout') {
    // Temporal's numbers: start-to-close, schedule-to-start, schedule-to-close, heartbeat.
    return a.scheduledEventId - b.scheduledEventId || a.type - b.type;
  }
  if (a.kind === 'activityRetry' && b.kind === 'activityRetry') return a.scheduledEventId - b.scheduledEventId;
  return 0;
}

/** True when the workflow has to hear of it. An earlier deadline of the same round may have settled what a later one was for. */
function fire(t: Transition, deadline: Deadline, startedEvent: () => HistoryEvent): boolean {
  const run = asRun(t);
  const { state } = t;
  switch (deadline.kind) {
    case 'firstTask':
      state.firstTaskAtMs = 0;
      return true;
    case 'taskTimeout': {
      const task = state.workflowTask;
      if (task === null || task.scheduledEventId !== deadline.scheduledEventId) return false;
      if (deadline.started) timeOutStartedTask(run);
      else timeOutUnstartedTask(run);
      return false;
    }
    case 'timer': {
      const timer = state.timers[deadline.timerId];
      if (timer === undefined || timer.startedEventId !== deadline.startedEventId) return false;
      fireTimer(t, timer);
      return true;
    }
    case 'activityRetry': {
      const activity = state.activities[deadline.scheduledEventId];
      if (activity === undefined || activity.attempt !== deadline.attempt || !activity.backingOff) return false;
      activity.backingOff = false;
      run.effect({ type: 'activityScheduled', scheduledEventId: activity.scheduledEventId, eager: false });
      return false;
    }
    case 'activityTimeout': {
      const activity = state.activities[deadline.scheduledEventId];
      // A retry made by an earlier timeout of this round begins a new attempt with new deadlines.
      if (activity === undefined || activity.attempt !== deadline.attempt) return false;
      return timeOutActivity(t, activity, deadline.type);
    }
    case 'runTimeout':
      timeOutRun(run, startedEvent);
      return false;
    case 'executionTimeout':
      timeOutExecution(run);
      return false;
  }
}
