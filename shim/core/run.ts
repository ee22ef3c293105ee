/** One workflow run: takes its tasks, hands lang one activation after the other, and answers each task once. */
import { temporal } from '@temporalio/proto';
import { LEGACY_QUERY_ID } from './activation';
import { completionRequest, failedQueryRequest, failureRequest, queryRequest, workflowFailureRequest } from './answers';
import { isQueryOnly } from './buffered-tasks';
import { splitCommands } from './command-order';
import { FatalMachineError, NondeterminismError, applicationFailure } from './errors';
import { EvictionReason, evictionReasonOf } from './eviction';
import { HistoryPager } from './history-pager';
import { HistoryUpdate } from './history-update';
import { CoreFlag } from './internal-flags';
import type { Failure, LangCommand } from './messages';
import { asksLegacyQuery, openTask } from './open-task';
import { RunState } from './run-state';
import type { ActivationResult } from './run-state';
import type {
  ActivationCompletion,
  CoreAction,
  CoreRun,
  CoreRunOptions,
  EvictionReason as EvictionReasonType,
  HistoryEvent,
  LocalActivityOutcome,
  WorkflowTask,
} from './types';
import { updateRequestOf } from './update-messages';

const FailedCause = temporal.api.enums.v1.WorkflowTaskFailedCause;
type FailedCauseValue = temporal.api.enums.v1.WorkflowTaskFailedCause;

/** Part of the task timeout after which a task kept open by local activities is renewed. */
const HEARTBEAT_FRACTION = 0.8;

/**
 * Makes the core's side of a run. It only reads whose run it is: hand the same task to `handleTask` next.
 */
export function createCoreRun(firstTask: WorkflowTask, options: CoreRunOptions): CoreRun {
  return new Run(firstTask, options);
}

class Run extends RunState implements CoreRun {
  handleTask(task: WorkflowTask): CoreAction[] {
    const busy =
      this.activation !== undefined ||
      this.awaiting !== undefined ||
      this.evicting !== undefined ||
      (this.task !== undefined && (this.machines.hasPendingJobs || isQueryOnly(task)));
    if (busy) this.buffer.add(task);
    else this.receive(task);
    return this.advance();
  }

  completeActivation(completion: ActivationCompletion): CoreAction[] {
    if (this.activation === undefined || this.awaiting !== undefined) {
      throw new Error(`Run ${this.runId} has no activation under way`);
    }
    const { successful, failed } = completion;
    if (this.activation === 'eviction') this.leave();
    else if (failed) {
      const cause = failed.forceCause || FailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE;
      this.failTask(cause, EvictionReason.LANG_FAIL, failed.failure);
    } else {
      this.succeed(
        successful?.commands ?? [],
        successful?.usedInternalFlags ?? [],
        successful?.versioningBehavior ?? temporal.api.enums.v1.VersioningBehavior.VERSIONING_BEHAVIOR_UNSPECIFIED,
      );
    }
    return this.advance();
  }

  taskAnswered(result: { error?: unknown; newTask?: WorkflowTask; resetHistoryEventId?: number }): CoreAction[] {
    if (this.awaiting?.kind !== 'answer') return [];
    this.awaiting = undefined;
    if (result.error !== undefined) this.evict(evictionReasonOf(result.error), 'Error reporting WFT to server');
    this.finish('reported', result.resetHistoryEventId);
    if (result.newTask !== undefined) {
      if (this.evicting === undefined) this.receive(result.newTask);
      else this.buffer.add(result.newTask);
    }
    this.evictIfOver();
    return this.advance();
  }

  localActivityResolved(outcome: LocalActivityOutcome): CoreAction[] {
    const machine = this.machines.localActivityMachines.get(outcome.seq);
    if (machine === undefined || this.machines.finished || this.evicting !== undefined) return [];
    try {
      this.machines.process(machine, machine.resolveFromRunner(outcome));
    } catch (err) {
      if (this.activation === undefined && this.awaiting === undefined) this.failBroken(err, true);
      else this.brokenMeanwhile = err;
    }
    this.machines.localActivities.done(outcome.seq);
    return this.advance();
  }

  heartbeatDue(): CoreAction[] {
    if (this.waitingForLocal !== undefined && this.task !== undefined) this.waitingForLocal.heartbeatDue = true;
    return this.advance();
  }

