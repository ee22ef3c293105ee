/** The WorkflowInfo a workflow starts with, out of the activation that initialises it. */
import { TypedSearchAttributes, decodePriority, decompileRetryPolicy } from '@temporalio/common';
import type { RetryPolicy } from '@temporalio/common';
import { suggestContinueAsNewReasonsFromProto } from '@temporalio/common/lib/continue-as-new';
import { convertDeploymentVersion } from '@temporalio/common/lib/worker-deployments';
import type { WorkflowInfo } from '@temporalio/workflow';
import Long from 'long';
import { int64 } from '../common/proto-values';
import type { RetryPolicy as ProtoRetryPolicy } from './messages';
import type { Activation } from './types';

export interface WorkflowInfoOptions {
  namespace: string;
  taskQueue: string;
}

/** Stands in until the runtime sets its own; left out of JSON as that is. */
const noRandom: WorkflowInfo['unsafe']['random'] & { toJSON(): undefined } = {
  random: () => 0,
  uuid4: () => '',
  fillRandom: (bytes) => bytes,
  toJSON: () => undefined,
};

type Time = NonNullable<Activation['timestamp']>;

/**
 * The info for `WorkflowCreateOptions`; search attributes, memo and last results are filled in by the workflow's own
 * runtime, which decodes them, and `unsafe.now` and `unsafe.random` are replaced there.
 * @throws TypeError when the activation does not initialise a workflow.
 */
export function workflowInfo(activation: Activation, options: WorkflowInfoOptions): WorkflowInfo {
  const start = activation.jobs?.find((job) => job.initializeWorkflow)?.initializeWorkflow;
  if (!start?.workflowType || !start.startTime || !activation.timestamp || !start.workflowTaskTimeout) {
    throw new TypeError('This activation does not initialise a workflow');
  }
  const isReplaying = activation.isReplaying ?? false;
  const { parentWorkflowInfo: parent, rootWorkflow: root, priority } = start;
  return {
    workflowId: start.workflowId ?? '',
    runId: activation.runId ?? '',
    workflowType: start.workflowType,
    searchAttributes: {},
    typedSearchAttributes: new TypedSearchAttributes(),
    parent:
      parent?.workflowId && parent.runId && parent.namespace
        ? { workflowId: parent.workflowId, runId: parent.runId, namespace: parent.namespace }
        : undefined,
    root: root?.workflowId && root.runId ? { workflowId: root.workflowId, runId: root.runId } : undefined,
    taskQueue: options.taskQueue,
    namespace: options.namespace,
    firstExecutionRunId: start.firstExecutionRunId ?? '',
    // Histories of early servers have no original run id.
    originalExecutionRunId: start.originalExecutionRunId ?? activation.runId ?? '',
    continuedFromExecutionRunId: start.continuedFromExecutionRunId || undefined,
    startTime: date(start.startTime),
    runStartTime: date(activation.timestamp),
    executionTimeoutMs: millis(start.workflowExecutionTimeout),
    executionExpirationTime: start.workflowExecutionExpirationTime
      ? date(start.workflowExecutionExpirationTime)
      : undefined,
    runTimeoutMs: millis(start.workflowRunTimeout),
    taskTimeoutMs: wholeMs(start.workflowTaskTimeout),
    retryPolicy: retryPolicy(start.retryPolicy),
    attempt: start.attempt ?? 0,
    cronSchedule: start.cronSchedule || undefined,
    // 0 stands for absent: crons are at least a minute apart.
    cronScheduleToScheduleInterval: millis(start.cronScheduleToScheduleInterval) || undefined,
    historyLength: activation.historyLength ?? 0,
    historySize: int64(activation.historySizeBytes),
    continueAsNewSuggested: activation.continueAsNewSuggested ?? false,
    targetWorkerDeploymentVersionChanged: activation.targetWorkerDeploymentVersionChanged ?? false,
    suggestedContinueAsNewReasons: suggestContinueAsNewReasonsFromProto(activation.suggestContinueAsNewReasons),
    currentBuildId: activation.deploymentVersionForCurrentTask?.buildId ?? '',
    currentDeploymentVersion: convertDeploymentVersion(activation.deploymentVersionForCurrentTask),
    unsafe: {
      now: () => 0,
      isReplaying,
      isReplayingHistoryEvents: isReplaying,
      random: noRandom,
    },
    priority: decodePriority(priority),
  };
}

/** Milliseconds without fractions, as lang counts time. */
function wholeMs(time: Time): number {
  return int64(time.seconds) * 1000 + Math.floor((time.nanos ?? 0) / 1e6);
}

function millis(time: Time | null | undefined): number | undefined {
  return time === null || time === undefined ? undefined : wholeMs(time);
}

function date(time: Time): Date {
  return new Date(wholeMs(time));
}

/** Temporal's own reading of a retry policy, which wants Longs. */
function retryPolicy(policy: ProtoRetryPolicy | null | undefined): RetryPolicy | undefined {
  const longTime = (time: Time | null | undefined): Time | undefined =>
    time ? { seconds: Long.fromNumber(int64(time.seconds)), nanos: time.nanos } : undefined;
  return decompileRetryPolicy(
    policy && {
      ...policy,
      // As a message read from the wire has it.
      nonRetryableErrorTypes: policy.nonRetryableErrorTypes ?? [],
      initialInterval: longTime(policy.initialInterval),
      maximumInterval: longTime(policy.maximumInterval),
    },
  );
}
