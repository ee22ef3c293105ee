/**
 * Queries on their way to a worker. One that must see a pending workflow task's effects rides on it; else it goes directly, to the sticky queue
 * first; to a worker of another process through the store.
 */
import { temporal } from '@temporalio/proto';
import { int64 } from '../../common/proto-values';
import type { RemoteQuery, Store } from '../../store/types';
import type { Deployments } from '../deployments/deployments';
import { type HistoryEvent, type RunState, Status } from '../engine/types';
import { stickyAllowed } from '../engine/versioning/routing';
import { versionText } from '../engine/versioning/version';
import { Code, type ErrorDetail, ServiceError, failedPrecondition } from '../errors';
import type { RunRegistry } from '../runs/registry';
import type { CallContext, QueryTask } from '../types';
import type { Dispatcher } from './dispatcher';
import { closedRun, queryQueue } from './query-queue';
import type { Poller } from './poller';
import type { TaskQueues } from './queues';
import type { DirectQuery, TaskQueue } from './task-queue';
import { encodeToken } from './task-token';
import type { WorkflowTaskResponse } from './workflow-task';

export type QueryResult = temporal.api.query.v1.IWorkflowQueryResult;
type RespondRequest = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;

const ResultType = temporal.api.enums.v1.QueryResultType;

/** Without a deadline from the caller, ms (the TypeScript client's default). */
const DEFAULT_TIMEOUT_MS = 10_000;
/** Queries that may ride on a run's pending task (Temporal: history.maxBufferedQueryCount). */
const MAX_RIDING = 1;
/** From that many failed workflow task attempts on, queries fail at once. */
const FAILED_ATTEMPTS = 3;
/** A query that found no poller says so this long before its deadline, ms (Temporal: matching's returnEmptyTaskTimeBudget). */
const NO_POLLER_MARGIN_MS = 1000;
/** Without notices the answer from another process is looked for this often, ms. */
const ANSWER_POLL_MS = 100;

const timedOut = (): ServiceError =>
  new ServiceError(Code.DEADLINE_EXCEEDED, 'query timed out before a worker could process it');

/** One query until it is answered. */
interface PendingQuery {
  id: string;
  task: QueryTask;
  /** Request id of the workflow task it was sent with; '' = none yet. */
  attachedTo: string;
  settled: boolean;
  /** Resolved with the result or rejected with the worker's error. */
  readonly answered: Promise<QueryResult>;
  settle(result: QueryResult): void;
  fail(error: ServiceError): void;
}

function pendingQuery(id: string, task: QueryTask): PendingQuery {
  let resolve: (result: QueryResult) => void = () => undefined;
  let reject: (error: ServiceError) => void = () => undefined;
  const answered = new Promise<QueryResult>((...both) => ([resolve, reject] = both));
  // Nobody may be waiting any more when it fails.
  answered.catch(() => undefined);
  const pending: PendingQuery = {
    id,
    task,
    attachedTo: '',
    settled: false,
    answered,
    settle(result) {
      pending.settled = true;
      resolve(result);
    },
    fail(error) {
      pending.settled = true;
      reject(error);
    },
  };
  return pending;
}

/** The server's words. */
const drainedVersion = (version: string): string =>
  `You are trying to query a closed Workflow that is PINNED to Worker Deployment Version ${version}, but ${version} is drained and has no pollers to answer the query. Immediately: You can re-deploy Workers in this Deployment Version to take those queries, or you can workflow update-options to change your workflow to AUTO_UPGRADE. For the future: In your infrastructure, consider waiting longer after the last queried timestamp as reported in Describe Deployment before you sunset Workers. Or mark this workflow as AUTO_UPGRADE.`;

/** What crosses processes as an answer. */
type RemoteAnswer = { result: QueryResult } | { error: { code: Code; details: string; errorDetails: ErrorDetail[] } };

export class Queries {
  private readonly riding = new Map<string, PendingQuery[]>();
  /** Sent directly to a worker, by id. */
  private readonly direct = new Map<string, PendingQuery>();
  private readonly awaitedAnswers = new Map<string, () => void>();
  dispatcher: Dispatcher | null = null;

