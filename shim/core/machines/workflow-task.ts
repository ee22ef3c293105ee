/** Workflow task: tells when the workflow's time and place in history move on, and of a reset. */
import { temporal } from '@temporalio/proto';
import { FatalMachineError } from '../errors';
import { EventType, describeEvent, eventId, eventType } from '../events';
import { instant } from '../messages';
import type { Instant } from '../messages';
import type { HistoryEvent } from '../types';
import { StateMachine, attributesOf, nothing } from './machine';
import type { Responses, Table } from './machine';

type State = 'Created' | 'Scheduled' | 'Started' | 'Completed' | 'Failed' | 'TimedOut';

interface Events {
  WorkflowTaskScheduled: undefined;
  WorkflowTaskStarted: { eventId: number; time: Instant };
  WorkflowTaskCompleted: undefined;
  WorkflowTaskFailed: { resetRunId: string | undefined };
  WorkflowTaskTimedOut: undefined;
}

const table: Table<WorkflowTaskMachine, State, Events> = {
  Created: { WorkflowTaskScheduled: { to: 'Scheduled' } },
  Scheduled: {
    WorkflowTaskStarted: { to: 'Started', run: (task, data) => task.started(data) },
    WorkflowTaskTimedOut: { to: 'TimedOut' },
  },
  Started: {
    WorkflowTaskCompleted: { to: 'Completed', run: (task) => task.completed() },
    WorkflowTaskFailed: { to: 'Failed', run: (task, data) => task.failed(data.resetRunId) },
    WorkflowTaskTimedOut: { to: 'TimedOut' },
  },
  Completed: {},
  Failed: {},
  TimedOut: {},
};

export class WorkflowTaskMachine extends StateMachine<State, Events> {
  readonly name = 'WorkflowTaskMachine';
  protected readonly title = 'Workflow task';
  protected readonly table = table;
  private startedAt: { eventId: number; time: Instant } | undefined;

  /** @param nextStartedEventId the started event that ends the sequence being applied: only it starts a task for lang. */
  constructor(private readonly nextStartedEventId: number) {
    super('Created');
  }

  protected apply(event: HistoryEvent): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
        return this.fire('WorkflowTaskScheduled', undefined);
      case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
        if (!event.eventTime) {
          throw new FatalMachineError(`Workflow task started event must contain timestamp: ${describeEvent(event)}`);
        }
        return this.fire('WorkflowTaskStarted', { eventId: eventId(event), time: instant(event.eventTime) });
      case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
        return this.fire('WorkflowTaskCompleted', undefined);
      case EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        return this.fire('WorkflowTaskTimedOut', undefined);
      case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: {
        const { cause, newRunId } = attributesOf(event.workflowTaskFailedEventAttributes, event);
        const reset = cause === temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW;
        return this.fire('WorkflowTaskFailed', { resetRunId: reset ? (newRunId ?? '') : undefined });
      }
      default:
        return this.unexpected(event);
    }
  }

  started(data: { eventId: number; time: Instant }): Responses {
    this.startedAt = data;
    if (data.eventId < this.nextStartedEventId) return nothing;
    return [{ do: 'taskStarted', startedEventId: this.nextStartedEventId, time: data.time }];
  }

  completed(): Responses {
    const { eventId: startedEventId, time } = this.startedAt as { eventId: number; time: Instant };
    return [{ do: 'taskStarted', startedEventId, time }];
  }

  failed(resetRunId: string | undefined): Responses {
    return resetRunId === undefined ? nothing : [{ do: 'newRandomSeed', runId: resetRunId }];
  }
}
