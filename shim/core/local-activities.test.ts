import { coresdk } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { HistoryBuilder, START_MS } from '../../test/core/history-builder';
import { fromMs, long, ms } from '../common/proto-values';
import { createCoreRun } from './index';
import type { Activation, ActivationJob, CoreAction, CoreRun, CoreRunOptions, LocalActivityOutcome } from './index';
import { LOCAL_ACTIVITY_MARKER, localActivityMarkerDetails, localActivityMarkerOf } from './markers';
import type { LocalActivityMarkerData } from './markers';
import type { Command, LangCommand } from './messages';

const Cancellation = coresdk.workflow_commands.ActivityCancellationType;
const { EvictionReason } = coresdk.workflow_activation.RemoveFromCache;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const options: CoreRunOptions = {
  namespace: 'ns',
  taskQueue: 'test',
  sdkName: 'sdk',
  sdkVersion: '1',
  identity: 'me',
  buildId: 'build',
  stickyAttributes: {},
};

type OfType<T extends CoreAction['type']> = Extract<CoreAction, { type: T }>;

function types(actions: CoreAction[]): string[] {
  return actions.map((action) => action.type);
}

function find<T extends CoreAction['type']>(actions: CoreAction[], type: T): OfType<T> {
  const found = actions.find((action) => action.type === type);
  expect(types(actions)).toContain(type);
  return found as OfType<T>;
}

const answer = (run: CoreRun, ...commands: LangCommand[]): CoreAction[] =>
  run.completeActivation({ runId: run.runId, successful: { commands } });

function schedule(seq: number, more: coresdk.workflow_commands.IScheduleLocalActivity = {}): LangCommand {
  return {
    scheduleLocalActivity: {
      seq,
      activityId: String(seq),
      activityType: 'local',
      attempt: 1,
      arguments: [{ data: text('arg') }],
      startToCloseTimeout: fromMs(5000),
      cancellationType: Cancellation.WAIT_CANCELLATION_COMPLETED,
      ...more,
    },
  };
}

function done(seq: number, more: Partial<LocalActivityOutcome> = {}): LocalActivityOutcome {
  return {
    seq,
    attempt: 1,
    resolution: { completed: { result: { data: text(`result ${seq}`) } } },
    completeTimeMs: START_MS + 3500,
    originalScheduleTimeMs: START_MS + 3000,
    ...more,
  };
}

/** A run whose first activation has been answered with these commands. */
function begun(...commands: LangCommand[]): { run: CoreRun; history: HistoryBuilder; actions: CoreAction[] } {
  const history = new HistoryBuilder();
  history.taskStarted();
  const task = history.task();
  const run = createCoreRun(task, options);
  find(run.handleTask(task), 'activate');
  return { run, history, actions: answer(run, ...commands) };
}

function markerOf(command: Command | undefined): LocalActivityMarkerData | undefined {
  const { recordMarkerCommandAttributes } = command ?? {};
  if (!recordMarkerCommandAttributes) return undefined;
  return localActivityMarkerOf({ eventType: 25, markerRecordedEventAttributes: recordMarkerCommandAttributes });
}

function addMarker(history: HistoryBuilder, seq: number, more: Partial<LocalActivityMarkerData> = {}): number {
  const data: LocalActivityMarkerData = {
    seq,
    attempt: 1,
    activityId: String(seq),
    activityType: 'local',
    completeTime: undefined,
    backoff: undefined,
    originalScheduleTime: undefined,
    ...more,
  };
  const details = localActivityMarkerDetails(data, { data: text(`result ${seq}`) });
  return history.add({ markerRecordedEventAttributes: { markerName: LOCAL_ACTIVITY_MARKER, details } });
}

function variants(activation: Activation): string[] {
  return (activation.jobs ?? []).map((job) => (job as ActivationJob).variant);
}

