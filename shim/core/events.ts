/** What kind of event this is: command events, terminal ones, the ids that link an event to the one that began it. */
import { temporal } from '@temporalio/proto';
import { int64 } from '../common/proto-values';
import type { HistoryEvent } from './types';

export const EventType = temporal.api.enums.v1.EventType;
export type EventType = temporal.api.enums.v1.EventType;

const typeNames = new Map<number, string>();
const attributeKeys = new Map<number, keyof HistoryEvent>();
for (const [name, value] of Object.entries(EventType)) {
  if (typeof value !== 'number') continue;
  const pascal = name
    .replace('EVENT_TYPE_', '')
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
  typeNames.set(value, pascal);
  const key = `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}EventAttributes`;
  attributeKeys.set(value, key as keyof HistoryEvent);
}

/** Events that mirror a command of the workflow, in the order of the commands. */
const commandEvents = new Set<number>([
  EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_MARKER_RECORDED,
  EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_TIMER_CANCELED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
  EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
  EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);

const finalEvents = new Set<number>([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
]);

/** Known events that workers may skip when the server says so; other known events are never skipped. */
const ignorableEvents = new Set<number>([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
]);

type LinkField = 'scheduledEventId' | 'startedEventId' | 'initiatedEventId';

/** Events that answer an earlier one, and the field that names it. */
const links = new Map<number, LinkField>([
  [EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, 'scheduledEventId'],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, 'scheduledEventId'],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, 'scheduledEventId'],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, 'scheduledEventId'],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, 'scheduledEventId'],
  [EventType.EVENT_TYPE_TIMER_FIRED, 'startedEventId'],
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, 'initiatedEventId'],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, 'initiatedEventId'],
  [EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, 'scheduledEventId'],
  [EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, 'scheduledEventId'],
  [EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, 'scheduledEventId'],
  [EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, 'scheduledEventId'],
]);

export function eventId(event: HistoryEvent): number {
  return int64(event.eventId);
}

export function eventType(event: HistoryEvent): EventType {
  return event.eventType ?? EventType.EVENT_TYPE_UNSPECIFIED;
}

export function isCommandEvent(event: HistoryEvent): boolean {
  return commandEvents.has(eventType(event));
}

/** True for events that end the workflow execution. */
export function isFinalEvent(event: HistoryEvent): boolean {
  return finalEvents.has(eventType(event));
}

/** True when the event carries the attributes that its type promises. */
export function hasAttributes(event: HistoryEvent): boolean {
  const key = attributeKeys.get(eventType(event));
  return key !== undefined && event[key] !== null && event[key] !== undefined;
}

/** True for events that no workflow code can see: those the server marks so, if we know them harmless or not at all. */
export function isIgnorable(event: HistoryEvent): boolean {
  if (event.workerMayIgnore !== true) return false;
  return ignorableEvents.has(eventType(event)) || !hasAttributes(event);
}

/** Id of the event that began what this one goes on with (scheduled, started or initiated event), if any. */
export function initialEventId(event: HistoryEvent): number | undefined {
  const field = links.get(eventType(event));
  if (field === undefined) return undefined;
  const key = attributeKeys.get(eventType(event)) as keyof HistoryEvent;
  const attributes = event[key] as Partial<Record<LinkField, number | null>>;
  return int64(attributes[field]);
}

/** The event for messages, written as Temporal's core does: `HistoryEvent(id: 5, TimerStarted)`. */
export function describeEvent(event: HistoryEvent): string {
  return `HistoryEvent(id: ${eventId(event)}, ${typeNames.get(eventType(event)) ?? 'Unspecified'})`;
}
