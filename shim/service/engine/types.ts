/**
 * The engine's vocabulary: the mutable state of one run (what Temporal's server calls MutableState), and a transition on it.
 * Pure data. `RunState` is stored as JSON in `runs.state`; everything in it must survive JSON with bytes tagged (store/json.ts),
 * so: no undefined-vs-null subtleties, no Map, no Date, no class instances, int64 as number.
 */
import type { temporal } from '@temporalio/proto';
import type { RunVersioning } from './versioning/run-versioning';
import type { Routing } from './versioning/routing';
import type { DeploymentVersion } from './versioning/version';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type Payload = temporal.api.common.v1.IPayload;
export type Payloads = temporal.api.common.v1.IPayloads;
export type Failure = temporal.api.failure.v1.IFailure;
export type Header = temporal.api.common.v1.IHeader;
export type RetryPolicy = temporal.api.common.v1.IRetryPolicy;
export type Command = temporal.api.command.v1.ICommand;
export type ProtocolMessage = temporal.api.protocol.v1.IMessage;

/** temporal.api.enums.v1.WorkflowExecutionStatus as numbers. */
export enum Status {
  Running = 1,
  Completed = 2,
  Failed = 3,
  Canceled = 4,
  Terminated = 5,
  ContinuedAsNew = 6,
  TimedOut = 7,
}

export interface ExecutionRef {
  namespace: string;
  workflowId: string;
  runId: string;
}

/** The one pending workflow task of a run. */
export interface WorkflowTaskState {
  /** Event id of WorkflowTaskScheduled; for transient and speculative tasks the id it would get (not in history yet). */
  scheduledEventId: number;
  /** 0 until started. */
  startedEventId: number;
  attempt: number;
  /** transient: attempt > 1, not in history until it completes. speculative: carries updates only, leaves no history if all are rejected. */
  kind: 'normal' | 'transient' | 'speculative';
  scheduledAtMs: number;
  /** First schedule of a chain of local-activity heartbeats; limits it to 30 minutes. */
  originalScheduledAtMs: number;
  startedAtMs: number;
  /** Start-to-close, ms. */
  timeoutMs: number;
  /** The queue it was scheduled on: the sticky queue or the normal one. */
  taskQueue: string;
  sticky: boolean;
  /** Sticky tasks only: epoch ms after which it goes to the normal queue with WorkflowTaskTimedOut(SCHEDULE_TO_START); 0 = none. */
  scheduleToStartAtMs: number;
  /** Request id of the poll that started it; part of the fence. */
  requestId: string;
  identity: string;
  /** Values on WorkflowTaskStarted, kept for transient tasks. */
  historySizeBytes: number;
  suggestContinueAsNew: boolean;
  /** temporal.api.enums.v1.SuggestContinueAsNewReason */
  suggestContinueAsNewReasons: number[];
  /** The run is pinned, and its queue's tasks go to another version by now. */
  targetVersionChanged: boolean;
  workerVersion: temporal.api.common.v1.IWorkerVersionStamp | null;
}

export interface ActivityState {
  scheduledEventId: number;
  activityId: string;
  activityType: string;
  taskQueue: string;
  /** 1-based attempt that is waiting, running or backing off. */
  attempt: number;
  /** Epoch ms at which the current attempt became (or becomes: retry backoff) dispatchable. */
  scheduledAtMs: number;
  firstScheduledAtMs: number;
  /** 0 while not started. */
  startedAtMs: number;
  requestId: string;
  identity: string;
  /** Normalised by the server's rules; 0 = none. ms. */
  scheduleToCloseMs: number;
  scheduleToStartMs: number;
  startToCloseMs: number;
  heartbeatMs: number;
  /** Always filled (server defaults), as proto. */
  retryPolicy: RetryPolicy;
  cancelRequested: boolean;
  /** Event id of ActivityTaskCancelRequested, 0 if none. */
  cancelRequestedEventId: number;
  lastFailure: Failure | null;
  lastWorkerIdentity: string;
  /** Epoch ms of the last heartbeat of this attempt; 0 = none. The store's heartbeats table is merged in before timeouts are decided. */
  lastHeartbeatAtMs: number;
  heartbeatDetails: Payloads | null;
  /** The retry waits for its due time: not dispatchable yet. */
  backingOff: boolean;
  paused: boolean;
  /** Who paused it; null while it is not paused. */
  pause: PauseState | null;
  /** It was reset while an attempt was running: that attempt hears of it with its next heartbeat. */
  resetRequested: boolean;
  /** The next attempt begins without the heartbeat details of the running one. */
  resetHeartbeats: boolean;
  /** Epoch ms at which the last attempt ended; 0 = none has. */
  lastAttemptEndedAtMs: number;
  /** Of the worker that took the last attempt; null = without one. */
  lastVersion: DeploymentVersion | null;
  priority: temporal.api.common.v1.IPriority | null;
}

