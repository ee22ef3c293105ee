/**
 * Brings scheduled tasks and pollers together: at once when a poller of this process waits, else by this process's backlog when it has pollers
 * on the queue, else by a row for other processes.
 */
import { int64 } from '../../common/proto-values';
import type { NewTask, Store } from '../../store/types';
import type { Engine } from '../engine/api';
import { type QueuePlace, mergePriority, placeOf } from '../engine/priority';
import { type ActivityState, Status, type Transition } from '../engine/types';
import { Code, ServiceError, notFound } from '../errors';
import type { Change } from '../runs/change';
import type { DeploymentVersion } from '../engine/versioning/version';
import { startedTask, waitingTask } from '../runs/holds';
import type { RunRegistry } from '../runs/registry';
import { type ActivityTaskResponse, activityTaskResponse } from './activity-task';
import type { Admissions } from './admissions';
import { markAheadOfStart } from './ahead-of-start';
import type { BacklogEntry } from './backlog';
import type { Destinations, UnstartedTask } from './destinations';
import type { Poller } from './poller';
import type { TaskQueues } from './queues';
import type { TaskQueue } from './task-queue';
import { type WorkflowTaskResponse, startWorkflowTask, withHistory } from './workflow-task';

/** Entries of one queue that this process keeps for its own pollers before it writes rows, alone and when others poll the queue too. */
const MAX_BACKLOG = 10_000;
const MAX_SHARED_BACKLOG = 50;

/** Queries that ride on a workflow task. */
export interface RidingQueries {
  attach(runId: string, requestId: string, response: WorkflowTaskResponse): void;
}

export class Dispatcher {
  constructor(
    private readonly store: Store,
    private readonly engine: Engine,
    private readonly runs: RunRegistry,
    private readonly queues: TaskQueues,
    private readonly queries: RidingQueries,
    private readonly newId: () => string,
    private readonly admissions: Admissions,
    private readonly destinations: Destinations,
  ) {}

