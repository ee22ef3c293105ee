/**
 * The engine's decisions, one line each: (transition on a state, input) → the transition grows. All synchronous and pure.
 * A refused request throws `ServiceError` (../errors.ts) before anything is changed. `engine` in ./index.ts implements it.
 */
import type { temporal } from '@temporalio/proto';
import type {
  ActivityState,
  EngineContext,
  Failure,
  Header,
  HistoryEvent,
  Payloads,
  ProtocolMessage,
  RunState,
  StartInput,
  Transition,
  UpdateState,
} from './types';
import type { OverrideState } from './versioning/run-versioning';
import type { DeploymentVersion } from './versioning/version';

type Wf = typeof temporal.api.workflowservice.v1;
export type Request<K extends string> = K extends keyof Wf
  ? Wf[K] extends { create(properties?: infer P): unknown }
    ? NonNullable<P>
    : never
  : never;

export interface Engine {
  /** A transition on an existing state (changed in place: drop the state when the commit fails). */
  begin(state: RunState, ctx: EngineContext): Transition;
  /** A new run: state, Started (and Signaled) events and, without backoff, its first workflow task. */
  start(input: StartInput, ctx: EngineContext): Transition;
  /** The Started attributes of a client's start: validates and normalises (limits, timeouts, policies, cron, search attributes). */
  startInputFromRequest(request: Request<'StartWorkflowExecutionRequest'>, ctx: EngineContext): StartInput;

  /** After any other decision: terminates a run whose history has outgrown the limits, warns of one that is about to. True when it did. */
  enforceHistoryLimits(t: Transition): boolean;

  // Requests from outside
  signal(
    t: Transition,
    input: {
      signalName: string;
      input: Payloads | null;
      identity: string;
      header: Header | null;
      external?: temporal.api.common.v1.IWorkflowExecution;
      links?: temporal.api.common.v1.ILink[];
      requestId: string;
      committed?: boolean;
    },
  ): void;
  /** Throws what `signal` would refuse whatever the run. */
  validateSignal(input: Parameters<Engine['signal']>[1], ctx: EngineContext): void;
  /** Idempotent: false when it was requested before. */
  requestCancel(
    t: Transition,
    input: {
      identity: string;
      requestId: string;
      reason: string;
      externalInitiatedEventId?: number;
      external?: temporal.api.common.v1.IWorkflowExecution;
      cause?: string;
    },
  ): boolean;
  terminate(
    t: Transition,
    input: { reason: string; details: Payloads | null; identity: string; links?: temporal.api.common.v1.ILink[] },
  ): void;
  /**
   * Admits or finds the update; throws for limits and closed runs. Schedules a speculative task when none is pending. `committed`: its caller has been told already, and
   * passing limits do not count.
   */
  admitUpdate(t: Transition, request: temporal.api.update.v1.IRequest, committed?: boolean): UpdateState;
  /** Throws what `admitUpdate` would refuse whatever the run. */
  validateUpdate(request: temporal.api.update.v1.IRequest, ctx: EngineContext): void;

  // Workflow tasks
  /** Marks the pending task started for a poller; throws NOT_FOUND when it is not (or no longer) there. */
  startWorkflowTask(
    t: Transition,
    input: {
      scheduledEventId: number;
      attempt: number;
      requestId: string;
      identity: string;
      workerVersion?: temporal.api.common.v1.IWorkerVersionStamp | null;
      /** Of the poller: a run that is not pinned moves to it, a pinned one refuses others. Left out: no change of workers. */
      version?: DeploymentVersion | null;
    },
  ): void;
  /**
   * Request messages that go with a started task, in order of admission; marks them sent.
   */
  deliverUpdates(t: Transition): ProtocolMessage[];
  /** Events to show a worker beyond the durable ones: scheduled/started of a transient or speculative task (virtual ids). */
  virtualTaskEvents(state: RunState): HistoryEvent[];
  /**
   * Everything RespondWorkflowTaskCompleted does. `token` must match the started task, else NOT_FOUND. `startedEvent` must be given when the run
   * has a retry policy or a cron schedule: the next run is made like it.
   */
  completeWorkflowTask(
    t: Transition,
    token: WorkflowTaskToken,
    request: Request<'RespondWorkflowTaskCompletedRequest'>,
    startedEvent?: () => HistoryEvent,
  ): CompletedTask;
  failWorkflowTask(t: Transition, token: WorkflowTaskToken, request: Request<'RespondWorkflowTaskFailedRequest'>): void;

  // Activities. `token` must match a started attempt, else NOT_FOUND.
  startActivity(t: Transition, input: ActivityStart): ActivityState;
  /**
   * Before an activity is started by a worker of that version: false when it may be. True when the run is on its way to another version, or
   * has just set out for this one: the activity is handed out again once it has arrived.
   */
  movesBeforeActivity(t: Transition, version: DeploymentVersion | null): boolean;
  completeActivity(
    t: Transition,
    token: ActivityToken,
    input: {
      result: Payloads | null;
      identity: string;
      workerVersion?: temporal.api.common.v1.IWorkerVersionStamp | null;
    },
  ): void;
  /** Retries by its policy or closes it with ActivityTaskFailed. */
  failActivity(
    t: Transition,
    token: ActivityToken,
    input: {
      failure: Failure | null;
      lastHeartbeatDetails: Payloads | null;
      identity: string;
      workerVersion?: temporal.api.common.v1.IWorkerVersionStamp | null;
    },
  ): void;
  cancelActivity(t: Transition, token: ActivityToken, input: { details: Payloads | null; identity: string }): void;
  recordHeartbeat(t: Transition, token: ActivityToken, details: Payloads | null): HeartbeatAnswer;
  /** Heartbeat details beyond the limit fail the activity for good. */
  failForHeartbeat(t: Transition, token: ActivityToken, identity: string): void;

