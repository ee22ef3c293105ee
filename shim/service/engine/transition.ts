/**
 * One state change in the making. Decisions add events through `addEvent`, which gives them their ids and applies them to the state at once;
 * events from outside wait in `state.buffered` while a workflow task is started, and get their ids when it ends.
 */
import { fromMs, int64, long } from '../../common/proto-values';
import { applyEvent, wireBuffered } from './apply';
import {
  type AttributesOf,
  EventType,
  type KnownEventType,
  attributesField,
  isResultEvent,
  waitsForTaskEnd,
} from './event-fields';
import { messageSize } from './size';
import {
  type Effect,
  type EngineContext,
  type HistoryEvent,
  type RunState,
  Status,
  type Transition,
  type WorkflowTaskState,
} from './types';

/** The id of an event that has none yet; what refers to it is rewired when it gets one. The number is Temporal's. */
export const BUFFERED_EVENT_ID = -123;

/** Fields of an event beside its attributes. */
export interface EventExtras {
  userMetadata?: HistoryEvent['userMetadata'];
  links?: HistoryEvent['links'];
  workerMayIgnore?: boolean;
  /** When it happened, epoch ms, where that was before it is written (an activity's start). Default now. */
  atMs?: number;
}

export class RunTransition implements Transition {
  readonly events: HistoryEvent[] = [];
  readonly effects: Effect[] = [];
  /** While the commands of a completed task become events, what comes from outside (also as their consequence) still waits. */
  private holding = false;
  private counted = false;
  /** Bytes of the history when the transition began. */
  readonly sizeBefore: number;

  constructor(
    readonly state: RunState,
    readonly ctx: EngineContext,
  ) {
    this.sizeBefore = state.historySizeBytes;
  }

  get closed(): boolean {
    return this.state.status !== Status.Running;
  }

  get taskStarted(): boolean {
    const task = this.state.workflowTask;
    return task !== null && task.startedEventId !== 0;
  }

  /**
   * Adds an event and applies it to the state. A buffered one has `BUFFERED_EVENT_ID` until the workflow task ends.
   * The attributes are kept, not copied.
   */
  addEvent<T extends KnownEventType>(type: T, attributes: AttributesOf<T>, extras?: EventExtras): HistoryEvent {
    this.count();
    this.writeSpeculativeTask();
    const event: HistoryEvent = {
      eventId: long(BUFFERED_EVENT_ID),
      eventTime: fromMs(extras?.atMs ?? this.ctx.nowMs),
      eventType: type,
      [attributesField[type]]: attributes,
    };
    if (extras?.userMetadata) event.userMetadata = extras.userMetadata;
    if (extras?.links && extras.links.length > 0) event.links = extras.links;
    if (extras?.workerMayIgnore) event.workerMayIgnore = true;
    if (waitsForTaskEnd(type) && (this.holding || this.taskStarted)) this.state.buffered.push(event);
    else this.append(event);
    applyEvent(this.state, event);
    return event;
  }

  effect(effect: Effect): void {
    this.count();
    this.effects.push(effect);
  }

  get hasBuffered(): boolean {
    return this.state.buffered.length > 0;
  }

  /** Takes one buffered event back, for example the TimerFired of a timer that is cancelled before the workflow saw it. */
  removeBuffered(matches: (event: HistoryEvent) => boolean): HistoryEvent | undefined {
    const index = this.state.buffered.findIndex(matches);
    return index < 0 ? undefined : this.state.buffered.splice(index, 1)[0];
  }

  /** Runs `body` with outside events waiting although no task is started (its commands are becoming events). The caller flushes. */
  hold(body: () => void): void {
    this.holding = true;
    try {
      body();
    } finally {
      this.holding = false;
    }
  }

  /** Buffered events get their ids: results of work last, the rest in order of arrival. True when there were any. */
  flushBuffered(): boolean {
    const buffered = this.state.buffered;
    if (buffered.length === 0) return false;
    this.state.buffered = [];
    const ordered = [
      ...buffered.filter((event) => !isResultEvent(event.eventType as EventType)),
      ...buffered.filter((event) => isResultEvent(event.eventType as EventType)),
    ];
    for (const event of ordered) this.append(event);
    wireBuffered(this.state, ordered);
    return true;
  }

