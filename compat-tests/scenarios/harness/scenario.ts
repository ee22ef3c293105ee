/** A scenario: one body that is run on both engines, and what it may use. */
import { randomUUID } from 'node:crypto';
import type { Client, ConnectionLike, WorkflowHandle, WorkflowService, WorkflowStartOptions } from '@temporalio/client';
import type { DataConverter, Workflow } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { Observed } from './compare';
import { NAMESPACE, SHARED_QUEUE, type Engine, type EngineWorkerOptions, type RunningWorker } from './engines';
import { collectHistories, fetchHistory, type Run } from './histories';
import { plain, type Plain } from './plain';
import { type RawVersion, RawWorker } from './raw-worker';
import { trackStarts } from './tracking';

export interface Scenario {
  /** What happens, as a sentence; unique. Also the beginning of its workflow ids. */
  name: string;
  /** Sentences of sentences.ts that it shows. */
  covers: `C${number}`[];
  /** Its result is compared, an error that it throws fails the test. */
  run(c: Context): Promise<unknown>;
}

type EventName = string;
const { EventType } = temporal.api.enums.v1;
const closeEvents = new Set<number>([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export class Context {
  readonly client: Client;
  readonly connection: ConnectionLike;
  /** Temporal's RPCs. */
  readonly rpc: WorkflowService;
  readonly namespace = NAMESPACE;
  /** Queue of the worker that runs the shared workflows and activities. */
  readonly queue = SHARED_QUEUE;
  private readonly runs: Run[] = [];
  private readonly seen: { [label: string]: Plain } = {};
  private readonly workers: RunningWorker[] = [];
  private readonly slug: string;

  constructor(
    private readonly engine: Engine,
    scenario: Scenario,
    attempt: number,
  ) {
    const name = attempt === 1 ? scenario.name : `${scenario.name} ${attempt}`;
    this.slug = name
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .toLowerCase();
    this.connection = trackStarts(engine.connection, (run) => this.track(run));
    this.client = engine.client({ connection: this.connection });
    this.rpc = this.connection.workflowService;
  }

  /** A workflow id of this scenario; the same on both engines. */
  id(part = 'main'): string {
    return `${this.slug}.${part}`;
  }

  /** A task queue that no worker polls unless the scenario does. */
  ownQueue(part = 'queue'): string {
    return `${this.slug}.${part}`;
  }

  uuid(): string {
    return randomUUID();
  }

  /** Starts one of the shared workflows on the shared worker. */
  start<W extends Workflow>(
    workflow: W,
    options: Partial<WorkflowStartOptions<W>> & { args?: Parameters<W> } = {},
  ): Promise<WorkflowHandle<W> & { firstExecutionRunId: string }> {
    return this.client.workflow.start(workflow as Workflow, {
      taskQueue: this.queue,
      workflowId: this.id(),
      ...(options as object),
    }) as Promise<WorkflowHandle<W> & { firstExecutionRunId: string }>;
  }

  /** Starts a workflow of no worker: the scenario answers its tasks itself. */
  async startRaw(more: Partial<temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest> = {}): Promise<Run> {
    const workflowId = more.workflowId ?? this.id();
    const { runId } = await this.rpc.startWorkflowExecution({
      namespace: NAMESPACE,
      workflowId,
      workflowType: { name: 'raw' },
      taskQueue: { name: this.ownQueue() },
      requestId: randomUUID(),
      identity: 'client',
      ...more,
    });
    return { workflowId, runId };
  }

  /** A worker whose polls and answers the scenario makes by hand. */
  raw(queue = this.ownQueue(), version?: RawVersion): RawWorker {
    return new RawWorker(this.connection, queue, version);
  }

  /** A client with other options, on the same connection. */
  clientWith(parts: { dataConverter?: DataConverter }): Client {
    return this.engine.client({ connection: this.connection, ...parts });
  }

  /** A worker of its own until the scenario ends. */
  async worker(options: Partial<EngineWorkerOptions> = {}): Promise<RunningWorker> {
    const worker = await this.engine.worker({ taskQueue: this.ownQueue(), ...options });
    this.workers.push(worker);
    return worker;
  }

  /** Something to compare besides the result. */
  observe(label: string, value: unknown): void {
    if (label in this.seen) throw new Error(`'${label}' was observed before`);
    this.seen[label] = plain(value);
  }

  /** The error of a promise that must fail. */
  async error(promise: Promise<unknown>): Promise<Error> {
    return promise.then(
      (value) => {
        throw new Error(`This should have failed; it gave ${JSON.stringify(value)}`);
      },
      (error: unknown) => error as Error,
    );
  }

  /** The value or the error, whichever comes. */
  async outcome(promise: Promise<unknown>): Promise<unknown> {
    return promise.catch((error: unknown) => error);
  }

  /** Its history is compared too. Needed only for runs that nothing else names. */
  track(run: Run): void {
    this.runs.push(run);
  }

  /** Its histories are not compared: where the order of events is a race, the scenario compares what does not depend on it. */
  untrack(workflowId: string): void {
    this.runs.splice(0, Infinity, ...this.runs.filter((run) => run.workflowId !== workflowId));
  }

  /** Waits until `check` gives something, asking again every 50 ms. */
  async until<T>(check: () => Promise<T | undefined | false>): Promise<T> {
    for (const limit = Date.now() + 50_000; Date.now() < limit;) {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      await this.pause(50);
    }
    throw new Error('Waited 50 s in vain');
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async events(run: { workflowId: string; runId?: string }): Promise<temporal.api.history.v1.IHistoryEvent[]> {
    return fetchHistory(this.rpc, { workflowId: run.workflowId, runId: run.runId ?? '' });
  }

  /** Waits until the history has that many events of the type, e.g. `TIMER_FIRED`. */
  async waitForEvent(
    run: { workflowId: string; runId?: string },
    type: EventName,
    count = 1,
  ): Promise<temporal.api.history.v1.IHistoryEvent> {
    const wanted = EventType[`EVENT_TYPE_${type}` as keyof typeof EventType];
    if (wanted === undefined) throw new Error(`No event type ${type}`);
    return this.until(async () => {
      const found = (await this.events(run)).filter(({ eventType }) => eventType === wanted);
      return found[count - 1];
    });
  }

  /** Waits until the run is closed and gives the status. */
  async closed(run: { workflowId: string; runId?: string }): Promise<string> {
    return this.until(async () => {
      const { workflowExecutionInfo: info } = await this.rpc.describeWorkflowExecution({
        namespace: NAMESPACE,
        execution: { workflowId: run.workflowId, runId: run.runId ?? '' },
      });
      const status = info?.status ?? 0;
      if (status <= 1) return false;
      // Its history may lag behind.
      const last = (await this.events(run)).at(-1)?.eventType ?? 0;
      return closeEvents.has(last) && temporal.api.enums.v1.WorkflowExecutionStatus[status];
    });
  }

  /** @internal */
  async finish(result: unknown): Promise<Observed> {
    for (const worker of this.workers) await worker.stop();
    const seen = { ...this.seen, ...(result === undefined ? {} : { result: plain(result) }) };
    return { seen, histories: await collectHistories(this.rpc, this.runs) };
  }

  /** @internal Whatever goes wrong, nothing of it stays. */
  async abandon(): Promise<void> {
    for (const worker of this.workers) await worker.stop().catch(() => undefined);
  }
}

/** The scenario on one engine. Each attempt has workflow ids of its own. */
export async function observe(scenario: Scenario, engine: Engine, attempt = 1): Promise<Observed> {
  const context = new Context(engine, scenario, attempt);
  try {
    return await context.finish(await scenario.run(context));
  } catch (error) {
    await context.abandon();
    throw new Error(`on ${engine.name}: ${String(error)}`, { cause: error });
  }
}
