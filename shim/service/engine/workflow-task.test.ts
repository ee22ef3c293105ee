import { describe, expect, it } from 'vitest';
import { World, completeRun, scheduleActivity, startTimer, cancelActivity } from '../../../test/engine/world';
import { Code, ServiceError } from '../errors';
import { engine } from './index';
import { Status } from './types';
import { taskTimeoutMs } from './workflow-task';

const refusal = (step: () => unknown): ServiceError => {
  try {
    step();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const sticky = {
  stickyAttributes: { workerTaskQueue: { name: 'q-sticky' }, scheduleToStartTimeout: { seconds: 10 } },
} as never;

describe('a workflow task', () => {
  it('is scheduled with the start and its events carry what a server writes', () => {
    const w = new World().start();
    w.poll();
    w.complete([completeRun()], { sdkMetadata: { coreUsedFlags: [1] }, workerVersionStamp: { buildId: 'b' } });
    expect(w.names()).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
    expect(w.history[1]?.workflowTaskScheduledEventAttributes).toEqual({
      taskQueue: { name: 'q', kind: 1 },
      startToCloseTimeout: { seconds: 10, nanos: 0 },
      attempt: 1,
    });
    expect(w.history[2]?.workflowTaskStartedEventAttributes).toMatchObject({ scheduledEventId: 2, identity: 'worker' });
    expect(w.history[3]?.workflowTaskCompletedEventAttributes).toEqual({
      scheduledEventId: 2,
      startedEventId: 3,
      identity: 'worker',
      workerVersion: { buildId: 'b' },
      sdkMetadata: { coreUsedFlags: [1] },
    });
    expect(w.state).toMatchObject({ status: Status.Completed, closeEventId: 5, workflowTask: null });
  });

  it('is handed out once, and again only to the same poll', () => {
    const w = new World().start();
    const task = { scheduledEventId: 2, attempt: 1, requestId: 'a', identity: 'worker' };
    w.do((t) => engine.startWorkflowTask(t, task));
    w.do((t) => engine.startWorkflowTask(t, task));
    expect(w.history).toHaveLength(3);
    expect(refusal(() => w.do((t) => engine.startWorkflowTask(t, { ...task, requestId: 'b' }))).code).toBe(
      Code.NOT_FOUND,
    );
  });

  it.each([
    ['another attempt', { attempt: 2 }],
    ['another task', { scheduledEventId: 9 }],
    ['another poll', { requestId: 'other' }],
  ])('refuses the completion of %s', (_, over) => {
    const w = new World().start();
    const token = w.poll();
    expect(refusal(() => w.complete([], {}, { ...token, ...over }))).toMatchObject({
      code: Code.NOT_FOUND,
      details: 'Workflow task not found.',
    });
  });

  it('makes outside events wait while it runs, results of work last', () => {
    const w = new World().start();
    w.run(scheduleActivity('a'), startTimer('t', 1));
    w.signal('first');
    w.poll();
    w.do((t) => engine.startActivity(t, { scheduledEventId: 5, attempt: 1, requestId: 'r', identity: 'worker' }));
    w.do((t) =>
      engine.completeActivity(
        t,
        { scheduledEventId: 5, attempt: 1, requestId: 'r' },
        { result: null, identity: 'worker' },
      ),
    );
    w.sleep(1000);
    w.signal('second');
    expect(w.names(7)).toEqual(['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED']);
    w.complete();
    expect(w.names(10)).toEqual([
      'WORKFLOW_TASK_COMPLETED',
      'ACTIVITY_TASK_STARTED',
      'TIMER_FIRED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'ACTIVITY_TASK_COMPLETED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(w.history[13]?.activityTaskCompletedEventAttributes).toMatchObject({
      scheduledEventId: 5,
      startedEventId: 11,
    });
  });

  it('that closes the run over unseen events fails with UNHANDLED_COMMAND and nothing of it stays', () => {
    const w = new World().start();
    w.poll();
    w.signal('late');
    const { error } = w.complete([startTimer('t'), completeRun()]);
    expect(error).toMatchObject({ code: Code.INVALID_ARGUMENT, details: 'UnhandledCommand' });
    expect(w.names(4)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(w.state.timers).toEqual({});
    expect(w.state.workflowTask?.attempt).toBe(1);
    // The worker is at it again: callers are told to come back.
    w.poll();
    expect(refusal(() => w.signal('again'))).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    expect(refusal(() => w.update('again'))).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
    // Those that have been told that it arrives cannot.
    w.do((t) => {
      const signal = { signalName: 'sure', input: null, identity: '', header: null, requestId: 's', committed: true };
      engine.signal(t, signal);
      engine.admitUpdate(t, { meta: { updateId: 'sure' }, input: { name: 'change' } }, true);
    });
    expect(w.complete([completeRun()]).error).toMatchObject({ details: 'UnhandledCommand' });
    expect(w.poll().messages.map(({ protocolInstanceId }) => protocolInstanceId)).toEqual(['sure']);
    w.complete([completeRun()]);
    expect(w.state.status).toBe(Status.Completed);
  });

  it('with a bad command fails once, then is dropped until it times out', () => {
    const w = new World().start();
    w.poll();
    expect(w.complete([startTimer('')]).error).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(w.names(4)).toEqual(['WORKFLOW_TASK_FAILED']);
    expect(w.state.workflowTask).toMatchObject({ kind: 'transient', attempt: 2, scheduledEventId: 5 });
    w.poll();
    expect(refusal(() => w.complete([startTimer('')])).details).toMatch(/^BadStartTimerAttributes: /);
    expect(w.state.workflowTask?.startedEventId).toBe(6);
    expect(w.history).toHaveLength(4);
  });

  it('refuses commands after a closing one without touching the run', () => {
    const w = new World().start();
    w.poll();
    const before = JSON.stringify(w.state);
    expect(refusal(() => w.complete([completeRun(), startTimer('t')])).details).toBe(
      'invalid command sequence: [CompleteWorkflowExecution, StartTimer], command CompleteWorkflowExecution must be the last command.',
    );
    expect(JSON.stringify(w.state)).toBe(before);
  });

  it('repeats without history after a timeout, and shows up when it succeeds', () => {
    const w = new World().start();
    w.poll();
    w.sleep(10_000);
    expect(w.names(4)).toEqual(['WORKFLOW_TASK_TIMED_OUT']);
    w.poll();
    w.sleep(10_000);
    expect(w.history).toHaveLength(4);
    const token = w.poll();
    expect(token).toMatchObject({ attempt: 3, scheduledEventId: 5, startedEventId: 6 });
    expect(engine.virtualTaskEvents(w.state).map((event) => event.eventId)).toEqual([5, 6]);
    w.complete([startTimer('t')]);
    expect(w.names(5)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'TIMER_STARTED',
    ]);
    expect(w.history[4]?.workflowTaskScheduledEventAttributes?.attempt).toBe(3);
    expect(w.state.failedTaskAttempts).toBe(0);
  });

  it('is a fresh one when events come between its attempts', () => {
    const w = new World().start();
    w.poll();
    w.sleep(10_000);
    w.signal('news');
    w.poll();
    expect(w.names(5)).toEqual(['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED']);
    expect(w.state.workflowTask).toMatchObject({ kind: 'normal', attempt: 1 });
  });

  it('gives up the sticky queue before it counts a failure', () => {
    const w = new World().start();
    w.poll();
    w.complete([startTimer('t')], sticky);
    w.sleep(1000);
    expect(w.state.workflowTask).toMatchObject({ taskQueue: 'q-sticky', sticky: true });
    expect(w.last().workflowTaskScheduledEventAttributes?.taskQueue).toEqual({
      name: 'q-sticky',
      kind: 2,
      normalName: 'q',
    });
    w.sleep(10_000);
    expect(w.names(7)).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_TIMED_OUT', 'WORKFLOW_TASK_SCHEDULED']);
    expect(w.state.workflowTask).toMatchObject({ taskQueue: 'q', sticky: false, attempt: 1, scheduleToStartAtMs: 0 });
  });

  it('goes on by heartbeats for half an hour', () => {
    const w = new World().start();
    const heartbeat = { forceCreateNewWorkflowTask: true, returnNewWorkflowTask: true };
    for (let minutes = 0; minutes < 30; minutes += 3) {
      w.poll();
      w.after(5000);
      expect(w.complete([], heartbeat)).toMatchObject({ error: null, returnNewTask: true });
      w.after(175_000);
    }
    w.poll();
    w.after(5000);
    expect(w.complete([], heartbeat).error).toMatchObject({
      code: Code.NOT_FOUND,
      details: 'workflow task heartbeat timeout',
    });
    expect(w.names().filter((name) => name === 'WORKFLOW_TASK_TIMED_OUT')).toHaveLength(1);
  });

  it('follows at once when an activity that nobody had started is cancelled', () => {
    const w = new World().start();
    w.run(scheduleActivity('a'));
    w.signal('go');
    w.run(cancelActivity(5));
    expect(w.names(8)).toEqual([
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'ACTIVITY_TASK_CANCEL_REQUESTED',
      'ACTIVITY_TASK_CANCELED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it.each([
    [1, 10_000],
    [3, 10_000],
    [4, 15_000],
    [5, 20_000],
    [6, 30_000],
    [40, 610_000],
  ])('of attempt %i may take %i ms', (attempt, ms) => {
    expect(taskTimeoutMs(10_000, attempt)).toBe(ms);
  });

  it('suggests to continue as new when the history is long', () => {
    const w = new World();
    w.limits.historyCountSuggestContinueAsNew = 8;
    w.start();
    w.run(startTimer('t'));
    w.signal('go');
    w.poll();
    expect(w.last().workflowTaskStartedEventAttributes).toMatchObject({
      suggestContinueAsNew: true,
      suggestContinueAsNewReasons: [
        // TOO_MANY_HISTORY_EVENTS
        2,
      ],
    });
  });

  it('terminates a run whose history is too long', () => {
    const w = new World();
    w.limits.historyCountError = 5;
    w.start();
    w.run(startTimer('t'), startTimer('u'));
    expect(w.state.status).toBe(Status.Terminated);
    expect(w.last().workflowExecutionTerminatedEventAttributes?.reason).toBe('Workflow history count exceeds limit.');
  });
});
