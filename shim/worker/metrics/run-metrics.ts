/** What is measured of one cached run. Made only while somebody measures. */
import { coresdk, temporal } from '@temporalio/proto';
import { int64, ms, optionalMs } from '../../common/proto-values';
import type { Activation, RespondWorkflowTaskCompleted, WorkflowTask } from '../../core/types';
import type { WorkerMetrics } from './sdk-metrics';

const { WorkflowTaskFailedCause, CommandType } = temporal.api.enums.v1;
const Benign = temporal.api.enums.v1.ApplicationErrorCategory.APPLICATION_ERROR_CATEGORY_BENIGN;
type Failure = temporal.api.failure.v1.IFailure;

/** Failures that are marked as no trouble are not counted. */
export function isCounted(failure: Failure | null | undefined): boolean {
  return failure?.applicationFailureInfo?.category !== Benign;
}

/** A task whose history begins behind the first event goes on with a cached run. */
export function isIncremental({ history }: WorkflowTask): boolean {
  const first = history?.events?.[0];
  return first != null && int64(first.eventId) > 1;
}

export function workflowTaskPolled(metrics: WorkerMetrics, task: WorkflowTask): void {
  metrics.record('workflow_task_queue_poll_succeed', 1);
  const scheduledMs = optionalMs(task.scheduledTime);
  const startedMs = optionalMs(task.startedTime);
  // Tasks that are queries only have neither.
  if (!scheduledMs || !startedMs) return;
  metrics.record('workflow_task_schedule_to_start_latency', Math.max(0, startedMs - scheduledMs));
}

export class RunMetrics {
  private readonly tags: { workflow_type: string };
  private taskAt = 0;
  /** Since when earlier tasks are run again. */
  private replayAt: number | undefined;
  private startedAtMs: number | undefined;
  private endtoendMs: number | undefined;

  constructor(
    private readonly metrics: WorkerMetrics,
    workflowType: string,
  ) {
    this.tags = { workflow_type: workflowType };
  }

  /** @param cached the run was here before the task */
  taskTaken(task: WorkflowTask, cached: boolean): void {
    this.taskAt = performance.now();
    const previous = int64(task.previousStartedEventId);
    this.replayAt = previous > 0 && task.query == null ? this.taskAt : undefined;
    if (!isIncremental(task)) return;
    if (cached) this.metrics.record('sticky_cache_hit', 1, this.tags);
  }

  activating({ jobs, isReplaying, timestamp }: Activation): void {
    for (const job of jobs ?? []) {
      const startTime = job.initializeWorkflow?.startTime;
      if (startTime != null) this.startedAtMs = ms(startTime);
    }
    if (isReplaying === true) return;
    if (this.startedAtMs !== undefined) this.endtoendMs = Math.max(0, ms(timestamp) - this.startedAtMs);
    if (this.replayAt === undefined) return;
    this.metrics.record('workflow_task_replay_latency', performance.now() - this.replayAt, this.tags);
    this.replayAt = undefined;
  }

  completed({ commands }: RespondWorkflowTaskCompleted): void {
    this.answered();
    // What closes a run is its last command.
    const last = commands?.[commands.length - 1];
    switch (last?.commandType) {
      case CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
        return this.closed('workflow_completed');
      case CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
        return this.closed('workflow_canceled');
      case CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
        return this.closed('workflow_continue_as_new');
      case CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
        return this.closed(
          isCounted(last.failWorkflowExecutionCommandAttributes?.failure) ? 'workflow_failed' : undefined,
        );
    }
  }

  failed(cause: temporal.api.enums.v1.WorkflowTaskFailedCause | null | undefined): void {
    const nondeterministic = cause === WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
    const failure_reason = nondeterministic ? 'NonDeterminismError' : 'WorkflowError';
    this.metrics.record('workflow_task_execution_failed', 1, { ...this.tags, failure_reason });
  }

  /** The service has the answer to a task or a query. */
  answered(): void {
    this.metrics.record('workflow_task_execution_latency', performance.now() - this.taskAt, this.tags);
  }

  evicted(reason: coresdk.workflow_activation.RemoveFromCache.EvictionReason): void {
    // A run that has closed is not forced out.
    const { EvictionReason } = coresdk.workflow_activation.RemoveFromCache;
    if (reason !== EvictionReason.WORKFLOW_EXECUTION_ENDING) {
      this.metrics.record('sticky_cache_total_forced_eviction', 1);
    }
  }

  private closed(
    name: 'workflow_completed' | 'workflow_canceled' | 'workflow_continue_as_new' | 'workflow_failed' | undefined,
  ): void {
    if (name !== undefined) this.metrics.record(name, 1, this.tags);
    if (this.endtoendMs !== undefined) this.metrics.record('workflow_endtoend_latency', this.endtoendMs, this.tags);
  }
}