/** An activity paused by an operator. */
export interface PauseState {
  atMs: number;
  identity: string;
  reason: string;
}

export interface TimerState {
  timerId: string;
  startedEventId: number;
  fireAtMs: number;
}

export interface ChildState {
  initiatedEventId: number;
  /** 0 until ChildWorkflowExecutionStarted is recorded. */
  startedEventId: number;
  namespace: string;
  workflowId: string;
  /** First run of the child; '' until started. */
  runId: string;
  workflowType: string;
  parentClosePolicy: temporal.api.enums.v1.ParentClosePolicy;
  /** Request id of the start, so that a repeated start after a crash finds its own run. */
  requestId: string;
}

/** A signal or cancel request to another workflow that has been initiated and not answered. */
export interface ExternalRequestState {
  kind: 'signal' | 'cancel';
  initiatedEventId: number;
  requestId: string;
}

/** An update from admission to outcome. Rejected ones are kept for a minute so that waiting callers in any process learn it. */
export interface UpdateState {
  updateId: string;
  stage: 'admitted' | 'sent' | 'accepted' | 'completed' | 'rejected';
  /** Full request; dropped once accepted (it is in the event then). */
  request: temporal.api.update.v1.IRequest | null;
  /** Order of admission, and message id of the delivered request. */
  sequence: number;
  acceptedEventId: number;
  completedEventId: number;
  /** Only for rejected. */
  failure: Failure | null;
  decidedAtMs: number;
  /** A caller's transaction admitted it: the workflow sees it before it can close the run by a command. */
  committed?: true;
}

/** What a closed (or continuing) run still owes to others; the row stays until each is done. Delivered at least once, deduplicated by the receiver. */
export type Obligation =
  | { kind: 'notifyParent' }
  /** The schedule that started the chain waits for its end. */
  | { kind: 'notifySchedule'; scheduleId: string }
  /** A child with policy ABANDON whose start was not carried out (or not recorded) when the run closed. */
  | { kind: 'startChild'; initiatedEventId: number }
  /** A signal to another workflow that was not sent (or not recorded) when the run closed; it is sent all the same. */
  | { kind: 'signalExternal'; initiatedEventId: number }
  | {
      kind: 'parentClose';
      initiatedEventId: number;
      child: ExecutionRef;
      policy: temporal.api.enums.v1.ParentClosePolicy;
    };

export interface RunState {
  namespace: string;
  workflowId: string;
  runId: string;
  /** First run of the chain (continue-as-new, retry, cron). */
  firstRunId: string;
  /** Of a run made by a reset: the run whose history it goes on with; '' = none. */
  baseRunId: string;
  /** Seeds workflow randomness; equals runId except after reset. */
  originalRunId: string;
  workflowType: string;
  taskQueue: string;
  attempt: number;
  status: Status;
  startRequestId: string;
  /** Epoch ms of WorkflowExecutionStarted. */
  startedAtMs: number;
  /** startedAtMs plus first workflow task backoff. */
  executionAtMs: number;
  closedAtMs: number;
  /** ms; 0 = none. */
  executionTimeoutMs: number;
  runTimeoutMs: number;
  taskTimeoutMs: number;
  /** Epoch ms at which the execution timeout hits (carried over the chain); 0 = none. */
  executionExpiresAtMs: number;
  /** Epoch ms at which the run timeout hits; 0 = none. */
  runExpiresAtMs: number;
  retryPolicy: RetryPolicy | null;
  cronSchedule: string;
  parent: (ExecutionRef & { initiatedEventId: number }) | null;
  root: { workflowId: string; runId: string };
  memo: Record<string, Payload>;
  searchAttributes: Record<string, Payload>;
  priority: temporal.api.common.v1.IPriority | null;

  /** Id the next event gets. */
  nextEventId: number;
  historySizeBytes: number;
  /** Count of committed transitions, shown in visibility. */
  stateTransitions: number;
  /** Epoch ms until which the first workflow task waits (start delay, cron, retry backoff); 0 = none. */
  firstTaskAtMs: number;
  workflowTask: WorkflowTaskState | null;
  /** startedEventId of the last completed workflow task (`previous_started_event_id`); 0 = none. */
  lastCompletedTaskStartedEventId: number;
  /** Consecutive failed or timed-out workflow task attempts. */
  failedTaskAttempts: number;
  /** Cause of the last failure, for WorkflowNotReady answers. */
  lastTaskFailure: string;
  sticky: { queue: string; scheduleToStartMs: number } | null;

