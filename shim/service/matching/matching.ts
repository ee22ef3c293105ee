/** Matching: pollers of this process, the work that waits for them, and the way to pollers of other processes. */
import { LRUCache } from 'lru-cache';
import type { temporal } from '@temporalio/proto';
import type { Store } from '../../store/types';
import type { Engine } from '../engine/api';
import type { ChangedQueue, Deployments } from '../deployments/deployments';
import type { Transition } from '../engine/types';
import type { DeploymentVersion } from '../engine/versioning/version';
import { invalidArgument } from '../errors';
import type { Change } from '../runs/change';
import type { RunRegistry } from '../runs/registry';
import type { CallContext, Matching, NamespaceInfo, QueryTask } from '../types';
import { unlessAborted } from '../unless-aborted';
import type { ActivityTaskResponse } from './activity-task';
import { Admissions } from './admissions';
import { Destinations } from './destinations';
import { Dispatcher } from './dispatcher';
import { IdlePolls } from './idle-polls';
import { physicalName, physicalNames } from './physical-queue';
import { Poller } from './poller';
import { Queries, type QueryResult } from './queries';
import { QueueConfigs } from './queue-configs';
import { QueueLimits } from './queue-limits';
import { TaskQueues } from './queues';
import { RowClaims } from './row-claims';
import { POLLED_WINDOW_MS, type TaskKind, type TaskQueue } from './task-queue';
import { Rerouting } from './rerouting';
import type { WorkflowTaskResponse } from './workflow-task';
import { pollerVersion } from '../versioned-polls';

type PollRequest = Pick<
  temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest,
  'namespace' | 'taskQueue' | 'deploymentOptions' | 'workerVersionCapabilities'
>;
interface PolledQueue {
  queue: TaskQueue;
  version: DeploymentVersion | null;
}
/** temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_STICKY */
const STICKY = 2;

export interface MatchingOptions {
  store: Store;
  engine: Engine;
  runs: RunRegistry;
  namespace(name: string | null | undefined): NamespaceInfo | Promise<NamespaceInfo>;
  newId(): string;
  deployments: Pick<Deployments, 'routing' | 'register' | 'queues' | 'isDrained'>;
}

export class TaskMatching implements Matching {
  readonly dispatcher: Dispatcher;
  readonly queries: Queries;
  readonly admissions: Admissions;
  private readonly queues: TaskQueues;
  private readonly configs: QueueConfigs;
  private readonly claims: RowClaims;
  private readonly rerouting: Rerouting;
  private readonly idlePolls = new IdlePolls();
  /** Workers that said they go. */
  private readonly departed = new LRUCache<string, true>({ max: 1000 });
  private readonly stopNotices: () => void;
  private closed = false;

  constructor(private readonly options: MatchingOptions) {
    const { store, engine, runs, newId } = options;
    this.queues = new TaskQueues(store);
    this.stopNotices = store.onNotice(({ kind }) => {
      if (kind === 'fence') this.fenceMoved();
    });
    const { deployments } = options;
    const destinations = new Destinations(this.queues, (namespaceId) => deployments.routing(namespaceId));
    this.queries = new Queries(store, runs, this.queues, newId, deployments);
    this.admissions = new Admissions(
      store,
      (queue) => this.dispatcher.serve(queue),
      (queue) => this.tellOthers(queue),
    );
    this.dispatcher = new Dispatcher(
      store,
      engine,
      runs,
      this.queues,
      this.queries,
      newId,
      this.admissions,
      destinations,
    );
    this.configs = new QueueConfigs(store, () => {
      for (const queue of this.queues.all()) this.limit(queue);
    });
    this.queues.limit = (queue) => this.limit(queue);
    const versionedQueues = () => deployments.queues();
    this.rerouting = new Rerouting({ store, runs, queues: this.queues, dispatcher: this.dispatcher, versionedQueues });
    this.queries.dispatcher = this.dispatcher;
    this.claims = new RowClaims(
      store,
      this.queues,
      this.dispatcher,
      this.queries,
      this.configs,
      this.admissions,
      (runId) => runs.loaded(runId) !== undefined,
    );
  }

