/** A worker by hand: polls, and answers with whatever the scenario says, also what no SDK would send. */
import type { ConnectionLike } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { scheduleActivity } from './commands';
import { NAMESPACE } from './engines';
import { payloads } from './payloads';

export type WorkflowTask = temporal.api.workflowservice.v1.PollWorkflowTaskQueueResponse;
export type ActivityTask = temporal.api.workflowservice.v1.PollActivityTaskQueueResponse;
type Completion = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Command = temporal.api.command.v1.ICommand;
type Failure = temporal.api.failure.v1.IFailure;

const namespace = NAMESPACE;
const identity = 'raw';
const LONG_POLL_MS = 70_000;
const VERSIONED = temporal.api.enums.v1.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;
const { TaskQueueKind, WorkflowTaskFailedCause, QueryResultType } = temporal.api.enums.v1;

export interface RawVersion {
  deploymentName: string;
  buildId: string;
  behavior: temporal.api.enums.v1.VersioningBehavior;
}

export class RawWorker {
  constructor(
    private readonly connection: ConnectionLike,
    readonly queue: string,
    /** Of a worker deployment. */
    private readonly version?: RawVersion,
  ) {}

  private get deployment(): { deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions } {
    if (this.version === undefined) return {};
    const { deploymentName, buildId } = this.version;
    return { deploymentOptions: { deploymentName, buildId, workerVersioningMode: VERSIONED } };
  }

  private get rpc(): ConnectionLike['workflowService'] {
    return this.connection.workflowService;
  }

  /** The next workflow task, of the queue or of a sticky one. */
  async poll(sticky?: string): Promise<WorkflowTask> {
    const task = await this.tryPoll(20_000, sticky);
    if (task === undefined) throw new Error(`No workflow task within 20 s on ${sticky ?? this.queue}`);
    return task;
  }

  /** As poll, undefined when there is none for that long. A poll that is given up may take a task with it on a real server. */
  async tryPoll(ms: number, sticky?: string): Promise<WorkflowTask | undefined> {
    const taskQueue =
      sticky === undefined
        ? { name: this.queue }
        : { name: sticky, kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY, normalName: this.queue };
    const task = await this.within(ms, () =>
      this.rpc.pollWorkflowTaskQueue({ namespace, taskQueue, identity, ...this.deployment }),
    );
    return task?.taskToken?.length ? task : undefined;
  }

  async complete(task: WorkflowTask, commands: Command[] = [], more: Partial<Completion> = {}) {
    return this.rpc.respondWorkflowTaskCompleted({
      namespace,
      taskToken: task.taskToken,
      identity,
      commands,
      ...this.deployment,
      ...(this.version === undefined ? {} : { versioningBehavior: this.version.behavior }),
      ...more,
    });
  }

  /** Sticky attributes of a completion: the next tasks come to `queue`. */
  sticky(queue: string, scheduleToStartSeconds = 10): Partial<Completion> {
    return {
      stickyAttributes: {
        workerTaskQueue: { name: queue, kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY, normalName: this.queue },
        scheduleToStartTimeout: { seconds: scheduleToStartSeconds as never },
      },
    };
  }

  async fail(
    task: WorkflowTask,
    failure: Failure = { message: 'by hand' },
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
  ) {
    return this.rpc.respondWorkflowTaskFailed({ namespace, taskToken: task.taskToken, identity, cause, failure });
  }

  /** Polls once and completes with these commands. */
  async step(commands: Command[] = [], more: Partial<Completion> = {}): Promise<WorkflowTask> {
    const task = await this.poll();
    await this.complete(task, commands, more);
    return task;
  }

  async answerQuery(task: WorkflowTask, answer: unknown): Promise<void> {
    await this.rpc.respondQueryTaskCompleted({
      namespace,
      taskToken: task.taskToken,
      completedType: QueryResultType.QUERY_RESULT_TYPE_ANSWERED,
      queryResult: payloads(answer),
    });
  }

  async failQuery(task: WorkflowTask, errorMessage: string, failure?: Failure): Promise<void> {
    await this.rpc.respondQueryTaskCompleted({
      namespace,
      taskToken: task.taskToken,
      completedType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
      errorMessage,
      failure,
    });
  }

  async pollActivity(): Promise<ActivityTask> {
    const task = await this.tryPollActivity(20_000);
    if (task === undefined) throw new Error(`No activity task within 20 s on ${this.queue}`);
    return task;
  }

  async tryPollActivity(ms: number): Promise<ActivityTask | undefined> {
    const taskQueue = { name: this.queue };
    const task = await this.within(ms, () =>
      this.rpc.pollActivityTaskQueue({ namespace, taskQueue, identity, ...this.deployment }),
    );
    return task?.taskToken?.length ? task : undefined;
  }

  /** Schedules on this worker's queue. */
  scheduleActivity(activityId: string, more: Parameters<typeof scheduleActivity>[1] = {}): Command {
    return scheduleActivity(activityId, { taskQueue: { name: this.queue }, ...more });
  }

  async completeActivity({ taskToken }: ActivityTask, result: unknown = 'done') {
    return this.rpc.respondActivityTaskCompleted({ namespace, taskToken, identity, result: payloads(result) });
  }

  async failActivity(
    { taskToken }: ActivityTask,
    failure: Failure = { message: 'by hand', applicationFailureInfo: { type: 'ByHand' } },
    lastHeartbeatDetails?: temporal.api.common.v1.IPayloads,
  ) {
    return this.rpc.respondActivityTaskFailed({ namespace, taskToken, identity, failure, lastHeartbeatDetails });
  }

  async cancelActivity({ taskToken }: ActivityTask, ...details: unknown[]) {
    return this.rpc.respondActivityTaskCanceled({ namespace, taskToken, identity, details: payloads(...details) });
  }

  async heartbeat({ taskToken }: ActivityTask, ...details: unknown[]) {
    return this.rpc.recordActivityTaskHeartbeat({ namespace, taskToken, identity, details: payloads(...details) });
  }

  /** Given up after `ms`; the deadline is one that a real server takes for a long poll. */
  private async within<T>(ms: number, call: () => Promise<T>): Promise<T | undefined> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ms);
    try {
      return await this.connection.withAbortSignal(stop.signal, () =>
        this.connection.withDeadline(Date.now() + LONG_POLL_MS, call),
      );
    } catch (error) {
      if (stop.signal.aborted) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
