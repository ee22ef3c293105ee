/**
 * Cuts history into workflow task sequences: the events from after one WorkflowTaskStarted up to the next that was completed.
 * The commands of a task belong to the sequence after it. Same rules as Temporal's core (`history_update.rs`).
 */
import { int64 } from '../common/proto-values';
import { EventType, eventId, eventType, isCommandEvent, isFinalEvent } from './events';
import type { TaskCompletedAttributes } from './messages';
import type { HistoryEvent } from './types';

export type NextSequence =
  { kind: 'events'; events: HistoryEvent[]; isLast: boolean } | { kind: 'replayOver' } | { kind: 'needFetch' };

/** End (inclusive) of a sequence; incomplete ones end where the events do. */
interface SequenceEnd {
  complete: boolean;
  index: number;
}

/** A run of whole sequences, consumed one after the other. */
export class HistoryUpdate {
  private start = 0;
  /** How many sequences were found when this was cut; 0 when the events hold none. */
  readonly sequences: number;

  private constructor(
    private events: HistoryEvent[],
    /** Id of the last workflow task started before the task that brought these events; 0 for the first. */
    readonly previousStartedEventId: number,
    /** Started id of the workflow task that brought these events; 0 for a query alone. */
    readonly startedEventId: number,
    /** No more history follows. */
    private readonly isLast: boolean,
    sequences: number,
  ) {
    this.sequences = sequences;
  }

  /** Takes the whole sequences off the front; `rest` is the part of a sequence that the events broke off in. */
  static cut(
    events: HistoryEvent[],
    previousStartedEventId: number,
    startedEventId: number,
    isLast: boolean,
  ): { update: HistoryUpdate; rest: HistoryEvent[] } {
    const of = (taken: HistoryEvent[], sequences: number): HistoryUpdate =>
      new HistoryUpdate(taken, previousStartedEventId, startedEventId, isLast, sequences);
    let end = findSequenceEnd(events, 0, previousStartedEventId, isLast);
    if (!end.complete) return isLast ? { update: of(events, 1), rest: [] } : { update: of([], 0), rest: events };
    let sequences = 0;
    while (end.complete) {
      sequences += 1;
      const next = findSequenceEnd(events, end.index, eventId(events[end.index] as HistoryEvent), isLast);
      if (!next.complete) break;
      end = next;
    }
    if (isLast) return { update: of(events, sequences), rest: [] };
    return { update: of(events.slice(0, end.index + 1), sequences), rest: events.slice(end.index + 1) };
  }

  static empty(previousStartedEventId: number, startedEventId: number): HistoryUpdate {
    return HistoryUpdate.cut([], previousStartedEventId, startedEventId, true).update;
  }

  /** Id of the last event held, or undefined when empty. */
  get lastEventId(): number | undefined {
    const last = this.events[this.events.length - 1];
    return last === undefined ? undefined : eventId(last);
  }

  /** Consumes the next sequence after the given WorkflowTaskStarted. */
  take(fromStartedId: number): NextSequence {
    this.start = this.indexAfter(fromStartedId) ?? this.start;
    const end = findSequenceEnd(this.events, this.start, fromStartedId, this.isLast);
    if (!end.complete) {
      if (!this.isLast) return { kind: 'needFetch' };
      // One event or none left: nothing that could start a task.
      if (end.index <= this.start) return { kind: 'replayOver' };
    }
    const events = this.events.slice(this.start, end.index + 1);
    this.start = end.index + 1;
    const isLast = this.start >= this.events.length && this.isLast;
    // Cached runs must not hold on to the history they have applied.
    if (this.start >= this.events.length) {
      this.events = [];
      this.start = 0;
    }
    return { kind: 'events', events, isLast };
  }

  /** The events that the next `take` with this id would give, without consuming them. */
  peek(fromStartedId: number): HistoryEvent[] {
    const from = this.indexAfter(fromStartedId) ?? this.start;
    if (from >= this.events.length) return [];
    const end = findSequenceEnd(this.events, from, fromStartedId, this.isLast);
    return this.events.slice(from, end.index + 1);
  }

  /** False when more history must be fetched before the next sequence is whole. */
  canTake(fromStartedId: number): boolean {
    return this.isLast || findSequenceEnd(this.events, this.start, fromStartedId, this.isLast).complete;
  }

  /** The first WorkflowTaskCompleted at or after an event id, among the events not yet consumed. */
  peekTaskCompleted(fromEventId: number): TaskCompletedAttributes | undefined {
    for (let i = this.start; i < this.events.length; i++) {
      const event = this.events[i] as HistoryEvent;
      if (eventId(event) < fromEventId) continue;
      if (event.workflowTaskCompletedEventAttributes) return event.workflowTaskCompletedEventAttributes;
    }
    return undefined;
  }

  private indexAfter(id: number): number | undefined {
    for (let i = this.start; i < this.events.length; i++) {
      if (eventId(this.events[i] as HistoryEvent) > id) return i;
    }
    return undefined;
  }
}

/** Events that void the WorkflowTaskStarted before them: the sequence goes on. */
const voidsTask = new Set<number>([
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
]);

function findSequenceEnd(
  events: readonly HistoryEvent[],
  start: number,
  fromEventId: number,
  isLast: boolean,
): SequenceEnd {
  let sawCommandOrStart = false;
  let sawCommand = false;
  /** Started tasks seen that were not voided, as indexes. */
  const started: number[] = [];
  for (let i = start; i < events.length; i++) {
    const event = events[i] as HistoryEvent;
    // An update that came without eviction (say after UnhandledCommand) may repeat events already handled.
    if (eventId(event) <= fromEventId) continue;
    const type = eventType(event);
    if (isCommandEvent(event)) {
      sawCommand = true;
      sawCommandOrStart = true;
    }
    if (type === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) sawCommandOrStart = true;
    if (isFinalEvent(event)) return { complete: true, index: i };
    if (type !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;

    const next = events[i + 1];
    if (next !== undefined) {
      if (voidsTask.has(eventType(next))) continue;
      started.push(i);
      if (eventType(next) === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
        const afterNext = events[i + 2];
        if (afterNext !== undefined) {
          // Completed and scheduled again with nothing done in between: a local-activity heartbeat.
          if (!sawCommand && eventType(afterNext) === EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) continue;
          return { complete: true, index: updateSequenceEnd(events, started, afterNext) ?? i };
        }
        if (!isLast && !sawCommandOrStart) continue;
      }
    } else {
      started.push(i);
      if (!isLast && !sawCommandOrStart) continue;
    }
    if (sawCommandOrStart) return { complete: true, index: i };
  }
  return { complete: false, index: Math.max(events.length - 1, start) };
}

/** When an accepted update follows the task, the sequence ends at the task in which the update was sequenced. */
function updateSequenceEnd(
  events: readonly HistoryEvent[],
  started: readonly number[],
  event: HistoryEvent,
): number | undefined {
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
  if (!accepted) return undefined;
  const sequencedAt = int64(accepted.acceptedRequestSequencingEventId);
  for (let i = started.length - 1; i >= 0; i--) {
    const index = started[i] as number;
    if (eventId(events[index] as HistoryEvent) < sequencedAt) return index;
  }
  return undefined;
}