  historyFetched(events: HistoryEvent[], nextPageToken: Uint8Array | undefined): CoreAction[] {
    const { awaiting } = this;
    if (awaiting?.kind !== 'task' && awaiting?.kind !== 'page') return [];
    this.awaiting = undefined;
    const pager = awaiting.kind === 'task' ? awaiting.pager : (this.pager as HistoryPager);
    pager.addPage(events, nextPageToken);
    if (awaiting.kind === 'task') this.open(awaiting.task, pager);
    else this.resume(awaiting.result);
    return this.advance();
  }

  requestEviction(reason: EvictionReasonType, message: string): CoreAction[] {
    const { awaiting } = this;
    if (awaiting?.kind === 'task') {
      // Its history could not be had: the task was never begun.
      this.awaiting = undefined;
      this.begin(awaiting.task);
      this.evict(reason, message);
      // A lone query is left for a retry.
      if (this.task !== undefined && asksLegacyQuery(this.task)) {
        this.task.queries = [];
        this.finish('dropped');
      } else {
        this.reportFailure(
          FailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
          applicationFailure(message, true),
        );
      }
    } else if (awaiting?.kind === 'page' && reason === EvictionReason.PAGINATION_OR_HISTORY_FETCH) {
      this.awaiting = undefined;
      this.failTask(
        FailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        reason,
        applicationFailure(message),
        true,
      );
    } else {
      this.evict(reason, message);
    }
    return this.advance();
  }

  // Tasks in

  private receive(task: WorkflowTask): void {
    const pager = new HistoryPager(task);
    const hasEvents = (task.history?.events?.length ?? 0) > 0;
    if (this.fed && pager.beginsAfter(this.machines.lastProcessedEvent + 1)) {
      // Tasks in between were done elsewhere: what is cached is out of date.
      this.buffer.add(task);
      this.evict(EvictionReason.CACHE_MISS, 'The workflow went on in another worker');
      return;
    }
    if (!this.fed && pager.isPartial) {
      pager.restart();
    } else if (!hasEvents) {
      // A query alone: the cached state answers it.
      this.begin(task);
      this.pager = pager;
      this.feed(task, HistoryUpdate.empty(pager.previousStartedEventId, pager.startedEventId));
      return;
    }
    this.open(task, pager);
  }

  /** Opens the task once enough of its history is in hand. */
  private open(task: WorkflowTask, pager: HistoryPager): void {
    const page = pager.extract();
    if (page.kind === 'fetch') {
      this.awaiting = { kind: 'task', task, pager };
      this.out.push({ type: 'fetchHistory', fromEventId: page.fromEventId, nextPageToken: page.nextPageToken });
      return;
    }
    this.begin(task);
    this.pager = pager;
    if (page.kind === 'update') this.feed(task, page.update);
    else this.failBroken(new FatalMachineError('The service has less history than the workflow task promises'));
  }

  private begin(task: WorkflowTask): void {
    this.task = openTask(task);
    if (this.waitingForLocal !== undefined) this.waitingForLocal.heartbeatDue = false;
  }

  private feed(task: WorkflowTask, update: HistoryUpdate): void {
    this.fed = true;
    this.guard(() => {
      this.machines.newWork(update, (task.messages ?? []).map(updateRequestOf));
      if (this.machines.hasPendingJobs) return;
      if (this.machines.localActivities.outstanding === 0) this.autoDue = true;
      else this.askHeartbeat();
    });
  }

  // Lang's answers

  private succeed(
    all: readonly LangCommand[],
    usedFlags: readonly number[],
    versioningBehavior: temporal.api.enums.v1.VersioningBehavior,
  ): void {
    if (this.task === undefined) return this.finish('notReported');
    if (this.brokenMeanwhile !== undefined) return this.failBroken(this.brokenMeanwhile);
    const first = all[0]?.respondToQuery;
    if (all.length === 1 && first?.queryId === LEGACY_QUERY_ID) {
      this.out.push({ type: 'answerQuery', request: queryRequest(this.task.token, first, this.options) });
      this.finish('reported');
      this.evictIfOver();
      return;
    }
    const oldOrder = this.machines.replaying && !this.machines.flags.tryUse(CoreFlag.MoveTerminalCommands, false);
    const { commands, queryResults } = splitCommands(all, !oldOrder);
    const queriesWaiting = this.task.queries.length > 0;
    this.resume({ commands, queryResults, usedFlags, versioningBehavior, queriesWaiting });
  }

