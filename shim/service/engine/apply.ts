/** The fold of events into a run's state, used by every decision and by `replay`. */
import { int64 } from '../../common/proto-values';
import { activityAppliers } from './apply-activities';
import { childAppliers } from './apply-children';
import { commandAppliers } from './apply-commands';
import { externalAppliers } from './apply-externals';
import { lifecycleAppliers } from './apply-lifecycle';
import { timerAppliers } from './apply-timers';
import { updateAppliers } from './apply-updates';
import { workflowTaskAppliers } from './apply-workflow-task';
import { EventType } from './event-fields';
import type { HistoryEvent, RunState } from './types';

/** Folds one event into the state. `event.eventId` is `BUFFERED_EVENT_ID` while the event waits for a workflow task's end. */
export type Applier = (state: RunState, event: HistoryEvent) => void;
export type Appliers = Partial<Record<EventType, Applier>>;

/**
 * Every family of events brings its appliers in a file of its own (./apply-*.ts) and is spread here. Types without an entry change nothing
 * in the state (markers, for example).
 */
const appliers: Appliers = {
  ...lifecycleAppliers,
  ...workflowTaskAppliers,
  ...updateAppliers,
  ...activityAppliers,
  ...timerAppliers,
  ...childAppliers,
  ...externalAppliers,
  ...commandAppliers,
};

export function applyEvent(state: RunState, event: HistoryEvent): void {
  appliers[event.eventType as EventType]?.(state, event);
}

type Started = { scheduledEventId?: unknown; initiatedEventId?: unknown; startedEventId?: unknown };

/**
 * Events that have just got their ids: started events become known to their activity or child, and to the results among `events` that were
 * recorded while the start still waited.
 */
export function wireBuffered(state: RunState, events: HistoryEvent[]): void {
  let starts: Map<number, number> | undefined;
  for (const event of events) {
    const id = int64(event.eventId);
    if (event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED) {
      (starts ??= new Map()).set(int64(event.activityTaskStartedEventAttributes?.scheduledEventId), id);
    } else if (event.eventType === EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
      const initiated = int64(event.childWorkflowExecutionStartedEventAttributes?.initiatedEventId);
      (starts ??= new Map()).set(initiated, id);
      const child = state.children[initiated];
      if (child) child.startedEventId = id;
    }
    if (starts === undefined) continue;
    const result = (event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes ??
      event.childWorkflowExecutionCompletedEventAttributes ??
      event.childWorkflowExecutionFailedEventAttributes ??
      event.childWorkflowExecutionCanceledEventAttributes ??
      event.childWorkflowExecutionTimedOutEventAttributes ??
      event.childWorkflowExecutionTerminatedEventAttributes) as Started | null | undefined;
    if (!result) continue;
    const startedId = starts.get(int64((result.scheduledEventId ?? result.initiatedEventId) as number));
    if (startedId !== undefined) result.startedEventId = startedId;
  }
}
