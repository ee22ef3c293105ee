/** The workflow ended as cancelled. */
import type { coresdk } from '@temporalio/proto';
import { EventType } from '../events';
import { CommandType } from './machine';
import type { NewMachine } from './new-machine';
import { RecordedCommandMachine } from './recorded-command';

const commandType = CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION;

export function cancelWorkflow(attributes: coresdk.workflow_commands.ICancelWorkflowExecution): NewMachine {
  return {
    machine: new RecordedCommandMachine(
      'CancelWorkflowMachine',
      'Cancel workflow',
      commandType,
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    ),
    command: { commandType, cancelWorkflowExecutionCommandAttributes: { details: attributes.details } },
  };
}
