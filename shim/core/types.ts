/**
 * The core's two doors. A workflow task goes in and activations come out; completions go in and commands come out.
 * Nothing here knows Postgres, a clock or I/O: whoever drives a run performs the actions and reports back.
 */
import type { coresdk, temporal } from '@temporalio/proto';

/** What the service hands out for one workflow task: `PollWorkflowTaskQueueResponse` as a plain object, payloads still encoded. */
export type WorkflowTask = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type Activation = coresdk.workflow_activation.IWorkflowActivation;
/** A job as the isolate reads it: the oneof's name beside its value (a structured clone loses protobufjs's getter). */
export type ActivationJob = coresdk.workflow_activation.IWorkflowActivationJob & { variant: string };
export type ActivationCompletion = coresdk.workflow_completion.IWorkflowActivationCompletion;
export type RespondWorkflowTaskCompleted = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
export type RespondWorkflowTaskFailed = temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest;
export type RespondQueryTaskCompleted = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;
/** A local activity to run: coresdk's ActivityTask start variant plus what its retries and timeouts need. */
export interface LocalActivityRequest {
  seq: number;
  activityId: string;
  activityType: string;
  attempt: number;
  args: temporal.api.common.v1.IPayload[];
  headers: Record<string, temporal.api.common.v1.IPayload>;
  retryPolicy: temporal.api.common.v1.IRetryPolicy | undefined;
  scheduleToCloseMs: number | undefined;
  scheduleToStartMs: number | undefined;
  startToCloseMs: number | undefined;
  /** Backoffs longer than this become workflow timers (default: the workflow task timeout). */
  localRetryThresholdMs: number | undefined;
  cancellationType: coresdk.workflow_commands.ActivityCancellationType;
  /** First schedule time of this activity over all its timer-backed retries; ms since epoch. */
  originalScheduleTimeMs: number | undefined;
}
/** How a local activity ended, as its runner (outside the core) reports it. */
export interface LocalActivityOutcome {
  seq: number;
  attempt: number;
  /**
   * coresdk's ActivityExecutionResult status; `backoff` when the next attempt is to wait on a workflow timer (with
   * `failed` beside it, whose failure then goes into the marker).
   */
  resolution: coresdk.activity_result.IActivityResolution;
  /** ms since epoch by the driver's clock, kept in the marker. */
  completeTimeMs: number;
  /**
   * How long it ran, ms. When given, the marker's complete time is the workflow's time at scheduling plus this, as on
   * Temporal, whatever the driver's clock says.
   */
  runtimeMs?: number;
  originalScheduleTimeMs: number;
}

export type EvictionReason = coresdk.workflow_activation.RemoveFromCache.EvictionReason;

/** What the driver of a run must do next, in order. */
export type CoreAction =
  /** Run it in the isolate (decode payloads first, if a codec is set), then call `completeActivation`. At most one is under way per run. */
  | { type: 'activate'; activation: Activation }
  /** Send to the service; then call `taskAnswered`. */
  | { type: 'completeTask'; request: RespondWorkflowTaskCompleted }
  | { type: 'failTask'; request: RespondWorkflowTaskFailed }
  | { type: 'answerQuery'; request: RespondQueryTaskCompleted }
  | { type: 'startLocalActivity'; activity: LocalActivityRequest }
  | { type: 'cancelLocalActivity'; seq: number }
  /**
   * The task stays open for local activities: call `heartbeatDue` when `afterMs` went by since the `handleTask` that
   * brought it, unless it was completed or failed meanwhile. Emitted once per task.
   */
  | { type: 'scheduleHeartbeat'; afterMs: number }
  /** The history in hand is not enough: read events from `fromEventId` on, then call `historyFetched`. */
  | { type: 'fetchHistory'; fromEventId: number; nextPageToken: Uint8Array | undefined }
  /**
   * The run must leave the cache; an activation with `removeFromCache` was emitted before when an isolate exists.
   * `pendingTasks` came while it was busy: hand them to a new run.
   */
  | { type: 'evicted'; reason: EvictionReason; message: string; pendingTasks: WorkflowTask[] };

export interface CoreRunOptions {
  namespace: string;
  taskQueue: string;
  /** `sdkName`, `sdkVersion` written in sdkMetadata of the first workflow task completed. */
  sdkName: string;
  sdkVersion: string;
  identity: string;
  buildId: string;
  /** Replaying a given history: no answer is sent, the end of the history ends the run. */
  replayOnly?: boolean;
  /** Error types (names) or `nondeterminism` that fail the workflow rather than its task, from `workflowFailureErrorTypes`. */
  nondeterminismFailsWorkflow?: (workflowType: string) => boolean;
  /** Of the worker's deployment, added to each answer. */
  deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions;
  /** Of workflows whose code names none. */
  defaultVersioningBehavior?: temporal.api.enums.v1.VersioningBehavior;
  /** Sticky attributes for completions, when the worker caches runs. */
  stickyAttributes?: temporal.api.taskqueue.v1.IStickyExecutionAttributes;
}

/** One workflow run in the core (implemented in `run.ts`). All methods return what to do next. */
export interface CoreRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly workflowType: string;
  /** True when nothing is under way: no open task, no activation in flight. Only then may it be evicted silently. */
  readonly idle: boolean;
  handleTask(task: WorkflowTask): CoreAction[];
  completeActivation(completion: ActivationCompletion): CoreAction[];
  /** Response (or error) of the service to `completeTask`/`failTask`; a rejected answer evicts. */
  taskAnswered(result: { error?: unknown; newTask?: WorkflowTask; resetHistoryEventId?: number }): CoreAction[];
  localActivityResolved(outcome: LocalActivityOutcome): CoreAction[];
  heartbeatDue(): CoreAction[];
  historyFetched(events: HistoryEvent[], nextPageToken: Uint8Array | undefined): CoreAction[];
  /** Ask for eviction (cache full, shutdown…): gives the removeFromCache activation, then `evicted`. */
  requestEviction(reason: EvictionReason, message: string): CoreAction[];
}
