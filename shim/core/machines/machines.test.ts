/** Each machine driven through its table by hand: what lang hears at every step, and what is refused. */
import { coresdk, temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { long } from '../../common/proto-values';
import { InternalFlags } from '../internal-flags';
import { noAnnotations } from '../messages';
import type { Failure } from '../messages';
import type { ActivationJob, HistoryEvent } from '../types';
import { ActivityMachine } from './activity';
import { CancelExternalMachine, cancelExternal } from './cancel-external';
import { ChildWorkflowMachine } from './child-workflow';
import { completeWorkflow } from './complete-workflow';
import { CommandType } from './machine';
import type { Machine, Response } from './machine';
import { SignalExternalMachine } from './signal-external';
import { TimerMachine } from './timer';

const { EventType, RetryState } = temporal.api.enums.v1;
const Activity = coresdk.workflow_commands.ActivityCancellationType;
const Child = coresdk.child_workflow.ChildWorkflowCancellationType;

type AttributeKey = Extract<keyof HistoryEvent, `${string}EventAttributes`>;

function event(key: AttributeKey, attributes: object = {}, id = 9): HistoryEvent {
  const words = key.replace('EventAttributes', '').replace(/[A-Z]/g, (letter) => `_${letter}`);
  const type = EventType[`EVENT_TYPE_${words.toUpperCase()}` as keyof typeof EventType];
  return { eventId: long(id), eventType: type, [key]: attributes };
}

/** What responses mean, in short: jobs by name with their outcome, commands by type. */
function brief(responses: readonly Response[]): string[] {
  return responses.map((response) => {
    switch (response.do) {
      case 'sendJob':
        return briefJob(response.job);
      case 'issueCommand':
        return CommandType[response.command.commandType ?? 0]?.replace('COMMAND_TYPE_', '') ?? '';
      case 'cancelChildExternally':
        return `cancel ${response.target.workflowId}/${response.target.runId}: ${response.reason}`;
      default:
        return response.do;
    }
  });
}

function briefJob(job: ActivationJob): string {
  const value = job[job.variant as keyof ActivationJob] as {
    result?: Record<string, { failure?: Failure } | undefined>;
    failure?: Failure;
    succeeded?: object;
    failed?: { cause?: number };
    cancelled?: { failure?: Failure };
  };
  const [outcome, inner] = Object.entries(value.result ?? {})[0] ?? [];
  const failure = inner?.failure ?? value.failure ?? value.cancelled?.failure;
  const started = value.succeeded ? 'succeeded' : value.failed ? `failed ${value.failed.cause}` : undefined;
  return [job.variant, outcome ?? started, failure?.message].filter(Boolean).join(' ');
}

type Step<M> = [does: (machine: M) => readonly Response[], expected: string[] | RegExp];

/** Takes every step; each gives the expected responses or throws the expected error. */
function run<M extends Machine>(machine: M, steps: Step<M>[]): M {
  for (const [does, expected] of steps) {
    if (expected instanceof RegExp) expect(() => does(machine)).toThrow(expected);
    else expect(brief(does(machine))).toEqual(expected);
  }
  return machine;
}

const sees =
  (key: AttributeKey, attributes: object = {}) =>
  (machine: Machine): readonly Response[] =>
    machine.handleEvent(event(key, attributes), false);
const sends =
  (type: CommandType) =>
  (machine: Machine): readonly Response[] =>
    machine.handleCommand(type);

describe('timer', () => {
  const cancel = (timer: TimerMachine): readonly Response[] => timer.cancel(noAnnotations);
  const sent: Step<TimerMachine> = [sends(CommandType.COMMAND_TYPE_START_TIMER), []];
  const started: Step<TimerMachine> = [sees('timerStartedEventAttributes'), []];
  const cancelSent: Step<TimerMachine> = [sends(CommandType.COMMAND_TYPE_CANCEL_TIMER), []];
  const rows: [string, Step<TimerMachine>[], string][] = [
    ['fires', [sent, started, [sees('timerFiredEventAttributes', { timerId: '1' }), ['fireTimer']]], 'Fired'],
    [
      'is withdrawn',
      [
        [cancel, []],
        [cancel, []],
      ],
      'Canceled',
    ],
    [
      'is cancelled once',
      [sent, started, [cancel, ['CANCEL_TIMER']], [cancel, []], cancelSent, [sees('timerCanceledEventAttributes'), []]],
      'Canceled',
    ],
    [
      'is not cancelled when it has fired',
      [sent, started, [sees('timerFiredEventAttributes', { timerId: '1' }), ['fireTimer']], [cancel, []]],
      'Fired',
    ],
    [
      'must be the one that fired',
      [
        sent,
        started,
        [sees('timerFiredEventAttributes', { timerId: '2' }), /did not have expected timer id 1, it was 2/],
      ],
      'StartCommandRecorded',
    ],
    [
      'must have started to fire',
      [[sees('timerFiredEventAttributes', { timerId: '1' }), /transition is invalid/]],
      'StartCommandCreated',
    ],
    [
      'knows its events',
      [[sees('activityTaskStartedEventAttributes'), /Timer machine does not handle/]],
      'StartCommandCreated',
    ],
  ];
  it.each(rows)('%s', (_, steps, state) => {
    expect(run(new TimerMachine(1, noAnnotations), steps).state).toBe(state);
  });
});

describe('activity', () => {
  type S = Step<ActivityMachine>;
  const make = (cancellationType: coresdk.workflow_commands.ActivityCancellationType): ActivityMachine =>
    new ActivityMachine(
      { seq: 1, activityId: '1', activityType: 'a', cancellationType },
      new InternalFlags('', ''),
      noAnnotations,
    );
  const cancel = (activity: ActivityMachine): readonly Response[] => activity.cancel(noAnnotations);
  const scheduled: S = [
    sees('activityTaskScheduledEventAttributes', { activityId: '1', activityType: { name: 'a' } }),
    [],
  ];
  const started: S = [sees('activityTaskStartedEventAttributes'), []];
  const cancelRecorded: S[] = [
    [sends(CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK), []],
    [sees('activityTaskCancelRequestedEventAttributes'), []],
  ];
  const cancelled = 'resolveActivity cancelled Activity cancelled';
  const { TRY_CANCEL: tryCancel, WAIT_CANCELLATION_COMPLETED: wait, ABANDON: abandon } = Activity;
  const rows: [string, coresdk.workflow_commands.ActivityCancellationType, S[], string][] = [
    [
      'completes',
      tryCancel,
      [scheduled, started, [sees('activityTaskCompletedEventAttributes'), ['resolveActivity completed']]],
      'Completed',
    ],
    [
      'fails',
      tryCancel,
      [
        scheduled,
        started,
        [sees('activityTaskFailedEventAttributes'), ['resolveActivity failed Activity task failed']],
      ],
      'Failed',
    ],
    [
      'times out before it starts',
      tryCancel,
      [scheduled, [sees('activityTaskTimedOutEventAttributes'), ['resolveActivity failed Activity task timed out']]],
      'TimedOut',
    ],
    [
      'times out',
      tryCancel,
      [
        scheduled,
        started,
        [sees('activityTaskTimedOutEventAttributes'), ['resolveActivity failed Activity task timed out']],
      ],
      'TimedOut',
    ],
    [
      'is withdrawn',
      tryCancel,
      [
        [cancel, [cancelled]],
        [cancel, []],
      ],
      'Canceled',
    ],
    ['is withdrawn when abandoned', abandon, [[cancel, [cancelled]]], 'Canceled'],
    [
      'TRY_CANCEL: is over for lang at once',
      tryCancel,
      [
        scheduled,
        started,
        [cancel, ['REQUEST_CANCEL_ACTIVITY_TASK', cancelled]],
        ...cancelRecorded,
        [sees('activityTaskCanceledEventAttributes'), []],
      ],
      'Canceled',
    ],
    [
      'TRY_CANCEL: what it comes to is not told again',
      tryCancel,
      [
        scheduled,
        [cancel, ['REQUEST_CANCEL_ACTIVITY_TASK', cancelled]],
        ...cancelRecorded,
        started,
        [sees('activityTaskCompletedEventAttributes'), []],
      ],
      'Completed',
    ],
    [
      'WAIT: is over when it took the cancellation',
      wait,
      [
        scheduled,
        started,
        [cancel, ['REQUEST_CANCEL_ACTIVITY_TASK']],
        ...cancelRecorded,
        [sees('activityTaskCanceledEventAttributes'), [cancelled]],
      ],
      'Canceled',
    ],
    [
      'WAIT: may complete nevertheless',
      wait,
      [
        scheduled,
        started,
        [cancel, ['REQUEST_CANCEL_ACTIVITY_TASK']],
        ...cancelRecorded,
        [sees('activityTaskCompletedEventAttributes'), ['resolveActivity completed']],
      ],
      'Completed',
    ],
    [
      'WAIT: may fail nevertheless',
      wait,
      [
        scheduled,
        started,
        [cancel, ['REQUEST_CANCEL_ACTIVITY_TASK']],
        ...cancelRecorded,
        [sees('activityTaskFailedEventAttributes'), ['resolveActivity failed Activity task failed']],
      ],
      'Failed',
    ],
    [
      'WAIT: may time out before it starts',
      wait,
      [
        scheduled,
        [cancel, ['REQUEST_CANCEL_ACTIVITY_TASK']],
        ...cancelRecorded,
        [sees('activityTaskTimedOutEventAttributes'), ['resolveActivity failed Activity task timed out']],
      ],
      'TimedOut',
    ],
    ...(['Completed', 'Failed', 'TimedOut', 'Canceled'] as const).map((end): (typeof rows)[number] => [
      `ABANDON: is over at once, and may be ${end} later`,
      abandon,
      [scheduled, [cancel, [cancelled]], started, [sees(`activityTask${end}EventAttributes`), []]],
      'Canceled',
    ]),
    [
      'that was withdrawn cannot start',
      tryCancel,
      [
        [cancel, [cancelled]],
        [sees('activityTaskStartedEventAttributes'), /cannot be started after being cancelled/],
      ],
      'Canceled',
    ],
    [
      'has one result',
      tryCancel,
      [
        scheduled,
        started,
        [sees('activityTaskCompletedEventAttributes', { result: { payloads: [{}, {}] } }), /Not exactly one payload/],
      ],
      'Started',
    ],
  ];
  it.each(rows)('%s', (_, cancellationType, steps, state) => {
    expect(run(make(cancellationType), steps).state).toBe(state);
  });

  it('names itself in its failures', () => {
    const machine = make(tryCancel);
    run(machine, [scheduled, started]);
    const attributes = {
      scheduledEventId: long(5),
      startedEventId: long(6),
      identity: 'worker',
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
      failure: { message: 'why' },
    };
    const [response] = machine.handleEvent(event('activityTaskFailedEventAttributes', attributes), false);
    expect(response?.do === 'sendJob' && response.job.resolveActivity?.result?.failed?.failure).toEqual({
      message: 'Activity task failed',
      stackTrace: '',
      cause: { message: 'why' },
      activityFailureInfo: {
        scheduledEventId: 5,
        startedEventId: 6,
        identity: 'worker',
        activityType: { name: 'a' },
        activityId: '1',
        retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
      },
    });
  });

  it.each([
    ['id', { activityId: '2', activityType: { name: 'a' } }],
    ['type', { activityId: '1', activityType: { name: 'b' } }],
  ])('must have the %s of its event, where the flag says that this is checked', (what, attributes) => {
    const scheduling = event('activityTaskScheduledEventAttributes', attributes);
    expect(make(tryCancel).handleEvent(scheduling, false)).toEqual([]);
    expect(() => make(tryCancel).handleEvent(scheduling, true)).toThrow(
      new RegExp(`Activity ${what} of scheduled event`),
    );
  });
});

describe('child workflow', () => {
  type S = Step<ChildWorkflowMachine>;
  const make = (cancellationType: coresdk.child_workflow.ChildWorkflowCancellationType): ChildWorkflowMachine =>
    new ChildWorkflowMachine(
      { seq: 1, namespace: 'ns', workflowId: 'c', workflowType: 'child', cancellationType },
      new InternalFlags('', ''),
      noAnnotations,
    );
  const cancel = (child: ChildWorkflowMachine): readonly Response[] => child.cancel('why', noAnnotations);
  const initiated: S = [
    sees('startChildWorkflowExecutionInitiatedEventAttributes', { workflowId: 'c', workflowType: { name: 'child' } }),
    [],
  ];
  const started: S = [
    sees('childWorkflowExecutionStartedEventAttributes', { workflowExecution: { workflowId: 'c', runId: 'r' } }),
    ['resolveChildWorkflowExecutionStart succeeded'],
  ];
  const completed = sees('childWorkflowExecutionCompletedEventAttributes');
  const canceled = sees('childWorkflowExecutionCanceledEventAttributes');
  const over = 'resolveChildWorkflowExecution cancelled Child Workflow execution cancelled';
  const { ABANDON: abandon, TRY_CANCEL: tryCancel, WAIT_CANCELLATION_COMPLETED: wait } = Child;
  const rows: [string, coresdk.child_workflow.ChildWorkflowCancellationType, S[], string][] = [
    ['completes', wait, [initiated, started, [completed, ['resolveChildWorkflowExecution completed']]], 'Completed'],
    [
      'fails',
      wait,
      [
        initiated,
        started,
        [
          sees('childWorkflowExecutionFailedEventAttributes'),
          ['resolveChildWorkflowExecution failed Child Workflow execution failed'],
        ],
      ],
      'Failed',
    ],
    [
      'times out',
      wait,
      [
        initiated,
        started,
        [
          sees('childWorkflowExecutionTimedOutEventAttributes'),
          ['resolveChildWorkflowExecution failed Child Workflow execution timed out'],
        ],
      ],
      'TimedOut',
    ],
    [
      'is terminated',
      wait,
      [
        initiated,
        started,
        [
          sees('childWorkflowExecutionTerminatedEventAttributes'),
          ['resolveChildWorkflowExecution failed Child Workflow execution terminated'],
        ],
      ],
      'Terminated',
    ],
    [
      'cannot be started',
      wait,
      [
        initiated,
        [
          sees('startChildWorkflowExecutionFailedEventAttributes', { cause: 1 }),
          ['resolveChildWorkflowExecutionStart failed 1'],
        ],
        [cancel, []],
      ],
      'StartFailed',
    ],
    [
      'is withdrawn',
      wait,
      [[cancel, ['resolveChildWorkflowExecutionStart Child Workflow Execution cancelled before scheduled: why']]],
      'Cancelled',
    ],
    [
      'WAIT: is over when it was cancelled',
      wait,
      [initiated, started, [cancel, ['cancel c/r: why']], [canceled, [over]]],
      'Cancelled',
    ],
    [
      'WAIT: may complete nevertheless',
      wait,
      [
        initiated,
        started,
        [cancel, ['cancel c/r: why']],
        [completed, ['resolveChildWorkflowExecution completed']],
        [cancel, []],
      ],
      'Completed',
    ],
    [
      'WAIT: can be cancelled while it starts',
      wait,
      [initiated, [cancel, ['cancel c/: why']], started, [canceled, [over]]],
      'Cancelled',
    ],
    [
      'WAIT: cannot go on when cancelled',
      wait,
      [initiated, started, [canceled, [over]], [completed, /cannot complete after being cancelled/]],
      'Cancelled',
    ],
    [
      'TRY_CANCEL: is over at once',
      tryCancel,
      [initiated, started, [cancel, ['cancel c/r: why', over]], [completed, []], [cancel, []]],
      'Cancelled',
    ],
    [
      'TRY_CANCEL: is over while it starts',
      tryCancel,
      [
        initiated,
        [cancel, ['cancel c/: why', over]],
        [sees('childWorkflowExecutionStartedEventAttributes', { workflowExecution: {} }), []],
      ],
      'Cancelled',
    ],
    [
      'ABANDON: is over at once and left alone',
      abandon,
      [initiated, started, [cancel, [over]], [sees('childWorkflowExecutionFailedEventAttributes'), []]],
      'Cancelled',
    ],
    [
      'is cancelled once',
      tryCancel,
      [initiated, started, [canceled, [over]], [canceled, /cancelled twice/]],
      'Cancelled',
    ],
  ];
  it.each(rows)('%s', (_, cancellationType, steps, state) => {
    expect(run(make(cancellationType), steps).state).toBe(state);
  });

  it.each([
    ['id', { workflowId: 'd', workflowType: { name: 'child' } }],
    ['type', { workflowId: 'c', workflowType: { name: 'other' } }],
  ])('must have the %s of its event', (what, attributes) => {
    const initiating = event('startChildWorkflowExecutionInitiatedEventAttributes', attributes);
    expect(() => make(wait).handleEvent(initiating, true)).toThrow(
      new RegExp(`Child workflow ${what} of scheduled event`),
    );
  });
});

describe('signal to another workflow', () => {
  type S = Step<SignalExternalMachine>;
  const cancel = (signal: SignalExternalMachine): readonly Response[] => signal.cancel();
  const initiated: S = [sees('signalExternalWorkflowExecutionInitiatedEventAttributes'), []];
  const rows: [string, S[], string][] = [
    [
      'arrives',
      [
        initiated,
        [sees('externalWorkflowExecutionSignaledEventAttributes'), ['resolveSignalExternalWorkflow']],
        [cancel, []],
      ],
      'Signaled',
    ],
    [
      'finds no one',
      [
        initiated,
        [
          sees('signalExternalWorkflowExecutionFailedEventAttributes', { cause: 1 }),
          ['resolveSignalExternalWorkflow Unable to signal external workflow because it was not found'],
        ],
      ],
      'Failed',
    ],
    [
      'finds too many',
      [
        initiated,
        [
          sees('signalExternalWorkflowExecutionFailedEventAttributes', { cause: 3 }),
          [
            'resolveSignalExternalWorkflow Unable to signal external workflow because The per-workflow signal limit was exceeded',
          ],
        ],
      ],
      'Failed',
    ],
    [
      'is withdrawn',
      [
        [cancel, ['resolveSignalExternalWorkflow Signal was cancelled before being sent']],
        [cancel, []],
      ],
      'Cancelled',
    ],
    ['cannot be called back', [initiated, [cancel, []]], 'SignalExternalCommandRecorded'],
  ];
  it.each(rows)('%s', (_, steps, state) => {
    const machine = run(new SignalExternalMachine(1), steps);
    expect(machine.state).toBe(state);
    expect(machine.cancelledBeforeSent).toBe(state === 'Cancelled');
  });
});

describe('cancellation of another workflow', () => {
  const initiated: Step<CancelExternalMachine> = [
    sees('requestCancelExternalWorkflowExecutionInitiatedEventAttributes'),
    [],
  ];
  const requested = sees('externalWorkflowExecutionCancelRequestedEventAttributes');
  const failed = sees('requestCancelExternalWorkflowExecutionFailedEventAttributes', { cause: 1 });
  it.each([
    ['is requested', 1, [requested, ['resolveRequestCancelExternalWorkflow']]],
    [
      'finds no one',
      1,
      [failed, ['resolveRequestCancelExternalWorkflow Unable to cancel external workflow because not found']],
    ],
    ['of a child is no news for lang', undefined, [requested, []]],
    ['of a child may fail unnoticed', undefined, [failed, []]],
  ] as [string, number | undefined, Step<CancelExternalMachine>][])('%s', (_, seq, step) => {
    expect(run(new CancelExternalMachine(seq), [initiated, step]).isFinal).toBe(true);
  });

  it('of a child reaches only a child', () => {
    const target = { namespace: 'ns', workflowId: 'c', runId: 'r' };
    expect(cancelExternal(undefined, target, true, 'why').command).toMatchObject({
      requestCancelExternalWorkflowExecutionCommandAttributes: { ...target, childWorkflowOnly: true, reason: 'why' },
    });
  });
});

describe('a command without an outcome', () => {
  it('waits for its event alone', () => {
    const sent: Step<Machine> = [sends(CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION), []];
    run(completeWorkflow({}).machine, [sent, [sees('workflowExecutionCompletedEventAttributes'), []]]);
    run(completeWorkflow({}).machine, [
      sent,
      [sees('workflowExecutionFailedEventAttributes'), /Complete workflow machine does not handle/],
    ]);
    run(completeWorkflow({}).machine, [[sees('workflowExecutionCompletedEventAttributes'), /transition is invalid/]]);
    run(completeWorkflow({}).machine, [[sends(CommandType.COMMAND_TYPE_START_TIMER), /Unexpected command/]]);
  });
});
