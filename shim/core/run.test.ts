import { coresdk, temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { HistoryBuilder, START_MS } from '../../test/core/history-builder';
import { fromMs, long, ms } from '../common/proto-values';
import { createCoreRun } from './index';
import type { Activation, CoreAction, CoreRun, CoreRunOptions, WorkflowTask } from './index';
import type { LangCommand } from './messages';

const { EvictionReason } = coresdk.workflow_activation.RemoveFromCache;
const { CommandType, WorkflowTaskFailedCause } = temporal.api.enums.v1;
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

/** The one action there must be, of the given type. */
function only<T extends CoreAction['type']>(actions: CoreAction[], type: T): OfType<T> {
  expect(actions.map((action) => action.type)).toEqual([type]);
  return actions[0] as OfType<T>;
}

function variants(activation: Activation): (string | undefined)[] {
  return (activation.jobs ?? []).map((job) => (job as { variant?: string }).variant);
}

const answer = (run: CoreRun, ...commands: LangCommand[]): CoreAction[] =>
  run.completeActivation({ runId: run.runId, successful: { commands, usedInternalFlags: [2] } });

const startTimer = (seq: number): LangCommand => ({ startTimer: { seq, startToFireTimeout: fromMs(1000) } });
const complete: LangCommand = { completeWorkflowExecution: { result: { data: text('done') } } };

/** A run whose first task is being worked on by lang. */
function begun(history = new HistoryBuilder(), more: Partial<CoreRunOptions> = {}, task?: WorkflowTask): CoreRun {
  history.taskStarted();
  const first = task ?? history.task();
  const run = createCoreRun(first, { ...options, ...more });
  only(run.handleTask(first), 'activate');
  return run;
}

/** A run that waits on timer 1, its first task completed. */
function waiting(history: HistoryBuilder): CoreRun {
  const run = begun(history);
  only(answer(run, startTimer(1)), 'completeTask');
  expect(run.taskAnswered({})).toEqual([]);
  history.taskCompleted();
  history.add({ timerStartedEventAttributes: { timerId: '1', startToFireTimeout: fromMs(1000) } });
  return run;
}

function evicted(run: CoreRun, actions: CoreAction[]): OfType<'evicted'> {
  const { activation } = only(actions, 'activate');
  expect(variants(activation)).toEqual(['removeFromCache']);
  return only(run.completeActivation({ runId: run.runId, successful: {} }), 'evicted');
}

describe('a run', () => {
  it('is initialised with what the started event says', () => {
    const history = new HistoryBuilder({
      input: { payloads: [{ data: text('arg') }] },
      memo: { fields: { a: { data: text('memo') } } },
      parentWorkflowNamespace: 'parent-ns',
      parentWorkflowExecution: { workflowId: 'p', runId: 'pr' },
      cronSchedule: '* * * * *',
      firstWorkflowTaskBackoff: fromMs(60_000),
      retryPolicy: { maximumAttempts: 2 },
    });
    history.taskStarted({ historySizeBytes: long(77), suggestContinueAsNew: true });
    const task = history.task();
    const { activation } = only(createCoreRun(task, options).handleTask(task), 'activate');
    expect(activation).toMatchObject({
      runId: 'run-1',
      isReplaying: false,
      historyLength: 3,
      historySizeBytes: 77,
      continueAsNewSuggested: true,
      deploymentVersionForCurrentTask: { buildId: 'build', deploymentName: '' },
    });
    expect(ms(activation.timestamp)).toBe(START_MS + 3000);
    expect(activation.jobs?.[0]?.initializeWorkflow).toMatchObject({
      workflowId: 'workflow',
      workflowType: 'wf',
      arguments: [{ data: text('arg') }],
      memo: { fields: { a: { data: text('memo') } } },
      parentWorkflowInfo: { namespace: 'parent-ns', workflowId: 'p', runId: 'pr' },
      cronSchedule: '* * * * *',
      cronScheduleToScheduleInterval: fromMs(60_000),
      retryPolicy: { maximumAttempts: 2, initialInterval: fromMs(0) },
      attempt: 1,
      startTime: fromMs(START_MS + 1000),
    });
  });

  it('completes its tasks with commands and records flags once', () => {
    const history = new HistoryBuilder();
    const run = begun(history);
    const { request } = only(answer(run, startTimer(1)), 'completeTask');
    expect(request).toMatchObject({
      namespace: 'ns',
      identity: 'me',
      taskToken: text('task 3'),
      returnNewWorkflowTask: true,
      forceCreateNewWorkflowTask: false,
      commands: [{ commandType: CommandType.COMMAND_TYPE_START_TIMER, startTimerCommandAttributes: { timerId: '1' } }],
      sdkMetadata: { coreUsedFlags: [1, 2, 3], langUsedFlags: [2], sdkName: 'sdk', sdkVersion: '1' },
    });
    expect(run.idle).toBe(false);
    run.taskAnswered({});
    expect(run.idle).toBe(true);

    history.taskCompleted();
    history.add({ timerStartedEventAttributes: { timerId: '1' } });
    history.add({ timerFiredEventAttributes: { timerId: '1', startedEventId: long(5) } });
    history.taskStarted();
    const { activation } = only(run.handleTask(history.task({}, true)), 'activate');
    expect(activation.jobs).toEqual([{ variant: 'fireTimer', fireTimer: { seq: 1 } }]);
    const last = only(answer(run, complete), 'completeTask').request;
    expect(last.commands?.map((command) => command.commandType)).toEqual([
      CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    ]);
    expect(last.sdkMetadata).toMatchObject({ coreUsedFlags: [], langUsedFlags: [] });
    expect(evicted(run, run.taskAnswered({})).reason).toBe(EvictionReason.WORKFLOW_EXECUTION_ENDING);
  });

  it('asks for no new task when it is not kept between tasks', () => {
    const run = begun(new HistoryBuilder(), { stickyAttributes: undefined });
    const { request } = only(answer(run), 'completeTask');
    expect(request.returnNewWorkflowTask).toBe(false);
    expect(request).not.toHaveProperty('stickyAttributes');
  });

  it('goes on with the task that came with the answer', () => {
    const history = new HistoryBuilder();
    const run = waiting(history);
    history.add({ timerFiredEventAttributes: { timerId: '1', startedEventId: long(5) } });
    history.taskStarted();
    only(run.handleTask(history.task({}, true)), 'activate');
    only(answer(run, startTimer(2)), 'completeTask');
    history.taskCompleted();
    history.add({ timerStartedEventAttributes: { timerId: '2' } });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    const next = only(run.taskAnswered({ newTask: history.task({}, true) }), 'activate');
    expect(variants(next.activation)).toEqual(['signalWorkflow']);
  });

  it('sends jobs in the order lang expects', () => {
    const history = new HistoryBuilder();
    const run = waiting(history);
    history.add({ timerFiredEventAttributes: { timerId: '1', startedEventId: long(5) } });
    history.add({ workflowExecutionCancelRequestedEventAttributes: { cause: 'why' } });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 'a' } });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 'b' } });
    history.taskStarted();
    const { activation } = only(run.handleTask(history.task({}, true)), 'activate');
    expect(variants(activation)).toEqual(['signalWorkflow', 'signalWorkflow', 'fireTimer', 'cancelWorkflow']);
    expect(activation.jobs?.map((job) => job.signalWorkflow?.signalName)).toEqual(['a', 'b', undefined, undefined]);
  });

  it('never lets time go back', () => {
    const history = new HistoryBuilder();
    const run = waiting(history);
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    const task = history.task({}, true);
    const started = task.history?.events?.at(-1);
    if (started) started.eventTime = fromMs(START_MS);
    const { activation } = only(run.handleTask(task), 'activate');
    expect(ms(activation.timestamp)).toBe(START_MS + 3000);
  });
});