  /**
   * A speculative task leaves no history as long as nothing else does: before any other event its Scheduled (and Started) events are written
   * and it becomes a normal one.
   */
  writeSpeculativeTask(): void {
    const task = this.state.workflowTask;
    if (task === null || task.kind !== 'speculative') return;
    task.kind = 'normal';
    this.writeTaskEvents();
  }

  /** Writes Scheduled and Started of the pending task, which had only virtual ids so far, under those ids. */
  writeTaskEvents(): void {
    const { state } = this;
    const task = state.workflowTask;
    if (task === null) return;
    state.firstTaskAtMs = 0;
    const scheduled: HistoryEvent = {
      eventTime: fromMs(task.scheduledAtMs),
      eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
      workflowTaskScheduledEventAttributes: {
        taskQueue: taskQueueOf(state),
        startToCloseTimeout: fromMs(task.timeoutMs),
        attempt: task.attempt,
      },
    };
    this.append(scheduled);
    task.scheduledEventId = int64(scheduled.eventId);
    if (task.startedEventId === 0) return;
    const started: HistoryEvent = {
      eventTime: fromMs(task.startedAtMs),
      eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
      workflowTaskStartedEventAttributes: taskStartedAttributes(task),
    };
    this.append(started);
    task.startedEventId = int64(started.eventId);
  }

  /**
   * Remembers where this transition stands; the returned function takes it back there. Covers the state, its maps and the updates in them;
   * `activityIds` names the (scheduled event ids of) activities that may be changed in place.
   */
  checkpoint(activityIds: readonly number[]): () => void {
    const { state } = this;
    const events = this.events.length;
    const effects = this.effects.length;
    const { counted } = this;
    const saved: RunState = {
      ...state,
      workflowTask: state.workflowTask && { ...state.workflowTask },
      activities: { ...state.activities },
      timers: { ...state.timers },
      children: { ...state.children },
      externals: { ...state.externals },
      updates: { ...state.updates },
      buffered: [...state.buffered],
      obligations: [...state.obligations],
    };
    for (const id of activityIds) {
      const activity = saved.activities[id];
      if (activity) saved.activities[id] = { ...activity };
    }
    for (const id in saved.updates) {
      const update = saved.updates[id];
      if (update && update.completedEventId === 0) saved.updates[id] = { ...update };
    }
    return () => {
      Object.assign(state, saved);
      this.events.length = events;
      this.effects.length = effects;
      this.counted = counted;
    };
  }

  /** A transition counts once, however much it does. */
  private count(): void {
    if (this.counted) return;
    this.counted = true;
    this.state.stateTransitions += 1;
  }

  private append(event: HistoryEvent): void {
    event.eventId = long(this.state.nextEventId++);
    this.state.historySizeBytes += messageSize(event);
    this.events.push(event);
  }
}

/** The queue as WorkflowTaskScheduled shows it. */
export function taskQueueOf(
  state: RunState,
): NonNullable<NonNullable<HistoryEvent['workflowTaskScheduledEventAttributes']>['taskQueue']> {
  const task = state.workflowTask;
  if (task?.sticky) return { name: task.taskQueue, kind: 2, normalName: state.taskQueue };
  return { name: state.taskQueue, kind: 1 };
}

/** WorkflowTaskStarted of that task; fields at their default are left out, as proto JSON does. */
export function taskStartedAttributes(
  task: WorkflowTaskState,
): NonNullable<HistoryEvent['workflowTaskStartedEventAttributes']> {
  return {
    scheduledEventId: long(task.scheduledEventId),
    identity: task.identity,
    requestId: task.requestId,
    historySizeBytes: long(task.historySizeBytes),
    ...(task.suggestContinueAsNew
      ? { suggestContinueAsNew: true, suggestContinueAsNewReasons: task.suggestContinueAsNewReasons }
      : {}),
    ...(task.targetVersionChanged ? { targetWorkerDeploymentVersionChanged: true } : {}),
    ...(task.workerVersion ? { workerVersion: task.workerVersion } : {}),
  };
}

/** A transition on an existing state. */
export const begin = (state: RunState, ctx: EngineContext): RunTransition => new RunTransition(state, ctx);

/** The engine's own transitions are all of this class. */
export const asRun = (t: Transition): RunTransition => t as RunTransition;
