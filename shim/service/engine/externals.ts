/** Answers to signals and cancel requests that the workflow sent to others. */
import { temporal } from '@temporalio/proto';
import { long } from '../../common/proto-values';
import { EventType } from './event-fields';
import { asRun } from './transition';
import type { HistoryEvent, Transition } from './types';
import { scheduleWorkflowTask } from './workflow-task';

const SignalFailed = temporal.api.enums.v1.SignalExternalWorkflowExecutionFailedCause;
const CancelFailed = temporal.api.enums.v1.CancelExternalWorkflowExecutionFailedCause;

export type ExternalFailure = 'notFound' | 'namespaceNotFound' | 'signalLimit';

const signalCauses = {
  notFound: SignalFailed.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND,
  namespaceNotFound: SignalFailed.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
  signalLimit: SignalFailed.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED,
} satisfies Record<ExternalFailure, number>;

const cancelCauses = {
  notFound: CancelFailed.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND,
  namespaceNotFound: CancelFailed.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
  signalLimit: CancelFailed.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED,
} satisfies Record<ExternalFailure, number>;

/** Records how the request ended (`null`: it was delivered). A second answer, or one to a closed run, changes nothing. */
export function externalAnswered(
  t: Transition,
  initiatedEventId: number,
  failure: ExternalFailure | null,
  initiated: HistoryEvent,
): void {
  const run = asRun(t);
  if (run.closed || t.state.externals[initiatedEventId] === undefined) return;
  const signal = initiated.signalExternalWorkflowExecutionInitiatedEventAttributes;
  const request = signal ?? initiated.requestCancelExternalWorkflowExecutionInitiatedEventAttributes ?? {};
  const about = {
    initiatedEventId: long(initiatedEventId),
    namespace: request.namespace || t.state.namespace,
    workflowExecution: request.workflowExecution ?? {},
  };
  const control = signal?.control ? { control: signal.control } : {};
  if (signal && failure === null) {
    run.addEvent(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, { ...about, ...control });
  } else if (signal && failure !== null) {
    const cause = signalCauses[failure];
    run.addEvent(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, { ...about, ...control, cause });
  } else if (failure === null) {
    run.addEvent(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, about);
  } else {
    const cause = cancelCauses[failure];
    run.addEvent(EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, { ...about, cause });
  }
  scheduleWorkflowTask(run);
}
