/** The workflow returned. */
import type { coresdk } from '@temporalio/proto';
import { EventType } from '../events';
import { CommandType } from './machine';
import type { NewMachine } from './new-machine';
import { RecordedCommandMachine } from './recorded-command';

const commandType = CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION;

export function completeWorkflow(attributes: coresdk.workflow_commands.ICompleteWorkflowExecution): NewMachine {
  const { result } = attributes;
  return {
    machine: new RecordedCommandMachine(
      'CompleteWorkflowMachine',
      'Complete workflow',
      commandType,
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    ),
    command: {
      commandType,
      completeWorkflowExecutionCommandAttributes: { result: result ? { payloads: [result] } : undefined },
    },
  };
}
