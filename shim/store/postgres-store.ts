/** The store on Postgres. See types.ts for the contract of each call. */
import type { QueryResultRow } from 'pg';
import { int64 } from '../common/proto-values';
import type { HistoryEvent, Payload, Payloads, Status } from '../service/engine/types';
import { PostgresBatchJobs } from './batch-jobs';
import { Clock } from './clock';
import { Committer } from './committer';
import type { Connections } from './connections';
import { StoreClosedError } from './errors';
import { eventsFromJson } from './event-json';
import { Fence } from './fence';
import { PostgresInbox, seedFromJson } from './inbox';
import { HeartbeatWriter } from './heartbeat-writer';
import { fromJson, toJson } from './json';
import { Leases } from './leases';
import { listPage, type Page } from './lists';
import { StoreMeasures, storeClosed, storeOpened } from './measures';
import { PostgresNamespaces } from './namespaces';
import { Notices } from './notices';
import { claimedTask, executionRow, isRunId, type ExecutionRecord, type TaskRecord } from './rows';
import { PostgresLoad } from './load-guard';
import { PostgresPayloadParties } from './payload-parties';
import type { Rights } from './rights';
import { PostgresRouting } from './routing';
import { PostgresScheduleMoves } from './schedule-moves';
import { PostgresStandIns } from './stand-ins';
import { PostgresDeployments } from './deployments';
import { PostgresSchedules } from './schedules';
import { localResults } from './sql/activity-results';
import { executions } from './sql/executions';
import { fence } from './sql/fence';
import { heartbeats } from './sql/heartbeats';
import { history } from './sql/history';
import { notices } from './sql/notices';
import { processes } from './sql/processes';
import { queries } from './sql/queries';
import { runs } from './sql/runs';
import { signalRequests } from './sql/signal-requests';
import { tasks } from './sql/tasks';
import { transactions } from './sql/transactions';
import * as visibility from './sql/visibility';
import { stateFromJson } from './state-json';
import { prepareStatements } from './statement';
import { Transactions } from './transactions';
import { PostgresTaskQueues } from './task-queues';
import type {
  ClaimOrder,
  ClaimedTask,
  CommitOutcome,
  ExecutionRow,
  FirstTask,
  ListPosition,
  LoadedState,
  Notice,
  PollerInfo,
  ProcessInfo,
  RemoteQuery,
  RunCommit,
  SortColumn,
  Store,
  StoreTransaction,
  TransactionOptions,
  VisibilityQuery,
} from './types';

interface HistoryRow {
  events: string;
}

function statements(schema: string, prepared: boolean) {
  const s = `"${schema}"`;
  return {
    executions: prepareStatements(schema, 'executions', executions(s), prepared),
    fence: prepareStatements(schema, 'fence', fence(s), false),
    heartbeats: prepareStatements(schema, 'heartbeats', heartbeats(s), prepared),
    history: prepareStatements(schema, 'history', history(s), prepared),
    notices: prepareStatements(schema, 'notices', notices(s), prepared),
    processes: prepareStatements(schema, 'processes', processes(s), prepared),
    queries: prepareStatements(schema, 'queries', queries(s), prepared),
    runs: prepareStatements(schema, 'runs', runs(s), prepared),
    signalRequests: prepareStatements(schema, 'signal_requests', signalRequests(s), prepared),
    tasks: prepareStatements(schema, 'tasks', tasks(s), prepared),
    localResults: prepareStatements(schema, 'local_results', localResults(s), prepared),
    transactions: prepareStatements(schema, 'transactions', transactions(s), prepared),
  };
}

const firstInFirstOut: ClaimOrder = { levels: [], keys: [], passes: [], weights: {}, closedKeys: [] };

export interface PostgresStoreOptions {
  connections: Connections;
  processId: string;
  schema: string;
  identity: string;
  leaseMs: number;
  listen: boolean;
  timeSkipping: boolean;
  rights: Rights;
}

