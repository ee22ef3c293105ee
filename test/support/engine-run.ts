/** A run of the engine under test: time and ids are the test's, transitions are applied one after the other, history is collected. */
import { temporal } from '@temporalio/proto';
import {
  type EngineContext,
  type HistoryEvent,
  type RunState,
  type Transition,
  defaultLimits,
  engine,
} from '../../shim/service/engine';
import { EventType } from '../../shim/service/engine/event-fields';
import { int64 } from '../../shim/common/proto-values';

export const CommandType = temporal.api.enums.v1.CommandType;
export const T0 = Date.UTC(2026, 0, 5, 12, 0, 0);

type Command = temporal.api.command.v1.ICommand;
type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;

export const text = (value: string): temporal.api.common.v1.IPayload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
export const payloads = (value: string): temporal.api.common.v1.IPayloads => ({ payloads: [text(value)] });
export const seconds = (value: number): { seconds: Long; nanos: number } => ({
  seconds: Math.floor(value) as unknown as Long,
  nanos: Math.round((value % 1) * 1e9),
});

export class TestRun {
  nowMs = T0;
  private ids = 0;
  readonly history: HistoryEvent[] = [];
  state: RunState;
  /** Of the last change. */
  transition: Transition;

  constructor(
    request: StartRequest = {},
    readonly overrides: Partial<EngineContext> = {},
  ) {
    const ctx = this.context();
    const input = engine.startInputFromRequest(
      {
        namespace: 'default',
        workflowId: 'wf',
        workflowType: { name: 'sample' },
        taskQueue: { name: 'q' },
        identity: 'client',
        ...request,
      },
      ctx,
    );
    this.transition = engine.start(input, ctx);
    this.state = this.transition.state;
    this.history.push(...this.transition.events);
  }

  context(): EngineContext {
    return {
      nowMs: this.nowMs,
      newId: () => `00000000-0000-7000-8000-${String(++this.ids).padStart(12, '0')}`,
      limits: defaultLimits,
      searchAttributeTypes: null,
      warnings: null,
      routing: null,
      ...this.overrides,
    };
  }

  /** One committed change. What it made of the state survives JSON, as in the database. */
  change<R>(body: (t: Transition) => R): R {
    const t = engine.begin(this.state, this.context());
    const result = body(t);
    this.transition = t;
    this.history.push(...t.events);
    return result;
  }

  startTask(): void {
    this.change((t) => {
      const task = t.state.workflowTask!;
      engine.startWorkflowTask(t, {
        scheduledEventId: task.scheduledEventId,
        attempt: task.attempt,
        requestId: t.ctx.newId(),
        identity: 'worker',
      });
    });
  }

  completeTask(commands: Command[] = []): Error | null {
    const task = this.state.workflowTask!;
    const { scheduledEventId, startedEventId, attempt, requestId } = task;
    return this.change(
      (t) =>
        engine.completeWorkflowTask(
          t,
          { scheduledEventId, startedEventId, attempt, requestId },
          { identity: 'worker', commands },
          () => this.history[0]!,
        ).error,
    );
  }

  /** Starts and completes the pending workflow task. */
  task(...commands: Command[]): Error | null {
    this.startTask();
    return this.completeTask(commands);
  }

  /** Time passes and what is due is done. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.change((t) => engine.fireDue(t, { startedEvent: () => this.history[0]! }));
  }

  startActivity(scheduledEventId = this.onlyActivity().scheduledEventId): {
    scheduledEventId: number;
    attempt: number;
    requestId: string;
  } {
    return this.change((t) => {
      const { attempt } = t.state.activities[scheduledEventId]!;
      const requestId = t.ctx.newId();
      engine.startActivity(t, { scheduledEventId, attempt, requestId, identity: 'worker' });
      return { scheduledEventId, attempt, requestId };
    });
  }

  onlyActivity(): RunState['activities'][string] {
    return Object.values(this.state.activities)[0]!;
  }

  /** `ActivityTaskScheduled`… of the whole history, or what came after that event id. */
  types(afterEventId = 0): string[] {
    return this.history.filter((event) => int64(event.eventId) > afterEventId).map(typeName);
  }

  last(): HistoryEvent {
    return this.history[this.history.length - 1]!;
  }

  find(type: EventType): HistoryEvent {
    return this.history.filter((event) => event.eventType === type).at(-1)!;
  }

  effects(): string[] {
    return this.transition.effects.map((effect) => effect.type);
  }
}

export function typeName(event: HistoryEvent): string {
  return EventType[event.eventType!]
    .replace('EVENT_TYPE_', '')
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

export const activityCommand = (
  attributes: temporal.api.command.v1.IScheduleActivityTaskCommandAttributes = {},
): Command => ({
  commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId: '1',
    activityType: { name: 'greet' },
    taskQueue: { name: 'q' },
    startToCloseTimeout: seconds(10),
    ...attributes,
  },
});

export const timerCommand = (timerId: string, afterSeconds: number): Command => ({
  commandType: CommandType.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: seconds(afterSeconds) },
});
