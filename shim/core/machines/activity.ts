/** Activity: scheduled, started, then completed, failed, timed out or cancelled, with the three ways of cancelling. */
import { coresdk, temporal } from '@temporalio/proto';
import { int64, long } from '../../common/proto-values';
import { NondeterminismError } from '../errors';
import { EventType, eventId, eventType } from '../events';
import { activityFailure } from '../failures';
import { CoreFlag } from '../internal-flags';
import type { InternalFlags } from '../internal-flags';
import { annotate, overrideAnnotations, payloadsOf, plainDuration, plainRetryPolicy } from '../messages';
import type { ActivityResolution, Annotations, Command, Payloads } from '../messages';
import type { HistoryEvent } from '../types';
import { CommandType, StateMachine, attributesOf, job, nothing } from './machine';
import type { Response, Responses, Table } from './machine';
import { onlyPayload } from './only-payload';

import history = temporal.api.history.v1;

const CancellationType = coresdk.workflow_commands.ActivityCancellationType;
const RetryState = temporal.api.enums.v1.RetryState;

type State =
  | 'ScheduleCommandCreated'
  | 'ScheduledEventRecorded'
  | 'Started'
  | 'ScheduledActivityCancelCommandCreated'
  | 'ScheduledActivityCancelEventRecorded'
  | 'StartedActivityCancelCommandCreated'
  | 'StartedActivityCancelEventRecorded'
  | 'Completed'
  | 'Failed'
  | 'TimedOut'
  | 'Canceled';

interface Scheduled {
  eventId: number;
  activityId: string;
  activityType: string;
  lastTask: boolean;
}

interface Events {
  CommandScheduleActivityTask: undefined;
  CommandRequestCancelActivityTask: undefined;
  Cancel: undefined;
  Abandon: undefined;
  ActivityTaskScheduled: Scheduled;
  ActivityTaskStarted: undefined;
  ActivityTaskCompleted: history.IActivityTaskCompletedEventAttributes;
  ActivityTaskFailed: history.IActivityTaskFailedEventAttributes;
  ActivityTaskTimedOut: history.IActivityTaskTimedOutEventAttributes;
  ActivityTaskCancelRequested: undefined;
  ActivityTaskCanceled: history.IActivityTaskCanceledEventAttributes;
}

const table: Table<ActivityMachine, State, Events> = {
  ScheduleCommandCreated: {
    CommandScheduleActivityTask: { to: 'ScheduleCommandCreated' },
    ActivityTaskScheduled: { to: 'ScheduledEventRecorded', run: (a, scheduled) => a.scheduled(scheduled) },
    Cancel: { to: 'Canceled', run: (a) => a.withdraw() },
    Abandon: { to: 'Canceled', run: (a) => a.withdraw() },
  },
  ScheduledEventRecorded: {
    ActivityTaskStarted: { to: 'Started' },
    ActivityTaskTimedOut: { to: 'TimedOut', run: (a, attributes) => a.timedOut(attributes) },
    Cancel: { to: 'ScheduledActivityCancelCommandCreated', run: (a) => a.requestCancel() },
    Abandon: { to: 'Canceled', run: (a) => a.cancelled() },
  },
  Started: {
    ActivityTaskCompleted: { to: 'Completed', run: (a, attributes) => a.completed(attributes.result) },
    ActivityTaskFailed: { to: 'Failed', run: (a, attributes) => a.failed(attributes) },
    ActivityTaskTimedOut: { to: 'TimedOut', run: (a, attributes) => a.timedOut(attributes) },
    Cancel: { to: 'StartedActivityCancelCommandCreated', run: (a) => a.requestCancel() },
    Abandon: { to: 'Canceled', run: (a) => a.cancelled() },
  },
  ScheduledActivityCancelCommandCreated: {
    CommandRequestCancelActivityTask: { to: 'ScheduledActivityCancelCommandCreated' },
    ActivityTaskCancelRequested: { to: 'ScheduledActivityCancelEventRecorded' },
  },
  ScheduledActivityCancelEventRecorded: {
    ActivityTaskStarted: { to: 'StartedActivityCancelEventRecorded' },
    ActivityTaskCanceled: { to: 'Canceled', run: (a, attributes) => a.ifAwaited(() => a.cancelled(attributes)) },
    ActivityTaskTimedOut: { to: 'TimedOut', run: (a, attributes) => a.ifAwaited(() => a.timedOut(attributes)) },
  },
  StartedActivityCancelCommandCreated: {
    CommandRequestCancelActivityTask: { to: 'StartedActivityCancelCommandCreated' },
    ActivityTaskCancelRequested: { to: 'StartedActivityCancelEventRecorded' },
  },
  StartedActivityCancelEventRecorded: {
    ActivityTaskFailed: { to: 'Failed', run: (a, attributes) => a.ifAwaited(() => a.failed(attributes)) },
    ActivityTaskCompleted: {
      to: 'Completed',
      run: (a, attributes) => a.ifAwaited(() => a.completed(attributes.result)),
    },
    ActivityTaskTimedOut: { to: 'TimedOut', run: (a, attributes) => a.ifAwaited(() => a.timedOut(attributes)) },
    ActivityTaskCanceled: { to: 'Canceled', run: (a, attributes) => a.ifAwaited(() => a.cancelled(attributes)) },
  },
  Completed: {},
  Failed: {},
  TimedOut: {},
  // An abandoned activity lives on; whatever becomes of it concerns the workflow no more.
  Canceled: {
    ActivityTaskStarted: { to: 'Canceled', run: (a) => a.onlyIfAbandoned('started') },
    ActivityTaskCompleted: { to: 'Canceled', run: (a) => a.onlyIfAbandoned('completed') },
    ActivityTaskFailed: { to: 'Canceled', run: (a) => a.onlyIfAbandoned('failed') },
    ActivityTaskTimedOut: { to: 'Canceled', run: (a) => a.onlyIfAbandoned('timed out') },
    ActivityTaskCanceled: { to: 'Canceled', run: (a) => a.onlyIfAbandoned('cancelled') },
  },
};

