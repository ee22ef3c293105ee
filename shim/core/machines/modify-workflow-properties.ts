/** The workflow upserted its memo. */
import type { coresdk } from '@temporalio/proto';
import { EventType } from '../events';
import { CommandType } from './machine';
import type { NewMachine } from './new-machine';
import { RecordedCommandMachine } from './recorded-command';

const commandType = CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES;

export function modifyWorkflowProperties(attributes: coresdk.workflow_commands.IModifyWorkflowProperties): NewMachine {
  return {
    machine: new RecordedCommandMachine(
      'ModifyWorkflowPropertiesMachine',
      'Modify workflow properties',
      commandType,
      EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    ),
    command: { commandType, modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: attributes.upsertedMemo } },
  };
}
