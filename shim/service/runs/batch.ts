/** What a run has decided and not yet made durable: the stuff of one RunCommit. */
import { int64 } from '../../common/proto-values';
import type { NewTask, RunCommit, StoreTransaction } from '../../store/types';
import { EventType } from '../engine/event-fields';
import type { HistoryEvent } from '../engine/types';
import type { Change } from './change';
import type { Operation } from './operation';
import type { RunHandle } from './run-handle';

let sequence = 0;

/** Transitions of one run merged until the committer takes them. */
export class Batch {
  /** Age among all batches; a group commits in this order, so that a run closes before its successor starts. */
  readonly sequence = ++sequence;
  readonly operations: { operation: Operation; result: unknown }[] = [];
  readonly events: HistoryEvent[] = [];
  readonly newTasks: NewTask[] = [];
  readonly doneTasks: string[] = [];
  readonly signalRequestIds: string[] = [];
  readonly closedActivities: number[] = [];
  readonly inbox: string[] = [];
  readonly afterCommit: (() => void)[] = [];
  readonly onDrop: (() => void)[] = [];
  /** Batches of other runs that commit with this one or not at all. */
  readonly links: Batch[] = [];
  create: RunCommit['create'] = null;
  /** The visibility row follows. */
  visibility = false;
  /** Other processes may wait for this. */
  announce = false;
  /** The workflow task that is waited for (holds.ts); '' = not held. */
  heldFor = '';
  /** Monotonic ms (performance.now) until which it is held at most. */
  heldUntil = 0;
  /** The application's transaction in which it is committed. */
  within: StoreTransaction | undefined;
  /** Holds the answer to a workflow task completion: its worker waits for it, so it must not wait for that worker. */
  answersTask = false;

  constructor(readonly run: RunHandle) {}

  link(other: Batch): void {
    this.links.push(other);
    other.links.push(this);
  }

  /** Code outside of the workflow waits for this, and may be what the workflow's next activity counts on. */
  get answersCaller(): boolean {
    if (this.operations.length === 0) return false;
    return this.create !== null || this.operations.some(({ operation }) => operation.options?.signalRequestId);
  }

  /** What a transition decided. */
  take(events: HistoryEvent[], change: Change): void {
    for (const event of events) {
      this.events.push(event);
      const closed = closedActivity(event);
      if (closed !== 0) this.closedActivities.push(closed);
    }
    if (change.newTasks !== null) this.newTasks.push(...change.newTasks);
    if (change.doneTasks !== null) this.doneTasks.push(...change.doneTasks);
    if (change.inbox !== null) this.inbox.push(...change.inbox);
    if (change.signalRequestIds !== null) this.signalRequestIds.push(...change.signalRequestIds);
    if (change.afterCommitCalls !== null) this.afterCommit.push(...change.afterCommitCalls);
    if (change.dropCalls !== null) this.onDrop.push(...change.dropCalls);
    if (change.answering) this.answersTask = true;
  }

  /** All batches that must go together with this one, oldest first. */
  group(): Batch[] {
    if (this.links.length === 0) return [this];
    const seen = new Set<Batch>([this]);
    for (const batch of seen) for (const other of batch.links) seen.add(other);
    return [...seen].sort((a, b) => a.sequence - b.sequence);
  }
}

/** Scheduled event id of the activity that an event closes; 0 = none. */
function closedActivity(event: HistoryEvent): number {
  switch (event.eventType as number) {
    case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return int64(event.activityTaskCompletedEventAttributes?.scheduledEventId);
    case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return int64(event.activityTaskFailedEventAttributes?.scheduledEventId);
    case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return int64(event.activityTaskTimedOutEventAttributes?.scheduledEventId);
    case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return int64(event.activityTaskCanceledEventAttributes?.scheduledEventId);
    default:
      return 0;
  }
}
