import { describe, expect, it } from 'vitest';
import { CommandType, TestRun, payloads, seconds, text } from '../../../test/support/engine-run';
import { engine } from '.';
import { EventType } from './event-fields';
import type { Command, HistoryEvent } from './types';

const command = (more: Command['startChildWorkflowExecutionCommandAttributes'] = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: { workflowId: 'kid', workflowType: { name: 'childWf' }, ...more },
});
const complete: Command = {
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: {},
};

function parent(more?: Parameters<typeof command>[0]): TestRun {
  const run = new TestRun({ memo: { fields: { own: text('parent') } } });
  run.task(command(more));
  return run;
}
const started = (run: TestRun) => run.change((t) => engine.childStarted(t, 5, 'kid-run', null));
const closed = (run: TestRun, event: HistoryEvent) =>
  run.change((t) => engine.childClosed(t, 5, { workflowId: 'kid', runId: 'last-run', workflowType: 'childWf' }, event));
const completed: HistoryEvent = {
  eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  workflowExecutionCompletedEventAttributes: { result: payloads('r') },
};

describe('a child', () => {
  it('is initiated with the parent’s queue and the default policies', () => {
    const run = parent({ input: payloads('in') });
    expect(run.last().startChildWorkflowExecutionInitiatedEventAttributes).toEqual({
      namespace: 'default',
      workflowId: 'kid',
      workflowType: { name: 'childWf' },
      taskQueue: { name: 'q', kind: 1 },
      input: payloads('in'),
      workflowRunTimeout: seconds(0),
      workflowTaskTimeout: seconds(10),
      parentClosePolicy: 1,
      workflowTaskCompletedEventId: 4,
      workflowIdReusePolicy: 1,
    });
  });

  it('begins as its Initiated event says, with parent and root', () => {
    const run = parent({
      input: payloads('in'),
      memo: { fields: { m: text('m') } },
      workflowExecutionTimeout: seconds(30),
      retryPolicy: { maximumAttempts: 2 },
    });
    const input = run.change((t) =>
      engine.childStartInput(t, run.find(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED), 'kid-run'),
    );
    expect(input.requestId).toBe(run.state.children[5]!.requestId);
    const child = engine.start(input, run.context());
    expect(child.events[0]!.workflowExecutionStartedEventAttributes).toMatchObject({
      workflowId: 'kid',
      workflowType: { name: 'childWf' },
      parentWorkflowNamespace: 'default',
      parentWorkflowExecution: { workflowId: 'wf', runId: run.state.runId },
      parentInitiatedEventId: 5,
      rootWorkflowExecution: { workflowId: 'wf', runId: run.state.runId },
      input: payloads('in'),
      memo: { fields: { m: text('m') } },
      workflowExecutionTimeout: seconds(30),
      workflowRunTimeout: seconds(30),
      originalExecutionRunId: 'kid-run',
      firstExecutionRunId: 'kid-run',
      attempt: 1,
      retryPolicy: { maximumAttempts: 2 },
    });
    expect(child.events).toHaveLength(2);
  });

  it('with a cron schedule waits for its first run', () => {
    const run = parent({ cronSchedule: '@every 1m' });
    const input = run.change((t) => engine.childStartInput(t, run.last(), 'kid-run'));
    expect(input).toMatchObject({
      firstTaskBackoffMs: 60_000,
      attributes: { initiator: 3, cronSchedule: '@every 1m' },
    });
  });

  it('is recorded as started once', () => {
    const run = parent();
    started(run);
    expect(run.types(5)).toEqual(['ChildWorkflowExecutionStarted', 'WorkflowTaskScheduled']);
    expect(run.state.children[5]).toMatchObject({ startedEventId: 6, runId: 'kid-run' });
    started(run);
    expect(run.transition.events).toEqual([]);
  });

  it('that could not be started is not pending any more', () => {
    const run = parent();
    run.change((t) => engine.childStartFailed(t, 5, 1));
    expect(run.types(5)).toEqual(['StartChildWorkflowExecutionFailed', 'WorkflowTaskScheduled']);
    expect(
      run.find(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
        .startChildWorkflowExecutionFailedEventAttributes,
    ).toEqual({
      namespace: 'default',
      workflowId: 'kid',
      workflowType: { name: 'childWf' },
      cause: 1,
      initiatedEventId: 5,
    });
    expect(run.state.children).toEqual({});
    expect(closed(run, completed)).toBe(false);
  });

  it.each<[string, HistoryEvent, object]>([
    ['Completed', completed, { result: payloads('r') }],
    [
      'Failed',
      {
        eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        workflowExecutionFailedEventAttributes: { failure: { message: 'x' }, retryState: 4 },
      },
      { failure: { message: 'x' }, retryState: 4 },
    ],
    [
      'Canceled',
      {
        eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        workflowExecutionCanceledEventAttributes: { details: payloads('d') },
      },
      { details: payloads('d') },
    ],
    [
      'TimedOut',
      {
        eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        workflowExecutionTimedOutEventAttributes: { retryState: 3 },
      },
      { retryState: 3 },
    ],
    ['Terminated', { eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED }, {}],
  ])('that ended as %s is told of once', (name, event, more) => {
    const run = parent();
    started(run);
    run.task();
    expect(closed(run, event)).toBe(true);
    expect(run.types(9)).toEqual([`ChildWorkflowExecution${name}`, 'WorkflowTaskScheduled']);
    const key = `childWorkflowExecution${name}EventAttributes` as keyof HistoryEvent;
    expect(run.transition.events[0]![key]).toEqual({
      namespace: 'default',
      workflowExecution: { workflowId: 'kid', runId: 'last-run' },
      workflowType: { name: 'childWf' },
      initiatedEventId: 5,
      startedEventId: 6,
      ...more,
    });
    expect(closed(run, event)).toBe(false);
  });

  it('whose end overtakes the news of its start is told of in order, also behind a started task', () => {
    const run = parent();
    run.change((t) => engine.signal(t, { signalName: 's', input: null, identity: '', header: null, requestId: '' }));
    run.startTask();
    closed(run, completed);
    run.completeTask();
    expect(run.types(8)).toEqual([
      'WorkflowTaskCompleted',
      'ChildWorkflowExecutionStarted',
      'ChildWorkflowExecutionCompleted',
      'WorkflowTaskScheduled',
    ]);
    expect(
      run.find(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED).childWorkflowExecutionCompletedEventAttributes
        ?.startedEventId,
    ).toBe(10);
  });

  it('that continued as new goes on', () => {
    const run = parent();
    started(run);
    expect(closed(run, { eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW })).toBe(false);
    expect(Object.keys(run.state.children)).toEqual(['5']);
  });
});

describe('a parent that closes', () => {
  it.each([
    ['terminates its child by default', undefined, true, [{ kind: 'parentClose', policy: 1 }]],
    ['asks it to cancel', 3, true, [{ kind: 'parentClose', policy: 3 }]],
    ['leaves it alone', 2, true, []],
    ['treats a child of unknown start alike', 1, false, [{ kind: 'parentClose', policy: 1 }]],
    ['still starts one that it leaves alone', 2, false, [{ kind: 'startChild', initiatedEventId: 5 }]],
  ])('%s', (_, parentClosePolicy, isStarted, expected) => {
    const run = parent({ parentClosePolicy });
    if (isStarted) started(run);
    else
      run.change((t) => engine.signal(t, { signalName: 's', input: null, identity: '', header: null, requestId: '' }));
    run.task(complete);
    expect(run.state.obligations).toMatchObject(expected);
  });

  it('tells its own parent, unless its chain goes on', () => {
    const child = (cronSchedule: string): TestRun => {
      const first = parent({ cronSchedule });
      const input = first.change((t) => engine.childStartInput(t, first.last(), 'kid-run'));
      const run = new TestRun();
      const start = engine.start(input, run.context());
      run.state = start.state;
      run.history.splice(0, Infinity, ...start.events);
      run.pass(input.firstTaskBackoffMs);
      run.task(complete);
      return run;
    };
    expect(child('').state.obligations).toEqual([{ kind: 'notifyParent' }]);
    expect(child('@every 1m').state.obligations).toEqual([]);
  });

  it('strikes out what it has done', () => {
    const run = parent();
    started(run);
    run.task(complete);
    run.change((t) => engine.obligationDone(t, 0));
    expect(run.state.obligations).toEqual([]);
  });
});