describe('commands', () => {
  it('keeps the first that ends the workflow, and puts it last', () => {
    const run = begun();
    const { request } = only(
      answer(run, startTimer(1), complete, startTimer(2), { cancelWorkflowExecution: {} }),
      'completeTask',
    );
    expect(request.commands?.map((command) => command.commandType)).toEqual([
      CommandType.COMMAND_TYPE_START_TIMER,
      CommandType.COMMAND_TYPE_START_TIMER,
      CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    ]);
  });

  it('drops what follows the end when it replays a history older than that rule', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted([1]);
    history.add({ workflowExecutionCompletedEventAttributes: {} });
    const task = { ...history.task(), startedEventId: long(3) };
    const run = createCoreRun(task, { ...options, replayOnly: true });
    only(run.handleTask(task), 'activate');
    const done = evicted(run, answer(run, complete, startTimer(1)));
    expect(done.reason).toBe(EvictionReason.LANG_REQUESTED);
  });

  it('makes none of what was cancelled before it went out', () => {
    const run = begun();
    const first = answer(
      run,
      startTimer(1),
      { cancelTimer: { seq: 1 } },
      { scheduleActivity: { seq: 1, activityId: '1', activityType: 'a' } },
      { requestCancelActivity: { seq: 1 } },
      { startChildWorkflowExecution: { seq: 1, workflowId: 'c', workflowType: 'child' } },
      { cancelChildWorkflowExecution: { childWorkflowSeq: 1, reason: 'no' } },
      { signalExternalWorkflowExecution: { seq: 1, childWorkflowId: 'c', signalName: 's' } },
      { cancelSignalWorkflow: { seq: 1 } },
    );
    // Lang hears of the cancellations within the same task.
    const { activation } = only(first, 'activate');
    expect(activation.jobs).toMatchObject([
      { resolveActivity: { seq: 1, result: { cancelled: { failure: { message: 'Activity cancelled' } } } } },
      {
        resolveChildWorkflowExecutionStart: {
          seq: 1,
          cancelled: { failure: { message: 'Child Workflow Execution cancelled before scheduled: no' } },
        },
      },
      { resolveSignalExternalWorkflow: { failure: { message: 'Signal was cancelled before being sent' } } },
    ]);
    expect(only(answer(run), 'completeTask').request.commands).toEqual([]);
  });

  it('carries memo, retry policy and current search attributes over to the next run', () => {
    const run = begun(
      new HistoryBuilder({
        memo: { fields: { kept: { data: text('m') } } },
        retryPolicy: { maximumAttempts: 7 },
        searchAttributes: { indexedFields: { A: { data: text('1') }, B: { data: text('1') } } },
      }),
    );
    const { request } = only(
      answer(
        run,
        { upsertWorkflowSearchAttributes: { searchAttributes: { indexedFields: { B: { data: text('2') } } } } },
        { continueAsNewWorkflowExecution: { workflowType: 'wf', taskQueue: 'test' } },
      ),
      'completeTask',
    );
    expect(request.commands?.[1]?.continueAsNewWorkflowExecutionCommandAttributes).toMatchObject({
      workflowType: { name: 'wf' },
      memo: { fields: { kept: { data: text('m') } } },
      retryPolicy: { maximumAttempts: 7 },
      searchAttributes: { indexedFields: { A: { data: text('1') }, B: { data: text('2') } } },
      inheritBuildId: true,
    });
  });

  it('says who cancels an external workflow, and marks signals to children', () => {
    const run = begun();
    const workflowExecution = { namespace: 'ns', workflowId: 'other', runId: '' };
    const { request } = only(
      answer(
        run,
        { requestCancelExternalWorkflowExecution: { seq: 1, workflowExecution, reason: 'r' } },
        { signalExternalWorkflowExecution: { seq: 1, childWorkflowId: 'child', signalName: 's' } },
      ),
      'completeTask',
    );
    expect(request.commands).toMatchObject([
      {
        requestCancelExternalWorkflowExecutionCommandAttributes: {
          workflowId: 'other',
          childWorkflowOnly: false,
          reason: 'Cancel requested by workflow with run id run-1 with reason: r',
        },
      },
      { signalExternalWorkflowExecutionCommandAttributes: { namespace: 'ns', childWorkflowOnly: true } },
    ]);
  });

  it('refuses Nexus operations with a clear failure', () => {
    const run = begun();
    const { request } = only(answer(run, { scheduleNexusOperation: { seq: 1 } }), 'failTask');
    expect(request.cause).toBe(WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
    expect(request.failure?.message).toContain('scheduleNexusOperation is not supported');
  });

  it('repeats the summary of what it cancels on the cancellation', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    const task = history.task();
    const run = createCoreRun(task, options);
    run.handleTask(task);
    const userMetadata = { summary: { data: text('sum') } };
    only(answer(run, { ...startTimer(1), userMetadata }), 'completeTask');
    run.taskAnswered({});
    history.taskCompleted();
    history.add({ timerStartedEventAttributes: { timerId: '1' } });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    only(run.handleTask(history.task({}, true)), 'activate');
    const { request } = only(answer(run, { cancelTimer: { seq: 1 } }), 'completeTask');
    expect(request.commands).toMatchObject([{ cancelTimerCommandAttributes: { timerId: '1' }, userMetadata }]);
  });
});

