/**
 * The store's door: the only code that speaks SQL. One implementation, on Postgres (`PostgresStore`).
 *
 * How a run is kept:
 *  - `executions`: one row per run for as long as it is retained: identity, visibility, memo, search attributes. Written at start, at close and when
 *    memo or search attributes change. Unique (namespace, workflow_id) where running.
 *  - `runs`: the mutable state (JSON) of each run that is open or still owes something, with a version (fence), owner and due time. Deleted when done,
 *    so it stays small and hot. History length while open is read from here.
 *  - `history`: append-only, one row per commit of a run: a JSON array of events in Temporal's own JSON form, payload bytes exact and readable.
 *  - `tasks`: only work that must leave the process that made it (no local poller, or too much of it). Claimed, then deleted in the commit that starts it.
 *  - `heartbeats`, `signal_requests`, `processes` (leases, and what each process polls), `flushes` (the last batch of each process),
 *    `schedules` and `schedule_slots`, `queries` and `notices` (cross-process), `namespaces`, `search_attributes`. The story is told in migrations/0001_foundation.sql.
 */
import type { temporal } from '@temporalio/proto';
import type { DeploymentState } from '../service/engine/deployments/types';
import type { ScheduleState, SlotRecord } from '../service/engine/schedules/types';
import type { HistoryEvent, Payload, Payloads, RunState, Status } from '../service/engine/types';
import type { LoadStore } from './load-types';
import type { PayloadPartyStore } from './payload-types';
import type { BatchJobStore } from './batch-job-types';
import type { Rights } from './rights';
import type { TaskQueueStore } from './task-queue-types';
import type { RoutingStore } from './routing-types';
import type { StandInStore } from './stand-in-types';
import type { ScheduleMoveStore } from './schedule-move-types';

/** What one transition (or several merged ones) of one run writes. */
export interface RunCommit {
  namespaceId: number;
  workflowId: string;
  runId: string;
  /** Version the state was read at; 0 = this commit makes the run. */
  expectedVersion: number;
  /** For new runs: what must not exist. Running runs of the id always conflict. */
  create: {
    reuse: 'allowDuplicate' | 'allowDuplicateFailedOnly' | 'rejectDuplicate';
    startRequestId: string;
  } | null;
  /** New events with gapless ids, already in order. May be empty (state-only changes). */
  events: HistoryEvent[];
  /** null = closed and owes nothing: the `runs` row goes. */
  state: RunState | null;
  /** Process that holds the run in memory and serves its local work; null = anybody's. */
  owner: string | null;
  /** Epoch ms when somebody must look at the run at the latest; 0 = never. The store may keep an earlier stored value (saves index writes). */
  dueAtMs: number;
  /** Visibility row to write (insert at start, update at close or upsert). */
  execution: ExecutionRow | null;
  /** Rows for work that leaves this process. */
  newTasks: NewTask[];
  /** Claimed task rows used up by this commit. */
  doneTasks: string[];
  /** Signal request ids to remember. */
  signalRequestIds: string[];
  /** Scheduled event ids whose heartbeat rows are to go (activity closed or new attempt). */
  closedActivities: number[];
  /** Rows of the inbox that it does, by their numbers. */
  inbox: string[];
}

/** Fate of a commit: nothing of a group is written unless all of it is. */
export type CommitOutcome =
  | { kind: 'committed' }
  /** Somebody else changed the run: reload and decide again. */
  | { kind: 'conflict' }
  /** The workflow id is taken (running), or the reuse rule found a closed run, or the same start request made a run. */
  | { kind: 'idTaken' }
  /** The inbox has something for a run that was to close, or another process took from it what this group did: read it again, then decide again. */
  | { kind: 'inbox' };

export interface ExecutionRow {
  namespaceId: number;
  workflowId: string;
  runId: string;
  firstRunId: string;
  /** Of a run made by a reset: the run whose history it goes on with; '' = none. */
  baseRunId: string;
  workflowType: string;
  taskQueue: string;
  status: Status;
  startRequestId: string;
  startMs: number;
  executionMs: number;
  /** 0 while open. */
  closeMs: number;
  historyLength: number;
  historySizeBytes: number;
  stateTransitions: number;
  parent: { workflowId: string; runId: string } | null;
  root: { workflowId: string; runId: string };
  memo: Record<string, Payload>;
  searchAttributes: Record<string, Payload>;
  /** Of the first worker, while it is not among the search attributes: see engine/build-ids.ts; '' = none. */
  buildId: string;
}

