/** A worker without a core: workflows are functions from the history to commands, activities plain functions. */
import { temporal } from '@temporalio/proto';
import { int64 } from '../../shim/common/proto-values';
import type { Service } from '../../shim/service/types';

type Ws = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type Activity = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
type Command = temporal.api.command.v1.ICommand;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

export const EventType = temporal.api.enums.v1.EventType;
export const CommandType = temporal.api.enums.v1.CommandType;

const VERSIONED = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;
const behaviors = { PINNED: 1, AUTO_UPGRADE: 2 };

export const text = (value: unknown): temporal.api.common.v1.IPayload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
export const payloads = (value: unknown): temporal.api.common.v1.IPayloads => ({ payloads: [text(value)] });
export const valueOf = (all: temporal.api.common.v1.IPayloads | null | undefined): unknown => {
  const data = all?.payloads?.[0]?.data;
  return data ? (JSON.parse(Buffer.from(data).toString()) as unknown) : undefined;
};
export const seconds = (value: number) =>
  ({ seconds: Math.floor(value), nanos: Math.round((value % 1) * 1e9) }) as never;

export interface TaskView {
  task: Ws;
  /** All events seen so far (sticky tasks bring the new ones only). */
  history: HistoryEvent[];
  count(type: number): number;
}

export type WorkflowScript = (
  view: TaskView,
) => Command[] | Partial<temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest>;

export interface PollingWorkerOptions {
  service: Service;
  queue: string;
  namespace?: string;
  workflows?: Record<string, WorkflowScript>;
  activities?: Record<string, (input: unknown, task: Activity) => unknown>;
  queries?: (query: temporal.api.query.v1.IWorkflowQuery, history: HistoryEvent[]) => unknown;
  sticky?: string;
  pollers?: number;
  identity?: string;
  /** Of a worker deployment, with the behavior of its workflows. */
  version?: { deploymentName: string; buildId: string; behavior: 'PINNED' | 'AUTO_UPGRADE' };
}

export class PollingWorker {
  readonly tasks: Ws[] = [];
  readonly activityTasks: Activity[] = [];
  readonly errors: unknown[] = [];
  private readonly stop = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly seen = new Map<string, HistoryEvent[]>();

  constructor(private readonly options: PollingWorkerOptions) {
    const count = options.pollers ?? 2;
    for (let i = 0; i < count; i++) {
      if (options.workflows) this.loops.push(this.pollWorkflows(options.queue, false));
      if (options.workflows && options.sticky) this.loops.push(this.pollWorkflows(options.sticky, true));
      if (options.activities) this.loops.push(this.pollActivities());
    }
  }

  private get base() {
    const { namespace = 'default', identity = 'scripted', version } = this.options;
    const deploymentOptions = version && {
      deploymentName: version.deploymentName,
      buildId: version.buildId,
      workerVersioningMode: VERSIONED,
    };
    return { namespace, identity, ...(deploymentOptions ? { deploymentOptions } : {}) };
  }

  async shutdown(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.loops);
  }

  private call(method: string, request: object): Promise<object> {
    return this.options.service.call(method, { ...this.base, ...request }, { metadata: {}, signal: this.stop.signal });
  }

  private async pollWorkflows(name: string, sticky: boolean): Promise<void> {
    while (!this.stop.signal.aborted) {
      const taskQueue = sticky ? { name, kind: 2, normalName: this.options.queue } : { name, kind: 1 };
      const task = (await this.call('pollWorkflowTaskQueue', { taskQueue })) as Ws;
      if (!task.taskToken?.length) continue;
      this.tasks.push(task);
      await this.work(task).catch((error: unknown) => this.errors.push(error));
    }
  }

  private async work(task: Ws): Promise<void> {
    const runId = task.workflowExecution!.runId!;
    const events = task.history?.events ?? [];
    const first = int64(events[0]?.eventId);
    const before = (this.seen.get(runId) ?? []).filter((event) => first === 0 || int64(event.eventId) < first);
    const history = [...before, ...events];
    this.seen.set(runId, history);
    if (task.query) {
      const answer = this.options.queries?.(task.query, history);
      await this.call('respondQueryTaskCompleted', {
        taskToken: task.taskToken,
        completedType: 1,
        queryResult: payloads(answer),
      });
      return;
    }
    const script = this.options.workflows?.[task.workflowType!.name!];
    if (script === undefined) throw new Error(`no workflow ${task.workflowType!.name!}`);
    const result = script({
      task,
      history,
      count: (type) => history.filter((event) => event.eventType === type).length,
    });
    const completion = Array.isArray(result) ? { commands: result } : result;
    const queryResults: Record<string, object> = {};
    for (const [id, query] of Object.entries(task.queries ?? {})) {
      queryResults[id] = { resultType: 1, answer: payloads(this.options.queries?.(query, history)) };
    }
    await this.call('respondWorkflowTaskCompleted', {
      taskToken: task.taskToken,
      queryResults,
      ...(this.options.sticky
        ? {
            stickyAttributes: {
              workerTaskQueue: { name: this.options.sticky, kind: 2 },
              scheduleToStartTimeout: seconds(10),
            },
          }
        : {}),
      ...(this.options.version ? { versioningBehavior: behaviors[this.options.version.behavior] } : {}),
      ...completion,
    });
  }

  private async pollActivities(): Promise<void> {
    while (!this.stop.signal.aborted) {
      const task = (await this.call('pollActivityTaskQueue', {
        taskQueue: { name: this.options.queue, kind: 1 },
      })) as Activity;
      if (!task.taskToken?.length) continue;
      this.activityTasks.push(task);
      try {
        const activity = this.options.activities?.[task.activityType!.name!];
        if (activity === undefined) throw new Error(`no activity ${task.activityType!.name!}`);
        const result = await activity(valueOf(task.input), task);
        if (result === NO_ANSWER) continue;
        await this.call('respondActivityTaskCompleted', { taskToken: task.taskToken, result: payloads(result) });
      } catch (error) {
        const failure = {
          message: error instanceof Error ? error.message : String(error),
          applicationFailureInfo: { type: 'Error' },
        };
        await this.call('respondActivityTaskFailed', { taskToken: task.taskToken, failure }).catch((again: unknown) =>
          this.errors.push(again),
        );
      }
    }
  }
}

