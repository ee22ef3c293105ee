/** Compares a completion's commands with the events a server made of the commands of Temporal's worker. */
import { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import type { HistoryEvent, RespondWorkflowTaskCompleted } from '../../shim/core';

type Plain = null | string | number | boolean | Plain[] | { [key: string]: Plain };

/** Stack traces name files by where the repository was when they were recorded. */
const checkout = /\(\/[^\s()]*\/(?=node_modules\/|compat-tests\/)/g;

/** Longs, bytes and protobuf's defaults made comparable: defaults are dropped. */
function plain(value: unknown): Plain | undefined {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return undefined;
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => plain(item) ?? null);
  if (typeof value === 'string') return value.replaceAll(checkout, '(');
  if (typeof value !== 'object') return value as Plain;
  if ('toNumber' in value) return plain((value as { toNumber(): number }).toNumber());
  const out: { [key: string]: Plain } = {};
  for (const [key, item] of Object.entries(value)) {
    const kept = plain(item);
    if (kept !== undefined) out[key] = kept;
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

/** What servers fill in or leave out. */
const notCompared = new Set([
  'retryPolicy',
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'startToCloseTimeout',
  'heartbeatTimeout',
  'taskQueue',
  'requestEagerExecution',
  'useWorkflowBuildId',
  'inheritBuildId',
  'namespace',
  'workflowExecutionTimeout',
  'workflowRunTimeout',
  'workflowTaskTimeout',
  'execution',
  'workflowIdReusePolicy',
  'initiator',
  'parentClosePolicy',
  'backoffStartInterval',
  'workflowId',
  'runId',
  'scheduledEventId',
]);

const eventTypes = temporal.api.enums.v1.EventType;

export function expectSameCommands(request: RespondWorkflowTaskCompleted, events: HistoryEvent[]): void {
  const commands = request.commands ?? [];
  const named = commands.map((command) => temporal.api.enums.v1.CommandType[command.commandType ?? 0]);
  const happened = events.map((event) => eventTypes[event.eventType ?? 0]);
  expect(named.map(eventOfCommand(request))).toEqual(happened);
  for (const [i, command] of commands.entries()) {
    const event = events[i] as HistoryEvent;
    const attributes = part(command, 'CommandAttributes');
    const recorded = part(event, 'EventAttributes');
    if (command.protocolMessageCommandAttributes) {
      expectSameMessage(request, command.protocolMessageCommandAttributes.messageId ?? '', event);
      continue;
    }
    for (const key of Object.keys(attributes)) {
      if (notCompared.has(key)) continue;
      const own = plain(attributes[key]);
      const theirs = plain(recorded[key]);
      if (key === 'details' && event.markerRecordedEventAttributes) expect(markerData(own)).toEqual(markerData(theirs));
      else if (key === 'searchAttributes') expect(untyped(own)).toEqual(untyped(theirs));
      else expect({ [key]: own }).toEqual({ [key]: theirs });
    }
    expect(plain(command.userMetadata)).toEqual(plain(event.userMetadata));
  }
}

/** The completion must record the flags that the recorded one did. */
export function expectSameMetadata(request: RespondWorkflowTaskCompleted, completed: HistoryEvent): void {
  const { coreUsedFlags, langUsedFlags, sdkName, sdkVersion } = request.sdkMetadata ?? {};
  const theirs = completed.workflowTaskCompletedEventAttributes?.sdkMetadata;
  const sorted = (flags: number[] | null | undefined): number[] => [...(flags ?? [])].sort((a, b) => a - b);
  expect({ core: sorted(coreUsedFlags), lang: sorted(langUsedFlags), sdkName, sdkVersion }).toEqual({
    core: sorted(theirs?.coreUsedFlags),
    lang: sorted(theirs?.langUsedFlags),
    sdkName: theirs?.sdkName ?? '',
    sdkVersion: theirs?.sdkVersion ?? '',
  });
}

function part(message: object, suffix: string): Record<string, unknown> {
  const key = Object.keys(message).find((name) => name.endsWith(suffix) && (message as Record<string, unknown>)[name]);
  return (key === undefined ? {} : (message as Record<string, unknown>)[key]) as Record<string, unknown>;
}

const renamed: Record<string, string> = {
  SCHEDULE_ACTIVITY_TASK: 'ACTIVITY_TASK_SCHEDULED',
  REQUEST_CANCEL_ACTIVITY_TASK: 'ACTIVITY_TASK_CANCEL_REQUESTED',
  START_TIMER: 'TIMER_STARTED',
  CANCEL_TIMER: 'TIMER_CANCELED',
  RECORD_MARKER: 'MARKER_RECORDED',
  START_CHILD_WORKFLOW_EXECUTION: 'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: 'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
  MODIFY_WORKFLOW_PROPERTIES: 'WORKFLOW_PROPERTIES_MODIFIED',
  COMPLETE_WORKFLOW_EXECUTION: 'WORKFLOW_EXECUTION_COMPLETED',
  FAIL_WORKFLOW_EXECUTION: 'WORKFLOW_EXECUTION_FAILED',
  CANCEL_WORKFLOW_EXECUTION: 'WORKFLOW_EXECUTION_CANCELED',
  CONTINUE_AS_NEW_WORKFLOW_EXECUTION: 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
};

function eventOfCommand(request: RespondWorkflowTaskCompleted): (name: string | undefined, i: number) => string {
  return (name, i) => {
    const short = (name ?? '').replace('COMMAND_TYPE_', '');
    const message = request.commands?.[i]?.protocolMessageCommandAttributes?.messageId;
    if (message?.endsWith('/accept')) return 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED';
    if (message?.endsWith('/complete')) return 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED';
    return `EVENT_TYPE_${renamed[short] ?? short}`;
  };
}

function expectSameMessage(request: RespondWorkflowTaskCompleted, id: string, event: HistoryEvent): void {
  const message = request.messages?.find((candidate) => candidate.id === id);
  const value = message?.body?.value ?? new Uint8Array();
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
  if (accepted) {
    const body = temporal.api.update.v1.Acceptance.decode(value);
    expect(message?.protocolInstanceId).toBe(accepted.protocolInstanceId);
    expect(body.acceptedRequestMessageId).toBe(accepted.acceptedRequestMessageId);
    expect(plain(body.acceptedRequestSequencingEventId)).toEqual(plain(accepted.acceptedRequestSequencingEventId));
    if (accepted.acceptedRequest) expect(plain(body.acceptedRequest)).toEqual(plain(accepted.acceptedRequest));
  } else {
    const completed = event.workflowExecutionUpdateCompletedEventAttributes;
    const body = temporal.api.update.v1.Response.decode(value);
    expect(plain(body.meta)).toEqual(plain(completed?.meta));
    expect(plain(body.outcome)).toEqual(plain(completed?.outcome));
  }
}

/** Servers add the type to search attributes that come without. */
function untyped(attributes: Plain | undefined): Plain | undefined {
  return JSON.parse(
    JSON.stringify(attributes ?? null, (key, value: unknown) => (key === 'type' ? undefined : value)),
  ) as Plain;
}

/** Marker details without what a reenactment cannot repeat: digits below a millisecond, and the worker's clock at scheduling. */
function markerData(details: Plain | undefined): Plain | undefined {
  const text = JSON.stringify(details ?? null);
  const timeless = text.replace(/\\"original_schedule_time\\":\{[^}]*\}/g, '\\"original_schedule_time\\":null');
  return JSON.parse(
    timeless.replace(
      /(\\+"nanos\\+":)(\d+)/g,
      (_, key: string, nanos: string) => `${key}${Math.round(Number(nanos) / 1e6)}`,
    ),
  ) as Plain;
}