export interface NewTask {
  namespaceId: number;
  queue: string;
  kind: 'workflow' | 'activity';
  runId: string;
  scheduledEventId: number;
  attempt: number;
  /** 1 to 5, first to last. */
  priority: number;
  /** '' = none. */
  fairnessKey: string;
  fairnessWeight: number;
}
export interface ClaimedTask extends NewTask {
  id: string;
  createdMs: number;
}

/** In which order a process picks rows beyond their priority: how far each fairness key is ahead on its level, in steps of 1000 / weight. */
export interface ClaimOrder {
  levels: number[];
  keys: string[];
  passes: number[];
  /** Weights that count in place of the tasks' own, by fairness key. */
  weights: Record<string, number>;
  /** Keys of which nothing may start now. */
  closedKeys: string[];
}

/** A run that a caller's transaction has started and no process has looked at yet: it consists of its request. */
export interface Seed {
  runId: string;
  /** By Postgres's clock, epoch ms. */
  startedAtMs: number;
  request: temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
}

export const isSeed = (state: RunState | Seed): state is Seed => 'request' in state;

/** What a caller's transaction has for an open run. */
export interface InboxMessage {
  seq: string;
  kind: 'cancel' | 'signal' | 'terminate' | 'update';
  /** Of an update its id. */
  requestId: string;
  /** As the RPC takes it. */
  request: object;
}

export interface LoadedState {
  state: RunState | Seed;
  version: number;
  owner: string | null;
  namespaceId: number;
  /** Nothing is done in it until an operator resumes it. */
  held: boolean;
}

/** A filter of list/count that the store can run: produced by service/visibility from Temporal's list filter. */
export interface VisibilityQuery {
  namespaceId: number;
  /** SQL condition over `executions` alias e with $n placeholders starting at $2 ($1 is namespaceId); '' = all. */
  condition: string;
  values: unknown[];
  /** Schedules too, as the workflows that they are on Temporal. Default false. */
  allDivisions?: boolean;
  /** The workflow types, each once, that the condition leaves; lists then look for each by itself. */
  types?: string[];
  /** RFC 3339: the condition leaves only runs that started then or before. */
  startedBy?: string;
  /**
   * Weaker conditions, which follow from the whole one: what the index of search attributes serves, and what those do that have the order of
   * lists. Placeholders of each follow those of the whole. Lists then try both.
   */
  indexed?: Record<'byAttributes' | 'inOrder', { condition: string; values: unknown[] }>;
  /** Lists: absent = open runs first, then the newest close, newest start. */
  order?: SortColumn[];
}

/** What lists are sorted by and counts are grouped by. */
export interface SortColumn {
  /** Over `executions` alias e. */
  sql: string;
  /** Its type in Postgres. */
  type: string;
  descending: boolean;
  /** SQL of its value while the run was open, where the close changes it. */
  whileOpen?: string;
}

/** Where a list goes on. */
export interface ListPosition {
  /** Of the last row, by sort column: a text that Postgres reads; null = the run has none. */
  keys: (string | null)[];
  runId: string;
  /** The newest close time that the first page knew; null = none. What closed later stays where it was while it was open. */
  closedBy: string | null;
}

export interface ProcessInfo {
  id: string;
  identity: string;
  leaseUntilMs: number;
  /** It may delete what has expired, in all namespaces. */
  expires: boolean;
}
export interface PollerInfo {
  processId: string;
  namespaceId: number;
  queue: string;
  kind: 'workflow' | 'activity';
  identity: string;
  lastPollMs: number;
  /** The queue is one worker's own. */
  sticky?: boolean;
  /** Of the queue in that process; undefined = nothing to tell. Told with one of its pollers, or alone: then identity is '' and lastPollMs 0. */
  stats?: QueueStats;
}

/** Tasks of a queue in one process. */
export interface QueueStats {
  /** Waiting in memory: priority, count, epoch ms of the oldest. */
  waiting?: [priority: number, count: number, oldestMs: number][];
  /** Per second over the last half minute. */
  added?: number;
  dispatched?: number;
  /** Starts per second that its workers ask for. */
  workerRate?: number;
}

