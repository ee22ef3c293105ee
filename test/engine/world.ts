/** A stage for the engine: a clock that tests move, ids that count, and the shortest words for what clients and workers do to one run. */
import { temporal } from '@temporalio/proto';
import { engine, defaultLimits } from '../../shim/service/engine';
import type { CompletedTask, Request, WorkflowTaskToken } from '../../shim/service/engine/api';
import { EventType } from '../../shim/service/engine/event-fields';
import type {
  Command,
  Effect,
  EngineContext,
  HistoryEvent,
  Limits,
  Payloads,
  ProtocolMessage,
  RunState,
  Transition,
} from '../../shim/service/engine/types';
import type { Routing } from '../../shim/service/engine/versioning/routing';

export import CommandType = temporal.api.enums.v1.CommandType;
type StartRequest = Request<'StartWorkflowExecutionRequest'>;

export const START_MS = Date.UTC(2026, 0, 1);
const encoder = new TextEncoder();

/** Payloads of JSON values. */
export const json = (...values: unknown[]): Payloads => ({
  payloads: values.map((value) => ({
    metadata: { encoding: encoder.encode('json/plain') },
    data: encoder.encode(JSON.stringify(value)),
  })),
});

export const seconds = (n: number) =>
  ({ seconds: n, nanos: 0 }) as unknown as NonNullable<StartRequest['workflowRunTimeout']>;

export function startRequest(over: Partial<StartRequest> = {}): StartRequest {
  return {
    namespace: 'default',
    workflowId: 'wf',
    workflowType: { name: 'sample' },
    taskQueue: { name: 'q' },
    requestId: 'start-request',
    identity: 'client',
    ...over,
  };
}

export class World {
  nowMs = START_MS;
  private ids = 0;
  limits: Limits = { ...defaultLimits };
  searchAttributeTypes: Record<string, number> | null = null;
  routing: Routing | null = null;
  state!: RunState;
  readonly history: HistoryEvent[] = [];
  /** Of the latest step. */
  effects: Effect[] = [];

  get ctx(): EngineContext {
    return {
      nowMs: this.nowMs,
      newId: () => `id-${++this.ids}`,
      limits: this.limits,
      searchAttributeTypes: this.searchAttributeTypes,
      warnings: null,
      routing: this.routing,
    };
  }

  /** Takes over what a transition did. */
  take<T extends Transition>(t: T): T {
    this.history.push(...t.events);
    this.effects = t.effects;
    return t;
  }

  start(over: Partial<StartRequest> = {}): this {
    const ctx = this.ctx;
    const t = this.take(engine.start(engine.startInputFromRequest(startRequest(over), ctx), ctx));
    this.state = t.state;
    return this;
  }

  do<R>(step: (t: Transition) => R): R {
    const t = engine.begin(this.state, this.ctx);
    const result = step(t);
    this.take(t);
    return result;
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** Time goes on; what is due is done. */
  sleep(ms: number): this {
    this.nowMs += ms;
    this.fireDue();
    return this;
  }

  fireDue(): void {
    const started = this.history[0] as HistoryEvent;
    this.do((t) => engine.fireDue(t, { startedEvent: () => started }));
  }

  signal(signalName: string, requestId = ''): void {
    this.do((t) => engine.signal(t, { signalName, input: null, identity: 'client', header: null, requestId }));
  }

  update(updateId: string): void {
    this.do((t) =>
      engine.admitUpdate(t, { meta: { updateId, identity: 'client' }, input: { name: 'change', args: json(1) } }),
    );
  }

  /** A worker takes the pending workflow task. */
  poll(): WorkflowTaskToken & { messages: ProtocolMessage[] } {
    const { workflowTask } = this.state;
    if (workflowTask === null) throw new Error('no workflow task is pending');
    const { scheduledEventId, attempt } = workflowTask;
    const requestId = `poll-${++this.ids}`;
    const messages = this.do((t) => {
      engine.startWorkflowTask(t, { scheduledEventId, attempt, requestId, identity: 'worker' });
      return engine.deliverUpdates(t);
    });
    return { ...this.token(), messages };
  }

  token(): WorkflowTaskToken {
    const task = this.state.workflowTask;
    if (task === null) throw new Error('no workflow task is pending');
    const { scheduledEventId, startedEventId, attempt, requestId } = task;
    return { scheduledEventId, startedEventId, attempt, requestId };
  }

  complete(
    commands: Command[] = [],
    over: Partial<Request<'RespondWorkflowTaskCompletedRequest'>> = {},
    token: WorkflowTaskToken = this.token(),
  ): CompletedTask {
    const started = this.history[0] as HistoryEvent;
    return this.do((t) =>
      engine.completeWorkflowTask(t, token, { identity: 'worker', commands, ...over }, () => started),
    );
  }

  /** Poll and complete. */
  run(...commands: Command[]): CompletedTask {
    this.poll();
    return this.complete(commands);
  }

  /** Names of events since `fromEventId`, without the prefix: WORKFLOW_EXECUTION_STARTED … */
  names(fromEventId = 1): string[] {
    return this.history
      .filter((event) => Number(event.eventId) >= fromEventId)
      .map((event) => (EventType[event.eventType as number] as string).slice('EVENT_TYPE_'.length));
  }

  last(): HistoryEvent {
    return this.history.at(-1) as HistoryEvent;
  }
}

export const completeRun = (result: Payloads | null = null): Command => ({
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result },
});

export const failRun = (message = 'broken', nonRetryable = false): Command => ({
  commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  failWorkflowExecutionCommandAttributes: { failure: { message, applicationFailureInfo: { nonRetryable } } },
});

export const startTimer = (timerId: string, n = 1): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: seconds(n) },
});

export const scheduleActivity = (activityId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId,
    activityType: { name: 'act' },
    taskQueue: { name: 'q' },
    startToCloseTimeout: seconds(10),
  },
});

export const cancelActivity = (scheduledEventId: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
  requestCancelActivityTaskCommandAttributes: { scheduledEventId: scheduledEventId as unknown as Long },
});

export const protocolMessage = (messageId: string): Command => ({
  commandType: CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
  protocolMessageCommandAttributes: { messageId },
});

type Long = NonNullable<HistoryEvent['eventId']>;
const PREFIX = 'type.googleapis.com/temporal.api.update.v1.';

/** A worker's answer to an update. */
export const answer = {
  accept: (updateId: string, sequencingEventId: number): ProtocolMessage => ({
    id: `${updateId}/accept`,
    protocolInstanceId: updateId,
    body: {
      type_url: `${PREFIX}Acceptance`,
      value: temporal.api.update.v1.Acceptance.encode({
        acceptedRequestMessageId: `${updateId}/request`,
        acceptedRequestSequencingEventId: sequencingEventId as unknown as Long,
      }).finish(),
    },
  }),
  reject: (updateId: string): ProtocolMessage => ({
    id: `${updateId}/reject`,
    protocolInstanceId: updateId,
    body: {
      type_url: `${PREFIX}Rejection`,
      value: temporal.api.update.v1.Rejection.encode({ failure: { message: 'no' } }).finish(),
    },
  }),
  complete: (updateId: string): ProtocolMessage => ({
    id: `${updateId}/complete`,
    protocolInstanceId: updateId,
    body: {
      type_url: `${PREFIX}Response`,
      value: temporal.api.update.v1.Response.encode({
        meta: { updateId, identity: 'client' },
        outcome: { success: json('done') },
      }).finish(),
    },
  }),
};
