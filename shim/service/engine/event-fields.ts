/** Facts about event types: the attributes field of each, and which ones wait while a workflow task is started. */
import { temporal } from '@temporalio/proto';
import type Long from 'long';
import type { HistoryEvent } from './types';

export import EventType = temporal.api.enums.v1.EventType;

/** The `attributes` oneof member of each event type that a server without Nexus and pausing writes. */
export const attributesField = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED]: 'workflowExecutionStartedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]: 'workflowExecutionCompletedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED]: 'workflowExecutionFailedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT]: 'workflowExecutionTimedOutEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED]: 'workflowTaskScheduledEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED]: 'workflowTaskStartedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]: 'workflowTaskCompletedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT]: 'workflowTaskTimedOutEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]: 'workflowTaskFailedEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]: 'activityTaskScheduledEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED]: 'activityTaskStartedEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]: 'activityTaskCompletedEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED]: 'activityTaskFailedEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]: 'activityTaskTimedOutEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED]: 'activityTaskCancelRequestedEventAttributes',
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED]: 'activityTaskCanceledEventAttributes',
  [EventType.EVENT_TYPE_TIMER_STARTED]: 'timerStartedEventAttributes',
  [EventType.EVENT_TYPE_TIMER_FIRED]: 'timerFiredEventAttributes',
  [EventType.EVENT_TYPE_TIMER_CANCELED]: 'timerCanceledEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED]: 'workflowExecutionCancelRequestedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED]: 'workflowExecutionCanceledEventAttributes',
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]:
    'requestCancelExternalWorkflowExecutionInitiatedEventAttributes',
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]:
    'requestCancelExternalWorkflowExecutionFailedEventAttributes',
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED]:
    'externalWorkflowExecutionCancelRequestedEventAttributes',
  [EventType.EVENT_TYPE_MARKER_RECORDED]: 'markerRecordedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]: 'workflowExecutionSignaledEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]: 'workflowExecutionTerminatedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW]: 'workflowExecutionContinuedAsNewEventAttributes',
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED]:
    'startChildWorkflowExecutionInitiatedEventAttributes',
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED]: 'startChildWorkflowExecutionFailedEventAttributes',
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED]: 'childWorkflowExecutionStartedEventAttributes',
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED]: 'childWorkflowExecutionCompletedEventAttributes',
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED]: 'childWorkflowExecutionFailedEventAttributes',
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED]: 'childWorkflowExecutionCanceledEventAttributes',
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: 'childWorkflowExecutionTimedOutEventAttributes',
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED]: 'childWorkflowExecutionTerminatedEventAttributes',
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]:
    'signalExternalWorkflowExecutionInitiatedEventAttributes',
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]:
    'signalExternalWorkflowExecutionFailedEventAttributes',
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED]: 'externalWorkflowExecutionSignaledEventAttributes',
  [EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: 'upsertWorkflowSearchAttributesEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED]: 'workflowExecutionUpdateAdmittedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED]: 'workflowExecutionUpdateAcceptedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED]: 'workflowExecutionUpdateCompletedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED]: 'workflowPropertiesModifiedEventAttributes',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED]: 'workflowExecutionOptionsUpdatedEventAttributes',
} as const satisfies Partial<Record<EventType, keyof HistoryEvent>>;

export type KnownEventType = keyof typeof attributesField;

/** Attributes with plain numbers where the generated types ask for a Long. */
type PlainNumbers<A> = { [K in keyof A]: [NonNullable<A[K]>] extends [Long] ? number | A[K] : A[K] };
export type AttributesOf<T extends KnownEventType> = PlainNumbers<
  NonNullable<HistoryEvent[(typeof attributesField)[T]]>
>;

/** Events that come from outside the workflow task: while one is started they wait for its end (the rest of the types never wait). */
const bufferable: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
  EventType.EVENT_TYPE_TIMER_FIRED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
  EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
]);

export const waitsForTaskEnd = (type: EventType): boolean => bufferable.has(type);

/** Results of work: moved behind all other buffered events, so that signals are seen before the completions they raced with. */
const resultEvents: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
]);

export const isResultEvent = (type: EventType): boolean => resultEvents.has(type);