describe('a local activity', () => {
  it('runs while its task stays open, and leaves a marker', () => {
    const { run, actions } = begun(schedule(1));
    expect(types(actions)).toEqual(['startLocalActivity', 'scheduleHeartbeat']);
    expect(find(actions, 'startLocalActivity').activity).toMatchObject({
      seq: 1,
      activityType: 'local',
      attempt: 1,
      startToCloseMs: 5000,
      localRetryThresholdMs: 60_000,
    });
    expect(find(actions, 'scheduleHeartbeat').afterMs).toBe(8000);
    const { activation } = find(run.localActivityResolved(done(1)), 'activate');
    expect(activation.jobs).toEqual([
      {
        variant: 'resolveActivity',
        resolveActivity: { seq: 1, isLocal: true, result: { completed: { result: { data: text('result 1') } } } },
      },
    ]);
    expect(ms(activation.timestamp)).toBe(START_MS + 3500);
    const { request } = find(answer(run), 'completeTask');
    expect(request.forceCreateNewWorkflowTask).toBe(false);
    expect(markerOf(request.commands?.[0])).toMatchObject({
      seq: 1,
      attempt: 1,
      activityType: 'local',
      completeTime: { seconds: (START_MS + 3500 - 500) / 1000, nanos: 500_000_000 },
      result: { data: text('result 1') },
    });
  });

  it('completes at workflow time plus its run time when that is told', () => {
    const { run } = begun(schedule(1));
    const outcome = done(1, { runtimeMs: 250, completeTimeMs: START_MS + 1_000_000 });
    const { activation } = find(run.localActivityResolved(outcome), 'activate');
    expect(ms(activation.timestamp)).toBe(START_MS + 3250);
  });

  it('renews its task at 80 % of its timeout, markers so far included', () => {
    const { run, history } = begun(schedule(1), schedule(2));
    find(run.localActivityResolved(done(1)), 'activate');
    expect(types(answer(run))).toEqual([]);
    const { request } = find(run.heartbeatDue(), 'completeTask');
    expect(request.forceCreateNewWorkflowTask).toBe(true);
    expect(request.commands?.map((command) => markerOf(command)?.seq)).toEqual([1]);
    expect(run.taskAnswered({})).toEqual([]);
    expect(run.idle).toBe(false);
    history.taskCompleted();
    addMarker(history, 1);
    history.taskStarted();
    expect(types(run.handleTask(history.task({}, true)))).toEqual(['scheduleHeartbeat']);
    find(run.localActivityResolved(done(2)), 'activate');
    const last = find(answer(run), 'completeTask').request;
    expect(last.commands?.map((command) => markerOf(command)?.seq)).toEqual([2]);
    expect(last.forceCreateNewWorkflowTask).toBe(false);
  });

  it('that ends between two tasks is told with the next', () => {
    const { run, history } = begun(schedule(1));
    find(run.heartbeatDue(), 'completeTask');
    expect(run.localActivityResolved(done(1))).toEqual([]);
    expect(run.taskAnswered({})).toEqual([]);
    history.taskCompleted();
    history.taskStarted();
    expect(variants(find(run.handleTask(history.task({}, true)), 'activate').activation)).toEqual(['resolveActivity']);
  });

  it('does not keep queries of its task waiting', () => {
    const { run, history } = begun(schedule(1));
    find(run.heartbeatDue(), 'completeTask');
    run.taskAnswered({});
    history.taskCompleted();
    history.taskStarted();
    const actions = run.handleTask(history.task({ queries: { q: { queryType: 'state' } } }, true));
    expect(variants(find(actions, 'activate').activation)).toEqual(['queryWorkflow']);
    const answered = answer(run, { respondToQuery: { queryId: 'q', succeeded: { response: { data: text('s') } } } });
    const { request } = find(answered, 'completeTask');
    expect(Object.keys(request.queryResults ?? {})).toEqual(['q']);
    // Else it could end with no task to tell of it.
    expect(request.forceCreateNewWorkflowTask).toBe(true);
  });

  it('waits on a workflow timer for a long retry delay', () => {
    const { run } = begun(schedule(1));
    const outcome = done(1, {
      attempt: 3,
      resolution: {
        failed: { failure: { message: 'third' } },
        backoff: { attempt: 4, backoffDuration: fromMs(90_000) },
      },
    });
    const { activation } = find(run.localActivityResolved(outcome), 'activate');
    expect(activation.jobs?.[0]?.resolveActivity?.result?.backoff).toMatchObject({
      attempt: 4,
      backoffDuration: { seconds: 90, nanos: 0 },
    });
    const { request } = find(
      answer(run, { startTimer: { seq: 1, startToFireTimeout: fromMs(90_000) } }),
      'completeTask',
    );
    expect(markerOf(request.commands?.[0])).toMatchObject({
      attempt: 3,
      backoff: { seconds: 90, nanos: 0 },
      failure: { message: 'third' },
    });
  });

  it.each([
    ['cancelled', { cancelled: { failure: { canceledFailureInfo: {} } } }, 'Local Activity cancelled'],
    ['timed out', { failed: { failure: { timeoutFailureInfo: {} } } }, 'Local Activity timed out'],
  ] as const)('that is %s is told as an activity failure', (_, resolution, message) => {
    const { run } = begun(schedule(1));
    const { activation } = find(run.localActivityResolved(done(1, { resolution })), 'activate');
    const result = activation.jobs?.[0]?.resolveActivity?.result;
    expect(result?.cancelled?.failure ?? result?.failed?.failure).toMatchObject({
      message,
      activityFailureInfo: { activityId: '1', activityType: { name: 'local' } },
    });
  });

  it.each([
    ['WAIT_CANCELLATION_COMPLETED', ['cancelLocalActivity'], undefined],
    ['TRY_CANCEL', ['cancelLocalActivity', 'activate'], 'Local Activity cancelled'],
    ['ABANDON', ['activate'], 'Local Activity cancelled'],
  ] as const)('under way is cancelled by %s', (kind, expected, message) => {
    const cancellationType = Cancellation[kind];
    const { run } = begun(schedule(1, { cancellationType }), schedule(2));
    find(run.localActivityResolved(done(2)), 'activate');
    const actions = answer(run, { requestCancelLocalActivity: { seq: 1 } });
    expect(types(actions)).toEqual(expected);
    if (message === undefined) return;
    const { activation } = find(actions, 'activate');
    expect(activation.jobs?.[0]?.resolveActivity?.result?.cancelled?.failure?.message).toBe(message);
    // What it comes to is of no interest any more.
    expect(run.localActivityResolved(done(1))).toEqual([]);
  });

  it('cancelled before it began never runs, but leaves its marker', () => {
    const { run, actions } = begun(schedule(1), { requestCancelLocalActivity: { seq: 1 } });
    expect(types(actions)).toEqual(['activate']);
    const { request } = find(answer(run), 'completeTask');
    expect(request.commands?.map((command) => markerOf(command)?.seq)).toEqual([1]);
  });

  it('without timeouts is refused', () => {
    const { actions } = begun(schedule(1, { startToCloseTimeout: undefined }));
    expect(find(actions, 'failTask').request.failure?.message).toContain('One or both of schedule_to_close');
  });

  it('is cancelled when its run leaves the cache, and its task is not completed without it', () => {
    const { run } = begun(schedule(1));
    const actions = run.requestEviction(EvictionReason.CACHE_FULL, 'full');
    expect(types(actions)).toEqual(['cancelLocalActivity', 'activate']);
    expect(variants(find(actions, 'activate').activation)).toEqual(['removeFromCache']);
    expect(run.localActivityResolved(done(1))).toEqual([]);
  });

  it('is not waited for by a workflow that ends', () => {
    const { actions } = begun(schedule(1), { completeWorkflowExecution: {} });
    expect(find(actions, 'completeTask').request.commands).toHaveLength(1);
    const later = begun(schedule(1), schedule(2));
    find(later.run.localActivityResolved(done(1)), 'activate');
    expect(types(answer(later.run, { completeWorkflowExecution: {} }))).toEqual([
      'cancelLocalActivity',
      'completeTask',
    ]);
  });
});

