/**
 * What every history must be like whoever wrote it: the structural rules by which Temporal's replayers and server go
 * (research/compat.md, section D).
 */
import { temporal } from '@temporalio/proto';
import { int64 } from '../../shim/common/proto-values';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const Type = temporal.api.enums.v1.EventType;

/** Events that a worker's commands make: they follow the WorkflowTaskCompleted that brought them. */
const COMMAND_EVENTS = new Set([
  Type.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
  Type.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
  Type.EVENT_TYPE_TIMER_STARTED,
  Type.EVENT_TYPE_TIMER_CANCELED,
  Type.EVENT_TYPE_MARKER_RECORDED,
  Type.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
  Type.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  Type.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  Type.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  Type.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

const CLOSE_EVENTS = new Set([
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
]);

const AFTER_TASK_STARTED = new Set([
  Type.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  Type.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  Type.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
]);

/** Fields that name an earlier event, and of which type that one must be. */
const REFERENCES: [field: string, types: number[]][] = [
  ['workflowTaskCompletedEventId', [Type.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]],
  ['scheduledEventId', [Type.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, Type.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]],
  [
    'initiatedEventId',
    [
      Type.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
      Type.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
      Type.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    ],
  ],
  [
    'startedEventId',
    [
      Type.EVENT_TYPE_WORKFLOW_TASK_STARTED,
      Type.EVENT_TYPE_ACTIVITY_TASK_STARTED,
      Type.EVENT_TYPE_TIMER_STARTED,
      Type.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    ],
  ],
  ['latestCancelRequestedEventId', [Type.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED]],
];

/** The run starts a chain's next run with these: their ids are those of the parent's history. */
const FOREIGN_IDS = new Set([
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
  Type.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
]);

const attributesOf = (event: HistoryEvent): Record<string, unknown> | undefined => {
  const key = Object.keys(event).find((name) => name.endsWith('EventAttributes') && event[name as 'eventId'] != null);
  return key === undefined ? undefined : (event[key as 'eventId'] as unknown as Record<string, unknown>);
};
const nameOf = (event: HistoryEvent): string => (Type[event.eventType ?? 0] ?? '?').replace('EVENT_TYPE_', '');

/** What is wrong with the history, in words; empty when nothing is. */
export function brokenRules(events: readonly HistoryEvent[]): string[] {
  const broken: string[] = [];
  const first = events[0];
  if (first === undefined) return ['the history is empty'];
  const started = first.workflowExecutionStartedEventAttributes;
  if (first.eventType !== Type.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED || !started) {
    broken.push(`it begins with ${nameOf(first)}`);
  } else {
    if (!started.workflowType?.name) broken.push('the Started event has no workflow type');
    if (!started.taskQueue?.name) broken.push('the Started event has no task queue');
    if (!started.originalExecutionRunId) broken.push('the Started event has no original run id');
    if (!started.firstExecutionRunId) broken.push('the Started event has no first run id');
  }
  const closedOnce = new Set<string>();
  let commandsAllowed = false;
  for (const [index, event] of events.entries()) {
    const say = (words: string): void => void broken.push(`${index + 1} ${nameOf(event)}: ${words}`);
    const type = event.eventType ?? 0;
    const attributes = attributesOf(event);
    if (int64(event.eventId) !== index + 1) say(`has the id ${int64(event.eventId)}`);
    if (!attributes && event.workerMayIgnore !== true) say('has no attributes');
    if (event.eventTime == null) say('has no time');
    const next = events[index + 1];
    if (type === Type.EVENT_TYPE_WORKFLOW_TASK_STARTED && next && !AFTER_TASK_STARTED.has(next.eventType ?? 0)) {
      say(`is followed by ${nameOf(next)}`);
    }
    if (CLOSE_EVENTS.has(type) && next) say(`is followed by ${nameOf(next)}`);
    if (COMMAND_EVENTS.has(type) && !commandsAllowed) say('follows no WORKFLOW_TASK_COMPLETED');
    commandsAllowed =
      type === Type.EVENT_TYPE_WORKFLOW_TASK_COMPLETED ||
      (commandsAllowed && (COMMAND_EVENTS.has(type) || isUpdateEvent(type) || isAtOnce(type)));
    if (!attributes || FOREIGN_IDS.has(type)) continue;
    for (const [field, types] of REFERENCES) {
      const id = int64(attributes[field] as number | undefined);
      if (id === 0) continue;
      const target = events[id - 1];
      if (id > index || !target || !types.includes(target.eventType ?? 0)) {
        say(`${field} ${id} is ${target ? nameOf(target) : 'no event'}`);
      }
    }
    for (const key of endsOf(type, attributes)) {
      if (closedOnce.has(key)) say(`ends ${key} a second time`);
      closedOnce.add(key);
    }
  }
  return broken;
}

const isUpdateEvent = (type: number): boolean =>
  type === Type.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED ||
  type === Type.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED;

/** Written while commands are carried out: the cancellation of an activity that never started. */
const isAtOnce = (type: number): boolean =>
  type === Type.EVENT_TYPE_ACTIVITY_TASK_CANCELED || type === Type.EVENT_TYPE_ACTIVITY_TASK_STARTED;

/** What may end only once, by the event that begins it. */
function endsOf(type: number, attributes: Record<string, unknown>): string[] {
  const id = (field: string): number => int64(attributes[field] as number | undefined);
  switch (type) {
    case Type.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
    case Type.EVENT_TYPE_ACTIVITY_TASK_FAILED:
    case Type.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
    case Type.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return [`activity ${id('scheduledEventId')}`];
    case Type.EVENT_TYPE_TIMER_FIRED:
    case Type.EVENT_TYPE_TIMER_CANCELED:
      return [`timer ${id('startedEventId')}`];
    case Type.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
    case Type.EVENT_TYPE_WORKFLOW_TASK_FAILED:
    case Type.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
      return [`workflow task ${id('scheduledEventId')}`];
    case Type.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case Type.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case Type.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
    case Type.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case Type.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
    case Type.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return [`child ${id('initiatedEventId')}`];
    case Type.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
    case Type.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return [`signal ${id('initiatedEventId')}`];
    case Type.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
    case Type.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return [`cancel request ${id('initiatedEventId')}`];
    default:
      return [];
  }
}