  /** By scheduledEventId. */
  activities: Record<string, ActivityState>;
  /** By timerId. */
  timers: Record<string, TimerState>;
  /** By initiatedEventId. */
  children: Record<string, ChildState>;
  /** By initiatedEventId. */
  externals: Record<string, ExternalRequestState>;
  /** Events that arrived while a workflow task was started; they get ids when it closes. */
  buffered: HistoryEvent[];
  signalCount: number;
  /** A terminal command was refused (UNHANDLED_COMMAND) and its task runs again: signals answer RESOURCE_EXHAUSTED "closing". */
  closeAttempted: boolean;
  cancelRequested: boolean;
  cancelRequestId: string;
  updates: Record<string, UpdateState>;
  updateSequence: number;
  obligations: Obligation[];
  /** Only on closed runs. */
  closeEventId: number;
  newRunId: string;
  /** Worker deployments: null = they play no part. */
  deployment: RunVersioning | null;
  /** Who completed the last tasks, shown by describe. */
  versioning: { buildId: string; sdkName: string; sdkVersion: string } | null;
}

/** What is needed to begin a run, from a client's start, a parent's command, continue-as-new, retry or cron. */
export interface StartInput {
  namespace: string;
  workflowId: string;
  runId: string;
  requestId: string;
  /** Finished attributes of WorkflowExecutionStarted but times the engine fills in (firstWorkflowTaskBackoff and expiration). */
  attributes: temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;
  parent: RunState['parent'];
  root: RunState['root'] | null;
  /** ms before the first workflow task. */
  firstTaskBackoffMs: number;
  /** Written before the first workflow task is scheduled (signal-with-start). */
  signal: temporal.api.history.v1.IWorkflowExecutionSignaledEventAttributes | null;
  userMetadata: temporal.api.sdk.v1.IUserMetadata | null;
  links: temporal.api.common.v1.ILink[];
}

/** Things passed in, so that the engine stays pure. */
export interface EngineContext {
  /** Postgres's clock, epoch ms (fractions allowed). */
  nowMs: number;
  /** Fresh UUID (v7), for run ids and request ids. */
  newId(): string;
  limits: Limits;
  /** Registered search attributes of the namespace: name → IndexedValueType number; null when not to be checked. */
  searchAttributeTypes: Record<string, number> | null;
  /** Worker deployments of the namespace; null when there are none. */
  routing: Routing | null;
  /** What went over a warning limit, for the log; null = nothing. */
  warnings: LimitWarning[] | null;
}

/** As Temporal's server logs it. */
export interface LimitWarning {
  message: string;
  /** Bytes, or events. */
  size: number;
  /** The request or command that it came with; undefined for the whole history. */
  operation?: string;
}

export interface Limits {
  /** Bytes; Temporal's defaults in engine/limits.ts. */
  blobSizeError: number;
  blobSizeWarn: number;
  memoSizeError: number;
  memoSizeWarn: number;
  historySizeSuggestContinueAsNew: number;
  historyCountSuggestContinueAsNew: number;
  historySizeError: number;
  historySizeWarn: number;
  historyCountError: number;
  historyCountWarn: number;
  pendingActivities: number;
  pendingChildren: number;
  pendingSignals: number;
  pendingCancels: number;
  signalsPerRun: number;
  updatesInFlight: number;
  updatesPerRun: number;
  idLength: number;
  maxTaskTimeoutMs: number;
  defaultTaskTimeoutMs: number;
}

/** What the service must do because of a transition. Dispatch effects are carried out after (tasks of a held run: before) the commit. */
export type Effect =
  /** A workflow task was scheduled; look at `state.workflowTask`. */
  | { type: 'workflowTaskScheduled' }
  /** An activity attempt became dispatchable. */
  | {
      type: 'activityScheduled';
      scheduledEventId: number;
      /** asked for by the worker: hand it back in the response if the queue matches */ eager: boolean;
    }
  /** The recorded heartbeat of an activity counts no more. */
  | { type: 'heartbeatForgotten'; scheduledEventId: number }
  /** A started activity was asked to cancel (its worker learns by heartbeat). */
  | { type: 'activityCancelRequested'; scheduledEventId: number }
  | { type: 'startChild'; initiatedEventId: number }
  | { type: 'callExternal'; initiatedEventId: number }
  /** The run closed; obligations are in the state. */
  | { type: 'closed' }
  /** Memo or search attributes changed: visibility follows. */
  | { type: 'visibilityChanged' }
  /** Stages of updates moved: wake their waiters. */
  | { type: 'updatesMoved'; updateIds: string[] }
  /** The chain goes on in a new run, committed together with this transition. */
  | { type: 'newRun'; transition: Transition };

/**
 * One state change in the making: a state that is being changed, and what came of it. Made by `begin(state, ctx)`
 * (engine/transition.ts). A decision validates first and throws before it changes anything.
 */
export interface Transition {
  readonly state: RunState;
  readonly ctx: EngineContext;
  /** New durable events in order, with ids and times. */
  readonly events: HistoryEvent[];
  readonly effects: Effect[];
}