  constructor(
    private readonly store: Store,
    private readonly runs: RunRegistry,
    private readonly queues: TaskQueues,
    private readonly newId: () => string,
    private readonly deployments: Pick<Deployments, 'routing' | 'isDrained'>,
  ) {}

  async query(task: QueryTask, ctx: CallContext): Promise<QueryResult> {
    const deadline =
      performance.now() + (ctx.deadlineMs === undefined ? DEFAULT_TIMEOUT_MS : ctx.deadlineMs - Date.now());
    const pending = pendingQuery(this.newId(), task);
    try {
      const state = await this.waitForTask(pending, deadline, ctx.signal);
      if (!pending.settled) await this.askDirectly(pending, state, deadline, ctx.signal);
      return await pending.answered;
    } finally {
      pending.settled = true;
      this.direct.delete(pending.id);
      this.unride(pending);
    }
  }

  /** Queries that go with this task of the run: into its `queries`. */
  attach(runId: string, requestId: string, response: WorkflowTaskResponse): void {
    const riding = this.riding.get(runId);
    if (riding === undefined) return;
    const queries: Record<string, temporal.api.query.v1.IWorkflowQuery> = {};
    for (const pending of riding) {
      if (pending.settled) continue;
      pending.attachedTo = requestId;
      queries[pending.id] = pending.task.query;
    }
    response.queries = queries;
  }

  /** Answers that came with the completion of a workflow task. */
  answered(runId: string, results: Record<string, QueryResult>): void {
    for (const pending of this.riding.get(runId) ?? []) {
      const result = results[pending.id];
      if (result !== undefined && !pending.settled) pending.settle(result);
    }
  }

  /** RespondQueryTaskCompleted. False when nobody waits for it any more. */
  respond(queryId: string, request: RespondRequest): boolean {
    const pending = this.direct.get(queryId);
    if (pending === undefined) return false;
    pending.settle({
      resultType: request.completedType ?? ResultType.QUERY_RESULT_TYPE_ANSWERED,
      answer: request.queryResult ?? null,
      errorMessage: request.errorMessage ?? '',
      failure: request.failure ?? null,
    });
    return true;
  }

  /** An answer was posted for a query of ours. */
  answerPosted(id: string): void {
    this.awaitedAnswers.get(id)?.();
  }

  /** Takes queries that other processes posted for a queue polled here. */
  async claim(queue: TaskQueue): Promise<void> {
    for (const remote of await this.store.claimQueries(queue.namespaceId, queue.name)) {
      void this.answerRemote(queue, remote);
    }
  }