describe('local activities in replay', () => {
  it('are resolved by their markers, in the order of these', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted();
    addMarker(history, 2, { completeTime: { seconds: START_MS / 1000 + 4, nanos: 0 } });
    addMarker(history, 1);
    history.add({ timerStartedEventAttributes: { timerId: '1' } });
    history.add({ timerFiredEventAttributes: { timerId: '1', startedEventId: long(7) } });
    history.taskStarted();
    const task = history.task();
    const run = createCoreRun(task, options);
    find(run.handleTask(task), 'activate');
    const actions = answer(run, schedule(1), schedule(2));
    expect(types(actions)).toEqual(['activate']);
    const { activation } = find(actions, 'activate');
    expect(activation.jobs?.map((job) => job.resolveActivity?.seq)).toEqual([2, 1]);
    expect(ms(activation.timestamp)).toBe(START_MS + 4000);
    const next = find(answer(run, { startTimer: { seq: 1 } }), 'activate');
    expect(variants(next.activation)).toEqual(['fireTimer']);
    expect(find(answer(run), 'completeTask').request.commands).toEqual([]);
  });

  it('run again when the history ends before their marker', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted();
    history.taskStarted();
    const task = history.task();
    const run = createCoreRun(task, options);
    find(run.handleTask(task), 'activate');
    expect(types(answer(run, schedule(1)))).toEqual(['startLocalActivity', 'scheduleHeartbeat']);
    find(run.localActivityResolved(done(1)), 'activate');
    expect(find(answer(run), 'completeTask').request.commands).toHaveLength(1);
  });

  it('must be those of the history', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted();
    addMarker(history, 1, { activityType: 'other' });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    const task = history.task();
    const run = createCoreRun(task, options);
    find(run.handleTask(task), 'activate');
    find(answer(run, schedule(1)), 'activate');
    expect(find(answer(run), 'failTask').request.failure?.message).toContain(
      "Activity type of recorded marker 'other' does not match",
    );
  });
});
