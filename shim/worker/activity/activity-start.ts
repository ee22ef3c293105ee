/** What starts an activity attempt, from the service's task or from a workflow's local activity, and its public info. */
import type { Info } from '@temporalio/activity';
import { ApplicationFailure, decodePriority, type LoadedDataConverter, type RetryPolicy } from '@temporalio/common';
import type { ActivitySerializationContext } from '@temporalio/common/lib/converter/serialization-context';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow';
import { errorMessage } from '@temporalio/common/lib/type-helpers';
import type { temporal } from '@temporalio/proto';
import { ms, optionalMs } from '../../common/proto-values';

export type ActivityTaskResponse = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
type Payload = temporal.api.common.v1.IPayload;

/** One attempt of an activity. Times in ms (since the epoch, or lengths). */
export interface ActivityStart {
  taskToken: Uint8Array;
  activityId: string;
  activityType: string;
  /** Absent for standalone activities. */
  workflow: { workflowId: string; runId: string; type: string; namespace: string } | undefined;
  headers: Record<string, Payload>;
  input: Payload[];
  heartbeatDetails: Payload[] | undefined;
  attempt: number;
  scheduledTimeMs: number;
  currentAttemptScheduledTimeMs: number;
  scheduleToCloseTimeoutMs: number;
  startToCloseTimeoutMs: number;
  heartbeatTimeoutMs: number | undefined;
  retryPolicy: temporal.api.common.v1.IRetryPolicy | null | undefined;
  priority: temporal.api.common.v1.IPriority | null | undefined;
  isLocal: boolean;
  runId: string | undefined;
}

export function startOfTask(task: ActivityTaskResponse, namespace: string): ActivityStart {
  const workflowId = task.workflowExecution?.workflowId;
  return {
    taskToken: task.taskToken!,
    activityId: task.activityId ?? '',
    activityType: task.activityType?.name ?? '',
    workflow: workflowId
      ? {
          workflowId,
          runId: task.workflowExecution?.runId ?? '',
          type: task.workflowType?.name ?? '',
          namespace: task.workflowNamespace || namespace,
        }
      : undefined,
    headers: task.header?.fields ?? {},
    input: task.input?.payloads ?? [],
    heartbeatDetails: task.heartbeatDetails?.payloads ?? undefined,
    attempt: task.attempt ?? 1,
    scheduledTimeMs: ms(task.scheduledTime),
    currentAttemptScheduledTimeMs: ms(task.currentAttemptScheduledTime ?? task.scheduledTime),
    scheduleToCloseTimeoutMs: ms(task.scheduleToCloseTimeout),
    startToCloseTimeoutMs: ms(task.startToCloseTimeout),
    heartbeatTimeoutMs: ms(task.heartbeatTimeout),
    retryPolicy: task.retryPolicy,
    priority: task.priority,
    isLocal: false,
    runId: workflowId ? undefined : (task.activityRunId ?? undefined),
  };
}

export function serializationContext(start: ActivityStart, namespace: string): ActivitySerializationContext {
  return {
    type: 'activity',
    namespace,
    activityId: start.activityId || undefined,
    workflowId: start.workflow?.workflowId,
    isLocal: start.isLocal,
  };
}

/** @throws ApplicationFailure when the details of the last heartbeat cannot be read */
export async function activityInfo(
  start: ActivityStart,
  namespace: string,
  taskQueue: string,
  dataConverter: LoadedDataConverter,
  context: ActivitySerializationContext,
): Promise<Info> {
  let heartbeatDetails: unknown;
  if (start.heartbeatDetails !== undefined && start.heartbeatDetails.length > 0) {
    try {
      heartbeatDetails = await decodeFromPayloadsAtIndex(dataConverter, 0, start.heartbeatDetails, context);
    } catch (error) {
      throw ApplicationFailure.fromError(error, {
        message: `Failed to parse heartbeat details for activity ${start.activityId}: ${errorMessage(error)}`,
      });
    }
  }
  const { taskToken, workflow } = start;
  return {
    taskToken,
    taskQueue,
    base64TaskToken: Buffer.from(taskToken.buffer, taskToken.byteOffset, taskToken.byteLength).toString('base64'),
    activityId: start.activityId,
    workflowExecution: workflow && { workflowId: workflow.workflowId, runId: workflow.runId },
    attempt: start.attempt,
    isLocal: start.isLocal,
    activityType: start.activityType,
    workflowType: workflow?.type,
    heartbeatTimeoutMs: start.heartbeatTimeoutMs,
    heartbeatDetails,
    activityNamespace: namespace,
    workflowNamespace: workflow?.namespace,
    scheduledTimestampMs: start.scheduledTimeMs,
    startToCloseTimeoutMs: start.startToCloseTimeoutMs,
    scheduleToCloseTimeoutMs: start.scheduleToCloseTimeoutMs,
    currentAttemptScheduledTimestampMs: start.currentAttemptScheduledTimeMs,
    priority: decodePriority(start.priority),
    retryPolicy: retryPolicyOf(start.retryPolicy),
    namespace: workflow?.namespace ?? namespace,
    activityRunId: start.runId,
    inWorkflow: workflow !== undefined,
  };
}

/** Temporal's own reading of a retry policy wants Longs, which messages in the process do not have. */
function retryPolicyOf(policy: temporal.api.common.v1.IRetryPolicy | null | undefined): RetryPolicy | undefined {
  if (!policy) return undefined;
  return {
    backoffCoefficient: policy.backoffCoefficient ?? undefined,
    maximumAttempts: policy.maximumAttempts ?? undefined,
    maximumInterval: optionalMs(policy.maximumInterval),
    initialInterval: optionalMs(policy.initialInterval),
    nonRetryableErrorTypes: policy.nonRetryableErrorTypes ?? [],
  };
}