export interface NamespaceRow {
  id: number;
  uuid: string;
  name: string;
  description: string;
  ownerEmail: string;
  retentionMs: number;
  state: number;
  createdMs: number;
  data: Record<string, string>;
}

export interface NamespaceStore {
  all(): Promise<NamespaceRow[]>;
  /** @throws NamespaceExistsError for a name that is there; the same uuid and name again give the row that is there. */
  create(row: Omit<NamespaceRow, 'id' | 'createdMs'>): Promise<NamespaceRow>;
  update(row: NamespaceRow): Promise<void>;
  searchAttributeTypes(namespaceId: number): Promise<Record<string, number>>;
  addSearchAttributes(namespaceId: number, attributes: Record<string, number>): Promise<void>;
  removeSearchAttributes(namespaceId: number, names: string[]): Promise<void>;
}

/** The first workflow task that workers of a build completed. */
export interface FirstTask {
  buildId: string;
  binaryChecksum: string;
  /** Of WorkflowTaskCompleted. */
  eventId: number;
  atMs: number;
}

/** A query that must be answered by a worker of another process. */
export interface RemoteQuery {
  id: string;
  namespaceId: number;
  queue: string;
  workflowId: string;
  runId: string;
  query: temporal.api.query.v1.IWorkflowQuery;
}

/** Messages between processes (LISTEN/NOTIFY, or polling when that is unavailable). Small: ids only. */
export type Notice =
  /** Runs whose history or state moved (only the ones that others may wait on). */
  | { kind: 'runs'; runIds: string[] }
  /** Transactions of callers have started these runs or have something for them. Sent by the SQL functions. */
  | { kind: 'inbox'; runIds: string[] }
  /** A transaction of a caller has created that schedule, due then (epoch ms; 0 = never). Sent by the SQL functions. */
  | { kind: 'schedule'; namespaceId: number; scheduleId: string; dueAtMs: number }
  /** Queues with new task rows. */
  | { kind: 'tasks'; queues: { namespaceId: number; queue: string; kind: 'workflow' | 'activity' }[] }
  /** The configuration or the limits of some task queue have changed. */
  | { kind: 'queueConfig' }
  | { kind: 'query'; namespaceId: number; queue: string }
  | { kind: 'queryAnswered'; id: string }
  /** The stored routes have a new version. */
  | { kind: 'routes' }
  /** Somebody takes part in the check of payloads, or no more, or found others that it cannot read. */
  | { kind: 'payloads' }
  /** Starts began or ceased to be kept from this loaded Postgres. */
  | { kind: 'load' }
  /** Another engine has that id now, or none. */
  | { kind: 'routedId'; key: string }
  /** Some worker deployment has changed; whoever has seen it says so when the change has a name. */
  | { kind: 'deployments'; change: string }
  | { kind: 'deploymentsSeen'; change: string; processId: string }
  /** Never sent: told to this process's listeners when it has freed the runs and tasks of a dead process (look at dueRuns and claimTasks). */
  | { kind: 'processDied' }
  /** Never sent: the fence went up or down (`Store.fence`). */
  | { kind: 'fence' }
  /** Never sent: this process heard nothing for a while (its listening connection was lost), or did not heed what it heard (the fence was up). Anything may have changed. */
  | { kind: 'missed' };

export interface ScheduleKey {
  namespaceId: number;
  scheduleId: string;
}

export interface NewSchedule {
  namespaceId: number;
  /** Of the call that creates it: repeated, it finds what it made. */
  requestId: string;
  state: ScheduleState;
  dueAtMs: number;
}

export interface LoadedSchedule {
  namespaceId: number;
  /** The caller's own copy. */
  state: ScheduleState;
  version: number;
  dueAtMs: number;
}

export interface ScheduleCommit {
  uuid: string;
  expectedVersion: number;
  /** null = the schedule and its slots go. */
  state: ScheduleState | null;
  /** Epoch ms; 0 = never. */
  dueAtMs: number;
  slots: SlotRecord[];
}

