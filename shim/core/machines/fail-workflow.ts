/** The workflow threw a Temporal failure. */
import type { coresdk } from '@temporalio/proto';
import { EventType } from '../events';
import { CommandType } from './machine';
import type { NewMachine } from './new-machine';
import { RecordedCommandMachine } from './recorded-command';

const commandType = CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION;

export function failWorkflow(attributes: coresdk.workflow_commands.IFailWorkflowExecution): NewMachine {
  return {
    machine: new RecordedCommandMachine(
      'FailWorkflowMachine',
      'Fail workflow',
      commandType,
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    ),
    command: { commandType, failWorkflowExecutionCommandAttributes: { failure: attributes.failure } },
  };
}
