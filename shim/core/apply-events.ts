/** Applies one workflow task sequence of history to the machines, and looks ahead into the next. */
import { FatalMachineError, NondeterminismError } from './errors';
import {
  EventType,
  describeEvent,
  eventId,
  eventType,
  hasAttributes,
  initialEventId,
  isCommandEvent,
  isFinalEvent,
  isIgnorable,
} from './events';
import { isLocalActivityMarker, localActivityMarkerOf, patchMarkerOf } from './markers';
import type { LocalActivityMarker } from './markers';
import { instant } from './messages';
import type { Machine } from './machines/machine';
import { WorkflowTaskMachine } from './machines/workflow-task';
import { patchVerdict } from './patch-markers';
import type { HistoryEvent } from './types';
import { updateRequestOfAccepted, updateRequestOfAdmitted } from './update-messages';
import type { UpdateRequestMessage } from './update-messages';
import type { WorkflowMachines } from './workflow-machines';
import { cancelJob, initializeWorkflowJob, signalJob, startedInfo } from './workflow-start';

/** Applies the next sequence; gives the number of events consumed, 0 at the end of history. */
export function applyEvents(machines: WorkflowMachines): number {
  if (machines.seenTerminalEvent) {
    machines.replaying = false;
    return 0;
  }
  const handledStartedId = machines.currentStartedEventId;
  const { events, isLast } = takeSequence(machines, handledStartedId);
  learnFromCompletions(machines, events);
  const last = events[events.length - 1];
  if (last === undefined) machines.replaying = false;
  else if (eventType(last) === EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) machines.nextStartedEventId = eventId(last);

  /** Update requests made durable by a reset, for the acceptance that replay may find ahead. */
  const admitted = new Map<string, UpdateRequestMessage>();
  let skipNext = false;
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as HistoryEvent;
    const id = eventId(event);
    if (id !== machines.lastProcessedEvent + 1) {
      throw new FatalMachineError(
        `History is out of order. Last processed event: ${machines.lastProcessedEvent}, event id: ${id}`,
      );
    }
    if (machines.replaying && isLast && endsReplay(machines, event, id)) machines.replaying = false;
    let handle = !skipNext;
    skipNext = false;
    const request = updateRequestOfAdmitted(event);
    if (request !== undefined) {
      handle = false;
      if (machines.replaying) admitted.set(request.protocolInstanceId, request);
      else machines.updateRequests.push(request);
    }
    startUpdatesAfter(machines, id - 1);
    if (handle) skipNext = applyEvent(machines, event, events[i + 1], isLast);
    machines.lastProcessedEvent = id;
  }
  lookAhead(machines, handledStartedId, admitted);
  return events.length;
}

function takeSequence(machines: WorkflowMachines, fromStartedId: number): { events: HistoryEvent[]; isLast: boolean } {
  const next = machines.history.take(fromStartedId);
  switch (next.kind) {
    case 'replayOver':
      return { events: [], isLast: true };
    case 'needFetch':
      throw new FatalMachineError('A workflow task was to be applied before its history was fetched');
    case 'events':
      return {
        events: next.events.filter((event) => eventId(event) > machines.lastProcessedEvent),
        isLast: next.isLast,
      };
  }
}

/** Flags and versions of a task must be known before lang runs it: they stand in the completion that follows. */
function learnFromCompletions(machines: WorkflowMachines, events: readonly HistoryEvent[]): void {
  const learn = (attributes: HistoryEvent['workflowTaskCompletedEventAttributes']): void => {
    if (!attributes) return;
    machines.flags.addFromHistory(attributes);
    machines.task.completedBy(attributes);
  };
  for (const event of events) learn(event.workflowTaskCompletedEventAttributes);
  const last = events[events.length - 1];
  if (last !== undefined) learn(machines.history.peekTaskCompleted(eventId(last)));
}

/** Replay ends with the first event that this worker cannot have seen or made. */
function endsReplay(machines: WorkflowMachines, event: HistoryEvent, id: number): boolean {
  return (
    id > machines.history.previousStartedEventId &&
    eventType(event) !== EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED &&
    !isCommandEvent(event)
  );
}

function startUpdatesAfter(machines: WorkflowMachines, id: number): void {
  if (machines.updateRequests.length === 0) return;
  const due = machines.updateRequests.filter((request) => request.sequencingEventId <= id);
  if (due.length === 0) return;
  machines.updateRequests = machines.updateRequests.filter((request) => request.sequencingEventId > id);
  for (const request of due) machines.startUpdate(request);
}

/** Applies one event; true when the event after it must be skipped. */
function applyEvent(
  machines: WorkflowMachines,
  event: HistoryEvent,
  nextEvent: HistoryEvent | undefined,
  isLast: boolean,
): boolean {
  if (isFinalEvent(event)) machines.seenTerminalEvent = true;
  if (isIgnorable(event)) return false;
  const type = eventType(event);
  if (
    type === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED ||
    type === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT
  ) {
    if (nextEvent === undefined && isLast) return false;
    throw new FatalMachineError('History has an event after the workflow execution was terminated');
  }
  if (!hasAttributes(event)) {
    throw new FatalMachineError(`This history is invalid: an event has no known type: ${describeEvent(event)}`);
  }
  if (isCommandEvent(event)) return applyCommandEvent(machines, event, nextEvent, isLast);
  if (event.workflowTaskStartedEventAttributes) machines.task.started(event.workflowTaskStartedEventAttributes);
  const initialId = initialEventId(event);
  if (initialId === undefined) applyFreeEvent(machines, event, isLast);
  else applyToMachineOf(machines, initialId, event, isLast);
  return false;
}

