/** The failures that the core wraps around those of activities and children, worded as Temporal's. */
import { temporal } from '@temporalio/proto';
import type { Failure } from './messages';

/** Lang reads messages as they come off the wire, where a text that was left out is there and empty. */
const untraced = { stackTrace: '' };

/** "Activity task failed", "Activity task timed out", "Activity cancelled" and the local ones, around their cause. */
export function activityFailure(
  message: string,
  cause: Failure | null | undefined,
  activityFailureInfo: temporal.api.failure.v1.IActivityFailureInfo,
): Failure {
  return { message, ...untraced, cause: cause ?? undefined, activityFailureInfo };
}

export function childFailure(
  message: string,
  cause: Failure | null | undefined,
  childWorkflowExecutionFailureInfo: temporal.api.failure.v1.IChildWorkflowExecutionFailureInfo,
): Failure {
  return { message, ...untraced, cause: cause ?? undefined, childWorkflowExecutionFailureInfo };
}

/** A cancelled failure without a message. */
export const canceled: Failure = { ...untraced, canceledFailureInfo: {} };

export const childTimeout: Failure = {
  message: 'Timed out',
  ...untraced,
  timeoutFailureInfo: { timeoutType: temporal.api.enums.v1.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE },
};

export const childTermination: Failure = { message: 'Terminated', ...untraced, terminatedFailureInfo: {} };
