/** What is under way in a run: its open task, the activation or answer waited for, a pending eviction, and the actions due. */
import type { temporal } from '@temporalio/proto';
import { evictionActivation } from './activation';
import { BufferedTasks } from './buffered-tasks';
import { EvictionReason, isOrderly } from './eviction';
import type { HistoryPager } from './history-pager';
import type { LangCommand, QueryResult } from './messages';
import { asksLegacyQuery } from './open-task';
import type { OpenTask } from './open-task';
import type {
  ActivationJob,
  CoreAction,
  CoreRunOptions,
  EvictionReason as EvictionReasonType,
  WorkflowTask,
} from './types';
import { WorkflowMachines } from './workflow-machines';

/** What lang answered, ready for the machines. */
export interface ActivationResult {
  commands: LangCommand[];
  queryResults: QueryResult[];
  usedFlags: readonly number[];
  versioningBehavior: temporal.api.enums.v1.VersioningBehavior;
  /** Queries were still waiting when it came: the task is not to be answered yet. */
  queriesWaiting: boolean;
}

/** The kind of activation under way; `auto` never reaches lang. */
type ActivationKind = 'normal' | 'legacyQuery' | 'eviction' | 'auto';

/** What the run waits for besides an activation. */
export type Awaiting =
  | { kind: 'answer' }
  /** The first pages of a task. */
  | { kind: 'task'; task: WorkflowTask; pager: HistoryPager }
  /** The next page, in the middle of a long replay. */
  | { kind: 'page'; result: ActivationResult };

export type Report = 'reported' | 'notReported' | 'dropped';

export abstract class RunState {
  readonly runId: string;
  readonly workflowId: string;
  readonly workflowType: string;
  protected readonly machines: WorkflowMachines;
  protected readonly buffer = new BufferedTasks();
  protected pager: HistoryPager | undefined;
  protected task: OpenTask | undefined;
  protected activation: ActivationKind | undefined;
  protected awaiting: Awaiting | undefined;
  /** Set while the open task waits for local activities. */
  protected waitingForLocal: { heartbeatDue: boolean } | undefined;
  /** The task just opened has nothing for lang: go on as if lang had answered. */
  protected autoDue = false;
  protected evicting: { reason: EvictionReasonType; message: string } | undefined;
  /** Machines and history disagree: nothing but eviction may follow. */
  protected broken = false;
  /** An outcome that made no sense came while lang worked; its task fails when lang is done. */
  protected brokenMeanwhile: unknown;
  /** History has been applied. */
  protected fed = false;
  protected isolateExists = false;
  protected out: CoreAction[] = [];

  constructor(
    firstTask: WorkflowTask,
    protected readonly options: CoreRunOptions,
  ) {
    this.runId = firstTask.workflowExecution?.runId ?? '';
    this.workflowId = firstTask.workflowExecution?.workflowId ?? '';
    this.workflowType = firstTask.workflowType?.name ?? '';
    this.machines = new WorkflowMachines(this.runId, this.workflowId, options);
  }

  get idle(): boolean {
    return (
      this.task === undefined &&
      this.activation === undefined &&
      this.awaiting === undefined &&
      this.evicting === undefined &&
      this.buffer.isEmpty &&
      this.machines.localActivities.outstanding === 0
    );
  }

  protected finish(report: Report, resetTo?: number): void {
    this.activation = undefined;
    if (report === 'notReported' && !this.machines.seenTerminalEvent) return;
    if (this.task === undefined || this.task.queries.length > 0) return;
    this.task = undefined;
    if (report === 'reported' && resetTo) this.machines.resetToStarted(resetTo);
  }

  /** A run whose workflow is closed is of no more use. */
  protected evictIfOver(): void {
    if (this.machines.finished && this.task === undefined && this.awaiting === undefined && this.buffer.isEmpty) {
      this.evicting ??= { reason: EvictionReason.WORKFLOW_EXECUTION_ENDING, message: 'Workflow completed' };
    }
  }

  protected evict(reason: EvictionReasonType, message: string): void {
    if (this.evicting === undefined && this.activation !== 'eviction' && this.task !== undefined) {
      // After a failure no state is left that could answer queries; a lone one still gets its answer.
      if (!isOrderly(reason) && !asksLegacyQuery(this.task)) this.task.queries = [];
    }
    this.evicting = { reason, message };
  }

  protected leave(): void {
    const { reason, message } = this.evicting ?? { reason: EvictionReason.UNSPECIFIED, message: '' };
    this.activation = undefined;
    this.evicting = undefined;
    this.isolateExists = false;
    this.task = undefined;
    this.out.push({ type: 'evicted', reason, message, pendingTasks: this.buffer.takeAll() });
  }

  protected activate(kind: 'normal' | 'legacyQuery', queries?: ActivationJob[]): void {
    const activation = this.machines.takeActivation();
    if (queries !== undefined) activation.jobs = queries;
    this.autoDue = false;
    this.isolateExists = true;
    this.activation = kind;
    this.out.push({ type: 'activate', activation });
  }

  protected leaveCache(): boolean {
    if (!this.isolateExists) {
      this.leave();
      return false;
    }
    const { reason, message } = this.evicting as { reason: EvictionReasonType; message: string };
    this.activation = 'eviction';
    const { lastProcessedEvent } = this.machines;
    this.out.push({
      type: 'activate',
      activation: evictionActivation(this.runId, reason, message, lastProcessedEvent),
    });
    return true;
  }
}