  /** Waits while a workflow task is pending (riding on it if it is started here) or the first one is still to come. The run's state then. */
  private async waitForTask(
    pending: PendingQuery,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<RunState | null> {
    const { runId } = pending.task;
    for (;;) {
      // Listen first, then look: a commit in between must not be missed.
      const watch = this.runs.watch(runId, Math.max(0, deadline - performance.now()), signal);
      try {
        const loaded = this.runs.loaded(runId);
        const state = loaded !== undefined && !loaded.gone && loaded.dirty ? loaded.state : await this.runs.read(runId);
        if (state === null || state.status !== Status.Running) return state;
        if (state.workflowTask === null && state.lastCompletedTaskStartedEventId > 0) return state;
        if (state.failedTaskAttempts >= FAILED_ATTEMPTS) {
          throw failedPrecondition('Unable to query workflow due to Workflow Task in failed state.');
        }
        this.ride(pending);
        await Promise.race([pending.answered, watch.moved]);
        if (pending.settled) return state;
      } finally {
        watch.stop();
      }
      if (signal?.aborted === true) throw new ServiceError(Code.CANCELLED, 'context canceled');
      if (performance.now() >= deadline) throw timedOut();
    }
  }

  private ride(pending: PendingQuery): void {
    const { runId } = pending.task;
    const riding = this.riding.get(runId) ?? [];
    if (riding.includes(pending)) return;
    if (riding.length >= MAX_RIDING) {
      throw new ServiceError(
        Code.RESOURCE_EXHAUSTED,
        'consistent query buffer is full, cannot accept new consistent queries',
      );
    }
    this.riding.set(runId, [...riding, pending]);
  }

  private unride(pending: PendingQuery): void {
    const { runId } = pending.task;
    const rest = (this.riding.get(runId) ?? []).filter((each) => each !== pending);
    if (rest.length === 0) this.riding.delete(runId);
    else this.riding.set(runId, rest);
  }

  private async askDirectly(
    pending: PendingQuery,
    state: RunState | null,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.unride(pending);
    const { task } = pending;
    this.direct.set(pending.id, pending);
    const routing = this.deployments.routing(task.namespaceId);
    const sticky = state !== null && stickyAllowed(state, routing) ? state.sticky : null;
    if (sticky !== null && (await this.polled(task.namespaceId, sticky.queue))) {
      const until = Math.min(deadline, performance.now() + (sticky.scheduleToStartMs || 5000));
      if (await this.offer(pending, task.namespaceId, sticky.queue, until, deadline, signal)) return;
    }
    const name = await this.normalQueue(task, state);
    const left = deadline - performance.now();
    const giveUpAt = deadline - Math.min(NO_POLLER_MARGIN_MS, left / 2);
    if (await this.offer(pending, task.namespaceId, name, giveUpAt, deadline, signal)) return;
    if (!(await this.polled(task.namespaceId, name))) {
      throw failedPrecondition('no poller seen for task queue recently, worker may be down');
    }
    if (!(await this.offer(pending, task.namespaceId, name, deadline, deadline, signal))) throw timedOut();
  }

  /** Throws FAILED_PRECONDITION for a run pinned to a version that has gone. */
  private async normalQueue({ namespaceId, runId }: QueryTask, state: RunState | null): Promise<string> {
    const row = state === null ? await this.store.loadExecution(namespaceId, runId) : null;
    const run = state ?? (row === null ? null : closedRun(row));
    if (run === null) return '';
    const { name, pinned } = queryQueue(run, this.deployments.routing(namespaceId));
    if (pinned !== null && this.deployments.isDrained(namespaceId, pinned) && !(await this.polled(namespaceId, name))) {
      throw failedPrecondition(drainedVersion(versionText(pinned)));
    }
    return name;
  }

  private async polled(namespaceId: number, name: string): Promise<boolean> {
    if (this.queues.find(namespaceId, name, 'workflow')?.polled === true) return true;
    return this.queues.isPolledElsewhere(namespaceId, name, 'workflow');
  }

  /**
   * Offers the query to the queue, here or in another process. True when it was answered; false when nobody took it until `takeUntil`.
   * Throws when it was taken and not answered in time.
   */
  private async offer(
    pending: PendingQuery,
    namespaceId: number,
    name: string,
    takeUntil: number,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const queue = this.queues.get(namespaceId, name, 'workflow');
    let taken = false;
    const offer: DirectQuery = {
      done: false,
      deliver: (poller) => {
        taken = true;
        void this.deliver(pending, queue, poller, offer);
      },
    };
    queue.queries.push(offer);
    this.dispatcher?.serve(queue);
    let posted = false;
    try {
      for (;;) {
        if (pending.settled) return true;
        if (signal?.aborted === true) throw new ServiceError(Code.CANCELLED, 'context canceled');
        const now = performance.now();
        if (now >= deadline) throw timedOut();
        if (!taken && !posted && now >= takeUntil) return false;
        if (
          !taken &&
          !posted &&
          !queue.polled &&
          (await this.queues.isPolledElsewhere(namespaceId, name, 'workflow'))
        ) {
          posted = true;
          offer.done = true;
          void this.post(pending, namespaceId, name, deadline);
        }
        const wait = Math.min(posted || taken ? deadline - now : Math.min(takeUntil - now, 500), 1000);
        await Promise.race([pending.answered, sleep(Math.max(1, wait), signal)]);
      }
    } finally {
      offer.done = true;
      queue.queries.take((each) => each === offer);
    }
  }

  /** Hands the query to a poller as a task of its own. */
  private async deliver(pending: PendingQuery, queue: TaskQueue, poller: Poller, offer: DirectQuery): Promise<void> {
    const { task } = pending;
    try {
      const state = await this.runs.read(task.runId);
      const execution = state === null ? await this.store.loadExecution(task.namespaceId, task.runId) : null;
      const events = poller.sticky ? [] : await this.runs.history(task.runId, 1, Number.MAX_SAFE_INTEGER);
      const previous = state?.lastCompletedTaskStartedEventId ?? lastCompletedTask(events);
      const response = {
        taskToken: encodeToken({ kind: 'query', queryId: pending.id }),
        workflowExecution: { workflowId: task.workflowId, runId: task.runId },
        workflowType: { name: state?.workflowType ?? execution?.workflowType ?? '' },
        previousStartedEventId: previous,
        startedEventId: 0,
        attempt: 1,
        backlogCountHint: 0,
        history: { events },
        nextPageToken: new Uint8Array(0),
        query: task.query,
        workflowExecutionTaskQueue: { name: state?.taskQueue ?? execution?.taskQueue ?? '', kind: 1 },
        messages: [],
        queries: {},
      };
      if (poller.answer(response)) return;
    } catch {
      queue.returnPoller(poller);
    }
    // The poll went away, or the run could not be read: the next poller gets it.
    if (offer.done || pending.settled) return;
    queue.queries.push(offer);
    this.dispatcher?.serve(queue);
  }

  /** Asks a worker of another process and waits for its answer. */
  private async post(pending: PendingQuery, namespaceId: number, queue: string, deadline: number): Promise<void> {
    const { id, task } = pending;
    try {
      await this.store.postQuery({
        id,
        namespaceId,
        queue,
        workflowId: task.workflowId,
        runId: task.runId,
        query: task.query,
      });
      this.store.notify({ kind: 'query', namespaceId, queue });
      while (!pending.settled && performance.now() < deadline) {
        const notice = new Promise<void>((resolve) => this.awaitedAnswers.set(id, resolve));
        const answer = (await this.store.takeQueryAnswer(id)) as RemoteAnswer | undefined;
        if (answer !== undefined) {
          if ('result' in answer) pending.settle(answer.result);
          else pending.fail(new ServiceError(answer.error.code, answer.error.details, answer.error.errorDetails));
          return;
        }
        await Promise.race([notice, sleep(this.store.listening ? 1000 : ANSWER_POLL_MS, undefined)]);
      }
    } finally {
      this.awaitedAnswers.delete(id);
    }
  }

  private async answerRemote(queue: TaskQueue, remote: RemoteQuery): Promise<void> {
    const task: QueryTask = {
      namespace: '',
      namespaceId: remote.namespaceId,
      workflowId: remote.workflowId,
      runId: remote.runId,
      query: remote.query,
    };
    let answer: RemoteAnswer;
    const pending = pendingQuery(remote.id, task);
    this.direct.set(pending.id, pending);
    const deadline = performance.now() + 30_000;
    try {
      await this.offer(pending, queue.namespaceId, queue.name, deadline, deadline, undefined);
      if (!pending.settled) throw timedOut();
      answer = { result: await pending.answered };
    } catch (error) {
      const { code, details, errorDetails } = error instanceof ServiceError ? error : timedOut();
      answer = { error: { code, details, errorDetails } };
    } finally {
      this.direct.delete(pending.id);
    }
    try {
      await this.store.answerQuery(remote.id, answer);
      this.store.notify({ kind: 'queryAnswered', id: remote.id });
    } catch {
      // The asker's deadline ends it.
    }
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Of a closed run nothing but history is left: up to there it is replayed, or its local activities would run again. */
function lastCompletedTask(events: readonly HistoryEvent[]): number {
  for (let i = events.length - 1; i >= 0; i--) {
    const completed = events[i]?.workflowTaskCompletedEventAttributes;
    if (completed != null) return int64(completed.startedEventId);
  }
  return 0;
}