  pollWorkflowTask(
    request: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest,
    ctx: CallContext,
  ): Promise<WorkflowTaskResponse> {
    const poll = (polled: PolledQueue | undefined): Promise<object> =>
      polled === undefined ? Promise.resolve({}) : this.poll(polled, request, request.taskQueue?.kind === STICKY, ctx);
    const known = unlessAborted(this.polledQueue(request, 'workflow'), ctx.signal);
    return known instanceof Promise ? known.then(poll) : poll(known);
  }

  pollActivityTask(
    request: temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest,
    ctx: CallContext,
  ): Promise<ActivityTaskResponse> {
    const known = unlessAborted(this.polledQueue(request, 'activity'), ctx.signal);
    const unread = this.configs.unread();
    if (!(known instanceof Promise) && known !== undefined && unread === undefined) {
      return this.pollActivities(known, request, ctx);
    }
    return (async () => {
      const polled = await known;
      if (polled === undefined) return {};
      // Before anything is given out this process knows what limits its queues.
      if (unread !== undefined) await unlessAborted(unread, ctx.signal);
      return this.pollActivities(polled, request, ctx);
    })();
  }

  private pollActivities(
    polled: PolledQueue,
    request: temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest,
    ctx: CallContext,
  ): Promise<ActivityTaskResponse> {
    const { queue } = polled;
    const perSecond = request.taskQueueMetadata?.maxTasksPerSecond?.value ?? null;
    if (perSecond !== queue.workerRate) {
      queue.workerRate = perSecond;
      this.limit(queue);
    }
    return this.poll(polled, request, false, ctx);
  }

  /** A poll for a kind of work that there is none of. */
  async pollNothing(
    request: temporal.api.workflowservice.v1.IPollNexusTaskQueueRequest,
    ctx: CallContext,
  ): Promise<object> {
    await unlessAborted(this.options.namespace(request.namespace), ctx.signal);
    const workerKey = request.workerInstanceKey ?? '';
    return this.gone(workerKey, ctx) ? {} : this.idlePolls.poll(workerKey, ctx);
  }

  async hasPoller(namespaceId: number, name: string, kind: TaskKind): Promise<boolean> {
    const names = this.physicalNames(namespaceId, name, kind);
    if (names.some((each) => this.queues.find(namespaceId, each, kind)?.polled === true)) return true;
    const since = this.options.store.nowMs() - POLLED_WINDOW_MS;
    for (const each of names) {
      const pollers = await this.options.store.pollers(namespaceId, each);
      if (pollers.some((poller) => poller.kind === kind && poller.lastPollMs >= since)) return true;
    }
    return false;
  }

  announce(): void {
    this.claims.announce();
  }

  polledHere(namespaceId: number, name: string): boolean {
    const names = this.physicalNames(namespaceId, name, 'workflow');
    return names.some((each) => this.queues.find(namespaceId, each, 'workflow')?.polled === true);
  }

  private physicalNames(namespaceId: number, name: string, kind: TaskKind): string[] {
    return physicalNames(name, this.options.deployments.routing(namespaceId)?.queue(name, kind));
  }

  /** Tasks of these queues may belong to other versions now. */
  routingChanged(queues: ChangedQueue[], own: boolean): void {
    this.rerouting.changed(queues, own);
  }

  query(task: QueryTask, ctx: CallContext): Promise<QueryResult> {
    return this.queries.query(task, ctx);
  }

  dispatch(t: Transition, change: Change): void {
    this.dispatcher.dispatch(t, change);
  }

  redispatch(t: Transition, change: Change): void {
    this.dispatcher.redispatch(t, change);
  }

  /**
   * A worker is going away: its polls end, and what waits on its sticky queue goes to the normal queues at once.
   * `workerKey` ends its polls on all queues, and those still on their way here; '' for workers without one.
   */
  workerLeft(namespaceId: number, stickyQueue: string, workerKey: string): void {
    if (workerKey !== '') {
      this.departed.set(workerKey, true);
      const ofWorker = (poller: Poller): boolean => poller.workerKey === workerKey;
      for (const queue of this.queues.all()) queue.expirePollers(ofWorker);
      this.idlePolls.end(ofWorker);
    }
    const queue = this.queues.find(namespaceId, stickyQueue, 'workflow');
    if (queue !== undefined) {
      queue.expirePollers(() => true);
      queue.pollerLeft();
      void Promise.all(this.dispatcher.spill(queue));
    }
    this.claims.announce();
  }

