/** Contracts inside the service: how RPC families reach runs, workers and each other. */
import type { temporal } from '@temporalio/proto';
import type { CallerConnection, Store, StoreTransaction } from '../store/types';
import type { Engine } from './engine/api';
import type { EngineContext, HistoryEvent, Limits, RunState, Transition } from './engine/types';

/** What came with a call besides its request. */
export interface CallContext {
  /** Epoch ms of the caller's deadline by Date.now(); undefined = none. */
  deadlineMs?: number;
  /** The caller went away or cancelled: long waits must end. */
  signal?: AbortSignal;
  metadata: Record<string, string>;
  /** The call's change is part of this transaction, and ends it. Only some calls can be. */
  within?: StoreTransaction;
  /** The caller is on the wire: a worker there can only be handed a task by an answer. */
  onWire?: boolean;
  /**
   * A poll of a worker in this process: it takes a run's first workflow task before the start is durable, and asks `startDurable` of the
   * response (matching/ahead-of-start.ts) before anything leaves the workflow but its completion.
   */
  aheadOfStart?: boolean;
}

/** One run held in memory by this process, led by its uncommitted transitions. */
export interface LoadedRun {
  readonly state: RunState;
  readonly namespaceId: number;
  /** Event by id from memory or the store. */
  event(eventId: number): Promise<HistoryEvent>;
  /** Events from memory alone, uncommitted ones included; null when memory does not reach back that far. */
  cachedEvents(fromEventId: number, toEventId: number): HistoryEvent[] | null;
  /** The operation changed nothing: it is answered once what it saw is durable. */
  unchanged(): void;
}

export interface MutateOptions {
  /** Fetched before `op` runs, for decisions that need the input of the Started event (retry, cron, due). */
  needsStartedEvent?: boolean;
  /** Heartbeats recorded by any process are merged into the state before `op` runs, for decisions on timeouts and retries. */
  needsHeartbeats?: boolean;
  /** `op` is for a closed run that still owes something too. */
  allowClosed?: boolean;
  /** Request id of a signal: when the run has recorded it, `op` does not run and the answer is undefined; else it is remembered with the change. */
  signalRequestId?: string;
  /** The change is committed in this transaction, and ends it; other changes of the run that are ready go along. */
  within?: StoreTransaction;
}

export interface CreateOptions {
  /** That run's transition (already decided: terminate) commits together with the new run. */
  replacing?: { runId: string; op: (t: Transition) => void };
  /** Nothing is known that would refuse the start: the first workflow task may run before it is durable. */
  mayGoAhead?: boolean;
}

/** All runs this process works on (service/runs). */
export interface Runs {
  /**
   * Change a run: loads it if need be, runs `op` synchronously on the newest in-memory state, and resolves once the change is durable.
   * When another process won the race the state is reloaded and `op` runs again. If `op` throws, nothing is changed.
   * NOT_FOUND ("workflow execution already completed") when the run is closed, unless `op` handles it (`allowClosed`).
   */
  mutate<R>(
    runId: string,
    op: (t: Transition, run: LoadedRun, startedEvent: HistoryEvent | undefined) => R,
    options?: MutateOptions,
  ): Promise<R>;
  /** Begin a run. */
  create(
    namespaceId: number,
    start: Transition,
    reuse: 'allowDuplicate' | 'allowDuplicateFailedOnly' | 'rejectDuplicate',
    options?: CreateOptions,
  ): Promise<'created' | 'idTaken'>;
  /** Newest committed state of an open (or owing) run; null when there is none in `runs`. Reads from memory when this process owns it and nobody else moved it. */
  read(runId: string): Promise<RunState | null>;
  /** The same as a copy: the state in memory goes on changing, uncommitted, while a caller waits for more. */
  snapshot(runId: string): Promise<RunState | null>;
  /** Committed events (never uncommitted ones). */
  history(runId: string, fromEventId: number, toEventId: number, maxBytes?: number): Promise<HistoryEvent[]>;
  /** Newest committed event; undefined when there is no such run. No round trip while this process has the run in memory and is alone. */
  lastEvent(runId: string): HistoryEvent | undefined | Promise<HistoryEvent | undefined>;
  /**
   * Waits for the run to commit something after this call, in whichever process, for about `ms` at most or until the signal aborts.
   * `forClose`: what certainly is not its close is passed over.
   */
  watch(runId: string, ms: number, signal?: AbortSignal, forClose?: boolean): Watch;
  /** The same, as a promise alone. */
  changed(runId: string, ms: number): Promise<void>;
  engineContext(namespaceId: number): EngineContext;
}

