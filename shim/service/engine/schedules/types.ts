/**
 * The state of one schedule, and what decisions on it lead to. Plain data that survives JSON (store/json.ts), like `RunState`.
 * Words are those of Temporal's messages and of its scheduler workflow.
 */
import type { temporal } from '@temporalio/proto';
import type { Failure, Payload, Payloads, Status } from '../types';
import type { Spec } from './spec-types';

export type Overlap = temporal.api.enums.v1.ScheduleOverlapPolicy;
export type StartAction = temporal.api.workflow.v1.INewWorkflowExecutionInfo;

export interface Policies {
  /** Never UNSPECIFIED. */
  overlapPolicy: Overlap;
  catchupWindowMs: number;
  pauseOnFailure: boolean;
  /** Start the action's workflow id as it is, without the time behind it. */
  keepOriginalWorkflowId: boolean;
}

/** What a client sets: replaced as a whole by an update. */
export interface ScheduleConfig {
  spec: Spec;
  /** null = no action: nothing is ever started. */
  startWorkflow: StartAction | null;
  policies: Policies;
  paused: boolean;
  notes: string;
  limitedActions: boolean;
  remainingActions: number;
}

/** A time to act that has come, and waits for its turn. */
export interface BufferedStart {
  /** Number of its row in `schedule_slots`. */
  slot: number;
  nominalMs: number;
  /** Nominal plus jitter; of a trigger the moment it came. */
  actionMs: number;
  /** UNSPECIFIED = the schedule's policy of the moment it is decided by. */
  overlapPolicy: Overlap;
  /** Triggered or backfilled: neither paused nor counted. */
  manual: boolean;
  /** Its row says so. */
  waiting: boolean;
}

/** A start that was decided, and is not known to have been carried out. Repeated after a crash it finds the run that it made. */
export interface PendingStart extends BufferedStart {
  workflowId: string;
  /** The run that it makes counts as running for overlaps, and passes on its result. */
  tracked: boolean;
  /** When a process last took it on, epoch ms, and how often one did. */
  takenMs: number;
  tries: number;
}

/** Identified by its first run: a chain (retry, continue-as-new) counts as one. */
export interface RunningWorkflow {
  workflowId: string;
  firstRunId: string;
  /** What an overlap policy asked for. */
  ending: 'no' | 'cancel' | 'terminate';
  /** When a process last took the request on, epoch ms; 0 = nothing is to be requested, or it is done. */
  endingTakenMs: number;
}

export interface ActionResult {
  actionMs: number;
  /** When the workflow was really started, epoch ms. */
  startedMs: number;
  workflowId: string;
  firstRunId: string;
  /** 0 = the run is gone. */
  status: Status | 0;
}

export interface Backfill {
  /** The next slot is after this, epoch ms. */
  afterMs: number;
  endMs: number;
  overlapPolicy: Overlap;
}

export interface ScheduleState extends ScheduleConfig {
  namespace: string;
  scheduleId: string;
  /** Of this schedule alone, also among those of its id. */
  uuid: string;
  /** Grows with every change of the configuration. */
  conflictToken: number;
  createdMs: number;
  /** 0 = never. */
  updatedMs: number;
  /** Slots up to here have been dealt with: the last action, or the last look when there was nothing to be done. */
  processedMs: number;
  buffered: BufferedStart[];
  pending: PendingStart[];
  backfills: Backfill[];
  /** When a portion of workflows was last started at once by them, epoch ms; 0 = never. */
  backfilledMs: number;
  running: RunningWorkflow[];
  /** Newest last, at most 10. */
  recent: ActionResult[];
  actionCount: number;
  missedCatchupWindow: number;
  overlapSkipped: number;
  bufferDropped: number;
  slotCount: number;
  /** Of the last updates and patches, so that one that is sent again is not done again. */
  requestIds: string[];
  lastCompletionResult: Payloads | null;
  continuedFailure: Failure | null;
  memo: Record<string, Payload>;
  searchAttributes: Record<string, Payload>;
}

/** Why a slot did or did not become a workflow. */
export type SlotReason =
  /** Its workflow was started. */
  | 'fired'
  /** It waits for another workflow of the schedule to end. */
  | 'buffered'
  /** The overlap policy let it go. */
  | 'overlap skipped'
  /** More than the catch-up window had gone by. */
  | 'missed catch-up window'
  /** Too many were waiting. */
  | 'buffer full'
  /** The schedule was paused. */
  | 'paused'
  /** Its limited actions were used up. */
  | 'no actions left'
  /** The workflow could not be started. */
  | 'start failed';

/** A row of `schedule_slots`; a later one of the same number replaces it. */
export interface SlotRecord {
  slot: number;
  /** Of the first, when it stands for several. */
  nominalMs: number;
  /** Slots that the row stands for, 1000 = at least. */
  count: number;
  manual: boolean;
  reason: SlotReason;
  workflowId: string | null;
  firstRunId: string | null;
  message: string | null;
}

/** How the last run of a chain ended. */
export interface ChainEnd {
  workflowId: string;
  firstRunId: string;
  /** 0 = it is gone, nobody knows how. */
  status: Status | 0;
  result: Payloads | null;
  failure: Failure | null;
}

/** What happens to a schedule. */
export type ScheduleEvent =
  /** Time went by. */
  | { type: 'tick' }
  | { type: 'patch'; requestId: string; patch: SchedulePatch }
  | {
      type: 'update';
      requestId: string;
      config: ScheduleConfig;
      /** null = as they are. */
      memo: Record<string, Payload> | null;
      searchAttributes: Record<string, Payload> | null;
    }
  | { type: 'started'; slot: number; firstRunId: string; startedMs: number }
  | { type: 'startFailed'; slot: number; message: string }
  | { type: 'endingRequested'; firstRunId: string }
  | { type: 'ended'; ends: ChainEnd[] };

export interface SchedulePatch {
  trigger: { overlapPolicy: Overlap; scheduledMs: number } | null;
  backfills: { startMs: number; endMs: number; overlapPolicy: Overlap }[];
  /** '' = no. */
  pause: string;
  unpause: string;
}

/** What came of an event. */
export interface Decision {
  slots: SlotRecord[];
  /** To be done by whoever commits this decision. What it does not report as done is taken on again some seconds later, by anybody. */
  starts: PendingStart[];
  endings: RunningWorkflow[];
  /** Epoch ms of the next look; 0 = only when something happens. */
  dueAtMs: number;
  /** It can do nothing more and has been kept long enough. */
  expired: boolean;
}
