/** What one history shows: how long it is, what it carries, how wide it fans out. Pure. */
import type { temporal } from '@temporalio/proto';

type Event = temporal.api.history.v1.IHistoryEvent;

export interface HistoryFigures {
  events: number;
  activities: number;
  children: number;
  /** Of each payload, its metadata included. */
  payloadBytes: number[];
  /** Activities and children under way at once, at most. */
  widest: number;
}

export function figuresOf(events: readonly Event[]): HistoryFigures {
  const figures: HistoryFigures = { events: events.length, activities: 0, children: 0, payloadBytes: [], widest: 0 };
  /** Ids of the events that began what has not ended. */
  const open = new Set<string>();
  for (const event of events) {
    if (event.activityTaskScheduledEventAttributes) figures.activities += 1;
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) figures.children += 1;
    if (event.activityTaskScheduledEventAttributes || event.startChildWorkflowExecutionInitiatedEventAttributes)
      open.add(String(event.eventId));
    figures.widest = Math.max(figures.widest, open.size);
    const ended = endOf(event);
    if (ended !== undefined) open.delete(ended);
    gatherPayloads(event, figures.payloadBytes);
  }
  return figures;
}

function endOf(event: Event): string | undefined {
  const activity =
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  if (activity) return String(activity.scheduledEventId);
  const child =
    event.childWorkflowExecutionCompletedEventAttributes ??
    event.childWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCanceledEventAttributes ??
    event.childWorkflowExecutionTimedOutEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes ??
    event.startChildWorkflowExecutionFailedEventAttributes;
  return child ? String(child.initiatedEventId) : undefined;
}

/** Wherever they stand: inputs, results, headers, memos, details. */
function gatherPayloads(value: unknown, sizes: number[]): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  const { data, metadata } = value as { data?: unknown; metadata?: Record<string, Uint8Array> };
  if (data instanceof Uint8Array && typeof metadata === 'object' && metadata !== null) {
    const own = Object.entries(metadata).reduce((sum, [key, bytes]) => sum + key.length + bytes.length, 0);
    sizes.push(data.length + own);
    return;
  }
  for (const inner of Object.values(value)) gatherPayloads(inner, sizes);
}

/** The smallest value that this share of the values does not exceed; 0 without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
