/** Histories and tasks made by hand, for tests of single rules. */
import { temporal } from '@temporalio/proto';
import { fromMs, long } from '../../shim/common/proto-values';
import type { HistoryEvent, WorkflowTask } from '../../shim/core';

type Attributes = { [K in keyof HistoryEvent as K extends `${string}EventAttributes` ? K : never]?: HistoryEvent[K] };

const { EventType } = temporal.api.enums.v1;

/** `timerFiredEventAttributes` → EVENT_TYPE_TIMER_FIRED. */
function typeOf(key: string): temporal.api.enums.v1.EventType {
  const words = key.replace('EventAttributes', '').replace(/[A-Z]/g, (letter) => `_${letter}`);
  return EventType[`EVENT_TYPE_${words.toUpperCase()}` as keyof typeof EventType];
}

export const START_MS = 1_700_000_000_000;

export class HistoryBuilder {
  readonly events: HistoryEvent[] = [];
  /** Id of the last WorkflowTaskStarted that was completed. */
  private previousStarted = 0;
  private lastStarted = 0;
  private lastScheduled = 0;

  constructor(start: temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes = {}) {
    this.add({
      workflowExecutionStartedEventAttributes: {
        workflowType: { name: 'wf' },
        taskQueue: { name: 'test' },
        originalExecutionRunId: 'run-1',
        firstExecutionRunId: 'run-1',
        attempt: 1,
        workflowTaskTimeout: fromMs(10_000),
        ...start,
      },
    });
  }

  /** Adds an event; gives its id. Events are a second apart. */
  add(attributes: Attributes, extra: Partial<HistoryEvent> = {}): number {
    const id = this.events.length + 1;
    const key = Object.keys(attributes)[0] ?? '';
    this.events.push({
      eventId: long(id),
      eventType: typeOf(key),
      eventTime: fromMs(START_MS + id * 1000),
      ...attributes,
      ...extra,
    });
    return id;
  }

  /** WorkflowTaskScheduled and WorkflowTaskStarted. */
  taskStarted(attributes: temporal.api.history.v1.IWorkflowTaskStartedEventAttributes = {}): number {
    this.lastScheduled = this.add({ workflowTaskScheduledEventAttributes: {} });
    this.lastStarted = this.add({
      workflowTaskStartedEventAttributes: { scheduledEventId: long(this.lastScheduled), ...attributes },
    });
    return this.lastStarted;
  }

  /** WorkflowTaskCompleted, with the flags of a present worker unless others are given. */
  taskCompleted(coreUsedFlags: number[] = [1, 2, 3]): number {
    this.previousStarted = this.lastStarted;
    return this.add({
      workflowTaskCompletedEventAttributes: {
        scheduledEventId: long(this.lastScheduled),
        startedEventId: long(this.lastStarted),
        sdkMetadata: { coreUsedFlags, langUsedFlags: [2] },
      },
    });
  }

  taskFailed(attributes: temporal.api.history.v1.IWorkflowTaskFailedEventAttributes = {}): number {
    return this.add({
      workflowTaskFailedEventAttributes: { scheduledEventId: long(this.lastScheduled), ...attributes },
    });
  }

  /** The task now started. @param sticky only events since the last completed task. */
  task(extra: Partial<WorkflowTask> = {}, sticky = false): WorkflowTask {
    return {
      taskToken: new TextEncoder().encode(`task ${this.lastStarted}`),
      workflowExecution: { workflowId: 'workflow', runId: 'run-1' },
      workflowType: { name: 'wf' },
      history: { events: this.events.slice(sticky ? this.previousStarted : 0) },
      attempt: 1,
      previousStartedEventId: long(this.previousStarted),
      startedEventId: long(this.lastStarted),
      ...extra,
    };
  }

  /** A query with a task of its own; the run is thought to be cached, so that it brings no events. */
  queryTask(queryType: string): WorkflowTask {
    return {
      ...this.task({ history: { events: [] }, startedEventId: long(0) }),
      previousStartedEventId: long(this.lastStarted),
      query: { queryType },
    };
  }
}