/** A wait for a run's next move. */
export interface Watch {
  /** Resolves at the run's next move, when time is up, when the signal aborts, or when the watch is stopped. */
  readonly moved: Promise<void>;
  /** Nobody waits any more. */
  stop(): void;
}

/** A pending query looking for a worker. */
export interface QueryTask {
  namespace: string;
  namespaceId: number;
  workflowId: string;
  runId: string;
  query: temporal.api.query.v1.IWorkflowQuery;
}

/** Finds pollers for work (service/matching). */
export interface Matching {
  pollWorkflowTask(
    request: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest,
    ctx: CallContext,
  ): Promise<temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse>;
  pollActivityTask(
    request: temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest,
    ctx: CallContext,
  ): Promise<temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse>;
  /** Has a poller been seen on this queue in the last 10 s (this process: now waiting or polled lately; others: `pollers`)? */
  hasPoller(namespaceId: number, queue: string, kind: 'workflow' | 'activity'): Promise<boolean>;
  /** Brings what the store knows of this process's queues up to date. */
  announce(): void;
  /** Limits of task queues were changed. */
  limitsChanged(): Promise<void>;
  /** Does a worker of this process poll the queue for workflow tasks: it is then handed the task without a detour. */
  polledHere(namespaceId: number, queue: string): boolean;
  /**
   * Run a query by a worker: rides on the pending workflow task, or goes directly (sticky first). Rejects with Temporal's errors:
   * DEADLINE_EXCEEDED, FAILED_PRECONDITION (no poller), INVALID_ARGUMENT (QueryFailed)…
   */
  query(task: QueryTask, ctx: CallContext): Promise<temporal.api.query.v1.IWorkflowQueryResult>;
}

export interface NamespaceInfo {
  id: number;
  uuid: string;
  name: string;
  retentionMs: number;
  searchAttributeTypes: Record<string, number>;
}

/** What every RPC family is given. */
export interface ServiceParts {
  store: Store;
  engine: Engine;
  runs: Runs;
  matching: Matching;
  /** By name, cached; throws NOT_FOUND with NamespaceNotFoundFailure. */
  namespace(name: string | null | undefined): NamespaceInfo | Promise<NamespaceInfo>;
  newId(): string;
  limits: Limits;
}

/** An RPC as this service answers it: plain request in, plain response out, `ServiceError` thrown. */
export type Rpc<Req, Res> = (request: Req, ctx: CallContext) => Promise<Res>;

/** The service: every RPC of WorkflowService and OperatorService by its lower-camel name; the missing ones answer UNIMPLEMENTED. */
export interface Service {
  call(method: string, request: object, ctx: CallContext): Promise<object>;
  /**
   * The same in whatever transaction the caller's connection has: what starts, signals, updates, cancels, terminates and creates schedules joins it, what only reads is answered as ever, the
   * rest is refused (BRANCHLINE_NOT_IN_TRANSACTION).
   */
  callWithin(client: CallerConnection, method: string, request: object, ctx: CallContext): Promise<object>;
  /** For `within` of a call, and what local activities' transactions have kept. */
  readonly transactions: Pick<Store, 'beginTransaction' | 'localResult'>;
  readonly parts: ServiceParts;
  close(): Promise<void>;
}