export class ActivityMachine extends StateMachine<State, Events> {
  readonly name = 'ActivityMachine';
  protected readonly title = 'Activity';
  protected readonly table = table;
  protected override readonly commands = {
    [CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK]: 'CommandScheduleActivityTask',
    [CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK]: 'CommandRequestCancelActivityTask',
  } as const;
  private readonly seq: number;
  private readonly activityId: string;
  private readonly activityType: string;
  private readonly cancellationType: coresdk.workflow_commands.ActivityCancellationType;
  private scheduledEventId = 0;
  private withdrawn = false;

  constructor(
    attributes: coresdk.workflow_commands.IScheduleActivity,
    private readonly flags: InternalFlags,
    private annotations: Annotations,
  ) {
    super('ScheduleCommandCreated');
    this.seq = attributes.seq ?? 0;
    this.activityId = attributes.activityId ?? '';
    this.activityType = attributes.activityType ?? '';
    this.cancellationType = attributes.cancellationType ?? CancellationType.TRY_CANCEL;
  }

  override get cancelledBeforeSent(): boolean {
    return this.withdrawn;
  }

  cancel(annotations: Annotations): Responses {
    this.annotations = overrideAnnotations(this.annotations, annotations);
    switch (this.state) {
      case 'Completed':
      case 'Failed':
      case 'TimedOut':
      case 'Canceled':
        return nothing;
      default:
        return this.fireRequest(this.isAbandoning ? 'Abandon' : 'Cancel', undefined);
    }
  }

