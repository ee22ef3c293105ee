/** The commands of a completed workflow task, by type. Protocol messages (updates) are handled by the completion itself. */
import { temporal } from '@temporalio/proto';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import { requestCancelActivity, scheduleActivity } from './activity';
import { startChild } from './child';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';
import { continueAsNew } from './continue-as-new';
import { requestCancelExternal, signalExternal } from './external';
import { recordMarker } from './marker';
import { modifyProperties, upsertSearchAttributes } from './properties';
import { cancelTimer, startTimer } from './timer';
import { cancelWorkflow, completeWorkflow, failWorkflow } from './workflow-close';

export { CommandError } from './command-error';
export type { CommandContext } from './context';

const CommandType = temporal.api.enums.v1.CommandType;
type CommandType = temporal.api.enums.v1.CommandType;

type Handler = (t: RunTransition, command: Command, c: CommandContext) => HistoryEvent;

/** Nexus needs endpoints in another service; the workflow task fails with a reason that says so. */
const refuseNexus =
  (cause: TaskFailedCause): Handler =>
  () => {
    throw new CommandError(cause, 'BRANCHLINE_UNSUPPORTED: Nexus operations are not supported on this engine.');
  };

const handlers: Partial<Record<CommandType, Handler>> = {
  [CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK]: scheduleActivity,
  [CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK]: requestCancelActivity,
  [CommandType.COMMAND_TYPE_START_TIMER]: startTimer,
  [CommandType.COMMAND_TYPE_CANCEL_TIMER]: cancelTimer,
  [CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION]: completeWorkflow,
  [CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION]: failWorkflow,
  [CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION]: cancelWorkflow,
  [CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: continueAsNew,
  [CommandType.COMMAND_TYPE_RECORD_MARKER]: recordMarker,
  [CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION]: startChild,
  [CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: signalExternal,
  [CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]: requestCancelExternal,
  [CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: upsertSearchAttributes,
  [CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES]: modifyProperties,
  [CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION]: refuseNexus(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES,
  ),
  [CommandType.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION]: refuseNexus(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES,
  ),
};

/** Commands that end the run; one of them may only come last. */
export const closeCommands: ReadonlySet<CommandType> = new Set([
  CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
]);

/** Is this type dealt with by `handleCommand`? */
export function isHandledCommand(type: CommandType): boolean {
  return handlers[type] !== undefined;
}

/** Turns a command into its event and effects; throws `CommandError` when it cannot be carried out. */
export function handleCommand(t: RunTransition, command: Command, c: CommandContext): void {
  const type = command.commandType ?? CommandType.COMMAND_TYPE_UNSPECIFIED;
  const handler = handlers[type];
  if (handler === undefined) {
    throw new CommandError(
      TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
      `Unknown command type: ${CommandType[type] ?? type}`,
    );
  }
  handler(t, command, c);
}
