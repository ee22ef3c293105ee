/** The workflow goes on in a new run. */
import { temporal } from '@temporalio/proto';
import type { coresdk } from '@temporalio/proto';
import { EventType } from '../events';
import { isEmptyMap, payloadsOf, plainDuration, plainRetryPolicy } from '../messages';
import { CommandType } from './machine';
import type { NewMachine } from './new-machine';
import { RecordedCommandMachine } from './recorded-command';

const commandType = CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION;

export function continueAsNew(
  attributes: coresdk.workflow_commands.IContinueAsNewWorkflowExecution,
  inheritBuildId: boolean,
): NewMachine {
  const { memo, headers } = attributes;
  return {
    machine: new RecordedCommandMachine(
      'ContinueAsNewWorkflowMachine',
      'Continue as new workflow',
      commandType,
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    ),
    command: {
      commandType,
      continueAsNewWorkflowExecutionCommandAttributes: {
        workflowType: { name: attributes.workflowType ?? '' },
        taskQueue: {
          name: attributes.taskQueue ?? '',
          kind: temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
        },
        input: payloadsOf(attributes.arguments),
        workflowRunTimeout: plainDuration(attributes.workflowRunTimeout),
        workflowTaskTimeout: plainDuration(attributes.workflowTaskTimeout),
        backoffStartInterval: plainDuration(attributes.backoffStartInterval),
        retryPolicy: plainRetryPolicy(attributes.retryPolicy),
        memo: isEmptyMap(memo) ? undefined : { fields: memo },
        header: isEmptyMap(headers) ? undefined : { fields: headers },
        searchAttributes: attributes.searchAttributes,
        inheritBuildId,
        initialVersioningBehavior: attributes.initialVersioningBehavior,
      },
    },
  };
}
