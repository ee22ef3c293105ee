/** Which queue a run's work waits on: by its task queue, its version, and where it is cached. */
import { type ActivityState, type RunState, Status, type WorkflowTaskState } from '../engine/types';
import { type Routing, activityVersion, stickyAllowed, workflowTaskVersion } from '../engine/versioning/routing';
import { sameVersion } from '../engine/versioning/version';
import { physicalName } from './physical-queue';
import type { TaskQueues } from './queues';
import type { TaskKind, TaskQueue } from './task-queue';

/** A scheduled attempt that no worker has taken. */
export interface UnstartedTask {
  kind: TaskKind;
  scheduledEventId: number;
  attempt: number;
}

export class Destinations {
  constructor(
    private readonly queues: TaskQueues,
    private readonly routing: (namespaceId: number) => Routing | null,
  ) {}

  /** Undefined when the task does not wait (any more). */
  of(state: RunState, namespaceId: number, task: UnstartedTask): TaskQueue | undefined {
    const { scheduledEventId, attempt } = task;
    if (state.status !== Status.Running) return undefined;
    if (task.kind === 'workflow') {
      const pending = state.workflowTask;
      if (pending?.scheduledEventId !== scheduledEventId || pending.startedEventId !== 0) return undefined;
      return pending.attempt === attempt ? this.ofWorkflowTask(state, namespaceId, pending) : undefined;
    }
    const activity = state.activities[String(scheduledEventId)];
    if (activity === undefined || activity.startedAtMs !== 0 || activity.attempt !== attempt) return undefined;
    return activity.paused || activity.backingOff ? undefined : this.ofActivity(state, namespaceId, activity);
  }

  /** The sticky queue as long as somebody polls it and the run stays with its version, else that version's normal one. */
  ofWorkflowTask(state: RunState, namespaceId: number, task: WorkflowTaskState): TaskQueue {
    const routing = this.routing(namespaceId);
    const versioned = routing !== null || state.deployment !== null;
    if (task.sticky && (!versioned || stickyAllowed(state, routing))) {
      const sticky = this.queues.find(namespaceId, task.taskQueue, 'workflow');
      if (sticky?.polled === true) return sticky;
      if (this.queues.polledElsewhere(namespaceId, task.taskQueue, 'workflow')) {
        return this.queues.get(namespaceId, task.taskQueue, 'workflow');
      }
    }
    const version = versioned ? workflowTaskVersion(state, routing) : null;
    return this.queues.get(namespaceId, physicalName(state.taskQueue, version), 'workflow');
  }

  ofActivity(state: RunState, namespaceId: number, { taskQueue }: ActivityState): TaskQueue {
    const routing = this.routing(namespaceId);
    const versioned = routing !== null || state.deployment !== null;
    const version = versioned ? activityVersion(state, taskQueue, routing) : null;
    return this.queues.get(namespaceId, physicalName(taskQueue, version), 'activity');
  }

  /** Routing has changed since the task was put on that queue. */
  isElsewhere(state: RunState, namespaceId: number, queue: TaskQueue, task: UnstartedTask): boolean {
    if (this.routing(namespaceId) === null && state.deployment === null) return false;
    const target = this.of(state, namespaceId, task);
    if (target === undefined) return false;
    // From a normal queue of its version it may be taken though a sticky one is polled by now, not the other way round.
    return queue.sticky ? target !== queue : !target.sticky && !sameVersion(target.version, queue.version);
  }
}
