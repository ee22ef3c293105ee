/** Commands as a worker sends them, with just enough in them. */
import { defaultLimits } from '../../shim/service/engine';
import type { Command } from '../../shim/service/engine/types';
import { CommandType, payloads } from './engine-run';

/** One byte too many for any payload. */
export const big = { payloads: [{ data: new Uint8Array(defaultLimits.blobSizeError + 1) }] };

export const complete = (result?: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: result ? { result: payloads(result) } : {},
});
export const fail = (more: object = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  failWorkflowExecutionCommandAttributes: {
    failure: { message: 'boom', applicationFailureInfo: { type: 'E', ...more } },
  },
});
export const cancelWorkflow: Command = {
  commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  cancelWorkflowExecutionCommandAttributes: {},
};
export const continueAsNew = (more: Command['continueAsNewWorkflowExecutionCommandAttributes'] = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
  continueAsNewWorkflowExecutionCommandAttributes: more,
});
export const cancelTimer = (timerId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
  cancelTimerCommandAttributes: { timerId },
});
export const child = (more: Command['startChildWorkflowExecutionCommandAttributes'] = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: { workflowId: 'kid', workflowType: { name: 'childWf' }, ...more },
});
export const signalExternal = (more: Command['signalExternalWorkflowExecutionCommandAttributes'] = {}): Command => ({
  commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  signalExternalWorkflowExecutionCommandAttributes: { execution: { workflowId: 'other' }, signalName: 'go', ...more },
});
export const cancelExternal = (
  more: Command['requestCancelExternalWorkflowExecutionCommandAttributes'] = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
  requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId: 'other', ...more },
});
export const upsert = (fields: Record<string, unknown> | null): Command => ({
  commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  upsertWorkflowSearchAttributesCommandAttributes: fields && {
    searchAttributes: { indexedFields: fields as never },
  },
});
export const memo = (fields: Record<string, unknown>): Command => ({
  commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
  modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: fields as never } },
});
export const marker = (markerName: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName, details: { data: payloads('x') } },
});