describe('queries', () => {
  it('answers those of a task after its other jobs, in its completion', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    const task = history.task({ queries: { q1: { queryType: 'state' }, q2: { queryType: 'none' } } });
    const run = createCoreRun(task, options);
    only(run.handleTask(task), 'activate');
    const { activation } = only(answer(run, startTimer(1)), 'activate');
    expect(activation.isReplaying).toBe(true);
    expect(activation.jobs).toMatchObject([
      { variant: 'queryWorkflow', queryWorkflow: { queryId: 'q1', queryType: 'state' } },
      { queryWorkflow: { queryId: 'q2' } },
    ]);
    const { request } = only(
      answer(
        run,
        { respondToQuery: { queryId: 'q1', succeeded: { response: { data: text('yes') } } } },
        { respondToQuery: { queryId: 'q2', failed: { message: 'unknown' } } },
      ),
      'completeTask',
    );
    expect(request.commands).toHaveLength(1);
    expect(request.queryResults).toEqual({
      q1: { resultType: 1, answer: { payloads: [{ data: text('yes') }] }, errorMessage: '' },
      q2: { resultType: 2, answer: undefined, errorMessage: 'unknown' },
    });
  });

  it('answers a query alone from the cached state', () => {
    const history = new HistoryBuilder();
    const run = waiting(history);
    const { activation } = only(run.handleTask(history.queryTask('state')), 'activate');
    expect(activation).toMatchObject({ isReplaying: true, jobs: [{ queryWorkflow: { queryId: 'legacy_query' } }] });
    const { request } = only(
      answer(run, { respondToQuery: { queryId: 'legacy_query', succeeded: { response: { data: text('s') } } } }),
      'answerQuery',
    );
    expect(request).toMatchObject({ completedType: 1, queryResult: { payloads: [{ data: text('s') }] } });
    expect(run.idle).toBe(true);
  });

  it('replays the history first when the run is not cached', () => {
    const history = new HistoryBuilder();
    waiting(history);
    const task = history.queryTask('state');
    const run = createCoreRun(task, options);
    expect(run.handleTask(task)).toEqual([{ type: 'fetchHistory', fromEventId: 1, nextPageToken: undefined }]);
    const { activation } = only(run.historyFetched(history.events.slice(0, 3), new Uint8Array([9])), 'fetchHistory')
      .nextPageToken
      ? only(run.historyFetched(history.events.slice(3), undefined), 'activate')
      : expect.fail('a page is missing');
    expect(variants(activation)).toEqual(['initializeWorkflow']);
    expect(variants(only(answer(run, startTimer(1)), 'activate').activation)).toEqual(['queryWorkflow']);
  });

  it('answers a query of a closed workflow from its history', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted();
    history.add({ workflowExecutionCompletedEventAttributes: {} });
    const task = history.queryTask('state');
    const run = createCoreRun(task, options);
    only(run.handleTask(task), 'fetchHistory');
    only(run.historyFetched(history.events, undefined), 'activate');
    const { activation } = only(answer(run, complete), 'activate');
    expect(variants(activation)).toEqual(['queryWorkflow']);
    const actions = answer(run, { respondToQuery: { queryId: 'legacy_query', failed: { message: 'no' } } });
    expect(actions.map((action) => action.type)).toEqual(['answerQuery', 'activate']);
    expect(actions[0]).toMatchObject({ request: { completedType: 2, errorMessage: 'no' } });
    evicted(run, actions.slice(1));
  });

  it('leaves a query alone for a retry when its history cannot be had', () => {
    const history = new HistoryBuilder();
    waiting(history);
    const task = history.queryTask('state');
    const run = createCoreRun(task, options);
    run.handleTask(task);
    const { reason } = only(run.requestEviction(EvictionReason.PAGINATION_OR_HISTORY_FETCH, 'gone'), 'evicted');
    expect(reason).toBe(EvictionReason.PAGINATION_OR_HISTORY_FETCH);
  });
});

