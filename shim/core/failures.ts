/** The failures that the core wraps around those of activities and children, worded as Temporal's. */
import { temporal } from '@temporalio/proto';
import type { Failure } from './messages';

/** "Activity task failed", "Activity task timed out", "Activity cancelled" and the local ones, around their cause. */
export function activityFailure(
  message: string,
  cause: Failure | null | undefined,
  activityFailureInfo: temporal.api.failure.v1.IActivityFailureInfo,
): Failure {
  return { message, cause: cause ?? undefined, activityFailureInfo };
}

export function childFailure(
  message: string,
  cause: Failure | null | undefined,
  childWorkflowExecutionFailureInfo: temporal.api.failure.v1.IChildWorkflowExecutionFailureInfo,
): Failure {
  return { message, cause: cause ?? undefined, childWorkflowExecutionFailureInfo };
}

/** A cancelled failure without a message. */
export const canceled: Failure = { canceledFailureInfo: {} };

export const childTimeout: Failure = {
  message: 'Timed out',
  timeoutFailureInfo: { timeoutType: temporal.api.enums.v1.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE },
};

export const childTermination: Failure = { message: 'Terminated', terminatedFailureInfo: {} };
