/** Drives one cached run: performs what its core asks for, in order, and reports back. */
import type { Logger } from '@temporalio/common';
import { coresdk, type temporal } from '@temporalio/proto';
import { int64 } from '../../common/proto-values';
import type {
  Activation,
  CoreAction,
  CoreRun,
  EvictionReason,
  LocalActivityOutcome,
  LocalActivityRequest,
  RespondWorkflowTaskCompleted,
  RespondWorkflowTaskFailed,
  WorkflowTask,
} from '../../core/types';
import { type StartDurable, startDurableOf } from '../../service/matching/ahead-of-start';
import { RunMetrics } from '../metrics/run-metrics';
import type { WorkerMetrics } from '../metrics/sdk-metrics';
import { callWithRetry, type Rpc } from '../polling/rpc';
import type { LocalActivityManager, LocalActivityOwner } from './local-activity-manager';
import type { RunExecutor } from './run-executor';

type TaskCompletedResponse = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse;
type HistoryResponse = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;

const { EvictionReason: Reason } = coresdk.workflow_activation.RemoveFromCache;

export interface Eviction {
  reason: EvictionReason;
  message: string;
  pendingTasks: WorkflowTask[];
}

/** What a driver needs of its worker. */
export interface RunDriverParts {
  rpc: Rpc;
  namespace: string;
  localActivities: Pick<LocalActivityManager, 'start' | 'cancel' | 'forget'>;
  coreLogger: Logger;
  /** Undefined: nothing is measured. */
  metrics?: WorkerMetrics;
  /** An activation began (1) or ended (-1). */
  activations: (change: 1 | -1) => void;
  /** A task was answered or dropped: its slot is free. */
  taskDone: () => void;
  /** The run has left the cache; `pendingTasks` came too late for it. */
  evicted: (driver: RunDriver, eviction: Eviction) => void;
  /** Nothing is under way any more. */
  idle: (driver: RunDriver) => void;
}

export class RunDriver implements LocalActivityOwner {
  private readonly actions: CoreAction[] = [];
  private busy = false;
  private openTasks = 0;
  /** Answers to queries on their way. */
  private queryAnswers = 0;
  private heartbeat: NodeJS.Timeout | undefined;
  private gone = false;
  /** Until the start of the run is known to be durable. */
  private startDurable: StartDurable | undefined;
  private readonly metrics: RunMetrics | undefined;

  constructor(
    private readonly core: CoreRun,
    private readonly executor: RunExecutor,
    private readonly parts: RunDriverParts,
  ) {
    if (parts.metrics !== undefined) this.metrics = new RunMetrics(parts.metrics, core.workflowType);
  }

  get runId(): string {
    return this.core.runId;
  }

  get workflowId(): string {
    return this.core.workflowId;
  }

  get workflowType(): string {
    return this.core.workflowType;
  }

  /** No task is open and nothing is to be done. */
  get idle(): boolean {
    return !this.busy && this.actions.length === 0 && this.openTasks === 0 && this.core.idle;
  }

  /** A slot has been taken for the task; `taskDone` tells when it is free. */
  handleTask(task: WorkflowTask, cached = true): void {
    this.openTasks += 1;
    this.metrics?.taskTaken(task, cached);
    this.startDurable = startDurableOf(task);
    this.perform(() => this.core.handleTask(task));
  }

  localActivityResolved(outcome: LocalActivityOutcome): void {
    if (!this.gone) this.perform(() => this.core.localActivityResolved(outcome));
  }

  evict(reason: EvictionReason, message: string): void {
    if (!this.gone) this.perform(() => this.core.requestEviction(reason, message));
  }

  /** Takes up what the core answers and goes on working, unless something is under way already. */
  private perform(step: () => CoreAction[]): void {
    try {
      this.actions.push(...step());
    } catch (error) {
      this.abandon(error);
      return;
    }
    if (!this.busy) this.work();
  }

  private work(): void {
    while (!this.gone) {
      const action = this.actions.shift();
      if (action === undefined) break;
      const underWay = this.start(action);
      if (underWay !== undefined) {
        this.busy = true;
        underWay.then(this.proceed, this.fail);
        return;
      }
    }
    if (this.gone || !this.core.idle) return;
    // Tasks that the core dropped without an answer.
    while (this.openTasks > this.queryAnswers) this.closeTask();
    if (this.idle) this.parts.idle(this);
  }

  private readonly proceed = (step: () => CoreAction[]): void => {
    this.busy = false;
    if (!this.gone) this.perform(step);
  };

  private readonly fail = (error: unknown): void => {
    this.busy = false;
    this.abandon(error);
  };

  /** Performs at once, or gives what to report to the core when it is done. */
  private start(action: CoreAction): Promise<() => CoreAction[]> | undefined {
    switch (action.type) {
      case 'activate':
        return this.activate(action.activation);
      case 'completeTask':
        return this.completeTask(action.request);
      case 'failTask':
        return this.failTask(action.request);
      case 'answerQuery':
        void this.answerQuery(action.request);
        return undefined;
      case 'fetchHistory':
        return this.fetchHistory(action.fromEventId, action.nextPageToken);
      case 'startLocalActivity':
        return this.startLocalActivity(action.activity);
      case 'cancelLocalActivity':
        this.parts.localActivities.cancel(this, action.seq);
        return undefined;
      case 'scheduleHeartbeat':
        clearTimeout(this.heartbeat);
        this.heartbeat = setTimeout(() => {
          if (!this.gone) this.perform(() => this.core.heartbeatDue());
        }, action.afterMs);
        return undefined;
      case 'evicted':
        this.leave(action.reason, action.message, action.pendingTasks);
        return undefined;
    }
  }

