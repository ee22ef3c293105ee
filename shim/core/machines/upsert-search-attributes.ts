/** The workflow (or, for patches, the core itself) upserted search attributes. */
import type { coresdk, temporal } from '@temporalio/proto';
import { EventType } from '../events';
import { CoreFlag } from '../internal-flags';
import type { InternalFlags } from '../internal-flags';
import { CommandType } from './machine';
import type { NewMachine } from './new-machine';
import { RecordedCommandMachine } from './recorded-command';

const commandType = CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES;

/** The search attribute that lists a run's patches. */
export const CHANGE_VERSION_ATTRIBUTE = 'TemporalChangeVersion';
/** Temporal's default limit for one search attribute value. */
export const MAX_SEARCH_ATTRIBUTE_BYTES = 2048;

/** The upsert that lang asked for. Lang may not write TemporalChangeVersion: such an upsert is sent empty. */
export function upsertSearchAttributes(
  attributes: coresdk.workflow_commands.IUpsertWorkflowSearchAttributes,
  flags: InternalFlags,
  replaying: boolean,
): NewMachine {
  const { searchAttributes } = attributes;
  const forbidden =
    flags.tryUse(CoreFlag.UpsertSearchAttributeOnPatch, !replaying) &&
    searchAttributes?.indexedFields?.[CHANGE_VERSION_ATTRIBUTE] !== undefined;
  return upsertOf(forbidden ? {} : (searchAttributes ?? {}));
}

export function upsertOf(searchAttributes: temporal.api.common.v1.ISearchAttributes): NewMachine {
  return {
    machine: new RecordedCommandMachine(
      'UpsertSearchAttributesMachine',
      'Upsert workflow search attributes',
      commandType,
      EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    ),
    command: { commandType, upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes } },
  };
}
