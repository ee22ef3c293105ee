/** Timer: started, then fired or cancelled. Lang hears only of the firing: it resolves its own cancellations. */
import type { coresdk, temporal } from '@temporalio/proto';
import { NondeterminismError } from '../errors';
import { EventType, eventType } from '../events';
import { annotate, overrideAnnotations, plainDuration } from '../messages';
import type { Annotations, Command } from '../messages';
import type { HistoryEvent } from '../types';
import { CommandType, StateMachine, attributesOf, job, nothing } from './machine';
import type { Responses, Table } from './machine';

type State =
  | 'StartCommandCreated'
  | 'StartCommandRecorded'
  | 'CancelTimerCommandCreated'
  | 'CancelTimerCommandSent'
  | 'Canceled'
  | 'Fired';

interface Events {
  CommandStartTimer: undefined;
  CommandCancelTimer: undefined;
  TimerStarted: undefined;
  TimerFired: temporal.api.history.v1.ITimerFiredEventAttributes;
  TimerCanceled: undefined;
  Cancel: undefined;
}

const table: Table<TimerMachine, State, Events> = {
  StartCommandCreated: {
    CommandStartTimer: { to: 'StartCommandCreated' },
    TimerStarted: { to: 'StartCommandRecorded' },
    Cancel: { to: 'Canceled', run: (timer) => timer.withdraw() },
  },
  StartCommandRecorded: {
    TimerFired: { to: 'Fired', run: (timer, attributes) => timer.fired(attributes) },
    Cancel: { to: 'CancelTimerCommandCreated', run: (timer) => timer.requestCancel() },
  },
  CancelTimerCommandCreated: {
    Cancel: { to: 'CancelTimerCommandCreated' },
    CommandCancelTimer: { to: 'CancelTimerCommandSent' },
  },
  CancelTimerCommandSent: {
    TimerCanceled: { to: 'Canceled' },
  },
  // Cancelling what is over already does nothing.
  Canceled: { Cancel: { to: 'Canceled' } },
  Fired: { Cancel: { to: 'Fired' } },
};

export class TimerMachine extends StateMachine<State, Events> {
  readonly name = 'TimerMachine';
  protected readonly title = 'Timer';
  protected readonly table = table;
  protected override readonly commands = {
    [CommandType.COMMAND_TYPE_START_TIMER]: 'CommandStartTimer',
    [CommandType.COMMAND_TYPE_CANCEL_TIMER]: 'CommandCancelTimer',
  } as const;
  private withdrawn = false;

  constructor(
    private readonly seq: number,
    private annotations: Annotations,
  ) {
    super('StartCommandCreated');
  }

  override get cancelledBeforeSent(): boolean {
    return this.withdrawn;
  }

  cancel(annotations: Annotations): Responses {
    this.annotations = overrideAnnotations(this.annotations, annotations);
    return this.fireRequest('Cancel', undefined);
  }

  protected apply(event: HistoryEvent): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_TIMER_STARTED:
        return this.fire('TimerStarted', undefined);
      case EventType.EVENT_TYPE_TIMER_CANCELED:
        return this.fire('TimerCanceled', undefined);
      case EventType.EVENT_TYPE_TIMER_FIRED:
        return this.fire('TimerFired', attributesOf(event.timerFiredEventAttributes, event));
      default:
        return this.unexpected(event);
    }
  }

  withdraw(): Responses {
    this.withdrawn = true;
    return nothing;
  }

  fired(attributes: temporal.api.history.v1.ITimerFiredEventAttributes): Responses {
    if (attributes.timerId !== String(this.seq)) {
      throw new NondeterminismError(
        `Timer fired event did not have expected timer id ${this.seq}, it was ${attributes.timerId}!`,
      );
    }
    return [job('fireTimer', { seq: this.seq })];
  }

  requestCancel(): Responses {
    const command: Command = {
      commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
      cancelTimerCommandAttributes: { timerId: String(this.seq) },
    };
    return [{ do: 'issueCommand', command: annotate(command, this.annotations) }];
  }
}

export function startTimerCommand(attributes: coresdk.workflow_commands.IStartTimer): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: {
      timerId: String(attributes.seq),
      startToFireTimeout: plainDuration(attributes.startToFireTimeout),
    },
  };
}