  /** Fetches the next page when the sequence after this activation is not in hand, else goes on. */
  private resume(result: ActivationResult): void {
    if (this.machines.readyForNextTask || this.broken) return this.apply(result, undefined);
    const page = this.pager?.extract();
    if (page === undefined || page.kind === 'missing') {
      return this.failBroken(new FatalMachineError('The history broke off before the workflow task it belongs to'));
    }
    if (page.kind === 'update') return this.apply(result, page.update);
    this.awaiting = { kind: 'page', result };
    this.out.push({ type: 'fetchHistory', fromEventId: page.fromEventId, nextPageToken: page.nextPageToken });
  }

  private apply(result: ActivationResult, update: HistoryUpdate | undefined): void {
    const { machines, waitingForLocal } = this;
    const autoHeartbeat = this.activation === 'auto' && waitingForLocal !== undefined;
    const heartbeat = autoHeartbeat || waitingForLocal?.heartbeatDue === true;
    machines.flags.addLangUsed(result.usedFlags);
    let outstanding: number;
    try {
      machines.applyCommands(result.commands);
      if (update !== undefined) machines.newHistory(update);
      machines.applyNextTasks();
      if (this.options.replayOnly !== true) this.out.push(...machines.localActivities.drain());
      outstanding = machines.localActivities.outstanding;
    } catch (err) {
      return this.failBroken(err);
    }
    if (outstanding === 0) {
      this.waitingForLocal = undefined;
      this.respond(result, autoHeartbeat);
    } else if (heartbeat || result.queryResults.length > 0) {
      // Without a new task a local activity could end with no task to tell of it.
      this.waitingForLocal = { heartbeatDue: heartbeat };
      this.respond(result, true);
    } else if (this.options.replayOnly === true) {
      this.finish('reported');
    } else {
      this.waitingForLocal = { heartbeatDue: false };
      this.guard(() => this.askHeartbeat());
      this.finish('notReported');
    }
  }

  private askHeartbeat(): void {
    if (this.task === undefined || this.task.heartbeatAsked) return;
    const timeout = this.machines.started?.workflowTaskTimeoutMs;
    if (timeout === undefined) {
      throw new FatalMachineError("Workflow's start attribs were missing a well formed task timeout");
    }
    this.task.heartbeatAsked = true;
    this.waitingForLocal ??= { heartbeatDue: false };
    this.out.push({ type: 'scheduleHeartbeat', afterMs: timeout * HEARTBEAT_FRACTION });
  }

  /** Completes the task, unless there is more for lang, replay goes on, or history shows the workflow closed. */
  private respond(result: ActivationResult, forceNewTask: boolean): void {
    const { machines, options } = this;
    const answersQueries = result.queryResults.length > 0;
    const waits =
      machines.hasPendingJobs ||
      machines.replaying ||
      (result.queriesWaiting && !answersQueries) ||
      machines.seenTerminalEvent;
    if (waits && !answersQueries) return this.finish('notReported');
    if (options.replayOnly === true) return this.finish('reported');
    this.out.push({
      type: 'completeTask',
      request: completionRequest(
        {
          taskToken: this.task?.token ?? new Uint8Array(),
          commands: machines.commandsToSend(),
          messages: machines.takeMessages(),
          queryResults: result.queryResults,
          sdkMetadata: this.machines.flags.takeForCompletion(),
          forceNewTask: forceNewTask || (answersQueries && machines.hasPendingLocalResolutions),
          versioningBehavior: result.versioningBehavior,
        },
        options,
      ),
    });
    machines.task.runsHere();
    this.awaiting = { kind: 'answer' };
  }

  // Failures

  /** Runs what may find history and code at odds outside of a completion. */
  private guard(action: () => void): void {
    try {
      action();
    } catch (err) {
      this.failBroken(err, true);
    }
  }

  /** @param beforeActivation no answer of lang led to it: a lone query is then left for a retry. */
  private failBroken(err: unknown, beforeActivation = false): void {
    if (!(err instanceof NondeterminismError) && !(err instanceof FatalMachineError)) throw err;
    this.broken = true;
    const nondeterminism = err instanceof NondeterminismError;
    this.failTask(
      nondeterminism
        ? FailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
        : FailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
      nondeterminism ? EvictionReason.NONDETERMINISM : EvictionReason.FATAL,
      applicationFailure(err.message),
      beforeActivation,
    );
  }