/** Any process may change a schedule: it decides on what it read, and commits if nobody else has since. */
export interface ScheduleStore {
  create(schedule: NewSchedule): Promise<'created' | 'taken'>;
  /** Calls gather: one round trip for all that are made while one is under way. */
  load(key: ScheduleKey): Promise<LoadedSchedule | null>;
  /** False when it was changed since, is just being changed, or is gone. Calls gather; at most one per schedule at a time. */
  commit(commit: ScheduleCommit): Promise<boolean>;
  /** Earliest first, from whichever process. */
  due(untilMs: number, limit: number): Promise<(ScheduleKey & { dueAtMs: number })[]>;
  /** Newest first. */
  list(
    query: VisibilityQuery,
    limit: number,
    after: { createdMs: number; scheduleId: string } | null,
  ): Promise<ScheduleState[]>;
  count(query: VisibilityQuery): Promise<number>;
}

export interface DeploymentKey {
  namespaceId: number;
  name: string;
}

export interface LoadedDeployment {
  namespaceId: number;
  version: number;
  /** The caller's own copy. */
  state: DeploymentState;
}

/** Any process may change a deployment: it decides on what it read, and the change is refused (false) when somebody else made one since. */
export interface DeploymentStore {
  /** Of all namespaces. */
  all(): Promise<LoadedDeployment[]>;
  load(key: DeploymentKey): Promise<LoadedDeployment | null>;
  /** False when there is one of that name. */
  create(namespaceId: number, state: DeploymentState): Promise<boolean>;
  change(deployment: LoadedDeployment): Promise<boolean>;
  remove(deployment: LoadedDeployment): Promise<boolean>;
  /** Are there open runs pinned to that version (`name:build`)? */
  hasPinnedRuns(namespaceId: number, version: string): Promise<boolean>;
  /** Rows that nobody has claimed, of each queue the first behind that id, in order. */
  waiting(queues: WaitingQueue[], limitOfEach: number): Promise<WaitingTask[]>;
}

export interface WaitingQueue {
  namespaceId: number;
  queue: string;
  kind: 'workflow' | 'activity';
  afterId: string;
}

export type WaitingTask = Pick<ClaimedTask, 'id' | 'queue' | 'kind' | 'runId' | 'scheduledEventId' | 'attempt'>;

export interface TransactionOptions {
  /** Default `read committed`. */
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Postgres's statement_timeout in the transaction, ms. Default: the connection's. */
  statementTimeoutMs?: number;
}

/** A transaction of application code. */
export interface StoreTransaction {
  readonly client: import('pg').ClientBase;
  /**
   * Writes the commits of one group into the transaction and ends it with COMMIT. Any other outcome than 'committed': nothing of them was written,
   * and the transaction is still open. Throws Postgres's error (the transaction is then over, without effect), or
   * BRANCHLINE_TRANSACTION_ENDED when the application ended it itself.
   */
  commit(group: RunCommit[]): Promise<CommitOutcome>;
  /** Keeps the result of a local activity, and ends the transaction with COMMIT. Throws BRANCHLINE_RUN_GONE when the run has closed. */
  keepLocalResult(runId: string, activityId: string, result: Payload): Promise<void>;
  /** Does nothing once it has ended. */
  rollback(): Promise<void>;
}

/** How a caller's transaction was answered (migrations/0002_sql_surface.sql). */
export type Admission =
  | 'done'
  | 'deduplicated'
  | 'existing'
  | 'running'
  | 'refused'
  | 'closed'
  | 'unknownWorkflow'
  | 'unknownRun'
  | 'otherChain';

export interface AdmittedStart {
  admission: Admission;
  runId: string;
  firstRunId: string;
  status: Status;
  startRequestId: string;
}

export interface StartToAdmit {
  namespaceId: number;
  request: temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
  reuse: 'allowDuplicate' | 'allowDuplicateFailedOnly' | 'rejectDuplicate';
  useExisting: boolean;
  /** Between start and first task. */
  backoffMs: number;
}

export interface MessageToAdmit {
  namespaceId: number;
  workflowId: string;
  /** '' = the current run. */
  runId: string;
  /** '' = of any chain. */
  firstRunId: string;
  kind: InboxMessage['kind'];
  requestId: string;
  request: object;
}

