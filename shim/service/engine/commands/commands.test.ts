import { describe, expect, it } from 'vitest';
import {
  complete,
  continueAsNew,
  cancelTimer,
  child,
  signalExternal,
  cancelExternal,
  upsert,
  memo,
  marker,
  big,
} from '../../../../test/support/engine-commands';
import {
  TestRun,
  activityCommand,
  seconds,
  text,
  timerCommand,
  CommandType,
} from '../../../../test/support/engine-run';
import { defaultLimits } from '..';
import { EventType } from '../event-fields';
import type { Command } from '../types';

const long1001 = 'x'.repeat(1001);

describe('a command that makes no sense fails the workflow task', () => {
  it.each<[string, string, Command[]]>([
    [
      'BadScheduleActivityAttributes',
      'ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.',
      [{ commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK }],
    ],
    [
      'BadScheduleActivityAttributes',
      'ActivityId is not set on ScheduleActivityTaskCommand. ActivityType=greet',
      [activityCommand({ activityId: '' })],
    ],
    [
      'BadScheduleActivityAttributes',
      'ActivityType is not set on ScheduleActivityTaskCommand. ActivityID=1',
      [activityCommand({ activityType: null })],
    ],
    [
      'BadScheduleActivityAttributes',
      'invalid TaskQueue on ScheduleActivityTaskCommand: missing task queue name. ActivityId=1 ActivityType=greet',
      [activityCommand({ taskQueue: null })],
    ],
    [
      'BadScheduleActivityAttributes',
      `ActivityId on ScheduleActivityTaskCommand exceeds length limit. ActivityId=${long1001} ActivityType=greet Length=1001 Limit=1000`,
      [activityCommand({ activityId: long1001 })],
    ],
    [
      'BadScheduleActivityAttributes',
      'A valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand. ActivityId=1 ActivityType=greet',
      [activityCommand({ startToCloseTimeout: null })],
    ],
    [
      'BadScheduleActivityAttributes',
      'Invalid HeartbeatTimeout for ScheduleActivityTaskCommand: negative duration. ActivityId=1 ActivityType=greet',
      [activityCommand({ heartbeatTimeout: seconds(-1) })],
    ],
    [
      'BadScheduleActivityAttributes',
      'invalid ActivityRetryPolicy on SechduleActivityTaskCommand: MaximumAttempts cannot be negative on retry policy.. ActivityId=1 ActivityType=greet',
      [activityCommand({ retryPolicy: { maximumAttempts: -1 } })],
    ],
    [
      'BadScheduleActivityAttributes',
      "priority key can't be negative",
      [activityCommand({ priority: { priorityKey: -1 } })],
    ],
    [
      'ScheduleActivityDuplicateId',
      'invalid history builder state for action: add-activitytask-scheduled-event, ActivityID: 1',
      [activityCommand(), activityCommand()],
    ],
    ['BadStartTimerAttributes', 'TimerId is not set on StartTimerCommand.', [timerCommand('', 1)]],
    [
      'BadStartTimerAttributes',
      'An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=1',
      [timerCommand('1', -1)],
    ],
    [
      'StartTimerDuplicateId',
      'invalid history builder state for action: add-timer-started-event, TimerID: 1',
      [timerCommand('1', 1), timerCommand('1', 2)],
    ],
    [
      'BadCancelTimerAttributes',
      'invalid history builder state for action: add-timer-canceled-event, TimerID: 9',
      [cancelTimer('9')],
    ],
    ['BadRecordMarkerAttributes', 'MarkerName is not set on RecordMarkerCommand.', [marker('')]],
    [
      'BadFailWorkflowExecutionAttributes',
      'Failure is not set on FailWorkflowExecutionCommand.',
      [{ commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, failWorkflowExecutionCommandAttributes: {} }],
    ],
    [
      'BadStartChildExecutionAttributes',
      'Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. WorkflowId=kid Namespace=default',
      [child({ workflowType: null })],
    ],
    [
      'BadStartChildExecutionAttributes',
      'invalid CronSchedule on StartChildWorkflowExecutionCommand: invalid CronSchedule.. WorkflowId=kid WorkflowType=childWf Namespace=default',
      [child({ cronSchedule: 'x' })],
    ],
    [
      'BadSignalWorkflowExecutionAttributes',
      'SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId=other Namespace= RunId=',
      [signalExternal({ signalName: '' })],
    ],
    [
      'BadSignalWorkflowExecutionAttributes',
      'Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId=other Namespace= RunId=x SignalName=go',
      [signalExternal({ execution: { workflowId: 'other', runId: 'x' } })],
    ],
    [
      'BadRequestCancelExternalWorkflowExecutionAttributes',
      'Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=kid RunId= Namespace=',
      [child(), cancelExternal({ workflowId: 'kid' })],
    ],
    ['BadSearchAttributes', 'IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.', [upsert({})]],
    [
      'BadModifyWorkflowPropertiesAttributes',
      'UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.',
      [memo({})],
    ],
    [
      'BadContinueAsNewAttributes',
      'Invalid WorkflowRunTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration. WorkflowType=sample TaskQueue=q',
      [continueAsNew({ workflowRunTimeout: seconds(-1) })],
    ],
    [
      'BadScheduleNexusOperationAttributes',
      'BRANCHLINE_UNSUPPORTED: Nexus operations are not supported on this engine.',
      [{ commandType: CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION }],
    ],
  ])('%s: %s', (cause, message, commands) => {
    const run = new TestRun();
    const error = run.task(timerCommand('dropped', 1), ...commands);
    expect(error?.message).toContain(`${cause}: ${message}`);
    expect(run.types(3)).toEqual(['WorkflowTaskFailed']);
    expect(run.state.timers).toEqual({});
    expect(run.state.activities).toEqual({});
  });

  it('and with an oversized payload terminates the run', () => {
    for (const command of [
      activityCommand({ input: big }),
      child({ input: big }),
      continueAsNew({ input: big }),
      signalExternal({ input: big }),
    ]) {
      const run = new TestRun();
      run.task(command);
      expect(run.types(3)).toEqual(['WorkflowTaskFailed', 'WorkflowExecutionTerminated']);
    }
  });

  it('when too much is pending', () => {
    const limits = { ...defaultLimits, pendingActivities: 1, pendingChildren: 1, pendingSignals: 1, pendingCancels: 1 };
    const pairs: [string, Command[]][] = [
      [
        'PendingActivitiesLimitExceeded: the number of pending activities, 1, has reached the per-workflow limit of 1',
        [activityCommand(), activityCommand({ activityId: '2' })],
      ],
      ['PendingChildWorkflowsLimitExceeded', [child(), child({ workflowId: 'kid2' })]],
      ['PendingSignalsLimitExceeded', [signalExternal(), signalExternal()]],
      ['PendingRequestCancelLimitExceeded', [cancelExternal(), cancelExternal()]],
    ];
    for (const [message, commands] of pairs) {
      expect(new TestRun({}, { limits }).task(...commands)?.message).toContain(message);
    }
  });
});