/** An activity that is completed by others, or never. */
export const NO_ANSWER = Symbol('no answer');

export const scheduleActivity = (
  name: string,
  input: unknown,
  queue: string,
  more: Partial<temporal.api.command.v1.IScheduleActivityTaskCommandAttributes> = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId: `${name}-${JSON.stringify(input)}`,
    activityType: { name },
    taskQueue: { name: queue },
    input: payloads(input),
    startToCloseTimeout: seconds(10),
    ...more,
  },
});
export const completeWorkflow = (result: unknown): Command => ({
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloads(result) },
});
export const startTimer = (timerId: string, afterSeconds: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: seconds(afterSeconds) },
});

/** One activity, then its result. */
export const oneActivity =
  (queue: string): WorkflowScript =>
  ({ history, count }) => {
    if (count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) === 0) return [scheduleActivity('greet', 'you', queue)];
    const done = history.find((event) => event.activityTaskCompletedEventAttributes);
    return done ? [completeWorkflow(valueOf(done.activityTaskCompletedEventAttributes!.result))] : [];
  };

export const ctx = () => ({ metadata: {} });

export async function startWorkflow(
  service: Service,
  workflowId: string,
  type: string,
  queue: string,
  more: object = {},
): Promise<string> {
  const started = (await service.call(
    'startWorkflowExecution',
    {
      namespace: 'default',
      workflowId,
      workflowType: { name: type },
      taskQueue: { name: queue },
      requestId: `start-${workflowId}-${Math.random()}`,
      ...more,
    },
    ctx(),
  )) as { runId: string };
  return started.runId;
}

/** The close event of the run's chain. */
export async function closeEvent(
  service: Service,
  workflowId: string,
  runId = '',
  forMs = 20_000,
): Promise<HistoryEvent> {
  const until = Date.now() + forMs;
  let nextPageToken: Uint8Array | undefined;
  while (Date.now() < until) {
    const answer = (await service.call(
      'getWorkflowExecutionHistory',
      {
        namespace: 'default',
        execution: { workflowId, runId },
        waitNewEvent: true,
        historyEventFilterType: 2,
        nextPageToken,
      },
      ctx(),
    )) as temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;
    const event = answer.history?.events?.[0];
    if (event) return event;
    nextPageToken = answer.nextPageToken ?? undefined;
  }
  throw new Error(`${workflowId} did not close`);
}

export async function historyOf(service: Service, workflowId: string, runId = ''): Promise<HistoryEvent[]> {
  const answer = (await service.call(
    'getWorkflowExecutionHistory',
    { namespace: 'default', execution: { workflowId, runId } },
    ctx(),
  )) as temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;
  return answer.history?.events ?? [];
}

/** Event types without their prefix, in order. */
export const typesOf = (events: HistoryEvent[]): string[] =>
  events.map((event) => EventType[event.eventType as number]!.replace('EVENT_TYPE_', ''));

export async function eventually<T>(check: () => T | Promise<T>, forMs = 10_000): Promise<NonNullable<T>> {
  const until = Date.now() + forMs;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (Date.now() > until) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
