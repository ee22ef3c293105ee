/** How a local activity ended, from its runner or from its marker, and what lang is told of it. */
import { temporal } from '@temporalio/proto';
import { fromMs } from '../common/proto-values';
import { FatalMachineError } from './errors';
import { activityFailure } from './failures';
import type { LocalActivityMarker } from './markers';
import { instant, protoTime } from './messages';
import type { ActivityResolution, Failure, Instant, Payload } from './messages';
import type { LocalActivityOutcome } from './types';

export type OutcomeKind = 'completed' | 'failed' | 'timedOut' | 'cancelled';

export interface LocalActivityResult {
  kind: OutcomeKind;
  result: Payload | undefined;
  failure: Failure | undefined;
  /** Undefined leaves the workflow's clock where it is. */
  completeTime: Instant | undefined;
  attempt: number;
  /** The next attempt waits on a workflow timer of this length. */
  backoff: Instant | undefined;
  originalScheduleTime: Instant | undefined;
}

function failureKind(failure: Failure): OutcomeKind {
  if (failure.canceledFailureInfo || failure.cause?.canceledFailureInfo) return 'cancelled';
  if (failure.timeoutFailureInfo) return 'timedOut';
  return 'failed';
}

export function resultOfMarker(marker: LocalActivityMarker): LocalActivityResult {
  return {
    kind: marker.failure === undefined ? 'completed' : failureKind(marker.failure),
    result: marker.failure === undefined ? marker.result : undefined,
    failure: marker.failure,
    completeTime: marker.completeTime,
    attempt: marker.attempt,
    backoff: marker.backoff,
    originalScheduleTime: marker.originalScheduleTime,
  };
}

/** @param scheduledAt workflow time when the activity was scheduled. */
export function resultOfOutcome(outcome: LocalActivityOutcome, scheduledAt: Instant | undefined): LocalActivityResult {
  const { completed, failed, cancelled, backoff } = outcome.resolution;
  const failure = failed?.failure ?? cancelled?.failure ?? undefined;
  if (!completed && !backoff && failure === undefined) {
    throw new FatalMachineError(`The outcome of local activity ${outcome.seq} has neither result, failure nor backoff`);
  }
  let kind: OutcomeKind = 'completed';
  if (cancelled) kind = 'cancelled';
  else if (failure?.timeoutFailureInfo) kind = 'timedOut';
  else if (failed) kind = 'failed';
  return {
    kind,
    result: completed?.result ?? undefined,
    failure,
    completeTime: completeTime(outcome, scheduledAt),
    attempt: outcome.attempt,
    backoff: backoff?.backoffDuration ? instant(backoff.backoffDuration) : undefined,
    originalScheduleTime: instant(fromMs(outcome.originalScheduleTimeMs)),
  };
}

function completeTime(outcome: LocalActivityOutcome, scheduledAt: Instant | undefined): Instant {
  if (outcome.runtimeMs === undefined || scheduledAt === undefined) return instant(fromMs(outcome.completeTimeMs));
  const ran = instant(fromMs(outcome.runtimeMs));
  const nanos = scheduledAt.nanos + ran.nanos;
  return {
    seconds: scheduledAt.seconds + ran.seconds + (nanos >= 1e9 ? 1 : 0),
    nanos: nanos >= 1e9 ? nanos - 1e9 : nanos,
  };
}

export function cancelledResult(attempt: number, originalScheduleTime: Instant | undefined): LocalActivityResult {
  return {
    kind: 'cancelled',
    result: undefined,
    failure: { message: 'Activity cancelled', canceledFailureInfo: {} },
    completeTime: undefined,
    attempt,
    backoff: undefined,
    originalScheduleTime,
  };
}

/** The resolution lang gets. Bare cancellations and timeouts are wrapped in an activity failure. */
export function resolutionFor(
  result: LocalActivityResult,
  activityId: string,
  activityType: string,
): ActivityResolution {
  if (result.backoff !== undefined) {
    return {
      backoff: {
        attempt: result.attempt + 1,
        backoffDuration: protoTime(result.backoff),
        originalScheduleTime:
          result.originalScheduleTime === undefined ? undefined : protoTime(result.originalScheduleTime),
      },
    };
  }
  const wrap = (message: string): Failure =>
    activityFailure(message, result.failure, {
      activityId,
      activityType: { name: activityType },
      retryState: temporal.api.enums.v1.RetryState.RETRY_STATE_CANCEL_REQUESTED,
    });
  const { failure } = result;
  switch (result.kind) {
    case 'completed':
      return { completed: { result: result.result } };
    case 'failed':
      return { failed: { failure } };
    case 'timedOut':
      return { failed: { failure: failure?.timeoutFailureInfo ? wrap('Local Activity timed out') : failure } };
    case 'cancelled':
      return { cancelled: { failure: failure?.canceledFailureInfo ? wrap('Local Activity cancelled') : failure } };
  }
}