  // Activities from their operator's side; NOT_FOUND when the selector finds none.
  selectActivities(state: RunState, which: ActivitySelector): ActivityState[];
  pauseActivities(t: Transition, which: ActivitySelector, by: { identity: string; reason: string }): void;
  /** Those that wait are dispatched after `delayMs`. */
  unpauseActivities(
    t: Transition,
    which: ActivitySelector,
    how: { resetAttempts: boolean; resetHeartbeat: boolean; delayMs: () => number },
  ): void;
  /** Sets a versioning override, or takes it away (null). False when nothing changes. */
  updateOverride(t: Transition, override: OverrideState | null): boolean;

  /** Back to the first attempt; `originals` (Scheduled events by their id) gives them the options back that they were scheduled with. */
  resetActivities(
    t: Transition,
    which: ActivitySelector,
    how: {
      resetHeartbeat: boolean;
      keepPaused: boolean;
      delayMs: () => number;
      originals: ReadonlyMap<number, HistoryEvent> | null;
    },
  ): void;
  /** A patch of their options, or those they were scheduled with (by scheduled event id). The options of the last of them. */
  updateActivityOptions(
    t: Transition,
    which: ActivitySelector,
    change: ActivityOptionsPatch | { originals: ReadonlyMap<number, HistoryEvent> },
  ): temporal.api.activity.v1.IActivityOptions;

  /** The pending activity with that id, for the …ById calls; throws NOT_FOUND. */
  activityById(state: RunState, activityId: string): ActivityToken;

  // Children and others
  childStarted(t: Transition, initiatedEventId: number, runId: string, header: Header | null): void;
  childStartFailed(
    t: Transition,
    initiatedEventId: number,
    cause: temporal.api.enums.v1.StartChildWorkflowExecutionFailedCause,
  ): void;
  /** From the close event of the child (last of its chain). False when it is not pending (already recorded). */
  childClosed(
    t: Transition,
    initiatedEventId: number,
    child: { workflowId: string; runId: string; workflowType: string },
    closeEvent: HistoryEvent,
  ): boolean;
  /** How the start of a pending child looks: deterministic (same run id after a crash comes from requestId dedup). */
  childStartInput(t: Transition, initiatedEvent: HistoryEvent, newRunId: string): StartInput;
  externalAnswered(
    t: Transition,
    initiatedEventId: number,
    failure: 'notFound' | 'namespaceNotFound' | 'signalLimit' | null,
    initiated: HistoryEvent,
  ): void;
  obligationDone(t: Transition, index: number): void;

  // Time
  /** Epoch ms of the earliest thing the run waits for by the clock (timers, timeouts, retries, first task, sticky); 0 = nothing. */
  nextDue(state: RunState): number;
  /** Everything due at ctx.nowMs, in Temporal's order, in one transition. */
  fireDue(
    t: Transition,
    input: { /** input and header for retry/cron runs come from the Started event */ startedEvent: () => HistoryEvent },
  ): void;

  /** Rebuild a state from events (reset, checks): fold of the same appliers that decisions use. */
  replay(events: HistoryEvent[], namespace: string, runId?: string): RunState;

  /**
   * The run that goes on from a prefix of another run's history; its workflow task has failed with RESET_WORKFLOW. INVALID_ARGUMENT when
   * the prefix does not end within a workflow task. `reapply` completes it.
   */
  beginReset(input: ResetInput, ctx: EngineContext): Transition;
  /** Signals, updates and news of children from after the prefix, in order, and then the workflow task that brings them. */
  reapply(t: Transition, events: HistoryEvent[], exclude: ReapplyExclusions): void;
  /** Ends the run that the reset run replaces: neither its parent nor its children hear of it. */
  terminateForReset(t: Transition, reason: string): void;
}

export interface ActivityStart {
  scheduledEventId: number;
  attempt: number;
  requestId: string;
  identity: string;
  version?: DeploymentVersion | null;
}

export interface WorkflowTaskToken {
  scheduledEventId: number;
  startedEventId: number;
  attempt: number;
  requestId: string;
}
export interface ActivityToken {
  scheduledEventId: number;
  attempt: number;
  /** '' for by-id and asynchronous completion without a started request id check. */
  requestId: string;
}

export interface ResetInput {
  namespace: string;
  runId: string;
  baseRunId: string;
  requestId: string;
  reason: string;
  /** Events of the base run before the reset point. */
  prefix: HistoryEvent[];
}

/** What is not taken over from after the reset point. */
export interface ReapplyExclusions {
  signals: boolean;
  updates: boolean;
}

/** What a running attempt learns when it reports. */
export interface HeartbeatAnswer {
  cancelRequested: boolean;
  paused: boolean;
  reset: boolean;
}

/** Which pending activities an operator means. */
export type ActivitySelector = { id: string } | { type: string } | { all: true };

/** Options of an activity, patched: the fields that `paths` name (as JSON spells them) are taken from `options`. */
export interface ActivityOptionsPatch {
  options: temporal.api.activity.v1.IActivityOptions;
  paths: ReadonlySet<string>;
}

export interface CompletedTask {
  /** The completion was refused for its commands (bad attributes, UNHANDLED_COMMAND…): the task was failed instead; the error to answer, if Temporal answers one. */
  error: Error | null;
  /** The worker asked for the next task inline. */
  returnNewTask: boolean;
  /** For queries answered in the completion. */
  queryResults: Record<string, temporal.api.query.v1.IWorkflowQueryResult>;
  /** A speculative task whose updates were all rejected left no trace: last_started reset for the worker. */
  resetHistoryEventId: number;
  /** Updates that got an answer (accepted, rejected, completed). */
  movedUpdates: string[];
}