  /** A local activity has effects of its own: it must not run for a run that was never there. */
  private startLocalActivity(activity: LocalActivityRequest): Promise<() => CoreAction[]> | undefined {
    const { startDurable } = this;
    if (startDurable === undefined) {
      this.parts.localActivities.start(this, activity);
      return undefined;
    }
    return startDurable().then((durable) => {
      if (durable) {
        this.startDurable = undefined;
        return () => (this.parts.localActivities.start(this, activity), []);
      }
      return () => this.core.requestEviction(Reason.TASK_NOT_FOUND, 'The start of the workflow was refused');
    });
  }

  private activate(activation: Activation): Promise<() => CoreAction[]> {
    const jobs = activation.jobs ?? [];
    if (jobs.length > 0 && jobs.every((job) => job.removeFromCache != null)) {
      const completed = () => this.core.completeActivation({ runId: this.runId, successful: {} });
      return this.executor.dispose(activation).then(() => completed);
    }
    this.parts.activations(1);
    this.metrics?.activating(activation);
    return this.executor.activate(activation, this.startDurable).then((completion) => {
      this.parts.activations(-1);
      return () => this.core.completeActivation(completion);
    });
  }

  private async completeTask(request: RespondWorkflowTaskCompleted): Promise<() => CoreAction[]> {
    clearTimeout(this.heartbeat);
    for (const { scheduleActivityTaskCommandAttributes: activity } of request.commands ?? []) {
      // Waiting polls of this process hold the free slots and are handed activities as quickly.
      if (activity) activity.requestEagerExecution = false;
    }
    try {
      const response = await callWithRetry<TaskCompletedResponse>(
        this.parts.rpc,
        'respondWorkflowTaskCompleted',
        request,
      );
      this.metrics?.completed(request);
      const newTask = response.workflowTask?.taskToken?.length ? response.workflowTask : undefined;
      // The next task takes the slot of this one.
      if (newTask === undefined) this.closeTask();
      else this.metrics?.taskTaken(newTask, true);
      const resetHistoryEventId = int64(response.resetHistoryEventId) || undefined;
      return () => this.core.taskAnswered({ newTask, resetHistoryEventId });
    } catch (error) {
      this.logRefused('complete', error);
      this.closeTask();
      return () => this.core.taskAnswered({ error });
    }
  }

  private async failTask(request: RespondWorkflowTaskFailed): Promise<() => CoreAction[]> {
    clearTimeout(this.heartbeat);
    let error: unknown;
    this.metrics?.failed(request.cause);
    try {
      await callWithRetry(this.parts.rpc, 'respondWorkflowTaskFailed', request);
      this.metrics?.answered();
    } catch (refused) {
      error = refused;
      this.logRefused('fail', refused);
    }
    this.closeTask();
    return () => this.core.taskAnswered({ error });
  }

  /** The core does not wait for this answer. */
  private async answerQuery(request: object): Promise<void> {
    this.queryAnswers += 1;
    try {
      await callWithRetry(this.parts.rpc, 'respondQueryTaskCompleted', request);
      this.metrics?.answered();
    } catch (error) {
      this.logRefused('answer the query of', error);
    }
    this.queryAnswers -= 1;
    this.closeTask();
    if (this.idle) this.parts.idle(this);
  }

  private async fetchHistory(fromEventId: number, nextPageToken: Uint8Array | undefined): Promise<() => CoreAction[]> {
    try {
      const response = await callWithRetry<HistoryResponse>(this.parts.rpc, 'getWorkflowExecutionHistory', {
        namespace: this.parts.namespace,
        execution: { workflowId: this.workflowId, runId: this.runId },
        nextPageToken: nextPageToken ?? new Uint8Array(),
      });
      const token = response.nextPageToken?.length ? response.nextPageToken : undefined;
      const events = (response.history?.events ?? []).filter(({ eventId }) => int64(eventId) >= fromEventId);
      return () => this.core.historyFetched(events, token);
    } catch (error) {
      this.parts.coreLogger.warn('Failed to fetch the history of a workflow', { ...this.ids(), error });
      return () =>
        this.core.requestEviction(Reason.PAGINATION_OR_HISTORY_FETCH, `Fetching history failed: ${String(error)}`);
    }
  }

  private logRefused(what: string, error: unknown): void {
    this.parts.coreLogger.warn(`Failed to ${what} a workflow task`, { ...this.ids(), error });
  }

  private ids(): Record<string, unknown> {
    return { workflowId: this.workflowId, runId: this.runId, workflowType: this.workflowType };
  }

  private closeTask(): void {
    if (this.openTasks === 0) return;
    this.openTasks -= 1;
    this.parts.taskDone();
  }

  /** The core itself failed. Its task times out and is done again from history. */
  private abandon(error: unknown): void {
    if (this.gone) return;
    this.parts.coreLogger.error('A workflow run cannot go on in this worker and leaves its cache', {
      ...this.ids(),
      error,
    });
    void this.executor.dispose();
    this.leave(Reason.FATAL, String(error), []);
  }

  private leave(reason: EvictionReason, message: string, pendingTasks: WorkflowTask[]): void {
    // Later attempts are not reported to the service, so that this is all that is heard of them.
    if (reason === Reason.LANG_FAIL || reason === Reason.NONDETERMINISM) {
      this.parts.coreLogger.warn('Failing workflow task', { ...this.ids(), reason: Reason[reason], failure: message });
    }
    this.gone = true;
    this.actions.length = 0;
    clearTimeout(this.heartbeat);
    this.parts.localActivities.forget(this);
    while (this.openTasks > 0) this.closeTask();
    this.metrics?.evicted(reason);
    this.parts.evicted(this, { reason, message, pendingTasks });
  }
}
