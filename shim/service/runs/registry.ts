/**
 * All runs this process works on. Decisions change a run's state in memory at once; what they wrote piles up in the run's batch and the
 * committer makes it durable (decision 0001). Nothing is answered before that.
 */
import type { InboxMessage, Seed, Store } from '../../store/types';
import type { ActivityToken, Engine, HeartbeatAnswer } from '../engine/api';
import { EventType } from '../engine/event-fields';
import {
  type EngineContext,
  type HistoryEvent,
  type LimitWarning,
  type Limits,
  type RunState,
  Status,
  type Transition,
} from '../engine/types';
import { Code, ServiceError, notFound } from '../errors';
import type { CreateOptions, LoadedRun, MutateOptions, Runs, Watch } from '../types';
import { Batch } from './batch';
import { Change } from './change';
import { ChangeWaiters } from './change-waiters';
import { Committer } from './committer';
import { heldTaskRemains } from './holds';
import type { RunHooks } from './hooks';
import type { Operation } from './operation';
import { RunCache } from './run-cache';
import { RunHandle } from './run-handle';
import { RunLoader } from './run-loader';
import { RunReads } from './run-reads';
import { startOfSeed } from './seed-start';

export interface RunRegistryOptions {
  store: Store;
  engine: Engine;
  limits: Limits;
  newId(): string;
  /** Told of what went over a warning limit. */
  warn?(state: RunState, warnings: LimitWarning[]): void;
  /** Registered search attributes of a namespace, from a cache. */
  searchAttributeTypes(namespaceId: number): Record<string, number> | null;
  /** Worker deployments of a namespace, from memory; null when there are none. */
  routing(namespaceId: number): EngineContext['routing'];
  /** Runs kept in memory at most. Default 5,000. */
  maxRuns?: number;
  /** About how much of the heap they may take, bytes. Default 96 MiB. */
  maxBytes?: number;
}

/** A waiter looks again after this long, in case a notice was lost, ms. */
const LOOK_AGAIN_MS = 10_000;
/** A change in another transaction of the same run is looked for again after so long, ms, unless its commit is heard of first. */
const TRANSACTION_TURN_MS = 100;
/** Longest wait for commits under way when the service closes, ms. */
const DRAIN_MS = 5000;

const completed = (): ServiceError => notFound('workflow execution already completed');

export type Decide<R> = (t: Transition, change: Change, startedEvent: HistoryEvent | undefined) => R;

export class RunRegistry implements Runs {
  private readonly store: Store;
  private readonly engine: Engine;
  private readonly cache: RunCache;
  private readonly loader: RunLoader;
  private readonly reads: RunReads;
  private readonly waiters = new ChangeWaiters();
  private readonly committer: Committer;
  private readonly stopNotices: () => void;
  private hooks: RunHooks | null = null;

  constructor(private readonly options: RunRegistryOptions) {
    this.store = options.store;
    this.engine = options.engine;
    this.cache = new RunCache(options.maxRuns ?? 5000, options.maxBytes ?? 96 * 1024 * 1024);
    this.loader = new RunLoader(this.store, this.cache, (seed, namespaceId, inbox) =>
      this.grow(seed, namespaceId, inbox),
    );
    const grown = (runId: string): Promise<unknown> =>
      this.change(runId, (_t, change) => change.unchanged()).catch((error: unknown) => {
        // Another process has made the run of its seed, and closed it.
        if (!(error instanceof ServiceError && error.code === Code.NOT_FOUND)) throw error;
      });
    this.reads = new RunReads(this.store, this.cache, grown, (run) => this.settled(run));
    this.committer = new Committer(this.store, this.engine, {
      committed: (batch) => this.committed(batch),
      lost: (runs, operations, unknownFate, inbox) => this.lost(runs, operations, unknownFate, inbox),
    });
    this.stopNotices = this.store.onNotice((notice) => {
      if (notice.kind === 'missed') {
        for (const run of [...this.cache.all()]) if (!run.dirty && !run.gone) this.forget(run);
        this.waiters.wakeAll();
      }
      if (notice.kind !== 'runs') return;
      for (const runId of notice.runIds) {
        const run = this.cache.get(runId);
        // Somebody else moved it: what memory has is old. A dirty one finds out by its fence.
        if (run !== undefined && !run.dirty && !run.gone) this.forget(run);
        this.waiters.wake(runId);
      }
    });
  }