  private failTask(
    cause: FailedCauseValue,
    reason: EvictionReasonType,
    failure: Failure | null | undefined,
    leaveQueries = false,
  ): void {
    if (this.task === undefined) return this.finish('notReported');
    const forQuery = this.activation === 'legacyQuery' || asksLegacyQuery(this.task);
    this.evict(reason, `Workflow activation completion failed: ${failure?.message ?? ''}`);
    if (forQuery) {
      this.task.queries = [];
      if (leaveQueries) return this.finish('dropped');
      const request = failedQueryRequest(this.task.token, { failure, forceCause: cause }, this.options);
      this.out.push({ type: 'answerQuery', request });
      return this.finish('reported');
    }
    const nondeterminism = cause === FailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
    if (nondeterminism && this.options.nondeterminismFailsWorkflow?.(this.workflowType) === true) {
      this.failWorkflow(failure);
    } else {
      this.reportFailure(cause, failure);
    }
  }

  /** Only the first attempt is reported: later ones run into their timeout, which slows the retries down. */
  private reportFailure(cause: FailedCauseValue, failure: Failure | null | undefined): void {
    if (this.task === undefined) return;
    if (this.task.attempt > 1 || this.options.replayOnly === true) return this.finish('dropped');
    const request = failureRequest(this.task.token, cause, failure, this.options);
    this.out.push({ type: 'failTask', request });
    this.awaiting = { kind: 'answer' };
  }

  /** Nondeterminism that the user wants to fail the workflow. What the misled code asked for besides is not sent. */
  private failWorkflow(failure: Failure | null | undefined): void {
    if (this.task === undefined) return;
    this.machines.finished = true;
    if (this.options.replayOnly === true) return this.finish('dropped');
    const { flags } = this.machines;
    flags.useAll();
    const request = workflowFailureRequest(this.task.token, failure, flags.takeForCompletion(), this.options);
    this.out.push({ type: 'completeTask', request });
    this.awaiting = { kind: 'answer' };
  }

  // What next

  /** Goes on until something is under way or nothing is left to do; gives the actions gathered. */
  private advance(): CoreAction[] {
    while (this.activation === undefined && this.awaiting === undefined && this.step());
    const actions = this.out;
    this.out = [];
    return actions;
  }

  /** Does the next thing due; false when there is none. */
  private step(): boolean {
    const { machines, task } = this;
    if (this.evicting !== undefined) this.out.push(...machines.localActivities.cancelAll());
    if (task === undefined) return this.stepWithoutTask();
    if (machines.hasPendingJobs && !this.broken) {
      this.activate('normal');
      return true;
    }
    const localDone = this.waitingForLocal !== undefined && machines.localActivities.outstanding === 0;
    if (this.autoDue || localDone) {
      // Not a heartbeat any more.
      if (localDone) this.waitingForLocal = undefined;
      this.goOn();
      return true;
    }
    if (task.queries.length > 0 && !this.broken) {
      const legacy = task.queries.length === 1 && asksLegacyQuery(task);
      this.activate(legacy ? 'legacyQuery' : 'normal', task.queries);
      task.queries = [];
      return true;
    }
    if (this.waitingForLocal?.heartbeatDue === true) {
      this.goOn();
      return true;
    }
    return this.evicting !== undefined && this.leaveCache();
  }

  private stepWithoutTask(): boolean {
    if (this.evicting !== undefined) return this.leaveCache();
    const next = this.buffer.next();
    if (next !== undefined) {
      this.receive(next);
      return true;
    }
    if (this.options.replayOnly !== true || !this.fed || !this.isolateExists) return false;
    this.evicting = { reason: EvictionReason.LANG_REQUESTED, message: 'The history was replayed' };
    return true;
  }

  /** Goes on without lang, as if it had answered with nothing. */
  private goOn(): void {
    this.autoDue = false;
    this.activation = 'auto';
    this.succeed([], [], temporal.api.enums.v1.VersioningBehavior.VERSIONING_BEHAVIOR_UNSPECIFIED);
  }
}
