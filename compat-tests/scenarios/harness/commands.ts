/** Commands as a worker sends them, with as few words as the raw scenarios allow. */
import { temporal } from '@temporalio/proto';
import { payloads } from './payloads';

type Command = temporal.api.command.v1.ICommand;
type Attributes<K extends keyof Command> = Partial<NonNullable<Command[K]>>;
const { CommandType } = temporal.api.enums.v1;

export const seconds = (value: number) => ({
  seconds: Math.floor(value) as never,
  nanos: Math.round((value - Math.floor(value)) * 1e9),
});

export const completeWorkflow = (result: unknown = 'done'): Command => ({
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloads(result) },
});
export const failWorkflow = (more: temporal.api.failure.v1.IFailure = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  failWorkflowExecutionCommandAttributes: {
    failure: { message: 'no more', applicationFailureInfo: { type: 'NoMore' }, ...more },
  },
});
export const cancelWorkflow = (...details: unknown[]): Command => ({
  commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  cancelWorkflowExecutionCommandAttributes: { details: payloads(...details) },
});
export const continueAsNew = (more: Attributes<'continueAsNewWorkflowExecutionCommandAttributes'> = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
  continueAsNewWorkflowExecutionCommandAttributes: { ...more },
});
export const startTimer = (timerId: string, secs: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: seconds(secs) },
});
export const cancelTimer = (timerId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
  cancelTimerCommandAttributes: { timerId },
});
/** On a queue that nobody polls, unless `more` says another. */
export const scheduleActivity = (
  activityId: string,
  more: Attributes<'scheduleActivityTaskCommandAttributes'> = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId,
    activityType: { name: 'act' },
    taskQueue: { name: 'nobody' },
    startToCloseTimeout: seconds(30),
    ...more,
  },
});
export const cancelActivity = (scheduledEventId: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
  requestCancelActivityTaskCommandAttributes: { scheduledEventId: scheduledEventId as never },
});
export const startChild = (
  workflowId: string,
  more: Attributes<'startChildWorkflowExecutionCommandAttributes'> = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: { workflowId, workflowType: { name: 'child' }, ...more },
});
export const signalExternal = (
  workflowId: string,
  more: Attributes<'signalExternalWorkflowExecutionCommandAttributes'> = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  signalExternalWorkflowExecutionCommandAttributes: { execution: { workflowId }, signalName: 'hello', ...more },
});
export const cancelExternal = (
  workflowId: string,
  more: Attributes<'requestCancelExternalWorkflowExecutionCommandAttributes'> = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
  requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId, ...more },
});
export const recordMarker = (markerName: string, value: unknown = 1): Command => ({
  commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName, details: { value: payloads(value) } },
});
export const upsertSearchAttributes = (indexedFields: Record<string, temporal.api.common.v1.IPayload>): Command => ({
  commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes: { indexedFields } },
});
export const modifyMemo = (fields: Record<string, temporal.api.common.v1.IPayload>): Command => ({
  commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
  modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields } },
});
export const protocolMessage = (messageId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
  protocolMessageCommandAttributes: { messageId },
});
