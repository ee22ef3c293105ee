/** What is measured of activities, remote and local. Called only while somebody measures. */
import type { temporal } from '@temporalio/proto';
import type { ActivityResult } from '../activity/activity-executor';
import type { ActivityStart } from '../activity/activity-start';
import { isCounted } from './run-metrics';
import type { WorkerMetrics } from './sdk-metrics';

/** Temporal's core tells failures of the activity's code from timeouts that it saw itself. */
const byCode = { failure_reason: 'ActivityError' };
const byTimeout = { failure_reason: 'timeout' };

const tagsOf = ({ activityType, workflow }: ActivityStart): Record<string, string> => ({
  activity_type: activityType,
  workflow_type: workflow?.type ?? '',
});

/** @param startedTimeMs when the service handed it over */
export function activityReceived(metrics: WorkerMetrics, start: ActivityStart, startedTimeMs: number): void {
  if (start.workflow !== undefined) {
    metrics.record('activity_task_received', 1, { ...tagsOf(start), eager: 'false' });
  }
  const waited = Math.max(0, startedTimeMs - start.currentAttemptScheduledTimeMs);
  if (startedTimeMs > 0) metrics.record('activity_schedule_to_start_latency', waited);
}

/** @param tookMs from the arrival of the task to its result */
export function activityEnded(
  metrics: WorkerMetrics,
  start: ActivityStart,
  result: ActivityResult,
  tookMs: number,
): void {
  const tags = tagsOf(start);
  metrics.record('activity_execution_latency', tookMs, tags);
  if (result.status === 'completed') {
    metrics.record('activity_succeed_endtoend_latency', Math.max(0, Date.now() - start.scheduledTimeMs), tags);
  } else if (result.status === 'failed' && isCounted(result.failure)) {
    metrics.record('activity_execution_failed', 1, { ...tags, ...byCode });
  }
}

export interface LocalAttempt {
  activityType: string;
  workflowType: string;
  scheduledAtMs: number;
  tookMs: number;
}

export function localActivityStarted(metrics: WorkerMetrics, activityType: string, workflowType: string): void {
  metrics.record('local_activity_total', 1, { activity_type: activityType, workflow_type: workflowType });
}

/** An attempt that ran has ended, or the activity timed out. */
export function localActivityEnded(
  metrics: WorkerMetrics,
  attempt: LocalAttempt,
  end: 'completed' | 'cancelled' | { failure: temporal.api.failure.v1.IFailure | null | undefined },
): void {
  const tags = { activity_type: attempt.activityType, workflow_type: attempt.workflowType };
  metrics.record('local_activity_execution_latency', attempt.tookMs, tags);
  if (end === 'completed') {
    const endtoendMs = Math.max(0, Date.now() - attempt.scheduledAtMs);
    metrics.record('local_activity_succeed_endtoend_latency', endtoendMs, tags);
  } else if (end === 'cancelled') {
    metrics.record('local_activity_execution_cancelled', 1, tags);
  } else if (isCounted(end.failure)) {
    const reason = end.failure?.timeoutFailureInfo == null ? byCode : byTimeout;
    metrics.record('local_activity_execution_failed', 1, { ...tags, ...reason });
  }
}
