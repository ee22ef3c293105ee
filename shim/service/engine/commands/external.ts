/** SIGNAL_EXTERNAL_WORKFLOW_EXECUTION and REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION. */
import { int64, long } from '../../../common/proto-values';
import { EventType } from '../event-fields';
import { payloadsSize } from '../size';
import type { RunTransition } from '../transition';
import type { Command, ExternalRequestState, HistoryEvent } from '../types';
import { byteLength, checkBlobSize, checkPending, extrasOf, isUuid } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

const SIGNAL = 'SignalExternalWorkflowExecutionCommand';
const CANCEL = 'RequestCancelExternalWorkflowExecutionCommand';

export function signalExternal(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const attributes = command.signalExternalWorkflowExecutionCommandAttributes;
  if (!attributes) throw new CommandError(cause, `${SIGNAL}Attributes is not set on ${SIGNAL}.`);
  if (!attributes.execution) throw new CommandError(cause, `Execution is not set on ${SIGNAL}.`);
  const workflowId = attributes.execution.workflowId ?? '';
  const runId = attributes.execution.runId ?? '';
  const namespace = attributes.namespace ?? '';
  const signalName = attributes.signalName ?? '';
  const { limits } = t.ctx;
  const refuse = (message: string): never => {
    throw new CommandError(cause, message);
  };
  if (workflowId === '') {
    refuse(`WorkflowId is not set on ${SIGNAL}. Namespace=${namespace} RunId=${runId} SignalName=${signalName}`);
  }
  if (byteLength(workflowId) > limits.idLength) {
    refuse(
      `WorkflowId on ${SIGNAL} exceeds length limit. WorkflowId=${workflowId} Length=${byteLength(workflowId)} ` +
        `Limit=${limits.idLength} Namespace=${namespace} RunId=${runId} SignalName=${signalName}`,
    );
  }
  if (runId !== '' && !isUuid(runId)) {
    refuse(
      `Invalid RunId set on ${SIGNAL}. WorkflowId=${workflowId} Namespace=${namespace} RunId=${runId} SignalName=${signalName}`,
    );
  }
  if (signalName === '') {
    refuse(`SignalName is not set on ${SIGNAL}. WorkflowId=${workflowId} Namespace=${namespace} RunId=${runId}`);
  }
  checkPending(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
    countExternals(t, 'signal'),
    limits.pendingSignals,
    'pending signals to external workflows',
  );
  checkBlobSize(cause, payloadsSize(attributes.input), t.ctx, `${SIGNAL}Attributes.Input`);
  const event = t.addEvent(
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    {
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(namespace === '' ? {} : { namespace }),
      workflowExecution: { workflowId, runId },
      signalName,
      ...(attributes.input ? { input: attributes.input } : {}),
      ...(attributes.control ? { control: attributes.control } : {}),
      ...(attributes.childWorkflowOnly ? { childWorkflowOnly: true } : {}),
      ...(attributes.header ? { header: attributes.header } : {}),
    },
    extrasOf(command),
  );
  t.effect({ type: 'callExternal', initiatedEventId: int64(event.eventId) });
  return event;
}

export function requestCancelExternal(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const attributes = command.requestCancelExternalWorkflowExecutionCommandAttributes;
  if (!attributes) throw new CommandError(cause, `${CANCEL}Attributes is not set on ${CANCEL}.`);
  const workflowId = attributes.workflowId ?? '';
  const runId = attributes.runId ?? '';
  const namespace = attributes.namespace ?? '';
  const { limits } = t.ctx;
  const refuse = (message: string): never => {
    throw new CommandError(cause, message);
  };
  if (workflowId === '') refuse(`WorkflowId is not set on ${CANCEL}. Namespace=${namespace} RunId=${runId}`);
  if (byteLength(workflowId) > limits.idLength) {
    refuse(
      `WorkflowId on ${CANCEL} exceeds length limit. WorkflowId=${workflowId} Length=${byteLength(workflowId)} ` +
        `Limit=${limits.idLength} RunId=${runId} Namespace=${namespace}`,
    );
  }
  if (runId !== '' && !isUuid(runId)) {
    refuse(`Invalid RunId set on ${CANCEL}. WorkflowId=${workflowId} RunId=${runId} Namespace=${namespace}`);
  }
  if (c.startedChildren.has(workflowId)) {
    refuse(
      'Start and RequestCancel for child workflow is not allowed in same workflow task. ' +
        `WorkflowId=${workflowId} RunId=${runId} Namespace=${namespace}`,
    );
  }
  checkPending(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
    countExternals(t, 'cancel'),
    limits.pendingCancels,
    'pending requests to cancel external workflows',
  );
  const event = t.addEvent(
    EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    {
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(namespace === '' ? {} : { namespace }),
      workflowExecution: { workflowId, runId },
      ...(attributes.control ? { control: attributes.control } : {}),
      ...(attributes.childWorkflowOnly ? { childWorkflowOnly: true } : {}),
      ...(attributes.reason ? { reason: attributes.reason } : {}),
    },
    extrasOf(command),
  );
  t.effect({ type: 'callExternal', initiatedEventId: int64(event.eventId) });
  return event;
}

function countExternals(t: RunTransition, kind: ExternalRequestState['kind']): number {
  let count = 0;
  for (const key in t.state.externals) if (t.state.externals[key]!.kind === kind) count += 1;
  return count;
}