  connect(hooks: RunHooks): void {
    this.hooks = hooks;
  }

  engineContext(namespaceId: number): EngineContext {
    return {
      nowMs: this.store.nowMs(),
      newId: this.options.newId,
      limits: this.options.limits,
      searchAttributeTypes: this.options.searchAttributeTypes(namespaceId),
      warnings: null,
      routing: this.options.routing(namespaceId),
    };
  }

  mutate<R>(
    runId: string,
    op: (t: Transition, run: LoadedRun, startedEvent: HistoryEvent | undefined) => R,
    options?: MutateOptions,
  ): Promise<R> {
    return this.change(runId, op, options);
  }

  /** `mutate` for the service's own parts, which also hand out tasks. */
  change<R>(runId: string, decide: Decide<R>, options?: MutateOptions): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.submit({ runId, decide, options, resolve: resolve as (result: unknown) => void, reject });
    });
  }

  create(
    namespaceId: number,
    start: Transition,
    reuse: 'allowDuplicate' | 'allowDuplicateFailedOnly' | 'rejectDuplicate',
    options: CreateOptions = {},
  ): Promise<'created' | 'idTaken'> {
    const { replacing, mayGoAhead = false } = options;
    return new Promise((resolve, reject) => {
      const creation: Operation = {
        runId: start.state.runId,
        decide: () => 'created',
        options: undefined,
        resolve: resolve as (result: unknown) => void,
        reject,
        dropped: () => resolve('idTaken'),
      };
      if (replacing === undefined) {
        const batch = this.begin(namespaceId, start, reuse, null, mayGoAhead);
        batch.operations.push({ operation: creation, result: 'created' });
        return;
      }
      this.submit({
        runId: replacing.runId,
        decide: (t, change) => {
          replacing.op(t);
          change.afterMerge(() => {
            const batch = this.begin(namespaceId, start, reuse, change.run.batch);
            batch.operations.push({ operation: creation, result: 'created' });
          });
        },
        options: undefined,
        resolve: () => undefined,
        reject,
        dropped: () => undefined,
      });
    });
  }

  read(runId: string): Promise<RunState | null> {
    return this.reads.state(runId);
  }

  snapshot(runId: string): Promise<RunState | null> {
    return this.reads.snapshot(runId);
  }

  /** The newest state in memory, uncommitted changes included; undefined when the run is not loaded here. */
  loaded(runId: string): RunHandle | undefined {
    return this.cache.get(runId);
  }

  /** All that are loaded here. */
  all(): Iterable<RunHandle> {
    return this.cache.all();
  }

  history(runId: string, fromEventId: number, toEventId: number, maxBytes?: number): Promise<HistoryEvent[]> {
    return this.reads.history(runId, fromEventId, toEventId, maxBytes);
  }

  lastEvent(runId: string): HistoryEvent | undefined | Promise<HistoryEvent | undefined> {
    return this.reads.lastEvent(runId);
  }

  watch(runId: string, ms: number, signal?: AbortSignal, forClose = false): Watch {
    return this.waiters.watch(runId, Math.min(ms, LOOK_AGAIN_MS), signal, forClose);
  }

  changed(runId: string, ms: number): Promise<void> {
    return this.watch(runId, ms).moved;
  }

  /**
   * A heartbeat of a running attempt: kept in memory and in the heartbeats table, not in the run's row.
   * NOT_FOUND when the attempt is not running (any more).
   */
  async heartbeat(
    runId: string,
    token: ActivityToken,
    details: Parameters<Engine['recordHeartbeat']>[2],
  ): Promise<HeartbeatAnswer> {
    let run = this.cache.get(runId);
    if (run === undefined || (!this.reads.alone && !run.dirty && !run.gone)) {
      if (run !== undefined) this.forget(run);
      run = (await this.loader.load(runId)) ?? undefined;
    }
    if (run === undefined || run.gone || run.state.status !== Status.Running) throw completed();
    const t = this.engine.begin(run.state, this.engineContext(run.namespaceId));
    const answer = this.engine.recordHeartbeat(t, token, details);
    const activity = run.state.activities[String(token.scheduledEventId)];
    await this.store.heartbeat(runId, token.scheduledEventId, activity?.attempt ?? token.attempt, details);
    return answer;
  }

  /** Resolves when the run's start is durable, which is then hurried; false when it was refused. */
  startDurable(run: RunHandle): Promise<boolean> {
    const start = run.inFlight ?? run.batch;
    if (run.dropped || run.version > 0 || start === null) return Promise.resolve(!run.dropped);
    const durable = new Promise<boolean>((resolve) => {
      start.afterCommit.push(() => resolve(true));
      start.onDrop.push(() => resolve(false));
    });
    if (start === run.batch) this.committer.release(start);
    return durable;
  }

  private settled(run: RunHandle): Promise<void> {
    const last = run.batch ?? run.inFlight;
    if (run.dropped || last === null) return Promise.resolve();
    const settled = new Promise<void>((resolve) => {
      last.afterCommit.push(resolve);
      last.onDrop.push(resolve);
    });
    if (last === run.batch) this.committer.release(last);
    return settled;
  }

  /** Commits what is held or under way, then lets go. */
  async close(): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    for (;;) {
      const dirty = [...this.cache.all()].filter((run) => run.dirty);
      if (dirty.length === 0 || performance.now() > until) break;
      for (const { batch } of dirty) if (batch !== null && batch.heldFor !== '') this.committer.release(batch);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    this.stopNotices();
    this.committer.close();
    this.waiters.wakeAll();
  }

  /** An operation as it is: `change` with its own way when the race is lost. */
  submit(operation: Operation): void {
    const run = this.cache.get(operation.runId);
    const { options } = operation;
    const waits =
      options !== undefined &&
      (options.needsStartedEvent === true ||
        options.needsHeartbeats === true ||
        options.signalRequestId !== undefined ||
        options.within !== undefined);
    if (run !== undefined && !waits) this.apply(run, operation, undefined);
    else void this.prepare(operation);
  }

  /** Fetches what the operation needs, then applies it in one go. */
  private async prepare(operation: Operation): Promise<void> {
    const { runId, options } = operation;
    try {
      for (;;) {
        const run = this.cache.get(runId) ?? (await this.loader.load(runId));
        if (run === null || run.gone) throw completed();
        const started = options?.needsStartedEvent === true ? (run.cachedEvent(1) ?? (await run.event(1))) : undefined;
        if (options?.needsHeartbeats === true) await this.loader.mergeHeartbeats(run);
        if (options?.signalRequestId !== undefined) {
          run.signalIds ??= new Set(await this.store.signalRequestIds(runId));
        }
        if (this.cache.get(runId) !== run) continue;
        if (options?.within !== undefined && run.batch?.within !== undefined) {
          // One transaction at a time.
          await this.changed(runId, TRANSACTION_TURN_MS);
          continue;
        }
        return this.apply(run, operation, started);
      }
    } catch (error) {
      operation.reject(error);
    }
  }

  private apply(run: RunHandle, operation: Operation, startedEvent: HistoryEvent | undefined): void {
    const { options } = operation;
    const { state } = run;
    if (run.gone || (state.status !== Status.Running && options?.allowClosed !== true)) {
      operation.reject(completed());
      return;
    }
    const change = new Change(run);
    const signalId = options?.signalRequestId;
    if (signalId !== undefined && signalId !== '') {
      if (run.signalIds?.has(signalId) === true) return this.answerUnchanged(run, operation, undefined);
      change.rememberSignal(signalId);
    }
    const t = this.engine.begin(state, this.engineContext(run.namespaceId));
    let result: unknown;
    try {
      result = operation.decide(t, change, startedEvent);
    } catch (error) {
      if (this.mayBeOld(run, operation)) return this.decideAfresh(run, operation);
      if (t.events.length === 0 && t.effects.length === 0) return operation.reject(error);
      // What a refused operation had already written stays consistent with the state: it is kept, and the refusal told when that is durable.
      const refused: Operation = {
        ...operation,
        resolve: () => operation.reject(error),
        dropped: operation.dropped ?? (() => this.submit(operation)),
      };
      (run.batch ??= new Batch(run)).operations.push({ operation: refused, result: undefined });
      this.merge(run, t, change);
      return;
    }
    if (change.unmoved) {
      if (this.mayBeOld(run, operation)) return this.decideAfresh(run, operation);
      return this.answerUnchanged(run, operation, result);
    }
    this.engine.enforceHistoryLimits(t);
    if (t.ctx.warnings !== null) this.options.warn?.(state, t.ctx.warnings);
    if (signalId !== undefined && signalId !== '') run.signalIds?.add(signalId);
    const batch = (run.batch ??= new Batch(run));
    batch.operations.push({ operation, result });
    batch.within ??= options?.within;
    this.merge(run, t, change);
  }

  /** An answer that no commit will check may come from a copy that another process has moved on from. */
  private mayBeOld(run: RunHandle, operation: Operation): boolean {
    return !this.reads.alone && !run.dirty && operation.verified !== true;
  }

  private decideAfresh(run: RunHandle, operation: Operation): void {
    operation.verified = true;
    this.forget(run);
    void this.prepare(operation);
  }

  private answerUnchanged(run: RunHandle, operation: Operation, result: unknown): void {
    const batch = run.batch ?? run.inFlight;
    if (batch === null) operation.resolve(result);
    else batch.operations.push({ operation, result });
  }

  /** A run begins, together with the batch that closes its predecessor, if any. */
  private begin(
    namespaceId: number,
    start: Transition,
    reuse: 'allowDuplicate' | 'allowDuplicateFailedOnly' | 'rejectDuplicate',
    predecessor: Batch | null,
    mayGoAhead = false,
  ): Batch {
    const { state } = start;
    const run = new RunHandle(this.store, namespaceId, state, 0, null);
    // The start may be refused (the id is taken): nothing but a worker of this process that knows may work on it before it is durable.
    run.commitFirst = true;
    run.mayGoAhead = mayGoAhead;
    const batch = (run.batch = new Batch(run));
    batch.create = { reuse, startRequestId: state.startRequestId };
    batch.visibility = true;
    batch.announce = true;
    if (predecessor !== null) batch.link(predecessor);
    this.cache.add(run);
    if (start.ctx.warnings !== null) this.options.warn?.(start.state, start.ctx.warnings);
    const change = new Change(run);
    for (const event of start.events) {
      if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED || state.startRequestId === '') continue;
      // Signal-with-start: start and signal have the same request id.
      change.rememberSignal(state.startRequestId);
      run.signalIds?.add(state.startRequestId);
    }
    this.merge(run, start, change);
    return batch;
  }

  /** What a caller's transaction started becomes a run: its first commit is on its way when this returns. */
  private grow(seed: Seed, namespaceId: number, inbox: InboxMessage[]): RunHandle {
    const { start, signal } = startOfSeed(this.engine, seed, this.engineContext(namespaceId), inbox);
    const run = new RunHandle(this.store, namespaceId, start.state, 0, null);
    // Its row is there.
    run.version = 1;
    run.commitFirst = true;
    const batch = (run.batch = new Batch(run));
    batch.visibility = true;
    batch.announce = true;
    this.cache.add(run);
    const change = new Change(run);
    if (signal !== null) {
      change.takes(signal.seq);
      change.rememberSignal(signal.requestId);
      run.signalIds?.add(signal.requestId);
    }
    this.merge(run, start, change);
    return run;
  }

  /** Hands out what the transition scheduled and adds everything to the run's batch. */
  private merge(run: RunHandle, t: Transition, change: Change): void {
    const batch = (run.batch ??= new Batch(run));
    this.dispatch(run, t, change);
    run.append(t.events);
    batch.take(t.events, change);
    for (const effect of t.effects) {
      switch (effect.type) {
        case 'newRun':
          this.begin(run.namespaceId, effect.transition, 'allowDuplicate', batch);
          break;
        case 'visibilityChanged':
          batch.visibility = true;
          break;
        case 'updatesMoved':
          batch.announce = true;
          break;
        case 'heartbeatForgotten':
          batch.closedActivities.push(effect.scheduledEventId);
          break;
        case 'closed':
          batch.visibility = true;
          batch.announce = true;
          if (run.state.obligations.length > 0) {
            run.mine = true;
            batch.afterCommit.push(() => this.hooks?.follow(run, effect));
          }
          break;
        case 'startChild':
        case 'callExternal':
          run.mine = true;
          batch.afterCommit.push(() => this.hooks?.follow(run, effect));
          break;
        default:
      }
    }

    if (batch.within !== undefined || change.answering || !heldTaskRemains(batch.heldFor, run.state.workflowTask))
      batch.heldFor = '';
    const mayHold =
      batch.within === undefined &&
      !batch.answersTask &&
      batch.links.length === 0 &&
      (!run.commitFirst || change.aheadOfStart) &&
      // On the wire nothing but a commit of its own lets the answer to a start or signal overtake what that leads to.
      !(change.onWire && batch.answersCaller);
    if (change.heldFor !== '' && mayHold) this.committer.hold(batch, change.heldFor);
    else if (batch.heldFor !== '') this.committer.hurry(batch);
    this.committer.schedule(run);
    if (change.afterMergeCalls !== null) for (const call of change.afterMergeCalls) call();
  }

  private dispatch(run: RunHandle, t: Transition, change: Change): void {
    try {
      this.hooks?.dispatch(t, change);
      if (run.mine && run.owner !== null && run.owner !== this.store.processId) {
        // Taking over: what the former owner kept in its memory is handed out here as well.
        this.hooks?.redispatch(t, change);
        run.owner = this.store.processId;
      }
    } catch {
      // What was decided stands; what could not be handed out is found again from the state.
      change.afterCommit(() => this.hooks?.lost(run.runId));
    }
  }

  private committed(batch: Batch): void {
    const { run } = batch;
    this.hooks?.committed(run);
    this.waiters.wake(run.runId, run.state.status === Status.Running);
    if (!this.reads.alone && (batch.announce || batch.events.length > 0)) {
      this.store.notify({ kind: 'runs', runIds: [run.runId] });
    }
    this.cache.touch(run);
  }

  private lost(runs: RunHandle[], operations: Operation[], unknownFate: boolean, inbox: boolean): void {
    for (const run of runs) {
      this.cache.remove(run);
      if (run.version > 0) this.loader.raceLost(run.runId);
    }
    if (inbox) {
      // What the inbox holds comes before whatever would have closed the run.
      const hooks = this.hooks;
      void Promise.all(runs.map((run) => hooks?.deliver(run.runId))).then(() => {
        for (const operation of operations) this.submit(operation);
      });
    } else for (const operation of operations) this.submit(operation);
    for (const run of runs) if (run.version > 0 || unknownFate) this.hooks?.lost(run.runId);
    for (const run of runs) this.waiters.wake(run.runId);
  }

  private forget(run: RunHandle): void {
    run.dropped = true;
    this.cache.remove(run);
  }
}