function applyToMachineOf(machines: WorkflowMachines, initialId: number, event: HistoryEvent, isLast: boolean): void {
  const machine = machines.byEventId.get(initialId);
  if (machine === undefined) {
    throw new NondeterminismError(
      `During event handling, this event had an initial command ID but we could not find a matching command for it: ${describeEvent(event)}`,
    );
  }
  feed(machines, machine, event, isLast);
  if (machine.isFinal) machines.byEventId.delete(initialId);
}

function feed(machines: WorkflowMachines, machine: Machine, event: HistoryEvent, isLast: boolean): void {
  machines.process(machine, machine.handleEvent(event, isLast));
}

/** A command event takes the next command off the queue; both must agree. True when the next event must be skipped. */
function applyCommandEvent(
  machines: WorkflowMachines,
  event: HistoryEvent,
  nextEvent: HistoryEvent | undefined,
  isLast: boolean,
): boolean {
  if (isLocalActivityMarker(event)) {
    const marker = readLocalActivityMarker(event);
    const machine = machines.localActivityMachines.get(marker.seq);
    if (machine === undefined) {
      throw new NondeterminismError(`Missing associated machine for LocalActivity(${marker.seq})`);
    }
    if (machine.takesMarkerWithoutCommand) {
      feed(machines, machine, event, isLast);
      return false;
    }
  }
  for (;;) {
    const verdict = patchVerdict(event, machines.commands[0]?.machine, nextEvent);
    if (verdict === 'skipEvent') return false;
    if (verdict === 'skipEventAndUpsert') return true;
    const waiting = machines.commands.shift();
    if (verdict === 'skipCommand') continue;
    if (waiting === undefined) {
      throw new NondeterminismError(`No command scheduled for event ${describeEvent(event)}`);
    }
    if (waiting.machine.cancelledBeforeSent) continue;
    feed(machines, waiting.machine, event, isLast);
    if (!waiting.machine.isFinal) machines.byEventId.set(eventId(event), waiting.machine);
    return false;
  }
}

function readLocalActivityMarker(event: HistoryEvent): LocalActivityMarker {
  const marker = localActivityMarkerOf(event);
  if (marker === undefined) {
    throw new FatalMachineError(`Local activity marker was unparsable: ${describeEvent(event)}`);
  }
  return marker;
}

/** Events that no command led to. */
function applyFreeEvent(machines: WorkflowMachines, event: HistoryEvent, isLast: boolean): void {
  switch (eventType(event)) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: {
      const attributes = event.workflowExecutionStartedEventAttributes ?? {};
      // Queries before the first task was started want a time, too.
      if (event.eventTime) machines.advanceTime(instant(event.eventTime));
      machines.started = startedInfo(attributes);
      machines.sendJob(initializeWorkflowJob(machines.workflowId, attributes, event.eventTime));
      return;
    }
    case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: {
      const machine = new WorkflowTaskMachine(machines.nextStartedEventId);
      feed(machines, machine, event, isLast);
      machines.byEventId.set(eventId(event), machine);
      return;
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: {
      const job = signalJob(event);
      if (job !== undefined) machines.sendJob(job);
      return;
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: {
      const job = cancelJob(event);
      if (job !== undefined) machines.sendJob(job);
      return;
    }
    default:
      throw new FatalMachineError(`This event has no place in a workflow's history: ${describeEvent(event)}`);
  }
}

/**
 * The commands of the task now to be activated stand in the next sequence. Three kinds must be known before: patches, local
 * activity results and accepted updates were there in the first execution without any event before the task.
 */
function lookAhead(
  machines: WorkflowMachines,
  handledStartedId: number,
  admitted: Map<string, UpdateRequestMessage>,
): void {
  const found: (LocalActivityMarker | UpdateRequestMessage)[] = [];
  for (const event of machines.history.peek(handledStartedId)) {
    const patch = patchMarkerOf(event);
    if (patch !== undefined) {
      machines.patches.set(patch.id, false);
      machines.sendJob({ variant: 'notifyHasPatch', notifyHasPatch: { patchId: patch.id } });
    } else if (isLocalActivityMarker(event)) {
      found.push(readLocalActivityMarker(event));
    } else if (event.workflowExecutionUpdateAcceptedEventAttributes) {
      const instanceId = event.workflowExecutionUpdateAcceptedEventAttributes.protocolInstanceId ?? '';
      found.push(admitted.get(instanceId) ?? updateRequestOfAccepted(event));
      admitted.delete(instanceId);
    }
  }
  for (const entry of found) {
    if ('request' in entry) {
      machines.startUpdate(entry);
      continue;
    }
    const machine = machines.localActivityMachines.get(entry.seq);
    if (machine !== undefined && !machine.awaitsMarker) continue;
    machines.localActivities.addMarkerAhead(entry);
    machines.applyMarkersAhead();
  }
}
