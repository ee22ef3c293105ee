/** Jobs that come straight from history events: the workflow's start, signals and cancellation requests. */
import { long, optionalMs } from '../common/proto-values';
import { instant, plainDuration, plainRetryPolicy, protoTime } from './messages';
import type { PayloadMap, RetryPolicy, StartedAttributes } from './messages';
import { eventId } from './events';
import { randomnessSeed } from './random-seed';
import type { ActivationJob, HistoryEvent } from './types';

/** What of the started event is needed later on; the large fields are let go. */
export interface StartedInfo {
  workflowTaskTimeoutMs: number | undefined;
  memo: PayloadMap | undefined;
  searchAttributes: PayloadMap | undefined;
  retryPolicy: RetryPolicy | undefined;
}

export function startedInfo(attributes: StartedAttributes): StartedInfo {
  return {
    workflowTaskTimeoutMs: optionalMs(attributes.workflowTaskTimeout),
    memo: attributes.memo?.fields ?? undefined,
    searchAttributes: attributes.searchAttributes?.indexedFields ?? undefined,
    retryPolicy: plainRetryPolicy(attributes.retryPolicy),
  };
}

/** The job that begins a workflow. */
export function initializeWorkflowJob(
  workflowId: string,
  attributes: StartedAttributes,
  eventTime: HistoryEvent['eventTime'],
): ActivationJob {
  const { parentWorkflowExecution: parent } = attributes;
  const originalExecutionRunId = attributes.originalExecutionRunId ?? '';
  return {
    variant: 'initializeWorkflow',
    initializeWorkflow: {
      workflowType: attributes.workflowType?.name ?? '',
      workflowId,
      arguments: attributes.input?.payloads ?? [],
      randomnessSeed: randomnessSeed(originalExecutionRunId),
      headers: attributes.header?.fields ?? {},
      identity: attributes.identity ?? '',
      parentWorkflowInfo: parent
        ? {
            namespace: attributes.parentWorkflowNamespace ?? '',
            workflowId: parent.workflowId ?? '',
            runId: parent.runId ?? '',
          }
        : undefined,
      workflowExecutionTimeout: plainDuration(attributes.workflowExecutionTimeout),
      workflowRunTimeout: plainDuration(attributes.workflowRunTimeout),
      workflowTaskTimeout: plainDuration(attributes.workflowTaskTimeout),
      continuedFromExecutionRunId: attributes.continuedExecutionRunId ?? '',
      continuedInitiator: attributes.initiator ?? 0,
      continuedFailure: attributes.continuedFailure,
      lastCompletionResult: attributes.lastCompletionResult,
      firstExecutionRunId: attributes.firstExecutionRunId ?? '',
      retryPolicy: retryPolicyForLang(attributes.retryPolicy),
      attempt: attributes.attempt ?? 0,
      cronSchedule: attributes.cronSchedule ?? '',
      workflowExecutionExpirationTime: plainDuration(attributes.workflowExecutionExpirationTime),
      cronScheduleToScheduleInterval: plainDuration(attributes.firstWorkflowTaskBackoff),
      memo: attributes.memo,
      searchAttributes: attributes.searchAttributes,
      startTime: protoTime(eventTime ? instant(eventTime) : { seconds: 0, nanos: 0 }),
      rootWorkflow: attributes.rootWorkflowExecution,
      priority: attributes.priority,
      originalExecutionRunId,
    },
  };
}

/** Lang takes for granted that a retry policy has an initial interval. */
function retryPolicyForLang(policy: RetryPolicy | null | undefined): RetryPolicy | undefined {
  const plain = plainRetryPolicy(policy);
  if (plain !== undefined && !plain.initialInterval) plain.initialInterval = protoTime({ seconds: 0, nanos: 0 });
  return plain;
}

export function signalJob(event: HistoryEvent): ActivationJob | undefined {
  const attributes = event.workflowExecutionSignaledEventAttributes;
  if (!attributes) return undefined;
  return {
    variant: 'signalWorkflow',
    signalWorkflow: {
      signalName: attributes.signalName ?? '',
      input: attributes.input?.payloads ?? [],
      identity: attributes.identity ?? '',
      headers: attributes.header?.fields ?? {},
      originatingEventId: long(eventId(event)),
    },
  };
}

export function cancelJob(event: HistoryEvent): ActivationJob | undefined {
  const attributes = event.workflowExecutionCancelRequestedEventAttributes;
  return attributes ? { variant: 'cancelWorkflow', cancelWorkflow: { reason: attributes.cause ?? '' } } : undefined;
}
