/**
 * Patch: `patched()` and `deprecatePatch()` leave a marker, matched by patch id in replay.
 *
 * | history has       | code calls      | outcome                                                                |
 * |-------------------|-----------------|------------------------------------------------------------------------|
 * | (first execution) | patched         | marker and TemporalChangeVersion upsert are sent; the call gives true  |
 * | (first execution) | deprecatePatch  | the same, the marker marked deprecated                                 |
 * | marker            | either          | matched; the call gives true                                           |
 * | marker            | neither         | nondeterminism                                                         |
 * | deprecated marker | neither         | marker and the upsert after it are skipped                             |
 * | no marker         | either          | the command is skipped; `patched` gives false                          |
 */
import { NondeterminismError } from '../errors';
import { describeEvent } from '../events';
import { PATCH_MARKER, patchMarkerDetails, patchMarkerOf } from '../markers';
import type { HistoryEvent } from '../types';
import { CommandType, StateMachine, nothing } from './machine';
import type { Responses, Table } from './machine';
import type { NewMachine } from './new-machine';

type State = 'MarkerCommandCreated' | 'Notified' | 'MarkerCommandRecorded';

interface Events {
  CommandRecordMarker: undefined;
  MarkerRecorded: string;
}

const table: Table<PatchMachine, State, Events> = {
  MarkerCommandCreated: { CommandRecordMarker: { to: 'Notified' } },
  Notified: { MarkerRecorded: { to: 'MarkerCommandRecorded', run: (patch, id) => patch.mustBe(id) } },
  MarkerCommandRecorded: {},
};

export class PatchMachine extends StateMachine<State, Events> {
  readonly name = 'PatchMachine';
  protected readonly title = 'Change';
  protected readonly table = table;
  protected override readonly commands = { [CommandType.COMMAND_TYPE_RECORD_MARKER]: 'CommandRecordMarker' } as const;

  constructor(readonly patchId: string) {
    super('MarkerCommandCreated');
  }

  protected apply(event: HistoryEvent): Responses {
    const marker = patchMarkerOf(event);
    if (marker === undefined) {
      throw new NondeterminismError(`Change machine cannot handle this event: ${describeEvent(event)}`);
    }
    return this.fire('MarkerRecorded', marker.id);
  }

  mustBe(id: string): Responses {
    if (id !== this.patchId) {
      throw new NondeterminismError(`Change id ${id} does not match expected id ${this.patchId}`);
    }
    return nothing;
  }
}

export function patch(patchId: string, deprecated: boolean): NewMachine {
  return {
    machine: new PatchMachine(patchId),
    command: {
      commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
      recordMarkerCommandAttributes: {
        markerName: PATCH_MARKER,
        details: patchMarkerDetails({ id: patchId, deprecated }),
      },
    },
  };
}