/** A connection of the caller's own, in whatever transaction it has: a client of `pg`, or what runs a text with $1… in another library's transaction. */
export interface CallerConnection {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

/** What transactions of callers leave for the runs. */
export interface InboxStore {
  /** On the caller's own connection, in whatever transaction it has. Throws Postgres's errors. */
  start(client: CallerConnection, start: StartToAdmit): Promise<AdmittedStart>;
  send(client: CallerConnection, message: MessageToAdmit): Promise<{ admission: Admission; runId: string }>;
  createSchedule(client: CallerConnection, schedule: NewSchedule): Promise<'created' | 'taken'>;
  /** Committed messages of a run that wait, in order. */
  of(runId: string): Promise<InboxMessage[]>;
  /** Runs that have any. */
  waiting(limit: number): Promise<string[]>;
  /** A message that is there, taken by nobody yet; with the error if it never can be. */
  find(runId: string, kind: InboxMessage['kind'], requestId: string): Promise<{ error: string | null } | null>;
  /** Needs no event: it was done before. */
  drop(runId: string, seq: string): Promise<void>;
  /** Can never be done. */
  fail(runId: string, seq: string, error: string): Promise<void>;
}

export interface Store {
  /** After a restore: `raised` = no work is given out (docs/restore.md). `epoch` moves when Postgres is on another timeline: runs read before are not the truth. */
  readonly fence: { readonly raised: boolean; readonly epoch: number };
  readonly inbox: InboxStore;
  readonly processId: string;
  /** What the login may do. */
  readonly rights: Rights;
  readonly namespaces: NamespaceStore;
  readonly taskQueues: TaskQueueStore;
  readonly batchJobs: BatchJobStore;
  readonly schedules: ScheduleStore;
  readonly routing: RoutingStore;
  readonly payloadParties: PayloadPartyStore;
  readonly load: LoadStore;
  readonly scheduleMoves: ScheduleMoveStore;
  readonly standIns: StandInStore;
  readonly deployments: DeploymentStore;
  /** Epoch ms by Postgres's clock, from the last round trips (monotonic in this process). */
  nowMs(): number;
  /** Moves the clock of a test environment ahead; for this process only. */
  skipTime(ms: number): void;
  /** Ms since operations have been waiting for a database out of reach; 0 while it answers. */
  awayMs(): number;

  /**
   * Commit groups; each group is all-or-nothing and fails alone. Calls gather: one round trip and one commit for all that is ready,
   * the next batch gathers while one is in flight. Resolves when durable. Never throws for conflicts; throws when Postgres cannot be reached
   * (after its own retries: the fate of the group is then unknown and the caller must reload).
   */
  commit(group: RunCommit[]): Promise<CommitOutcome>;

  /** Waits for a free connection of the pool for transactions, then begins one there. */
  beginTransaction(options?: TransactionOptions): Promise<StoreTransaction>;
  /** What a local activity's transaction has kept; null = nothing yet. */
  localResult(runId: string, activityId: string): Promise<Payload | null>;
  /** How many of them are open, and how many wait for a connection. */
  transactionLoad(): { open: number; waiting: number };

  loadState(runId: string): Promise<LoadedState | null>;
  /** Newest run of the id. */
  currentRun(
    namespaceId: number,
    workflowId: string,
  ): Promise<{ runId: string; status: Status; startRequestId: string; firstRunId: string } | null>;
  loadExecution(namespaceId: number, runId: string): Promise<ExecutionRow | null>;
  /** The run of that id that this request started (or reset to); null when there is none. */
  runStartedBy(namespaceId: number, workflowId: string, requestId: string): Promise<string | null>;
  /** The newest run made by a reset of that run; null when it was not reset. */
  resetOf(namespaceId: number, workflowId: string, baseRunId: string): Promise<string | null>;
  /** Each build id of a run's workflow tasks that were completed after that event, with the first of them. */
  firstTasksByBuildId(runId: string, afterEventId: number): Promise<FirstTask[]>;
  /** Runs of a chain, newest first. */
  runsOfChain(namespaceId: number, workflowId: string, firstRunId: string): Promise<ExecutionRow[]>;
  /** Events with fromEventId ≤ id ≤ toEventId, in order, stopping after about maxBytes (at least one row). */
  readHistory(runId: string, fromEventId: number, toEventId: number, maxBytes?: number): Promise<HistoryEvent[]>;
  readLastEvents(runId: string, count: number): Promise<HistoryEvent[]>;
  signalRequestIds(runId: string): Promise<string[]>;