describe('search attributes', () => {
  const types = { Customer: 2, Amount: 3, Tags: 7 };
  const run = () => new TestRun({}, { searchAttributeTypes: types });
  it.each<[string, Record<string, unknown>]>([
    ['Namespace default has no mapping defined for search attribute Nope', { Nope: text('x') }],
    ["WorkflowId attribute can't be set in SearchAttributes", { WorkflowId: text('x') }],
    ['invalid value for search attribute Amount of type Int: x', { Amount: text('x') }],
  ])('are refused: %s', (message, fields) => {
    expect(run().task(upsert(fields))?.message).toContain(`BadSearchAttributes: ${message}`);
  });

  it('are merged, and nil takes one away', () => {
    const one = run();
    one.task(
      upsert({
        Customer: text('a'),
        TemporalChangeVersion: { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('["p-1"]') },
      }),
      timerCommand('1', 1),
    );
    expect(one.effects()).toContain('visibilityChanged');
    one.pass(1000);
    one.task(upsert({ Customer: { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('null') } }));
    expect(Object.keys(one.state.searchAttributes)).toEqual(['TemporalChangeVersion']);
  });
});

describe('the memo', () => {
  it('is merged, and null takes a field away', () => {
    const run = new TestRun({ memo: { fields: { a: text('1'), b: text('2') } } });
    run.task(memo({ b: { metadata: { encoding: Buffer.from('binary/null') } }, c: text('3') }));
    expect(run.state.memo).toEqual({ a: text('1'), c: text('3') });
    expect(run.last().eventType).toBe(EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED);
  });
});

describe('timers', () => {
  it('keep the summary that the command brings', () => {
    const run = new TestRun();
    run.task({ ...timerCommand('1', 0.3), userMetadata: { summary: text('nap') } });
    expect(run.last()).toMatchObject({
      userMetadata: { summary: text('nap') },
      timerStartedEventAttributes: { timerId: '1', startToFireTimeout: seconds(0.3), workflowTaskCompletedEventId: 4 },
    });
  });

  it('cancelled before they fire never do', () => {
    const run = new TestRun();
    run.task(timerCommand('1', 1), timerCommand('2', 2));
    run.pass(1000);
    run.task(cancelTimer('2'));
    expect(run.last().timerCanceledEventAttributes).toEqual({
      timerId: '2',
      startedEventId: 6,
      workflowTaskCompletedEventId: 10,
      identity: 'worker',
    });
    run.pass(9000);
    expect(run.transition.events).toEqual([]);
  });

  it('cancelled after a firing that the workflow has not seen take it back, and the run may complete', () => {
    const run = new TestRun();
    run.task(timerCommand('1', 1), timerCommand('2', 2));
    run.pass(1000);
    run.startTask();
    run.pass(1000);
    expect(run.completeTask([cancelTimer('2'), complete()])).toBeNull();
    expect(run.types(9)).toEqual(['WorkflowTaskCompleted', 'TimerCanceled', 'WorkflowExecutionCompleted']);
  });
});

describe('what a command needs done afterwards', () => {
  it.each([
    ['a child', child(), 'startChild'],
    ['a signal to another workflow', signalExternal(), 'callExternal'],
    ['a cancel request to another workflow', cancelExternal(), 'callExternal'],
    ['an activity', activityCommand(), 'activityScheduled'],
  ])('%s', (_, command, effect) => {
    const run = new TestRun();
    run.task(command);
    expect(run.transition.effects).toContainEqual(expect.objectContaining({ type: effect }));
  });

  it('an eager activity says so', () => {
    const run = new TestRun();
    run.task(activityCommand({ requestEagerExecution: true }));
    expect(run.transition.effects).toContainEqual({ type: 'activityScheduled', scheduledEventId: 5, eager: true });
  });

  it('a marker: nothing', () => {
    const run = new TestRun();
    run.task(marker('core_patch'));
    expect(run.effects()).toEqual([]);
    expect(run.last().markerRecordedEventAttributes).toMatchObject({
      markerName: 'core_patch',
      workflowTaskCompletedEventId: 4,
    });
  });
});