  protected apply(event: HistoryEvent, lastTask: boolean): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
        const attributes = attributesOf(event.activityTaskScheduledEventAttributes, event);
        return this.fire('ActivityTaskScheduled', {
          eventId: eventId(event),
          activityId: attributes.activityId ?? '',
          activityType: attributes.activityType?.name ?? '',
          lastTask,
        });
      }
      case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        return this.fire('ActivityTaskStarted', undefined);
      case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        return this.fire('ActivityTaskCompleted', attributesOf(event.activityTaskCompletedEventAttributes, event));
      case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
        return this.fire('ActivityTaskFailed', attributesOf(event.activityTaskFailedEventAttributes, event));
      case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
        return this.fire('ActivityTaskTimedOut', attributesOf(event.activityTaskTimedOutEventAttributes, event));
      case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
        return this.fire('ActivityTaskCancelRequested', undefined);
      case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
        return this.fire('ActivityTaskCanceled', attributesOf(event.activityTaskCanceledEventAttributes, event));
      default:
        return this.unexpected(event);
    }
  }

  private get isAbandoning(): boolean {
    return this.cancellationType === CancellationType.ABANDON;
  }

  scheduled(data: Scheduled): Responses {
    if (this.flags.tryUse(CoreFlag.IdAndTypeDeterminismChecks, data.lastTask)) {
      this.mustMatch('id', data.activityId, this.activityId);
      this.mustMatch('type', data.activityType, this.activityType);
    }
    this.scheduledEventId = data.eventId;
    return nothing;
  }

  private mustMatch(what: string, inEvent: string, inCommand: string): void {
    if (inEvent === inCommand) return;
    throw new NondeterminismError(
      `Activity ${what} of scheduled event '${inEvent}' does not match activity ${what} of activity command '${inCommand}'`,
    );
  }

  withdraw(): Responses {
    this.withdrawn = true;
    return this.cancelled();
  }

  requestCancel(): Responses {
    const command: Command = {
      commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
      requestCancelActivityTaskCommandAttributes: { scheduledEventId: long(this.scheduledEventId) },
    };
    const issue: Response = { do: 'issueCommand', command: annotate(command, this.annotations) };
    return this.isAwaiting ? [issue] : [issue, ...this.cancelled()];
  }

  private get isAwaiting(): boolean {
    return this.cancellationType === CancellationType.WAIT_CANCELLATION_COMPLETED;
  }

  /** With TRY_CANCEL lang was told of the cancellation when it asked for it: it hears no second outcome. */
  ifAwaited(responses: () => Responses): Responses {
    return this.isAwaiting ? responses() : nothing;
  }

  onlyIfAbandoned(what: string): Responses {
    if (this.isAbandoning) return nothing;
    throw new NondeterminismError(
      `Non-Abandon cancel mode activities cannot be ${what} after being cancelled. Seq: ${this.seq}`,
    );
  }

  completed(result: Payloads | null | undefined): Responses {
    return this.resolve({ completed: { result: onlyPayload(result, 'activity result') } });
  }

  failed(attributes: history.IActivityTaskFailedEventAttributes): Responses {
    const info = this.failureInfo(attributes, attributes.retryState, attributes.identity);
    return this.resolve({ failed: { failure: activityFailure('Activity task failed', attributes.failure, info) } });
  }

  timedOut(attributes: history.IActivityTaskTimedOutEventAttributes): Responses {
    const info = this.failureInfo(attributes, attributes.retryState, undefined);
    return this.resolve({ failed: { failure: activityFailure('Activity task timed out', attributes.failure, info) } });
  }

  cancelled(attributes: history.IActivityTaskCanceledEventAttributes = {}): Responses {
    const info = this.failureInfo(attributes, RetryState.RETRY_STATE_CANCEL_REQUESTED, attributes.identity);
    const cause = { canceledFailureInfo: { details: attributes.details } };
    return this.resolve({ cancelled: { failure: activityFailure('Activity cancelled', cause, info) } });
  }

  private failureInfo(
    event: Pick<history.IActivityTaskCanceledEventAttributes, 'scheduledEventId' | 'startedEventId'>,
    retryState: temporal.api.enums.v1.RetryState | null | undefined,
    identity: string | null | undefined,
  ): temporal.api.failure.v1.IActivityFailureInfo {
    return {
      scheduledEventId: long(int64(event.scheduledEventId)),
      startedEventId: long(int64(event.startedEventId)),
      identity: identity ?? '',
      activityType: { name: this.activityType },
      activityId: this.activityId,
      retryState: retryState ?? RetryState.RETRY_STATE_UNSPECIFIED,
    };
  }

  private resolve(result: ActivityResolution): Responses {
    return [job('resolveActivity', { seq: this.seq, result, isLocal: false })];
  }
}

export function scheduleActivityCommand(
  attributes: coresdk.workflow_commands.IScheduleActivity,
  useWorkflowBuildId: boolean,
): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: {
      activityId: attributes.activityId ?? '',
      activityType: { name: attributes.activityType ?? '' },
      taskQueue: { name: attributes.taskQueue ?? '', kind: temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      header: { fields: attributes.headers ?? {} },
      input: payloadsOf(attributes.arguments),
      scheduleToCloseTimeout: plainDuration(attributes.scheduleToCloseTimeout),
      scheduleToStartTimeout: plainDuration(attributes.scheduleToStartTimeout),
      startToCloseTimeout: plainDuration(attributes.startToCloseTimeout),
      heartbeatTimeout: plainDuration(attributes.heartbeatTimeout),
      retryPolicy: plainRetryPolicy(attributes.retryPolicy),
      requestEagerExecution: attributes.doNotEagerlyExecute !== true,
      useWorkflowBuildId,
      priority: attributes.priority,
    },
  };
}