  /** In the order in which they are to start. */
  claimTasks(
    namespaceId: number,
    queue: string,
    kind: 'workflow' | 'activity',
    limit: number,
    order?: ClaimOrder,
  ): Promise<ClaimedTask[]>;
  /** Give claimed rows back (shutdown). */
  releaseTasks(ids: string[]): Promise<void>;
  /** Remove rows whose work no longer exists. */
  dropTasks(ids: string[]): Promise<void>;
  /** Rows that nobody has claimed, by priority. */
  backlog(
    namespaceId: number,
    queue: string,
    kind: 'workflow' | 'activity',
  ): Promise<{ priority: number; count: number; oldestMs: number }[]>;

  /** Runs due until untilMs that are ours, anybody's, or a dead process's; earliest first. */
  dueRuns(untilMs: number, limit: number): Promise<{ runId: string; dueAtMs: number; owner: string | null }[]>;

  heartbeat(runId: string, scheduledEventId: number, attempt: number, details: Payloads | null): Promise<void>;
  heartbeats(
    runId: string,
  ): Promise<{ scheduledEventId: number; attempt: number; atMs: number; details: Payloads | null }[]>;

  /** `next`: where the following page begins, of a full page. */
  list(
    query: VisibilityQuery,
    limit: number,
    after: ListPosition | null,
  ): Promise<{ rows: ExecutionRow[]; next: ListPosition | null }>;
  count(query: VisibilityQuery): Promise<number>;
  /** Values as JSON texts, sorted; null = the runs have none. At most `limit` groups. */
  countGroups(
    query: VisibilityQuery,
    by: SortColumn[],
    limit: number,
  ): Promise<{ values: (string | null)[]; count: number }[]>;

  /** Processes with a live lease, this one included; refreshed with each renewal, no round trip. */
  liveProcesses(): ProcessInfo[];
  /** Pollers of live processes, refreshed with each renewal (about every 2 s). */
  pollers(namespaceId: number, queue?: string): Promise<PollerInfo[]>;
  setPollers(pollers: Omit<PollerInfo, 'processId'>[]): void;

  postQuery(query: RemoteQuery): Promise<void>;
  claimQueries(namespaceId: number, queue: string): Promise<RemoteQuery[]>;
  answerQuery(id: string, answer: unknown): Promise<void>;
  takeQueryAnswer(id: string): Promise<unknown | undefined>;

  deleteExecution(runId: string): Promise<void>;
  /**
   * Deletes closed runs of a namespace that closed from `afterMs` on and before `beforeMs`, oldest first: at most `mostRuns` of about
   * `mostEvents` in all. Null when another process is at it.
   */
  deleteExpired(
    namespaceId: number,
    afterMs: number,
    beforeMs: number,
    mostRuns: number,
    mostEvents: number,
  ): Promise<{ deleted: number; lastCloseMs: number } | null>;

  /** Coalesced; nothing is sent while this is the only live process. */
  notify(notice: Notice): void;
  onNotice(listener: (notice: Notice) => void): () => void;
  /** False behind a transaction-mode pooler: waiters then poll. */
  readonly listening: boolean;

  close(): Promise<void>;
}

/** Options of `openStore` (store/open.ts). */
export interface StoreOptions {
  /** postgres:// URL; default DATABASE_URL, then PG*. */
  url?: string;
  /** The application's own pool instead of a URL. The store then still opens its own LISTEN connection from the pool's options, unless `listen` is false. */
  pool?: import('pg').Pool;
  /** Default `branchline`. Letters, digits, underscores. */
  schema?: string;
  /** Connections this process may open: flush + read pool + listen. Default 6. */
  maxConnections?: number;
  /** Connections for transactions of activities, on top of those. Opened as needed. Default 4. */
  maxTransactions?: number;
  /** Default true; false behind a transaction-mode pooler. */
  listen?: boolean;
  /** How long to wait at start for a database that is down or starting, ms. Default 10,000. Later there is no limit. */
  connectTimeoutMs?: number;
  /** Apply migrations on open. Default true. */
  migrate?: boolean;
  identity?: string;
  /** Default 6000 ms: a process that does not renew for that long is dead. */
  leaseMs?: number;
  /** The clock will be moved, as in test environments: no other process may work on the schema. Default false. */
  timeSkipping?: boolean;
}