describe('failures', () => {
  it('reports the first failed attempt and leaves later ones to their timeout', () => {
    const failed = { failure: { message: 'oops' } };
    const first = begun();
    const { request } = only(first.completeActivation({ runId: 'run-1', failed }), 'failTask');
    expect(request).toMatchObject({ cause: 14, failure: { message: 'oops' }, taskToken: text('task 3') });
    expect(evicted(first, first.taskAnswered({})).reason).toBe(EvictionReason.LANG_FAIL);

    const history = new HistoryBuilder();
    history.taskStarted();
    const second = createCoreRun(history.task(), options);
    second.handleTask(history.task({ attempt: 2 }));
    expect(evicted(second, second.completeActivation({ runId: 'run-1', failed })).reason).toBe(
      EvictionReason.LANG_FAIL,
    );
  });

  function nondeterministic(more: Partial<CoreRunOptions>): { run: CoreRun; actions: CoreAction[] } {
    const history = new HistoryBuilder();
    waiting(history);
    history.add({ timerFiredEventAttributes: { timerId: '1', startedEventId: long(5) } });
    history.taskStarted();
    const task = history.task();
    const run = createCoreRun(task, { ...options, ...more });
    only(run.handleTask(task), 'activate');
    return { run, actions: answer(run, { scheduleActivity: { seq: 1, activityId: '1', activityType: 'a' } }) };
  }

  it('fails the task when code and history differ', () => {
    const { run, actions } = nondeterministic({});
    const { request } = only(actions, 'failTask');
    expect(request.cause).toBe(WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
    expect(request.failure?.message).toBe(
      '[TMPRL1100] Nondeterminism error: Activity machine does not handle this event: HistoryEvent(id: 5, TimerStarted)',
    );
    expect(evicted(run, run.taskAnswered({})).reason).toBe(EvictionReason.NONDETERMINISM);
  });

  it('fails the workflow instead when that is asked for, and sends nothing else', () => {
    const { actions } = nondeterministic({ nondeterminismFailsWorkflow: (type) => type === 'wf' });
    const { request } = only(actions, 'completeTask');
    expect(request.commands).toHaveLength(1);
    expect(request.commands?.[0]?.failWorkflowExecutionCommandAttributes?.failure?.message).toContain('[TMPRL1100]');
  });

  it.each([
    [{ code: 5 }, EvictionReason.TASK_NOT_FOUND],
    [{ code: 3, details: 'UnhandledCommand' }, EvictionReason.UNHANDLED_COMMAND],
    [new Error('network'), EvictionReason.FATAL],
  ])('drops the cached run when the answer is refused (%o)', (error, reason) => {
    const run = begun();
    only(answer(run, startTimer(1)), 'completeTask');
    expect(evicted(run, run.taskAnswered({ error })).reason).toBe(reason);
  });

  it('drops a run that another worker has carried on', () => {
    const history = new HistoryBuilder();
    const run = waiting(history);
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    history.taskCompleted();
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    const task = history.task({}, true);
    const gone = evicted(run, run.handleTask(task));
    expect(gone).toMatchObject({ reason: EvictionReason.CACHE_MISS, pendingTasks: [task] });
  });
});

describe('a busy run', () => {
  it('keeps tasks until it is free; a newer task makes an older one void', () => {
    const history = new HistoryBuilder();
    const run = begun(history);
    const older = history.task({ taskToken: text('older') });
    const newer = history.task({ taskToken: text('newer') });
    expect(run.handleTask(older)).toEqual([]);
    expect(run.handleTask(history.queryTask('void'))).toEqual([]);
    expect(run.handleTask(newer)).toEqual([]);
    only(answer(run, startTimer(1)), 'completeTask');
    const gone = evicted(run, run.taskAnswered({ error: { code: 5 } }));
    expect(gone.pendingTasks).toEqual([newer]);
  });

  it('takes up a kept query when its task is answered', () => {
    const history = new HistoryBuilder();
    const run = begun(history);
    run.handleTask(history.queryTask('state'));
    only(answer(run, startTimer(1)), 'completeTask');
    const { activation } = only(run.taskAnswered({}), 'activate');
    expect(activation.jobs).toMatchObject([{ queryWorkflow: { queryType: 'state' } }]);
  });

  it('is evicted only when its task is done', () => {
    const run = begun();
    expect(run.requestEviction(EvictionReason.CACHE_FULL, 'full')).toEqual([]);
    only(answer(run, startTimer(1)), 'completeTask');
    expect(evicted(run, run.taskAnswered({}))).toMatchObject({ reason: EvictionReason.CACHE_FULL, message: 'full' });
  });

  it('is evicted at once when idle', () => {
    const run = waiting(new HistoryBuilder());
    evicted(run, run.requestEviction(EvictionReason.CACHE_FULL, 'full'));
  });
});

describe('long histories', () => {
  /** Two timers one after the other; 13 events. */
  function twoTimers(): HistoryBuilder {
    const history = new HistoryBuilder();
    waiting(history);
    history.add({ timerFiredEventAttributes: { timerId: '1', startedEventId: long(5) } });
    history.taskStarted();
    history.taskCompleted();
    history.add({ timerStartedEventAttributes: { timerId: '2' } });
    history.add({ timerFiredEventAttributes: { timerId: '2', startedEventId: long(10) } });
    history.taskStarted();
    return history;
  }
  const token = new Uint8Array([1]);

  it('are read up to the task at hand before replay begins', () => {
    const history = twoTimers();
    const task = history.task({ history: { events: history.events.slice(0, 4) }, nextPageToken: token });
    const run = createCoreRun(task, options);
    expect(run.handleTask(task)).toEqual([{ type: 'fetchHistory', fromEventId: 5, nextPageToken: token }]);
    // A page the service left empty is no end.
    expect(run.historyFetched([], token)).toEqual([{ type: 'fetchHistory', fromEventId: 5, nextPageToken: token }]);
    only(run.historyFetched(history.events.slice(4, 9), token), 'fetchHistory');
    // Pages may overlap.
    only(run.historyFetched(history.events.slice(7), undefined), 'activate');
    const { activation } = only(answer(run, startTimer(1)), 'activate');
    expect(activation).toMatchObject({ isReplaying: true, historyLength: 8, jobs: [{ fireTimer: { seq: 1 } }] });
    const last = only(answer(run, startTimer(2)), 'activate').activation;
    expect(last).toMatchObject({ isReplaying: false, historyLength: 13, jobs: [{ fireTimer: { seq: 2 } }] });
  });

  it('are read on when a page ends in the middle', () => {
    const history = twoTimers();
    const task = {
      ...history.task({ history: { events: history.events.slice(0, 9) }, nextPageToken: token }),
      previousStartedEventId: long(0),
    };
    const run = createCoreRun(task, options);
    only(run.handleTask(task), 'fetchHistory');
    only(run.historyFetched(history.events.slice(9, 10), token), 'activate');
    only(answer(run, startTimer(1)), 'activate');
    only(answer(run, startTimer(2)), 'fetchHistory');
    const { activation } = only(run.historyFetched(history.events.slice(10), undefined), 'activate');
    expect(activation).toMatchObject({ historyLength: 13, jobs: [{ fireTimer: { seq: 2 } }] });
  });

  it('fail the task when the rest of them cannot be had', () => {
    const history = twoTimers();
    const task = {
      ...history.task({ history: { events: history.events.slice(0, 9) }, nextPageToken: token }),
      previousStartedEventId: long(0),
    };
    const run = createCoreRun(task, options);
    run.handleTask(task);
    only(run.historyFetched(history.events.slice(9, 10), token), 'activate');
    only(answer(run, startTimer(1)), 'activate');
    only(answer(run, startTimer(2)), 'fetchHistory');
    const { request } = only(run.requestEviction(EvictionReason.PAGINATION_OR_HISTORY_FETCH, 'gone'), 'failTask');
    expect(request.failure?.message).toBe('gone');
    expect(evicted(run, run.taskAnswered({})).reason).toBe(EvictionReason.PAGINATION_OR_HISTORY_FETCH);
  });

  it('fail the task when the service has less than it promised', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    const task = { ...history.task(), startedEventId: long(30) };
    const { request } = only(createCoreRun(task, options).handleTask(task), 'failTask');
    expect(request.failure?.message).toContain('less history');
  });

  it('fail the task when a page cannot be had', () => {
    const history = new HistoryBuilder();
    waiting(history);
    history.taskStarted();
    const task = history.task({ history: { events: [] } });
    const run = createCoreRun(task, options);
    only(run.handleTask(task), 'fetchHistory');
    const actions = run.requestEviction(EvictionReason.PAGINATION_OR_HISTORY_FETCH, 'no history');
    expect(only(actions, 'failTask').request.failure?.message).toBe('no history');
    only(run.taskAnswered({}), 'evicted');
  });
});

describe('a reset run', () => {
  it('gets new random numbers from the reset on', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskFailed({
      cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
      newRunId: 'run-2',
    });
    history.taskStarted();
    const task = history.task();
    const { activation } = only(createCoreRun(task, options).handleTask(task), 'activate');
    expect(variants(activation)).toEqual(['initializeWorkflow', 'updateRandomSeed']);
    const seeds = activation.jobs?.map((job) => job.initializeWorkflow ?? job.updateRandomSeed);
    expect(String(seeds?.[0]?.randomnessSeed)).not.toBe(String(seeds?.[1]?.randomnessSeed));
  });
});