  /** Hands out what the transition scheduled and what is still unstarted at its end. */
  dispatch(t: Transition, change: Change): void {
    const { effects } = t;
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i]!;
      if (effect.type === 'workflowTaskScheduled') this.offerWorkflowTask(t, change);
      else if (effect.type === 'activityScheduled') this.offerActivity(t, change, effect.scheduledEventId);
    }
  }

  /** All unstarted work of the run. Offering it twice does no harm: the second one to start it is refused. */
  redispatch(t: Transition, change: Change): void {
    this.offerWorkflowTask(t, change);
    for (const id in t.state.activities) {
      const activity = t.state.activities[id]!;
      if (!activity.backingOff && !activity.paused) this.offerActivity(t, change, activity.scheduledEventId);
    }
  }

  /** Gives waiting pollers of a queue what waits for them here. */
  serve(queue: TaskQueue): void {
    while (queue.hasWaiting) {
      const started = queue.started.shift();
      if (started !== undefined) {
        this.answer(queue, queue.takePoller()!, started);
        continue;
      }
      const query = queue.nextQuery();
      if (query !== undefined) {
        query.deliver(queue.takePoller()!);
        continue;
      }
      const { limits } = queue;
      const entry = limits === null ? queue.backlog.take() : limits.take();
      if (entry === undefined) {
        // Limits keep all that waits here from starting: perhaps others' work may.
        if (queue.backlog.length > 0 && queue.rowsMayWait) this.claimed?.(queue);
        return;
      }
      this.startFromBacklog(queue, entry, queue.takePoller()!);
    }
  }

  /** Moves what waits here to rows: the queue's pollers are gone. */
  spill(queue: TaskQueue): Promise<void>[] {
    const spilled: Promise<void>[] = [];
    for (let entry = queue.backlog.take(); entry !== undefined; entry = queue.backlog.take()) {
      const { runId, scheduledEventId, attempt, rowId, place } = entry;
      this.admissions.giveUp(entry);
      if (rowId !== null) {
        spilled.push(this.store.releaseTasks([rowId]).catch(() => undefined));
        continue;
      }
      const write = this.runs.change(runId, (t, change) => {
        if (queue.kind === 'workflow') {
          const task = t.state.workflowTask;
          if (task?.scheduledEventId !== scheduledEventId || task.startedEventId !== 0) return change.unchanged();
          this.offerWorkflowTask(t, change);
        } else {
          const activity = t.state.activities[String(scheduledEventId)];
          if (activity === undefined || activity.startedAtMs !== 0 || activity.attempt !== attempt)
            return change.unchanged();
          change.newTask(row(change, queue, scheduledEventId, attempt, place));
        }
      });
      // A run that has closed meanwhile has no work left.
      spilled.push(write.catch(() => undefined));
    }
    return spilled;
  }

  private offerWorkflowTask(t: Transition, change: Change): void {
    const task = t.state.workflowTask;
    if (t.state.status !== Status.Running || task === null || task.startedEventId !== 0) return;
    const queue = this.destinations.ofWorkflowTask(t.state, change.namespaceId, task);
    queue.rates.add();
    const poller = queue.takePoller();
    if (poller !== undefined) {
      try {
        this.startWorkflowTask(t, change, queue, poller, task.scheduledEventId, task.attempt);
      } catch (error) {
        queue.returnPoller(poller);
        throw error;
      }
    } else this.keep(change, queue, task.scheduledEventId, task.attempt, placeOf(t.state.priority));
  }

  /** Where a task belongs that waits to be started; undefined when it does not wait any more. */
  queueOf(t: Transition, namespaceId: number, task: UnstartedTask): TaskQueue | undefined {
    return this.destinations.of(t.state, namespaceId, task);
  }

  offer(t: Transition, change: Change, { kind, scheduledEventId }: UnstartedTask): void {
    if (kind === 'workflow') this.offerWorkflowTask(t, change);
    else this.offerActivity(t, change, scheduledEventId);
  }

  /** Hands out anew what waits here: it may belong to other versions by now. */
  reoffer(queue: TaskQueue): void {
    const { kind } = queue;
    for (let next = queue.backlog.take(); next !== undefined; next = queue.backlog.take()) {
      const entry = next;
      const { rowId } = entry;
      this.runs
        .change(entry.runId, (t, change) => {
          if (this.queueOf(t, change.namespaceId, { ...entry, kind }) === undefined) return change.unchanged();
          this.offer(t, change, { ...entry, kind });
          if (rowId !== null) change.doneTask(rowId);
        })
        // A run that has closed meanwhile has no work left; its rows went with it.
        .catch(() => undefined);
    }
  }

  private startWorkflowTask(
    t: Transition,
    change: Change,
    queue: TaskQueue,
    poller: Poller,
    scheduledEventId: number,
    attempt: number,
  ): void {
    queue.rates.dispatch();
    const requestId = this.newId();
    const { run } = change;
    const { sticky, identity, version } = poller;
    const task = { scheduledEventId, attempt, requestId, identity, sticky, version };
    const started = startWorkflowTask(this.engine, t, run.namespaceId, task);
    started.response.backlogCountHint = queue.backlog.length as unknown as WorkflowTaskResponse['backlogCountHint'];
    change.keepsWork();
    const aheadOfStart = run.mayGoAhead && run.version === 0 && poller.ctx.aheadOfStart === true;
    if (aheadOfStart) markAheadOfStart(started.response, () => this.runs.startDurable(run));
    change.hold(startedTask(requestId), aheadOfStart, poller.ctx.onWire === true);
    let handedOut = false;
    const deliver = (): void => {
      handedOut = true;
      this.queries.attach(run.runId, requestId, started.response);
      const response = withHistory(run, started);
      if (!(response instanceof Promise)) return this.answer(queue, poller, response);
      response.then(
        (value) => this.answer(queue, poller, value),
        // The task times out and is tried again.
        () => poller.answer({}),
      );
    };
    if (run.commitFirst && !aheadOfStart) change.afterCommit(deliver);
    else change.afterMerge(deliver);
    change.onDrop(() => {
      if (!handedOut) this.giveBack(queue, poller);
    });
  }

  private offerActivity(t: Transition, change: Change, scheduledEventId: number): void {
    const activity = t.state.activities[String(scheduledEventId)];
    if (t.state.status !== Status.Running || activity === undefined || activity.startedAtMs !== 0) return;
    // A run on its way to another version: its activities are offered again when it has arrived.
    if (activity.backingOff || activity.paused || t.state.deployment?.transition) return;
    const queue = this.destinations.ofActivity(t.state, change.namespaceId, activity);
    queue.rates.add();
    const poller = queue.limits === null ? queue.takePoller() : undefined;
    if (poller !== undefined) {
      try {
        this.startActivity(t, change, queue, poller, activity);
      } catch (error) {
        queue.returnPoller(poller);
        throw error;
      }
    } else {
      const place = placeOf(mergePriority(t.state.priority, activity.priority));
      this.keep(change, queue, scheduledEventId, activity.attempt, place);
    }
  }

  private startActivity(
    t: Transition,
    change: Change,
    queue: TaskQueue,
    poller: Poller,
    activity: ActivityState,
  ): void {
    queue.rates.dispatch();
    const { run } = change;
    const { scheduledEventId, attempt } = activity;
    const { identity, version } = poller;
    if (this.engine.movesBeforeActivity(t, version)) return this.giveBackAfter(change, queue, poller);
    const requestId = this.newId();
    const started = this.engine.startActivity(t, { scheduledEventId, attempt, requestId, identity, version });
    // The attempt as it starts; it may have moved on when the commit is through.
    const snapshot = { ...started };
    change.afterCommit(() => {
      const respond = (scheduled: Parameters<typeof activityTaskResponse>[2]): void =>
        void (
          poller.answer(activityTaskResponse(run, snapshot, scheduled)) ||
          this.takeBackActivity(run.runId, scheduledEventId, snapshot.requestId)
        );
      const cached = run.cachedEvent(scheduledEventId);
      if (cached !== undefined) respond(cached);
      // If it cannot be read the attempt times out and is tried again.
      else run.event(scheduledEventId).then(respond, () => poller.answer({}));
    });
    change.onDrop(() => this.giveBack(queue, poller));
  }

  /** The poll that the attempt was started for has gone and never saw it: it is as if it had not started. */
  private takeBackActivity(runId: string, scheduledEventId: number, requestId: string): void {
    this.runs
      .change(runId, (t, change) => {
        const activity = t.state.activities[String(scheduledEventId)];
        if (activity === undefined || activity.requestId !== requestId) return change.unchanged();
        activity.startedAtMs = 0;
        activity.requestId = '';
        activity.identity = '';
        this.offerActivity(t, change, scheduledEventId);
      })
      // Else it times out and is tried again.
      .catch(() => undefined);
  }

  /** Starts an activity scheduled in this transition for the worker that asked for it (eager). The task, to be handed over once durable. */
  startEagerActivity(
    t: Transition,
    change: Change,
    scheduledEventId: number,
    worker: { identity: string; version: DeploymentVersion | null },
  ): ActivityTaskResponse | null {
    const activity = t.state.activities[String(scheduledEventId)];
    const scheduled = t.events.find((event) => int64(event.eventId) === scheduledEventId);
    if (activity === undefined || scheduled === undefined || activity.startedAtMs !== 0) return null;
    if (t.state.deployment?.transition || this.store.fence.raised) return null;
    const queue = this.destinations.ofActivity(t.state, change.namespaceId, activity);
    // What is limited goes the way on which it is counted.
    if (queue.limits !== null) return null;
    const { attempt } = activity;
    const started = this.engine.startActivity(t, { scheduledEventId, attempt, requestId: this.newId(), ...worker });
    return activityTaskResponse(change.run, { ...started }, scheduled);
  }

  private startFromBacklog(queue: TaskQueue, entry: BacklogEntry, taken: Poller): void {
    const { runId, scheduledEventId, attempt, rowId } = entry;
    let next: Poller | undefined = taken;
    this.runs
      .change(runId, (t, change) => {
        // Decided again after a lost race: the poller of the first try was used or given back.
        const poller = next ?? queue.takePoller();
        if (poller === undefined) {
          queue.limits?.giveBack(entry);
          queue.backlog.putBack(entry);
          return change.unchanged();
        }
        next = poller;
        const task = { kind: queue.kind, scheduledEventId, attempt };
        if (this.destinations.isElsewhere(t.state, change.namespaceId, queue, task)) {
          this.offer(t, change, task);
          if (rowId !== null) change.doneTask(rowId);
          this.giveBackAfter(change, queue, poller);
          next = undefined;
          return;
        }
        if (queue.kind === 'workflow') this.startWorkflowTask(t, change, queue, poller, scheduledEventId, attempt);
        else {
          const activity = t.state.activities[String(scheduledEventId)];
          if (activity === undefined || activity.startedAtMs !== 0 || activity.attempt !== attempt) throw taskGone();
          // It was moved to another queue by an operator.
          if (activity.taskQueue !== queue.taskQueue) throw taskGone();
          this.startActivity(t, change, queue, poller, activity);
        }
        next = undefined;
        if (rowId !== null) change.doneTask(rowId);
      })
      .catch((error: unknown) => {
        queue.limits?.giveBack(entry);
        this.admissions.giveUp(entry);
        if (next !== undefined) this.giveBack(queue, next);
        if (rowId === null) return;
        // NOT_FOUND: its work is gone or done by somebody else. Anything else: the database was away.
        const gone = error instanceof ServiceError && error.code === Code.NOT_FOUND;
        (gone ? this.store.dropTasks([rowId]) : this.store.releaseTasks([rowId])).catch(() => undefined);
        // Its poller is free again, for the next row.
        if (gone && queue.rowsMayWait) this.claimed?.(queue);
      });
  }

  /** No poller at hand: this process's backlog, or a row. */
  private keep(change: Change, queue: TaskQueue, scheduledEventId: number, attempt: number, place: QueuePlace): void {
    const shared = this.queues.polledElsewhere(queue.namespaceId, queue.name, queue.kind);
    // What waits here goes before rows, so it would go before its turn.
    const isBehindRows = queue.rowsMayWait && !shared && queue.limits === null;
    if (queue.polled && !isBehindRows && queue.backlog.length < (shared ? MAX_SHARED_BACKLOG : MAX_BACKLOG)) {
      change.keepsWork();
      if (queue.kind === 'workflow') change.hold(waitingTask(scheduledEventId));
      const { runId } = change.run;
      // Only once memory has the change may somebody take it up.
      change.afterMerge(() => {
        const addedAtMs = this.store.nowMs();
        queue.backlog.push({ runId, scheduledEventId, attempt, rowId: null, place, addedAtMs, admitted: false });
        this.serve(queue);
      });
      return;
    }
    change.newTask(row(change, queue, scheduledEventId, attempt, place));
    change.afterCommit(() => {
      queue.rowsMayWait = true;
      this.claimed?.(queue);
      if (!this.queues.alone) {
        this.store.notify({
          kind: 'tasks',
          queues: [{ namespaceId: queue.namespaceId, queue: queue.name, kind: queue.kind }],
        });
      }
    });
  }

  /** Called when there may be rows that pollers of this process could take. */
  claimed: ((queue: TaskQueue) => void) | null = null;

  /** Answers the poll, or keeps the started task for the next one when its caller has gone. */
  private answer(queue: TaskQueue, poller: Poller, response: object): void {
    if (poller.answer(response)) return;
    queue.started.push(response);
    this.serve(queue);
  }

  /** Within a decision: others may be decided on only when it is done. */
  private giveBackAfter(change: Change, queue: TaskQueue, poller: Poller): void {
    queue.returnPoller(poller);
    change.afterMerge(() => this.serve(queue));
  }

  private giveBack(queue: TaskQueue, poller: Poller): void {
    queue.returnPoller(poller);
    this.serve(queue);
  }
}

function row(change: Change, queue: TaskQueue, scheduledEventId: number, attempt: number, place: QueuePlace): NewTask {
  return {
    namespaceId: queue.namespaceId,
    queue: queue.name,
    kind: queue.kind,
    runId: change.run.runId,
    scheduledEventId,
    attempt,
    priority: place.level,
    fairnessKey: place.fairnessKey,
    fairnessWeight: place.weight,
  };
}

const taskGone = (): ServiceError => notFound('The task is gone.');