  /** Ends all polls with nothing and gives what waited to other processes. */
  async close(): Promise<void> {
    this.closed = true;
    this.stopNotices();
    this.claims.close();
    this.idlePolls.end(() => true);
    await Promise.allSettled(this.putAway());
    await this.rerouting.close();
  }

  /** Ends all polls for tasks, and makes rows of what waits here. */
  private putAway(): Promise<void>[] {
    const spilled: Promise<void>[] = [];
    for (const queue of this.queues.all()) {
      queue.expirePollers(() => true);
      queue.pollerLeft();
      spilled.push(...this.dispatcher.spill(queue));
    }
    return spilled;
  }

  /** Up: polls wait for its end, where they get nothing. Down: they come again. */
  private fenceMoved(): void {
    if (this.options.store.fence.raised) void Promise.allSettled(this.putAway());
    else this.idlePolls.end(() => true);
    this.claims.announce();
  }

  private polledQueue(request: PollRequest, kind: TaskKind): PolledQueue | Promise<PolledQueue> {
    const { taskQueue } = request;
    if (!taskQueue) throw invalidArgument('taskQueue is not set');
    const { name } = taskQueue;
    if (!name) throw invalidArgument('missing task queue name');
    const version = pollerVersion(request);
    const queue = ({ id }: NamespaceInfo): PolledQueue | Promise<PolledQueue> =>
      version === null
        ? { queue: this.queues.get(id, name, kind), version }
        : this.versionedQueue(id, { ...taskQueue, name }, kind, version);
    const known = this.options.namespace(request.namespace);
    return known instanceof Promise ? known.then(queue) : queue(known);
  }

  /** A version's own queue, unless it is a sticky one: that is one worker's, whatever its version. */
  private async versionedQueue(
    namespaceId: number,
    { name, kind: queueKind, normalName }: NonNullable<PollRequest['taskQueue']> & { name: string },
    kind: TaskKind,
    version: DeploymentVersion,
  ): Promise<PolledQueue> {
    const sticky = queueKind === STICKY;
    await this.options.deployments.register(namespaceId, version, (sticky && normalName) || name, kind);
    return { queue: this.queues.get(namespaceId, sticky ? name : physicalName(name, version), kind), version };
  }

  /** The limits of a queue have changed, here or by another process. */
  async limitsChanged(): Promise<void> {
    this.options.store.notify({ kind: 'queueConfig' });
    await this.configs.read();
  }

  private limit(queue: TaskQueue): void {
    const settings = this.configs.settingsOf(queue);
    queue.backlog.weights = this.configs.weightsOf(queue);
    if (settings === null) queue.limits = null;
    else if (queue.limits !== null) queue.limits.configure(settings);
    else {
      const { store } = this.options;
      queue.limits = new QueueLimits(queue, store, this.admissions, (each) => this.dispatcher.serve(each), settings);
    }
    this.dispatcher.serve(queue);
  }

  private tellOthers(queue: TaskQueue): void {
    const { namespaceId, name, kind } = queue;
    if (!this.queues.alone) this.options.store.notify({ kind: 'tasks', queues: [{ namespaceId, queue: name, kind }] });
  }

  /** There is nobody to give a task to, or nobody who gives one. */
  private gone(workerKey: string, ctx: CallContext): boolean {
    return this.closed || ctx.signal?.aborted === true || this.departed.has(workerKey);
  }

  private poll(
    { queue, version }: PolledQueue,
    request: { namespace?: string | null; identity?: string | null; workerInstanceKey?: string | null },
    sticky: boolean,
    ctx: CallContext,
  ): Promise<object> {
    const workerKey = request.workerInstanceKey ?? '';
    if (this.gone(workerKey, ctx)) return Promise.resolve({});
    if (this.options.store.fence.raised) return this.idlePolls.poll(workerKey, ctx);
    return new Promise((resolve) => {
      const first = !queue.polled;
      const ended = (why: 'aborted' | 'expired'): void => {
        if (why === 'aborted') queue.pollerLeft();
      };
      const { namespace, identity } = request;
      const poller = new Poller(namespace ?? '', identity ?? '', sticky, workerKey, version, ctx, resolve, ended);
      queue.addPoller(poller);
      this.dispatcher.serve(queue);
      this.claims.polled(queue);
      if (first) this.claims.announce();
    });
  }
}
