/** A command that lang never hears of again: it is sent, and the history must show its event. */
import type { EventType } from '../events';
import { eventType } from '../events';
import type { HistoryEvent } from '../types';
import { StateMachine } from './machine';
import type { CommandType, Responses, Table } from './machine';

type State = 'CommandCreated' | 'CommandIssued' | 'Recorded';

interface Events {
  CommandSent: undefined;
  EventRecorded: undefined;
}

const table: Table<RecordedCommandMachine, State, Events> = {
  CommandCreated: { CommandSent: { to: 'CommandIssued' } },
  CommandIssued: { EventRecorded: { to: 'Recorded' } },
  Recorded: {},
};

export class RecordedCommandMachine extends StateMachine<State, Events> {
  protected readonly table = table;
  protected override readonly commands: Partial<Record<CommandType, 'CommandSent'>>;

  constructor(
    readonly name: string,
    protected readonly title: string,
    command: CommandType,
    private readonly recordedAs: EventType,
  ) {
    super('CommandCreated');
    this.commands = { [command]: 'CommandSent' };
  }

  protected apply(event: HistoryEvent): Responses {
    return eventType(event) === this.recordedAs ? this.fire('EventRecorded', undefined) : this.unexpected(event);
  }
}