export class PostgresStore implements Store {
  readonly processId: string;
  readonly fence: Fence;
  readonly rights: Rights;
  readonly namespaces: PostgresNamespaces;
  readonly schedules: PostgresSchedules;
  readonly deployments: PostgresDeployments;
  readonly batchJobs: PostgresBatchJobs;
  readonly measures: StoreMeasures;
  readonly taskQueues: PostgresTaskQueues;
  readonly inbox: PostgresInbox;
  readonly routing: PostgresRouting;
  readonly payloadParties: PostgresPayloadParties;
  readonly load: PostgresLoad;
  readonly scheduleMoves: PostgresScheduleMoves;
  readonly standIns: PostgresStandIns;
  private readonly connections: Connections;
  private readonly clock = new Clock();
  private readonly sql: ReturnType<typeof statements>;
  private readonly schema: string;
  private readonly committer: Committer;
  private readonly transactions: Transactions;
  private readonly leases: Leases;
  private readonly notices: Notices;
  private readonly heartbeatWriter: HeartbeatWriter;
  private claims = 0;
  private closing: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    const { connections, processId, schema, identity, leaseMs, listen, timeSkipping, rights } = options;
    this.processId = processId;
    this.rights = rights;
    this.connections = connections;
    this.schema = `"${schema}"`;
    // Prepared statements and LISTEN need the same thing: a connection that stays.
    this.sql = statements(schema, listen);
    this.fence = new Fence(
      this.sql.fence.meet,
      () => this.timelineMoved(),
      () => this.fenceMoved(),
    );
    connections.fence = this.fence;
    this.committer = new Committer(connections, this.clock, processId, leaseMs, this.sql.runs, this.fence);
    this.transactions = new Transactions(connections, processId, leaseMs, {
      ...this.sql.transactions,
      keep: this.sql.localResults.keep,
      prove: this.sql.localResults.prove,
    });
    this.leases = new Leases(
      connections,
      this.clock,
      processId,
      identity,
      leaseMs,
      listen,
      timeSkipping,
      rights.expire && !rights.restricted,
      this.sql.processes,
      this.fence,
      () => this.notices.emit({ kind: 'processDied' }),
      // A hello that is lost is made up for by the others' next renewal.
      () => void this.notices.hello().catch(() => {}),
    );
    this.notices = new Notices(
      connections,
      this.leases,
      this.clock,
      processId,
      `branchline ${schema}`,
      listen,
      this.sql.notices,
    );
    this.measures = new StoreMeasures(
      connections,
      this.committer,
      this.leases,
      this.transactions,
      this.clock,
      schema,
      listen,
    );
    this.namespaces = new PostgresNamespaces(connections, schema, listen);
    this.batchJobs = new PostgresBatchJobs(connections, schema, listen, processId);
    this.taskQueues = new PostgresTaskQueues(connections, schema, listen, processId);
    this.inbox = new PostgresInbox(connections, schema, listen);
    this.deployments = new PostgresDeployments(connections, schema, listen);
    this.schedules = new PostgresSchedules(connections, schema, listen, () => this.nowMs());
    this.standIns = new PostgresStandIns(connections, schema, listen);
    this.scheduleMoves = new PostgresScheduleMoves(connections, schema, listen);
    const tell = (notice: Notice): void => {
      // Routed connections of this process too.
      this.notices.emit(notice);
      this.notify(notice);
    };
    this.routing = new PostgresRouting(connections, schema, listen, tell);
    this.load = new PostgresLoad(connections, schema, listen, tell);
    this.payloadParties = new PostgresPayloadParties(connections, schema, listen, tell);
    this.heartbeatWriter = new HeartbeatWriter(connections, this.clock, this.sql.heartbeats.record);
  }

  /** Takes the lease and listens; the schema is there. @throws TimeSkippedError where other processes have another time */
  async start(): Promise<void> {
    await this.leases.start();
    await this.notices.start();
    storeOpened(this.measures);
  }

  private fenceMoved(): void {
    this.notices.emit({ kind: 'fence' });
    // While it was up nobody followed the notices of work.
    if (!this.fence.raised) this.notices.emit({ kind: 'missed' });
  }

  /** What this process remembers may never have happened here. */
  private timelineMoved(): void {
    this.notices.emit({ kind: 'missed' });
    // Under the fence everything is given back when it goes down.
    if (this.fence.raised) return;
    setImmediate(() => {
      // Closed meanwhile; else whoever looks finds the runs by their due times.
      this.leases.startAnew().catch(() => undefined);
    });
  }

  get listening(): boolean {
    return this.notices.listening;
  }

  /** Connections this process may open, in words. */
  describeBudget(): string {
    const { flush, read, listen, transactions, total, shared } = this.connections.budget;
    const from = shared ? "up to that many borrowed from the application's pool" : 'opened as needed';
    return `${this.connections.target}: at most ${total} connections (${flush} for commits, ${read} for reads, ${listen} for LISTEN), ${from}; ${transactions} more for transactions of activities`;
  }

  nowMs(): number {
    return this.clock.nowMs();
  }

  skipTime(ms: number): void {
    this.clock.skip(ms);
  }

  awayMs(): number {
    return this.connections.awayMs;
  }

  commit(group: RunCommit[]): Promise<CommitOutcome> {
    return this.committer.commit(group);
  }

  beginTransaction(options?: TransactionOptions): Promise<StoreTransaction> {
    return this.transactions.begin(options);
  }

  async localResult(runId: string, activityId: string): Promise<Payload | null> {
    const [row] = await this.connections.query<{ result: string }>(this.sql.localResults.load, [runId, activityId]);
    return row === undefined ? null : fromJson<Payload>(row.result);
  }

  transactionLoad(): { open: number; waiting: number } {
    return this.transactions.load;
  }

  async loadState(runId: string): Promise<LoadedState | null> {
    if (!isRunId(runId)) return null;
    const [row] = await this.connections.query<{
      state: string;
      version: number;
      owner: string | null;
      namespace_id: number;
      held: boolean;
    }>(this.sql.runs.load, [runId]);
    if (row === undefined) return null;
    const { version, owner, namespace_id: namespaceId, held } = row;
    const state = row.state.startsWith('{"seed"') ? seedFromJson(row.state, runId) : stateFromJson(row.state, runId);
    return { state, version, owner, namespaceId, held };
  }

  async currentRun(
    namespaceId: number,
    workflowId: string,
  ): Promise<{ runId: string; status: Status; startRequestId: string; firstRunId: string } | null> {
    const [row] = await this.connections.query<{
      run_id: string;
      status: Status;
      start_request_id: string;
      first_run_id: string;
    }>(this.sql.executions.current, [namespaceId, workflowId]);
    if (row === undefined) return null;
    return {
      runId: row.run_id,
      status: row.status,
      startRequestId: row.start_request_id,
      firstRunId: row.first_run_id,
    };
  }

  async loadExecution(namespaceId: number, runId: string): Promise<ExecutionRow | null> {
    if (!isRunId(runId)) return null;
    const [row] = await this.connections.query<ExecutionRecord>(this.sql.executions.load, [runId, namespaceId]);
    return row === undefined ? null : executionRow(row);
  }

  async runStartedBy(namespaceId: number, workflowId: string, requestId: string): Promise<string | null> {
    const values = [namespaceId, workflowId, requestId];
    const [row] = await this.connections.query<{ run_id: string }>(this.sql.executions.startedBy, values);
    return row?.run_id ?? null;
  }

  async resetOf(namespaceId: number, workflowId: string, baseRunId: string): Promise<string | null> {
    if (!isRunId(baseRunId)) return null;
    const values = [namespaceId, workflowId, baseRunId];
    const [row] = await this.connections.query<{ run_id: string }>(this.sql.executions.resetOf, values);
    return row?.run_id ?? null;
  }

  async firstTasksByBuildId(runId: string, afterEventId: number): Promise<FirstTask[]> {
    if (!isRunId(runId)) return [];
    return this.connections.query<FirstTask>(this.sql.history.firstTasksByBuildId, [runId, afterEventId]);
  }

  async runsOfChain(namespaceId: number, workflowId: string, firstRunId: string): Promise<ExecutionRow[]> {
    if (!isRunId(firstRunId)) return [];
    const rows = await this.connections.query<ExecutionRecord>(this.sql.executions.chain, [
      namespaceId,
      workflowId,
      firstRunId,
    ]);
    return rows.map(executionRow);
  }

  async readHistory(runId: string, fromEventId: number, toEventId: number, maxBytes?: number): Promise<HistoryEvent[]> {
    if (!isRunId(runId)) return [];
    const to = Math.min(toEventId, 2147483647);
    const rows =
      maxBytes === undefined || !Number.isFinite(maxBytes)
        ? await this.connections.query<HistoryRow>(this.sql.history.read, [runId, fromEventId, to])
        : await this.connections.query<HistoryRow>(this.sql.history.readPage, [runId, fromEventId, to, maxBytes]);
    const events = rows.flatMap((row) => eventsFromJson(row.events));
    return events.filter(({ eventId }) => int64(eventId) >= fromEventId && int64(eventId) <= toEventId);
  }

  async readLastEvents(runId: string, count: number): Promise<HistoryEvent[]> {
    if (!isRunId(runId) || count <= 0) return [];
    const rows = await this.connections.query<HistoryRow>(this.sql.history.readLast, [runId, count]);
    return rows.flatMap((row) => eventsFromJson(row.events)).slice(-count);
  }

  async signalRequestIds(runId: string): Promise<string[]> {
    if (!isRunId(runId)) return [];
    const rows = await this.connections.query<{ request_id: string }>(this.sql.signalRequests.ofRun, [runId]);
    return rows.map((row) => row.request_id);
  }

  async claimTasks(
    namespaceId: number,
    queue: string,
    kind: 'workflow' | 'activity',
    limit: number,
    order: ClaimOrder = firstInFirstOut,
  ): Promise<ClaimedTask[]> {
    const claim = ++this.claims;
    let first = true;
    const rows = await this.connections.persist(async () => {
      if (!first) {
        // The answer to the first try may have been lost after it was done.
        const claimed = await this.connections.query<TaskRecord>(this.sql.tasks.claimed, [this.processId, claim]);
        if (claimed.length > 0) return claimed;
      }
      first = false;
      return this.connections.queryOnce<TaskRecord>(this.sql.tasks.claim, [
        this.processId,
        claim,
        namespaceId,
        queue,
        kind,
        limit,
        order.levels,
        order.keys,
        order.passes,
        JSON.stringify(order.weights),
        order.closedKeys,
      ]);
    });
    return rows.map(claimedTask);
  }

  async releaseTasks(ids: string[]): Promise<void> {
    if (ids.length > 0) await this.connections.query(this.sql.tasks.release, [this.processId, ids]);
  }

  async dropTasks(ids: string[]): Promise<void> {
    if (ids.length > 0) await this.connections.query(this.sql.tasks.drop, [ids]);
  }

  async backlog(
    namespaceId: number,
    queue: string,
    kind: 'workflow' | 'activity',
  ): Promise<{ priority: number; count: number; oldestMs: number }[]> {
    const rows = await this.connections.query<{ priority: number; count: number; oldest_ms: number }>(
      this.sql.tasks.backlog,
      [namespaceId, queue, kind],
    );
    return rows.map(({ priority, count, oldest_ms }) => ({ priority, count, oldestMs: oldest_ms }));
  }

  async dueRuns(untilMs: number, limit: number): Promise<{ runId: string; dueAtMs: number; owner: string | null }[]> {
    const rows = await this.connections.query<{ run_id: string; due_at_ms: number; owner: string | null }>(
      this.sql.runs.due,
      [untilMs, this.processId, limit],
    );
    return rows.map((row) => ({ runId: row.run_id, dueAtMs: row.due_at_ms, owner: row.owner }));
  }

  heartbeat(runId: string, scheduledEventId: number, attempt: number, details: Payloads | null): Promise<void> {
    return this.heartbeatWriter.record(runId, scheduledEventId, attempt, details);
  }

  async heartbeats(
    runId: string,
  ): Promise<{ scheduledEventId: number; attempt: number; atMs: number; details: Payloads | null }[]> {
    if (!isRunId(runId)) return [];
    const rows = await this.connections.query<{
      scheduled_event_id: number;
      attempt: number;
      at_ms: number;
      details: string | null;
    }>(this.sql.heartbeats.ofRun, [runId]);
    return rows.map((row) => ({
      scheduledEventId: row.scheduled_event_id,
      attempt: row.attempt,
      atMs: row.at_ms,
      details: row.details === null ? null : fromJson<Payloads>(row.details),
    }));
  }

  list(query: VisibilityQuery, limit: number, after: ListPosition | null): Promise<Page> {
    return listPage((statement) => this.listing(statement), this.schema, query, limit, after);
  }

  async count(query: VisibilityQuery): Promise<number> {
    const [row] = await this.listing<{ count: number }>(visibility.count(this.schema, query));
    return row?.count ?? 0;
  }

  countGroups(
    query: VisibilityQuery,
    by: SortColumn[],
    limit: number,
  ): Promise<{ values: (string | null)[]; count: number }[]> {
    return this.listing(visibility.countGroups(this.schema, query, by, limit));
  }

  /** Unnamed: each filter makes a text of its own, and its plan follows its values. */
  private listing<R extends QueryResultRow>({ text, values }: { text: string; values: unknown[] }): Promise<R[]> {
    return this.connections.query<R>({ name: undefined, text }, values);
  }

  liveProcesses(): ProcessInfo[] {
    return this.leases.liveProcesses();
  }

  pollers(namespaceId: number, queue?: string): Promise<PollerInfo[]> {
    return Promise.resolve(this.leases.pollers(namespaceId, queue));
  }

  setPollers(pollers: Omit<PollerInfo, 'processId'>[]): void {
    if (!this.leases.setPollers(pollers)) return;
    this.leases
      .renewNow()
      .then(() => this.notices.hello())
      // Closed meanwhile; or the others read it at their next renewal.
      .catch(() => {});
  }

  async postQuery(query: RemoteQuery): Promise<void> {
    await this.connections.query(this.sql.queries.post, [
      query.id,
      query.namespaceId,
      query.queue,
      query.workflowId,
      query.runId,
      toJson(query.query),
    ]);
  }

  async claimQueries(namespaceId: number, queue: string): Promise<RemoteQuery[]> {
    const rows = await this.connections.query<{
      id: string;
      namespace_id: number;
      queue: string;
      workflow_id: string;
      run_id: string;
      query: string;
    }>(this.sql.queries.claim, [this.processId, namespaceId, queue]);
    return rows.map((row) => ({
      id: row.id,
      namespaceId: row.namespace_id,
      queue: row.queue,
      workflowId: row.workflow_id,
      runId: row.run_id,
      query: fromJson(row.query),
    }));
  }

  async answerQuery(id: string, answer: unknown): Promise<void> {
    await this.connections.query(this.sql.queries.answer, [id, toJson(answer)]);
  }

  async takeQueryAnswer(id: string): Promise<unknown> {
    const [row] = await this.connections.query<{ answer: string }>(this.sql.queries.readAnswer, [id]);
    if (row === undefined) return undefined;
    // Read and removed apart: an answer lost on the way can be taken again.
    await this.connections.query(this.sql.queries.remove, [id]);
    return fromJson(row.answer);
  }

  async deleteExecution(runId: string): Promise<void> {
    if (isRunId(runId)) await this.connections.query(this.sql.runs.delete, [runId]);
  }

  async deleteExpired(
    namespaceId: number,
    afterMs: number,
    beforeMs: number,
    mostRuns: number,
    mostEvents: number,
  ): Promise<{ deleted: number; lastCloseMs: number } | null> {
    const [row] = await this.connections.query<{ deleted: number | null; last_close_ms: number | null }>(
      this.sql.executions.deleteExpired,
      [namespaceId, afterMs, beforeMs, mostRuns, mostEvents],
    );
    if (row?.deleted == null) return null;
    return { deleted: row.deleted, lastCloseMs: row.last_close_ms ?? afterMs };
  }

  notify(notice: Notice): void {
    this.notices.notify(notice);
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    return this.notices.onNotice(listener);
  }

  /** Ends in order: what was asked for is committed, the lease and all that hangs on it is given back. Waits at most some seconds. */
  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    storeClosed(this.measures);
    const orderly = async (): Promise<void> => {
      await this.committer.drain();
      await this.leases.leave();
    };
    const patience = this.connections.delay(closePatienceMs);
    await Promise.race([orderly().catch(() => {}), patience]);
    this.leases.stop();
    const ended = Promise.all([this.connections.close(), this.transactions.close()]);
    this.committer.abandon(new StoreClosedError());
    await this.notices.stop();
    await ended;
  }
}

/** Postgres may be away when the store closes. */
const closePatienceMs = 5000;
