/** The native worker: our core's pollers and drivers, executing on Temporal's own worker through its polls. */
import type { native } from '@temporalio/core-bridge';
import { coresdk, temporal } from '@temporalio/proto';
import { sdkStamp } from '../../shim/common/sdk-version';
import type { CoreRunOptions } from '../../shim/core';
import { ActivityWorker, type ActivityWorkerSettings } from '../../shim/worker/activity/activity-worker';
import { callWithRetry, type Rpc } from '../../shim/worker/polling/rpc';
import { WorkflowWorker, type WorkflowWorkerSettings } from '../../shim/worker/workflow/workflow-worker';
import type { Client } from './client';
import { errors } from './errors';
import { PollQueue } from './poll-queue';
import { RemoteActivities } from './remote-activities';
import { RemoteRuns } from './remote-runs';

type Limits = temporal.api.namespace.v1.NamespaceInfo.ILimits;

/** Pending polls hold no handle: this keeps the process alive. */
const keepAliveMs = 60 * 60 * 1000;

/** The polls of a worker, and where what it answers goes. */
export class WorkerPolls {
  readonly workflows = new PollQueue();
  readonly activities = new PollQueue();
  readonly runs = new RemoteRuns(this.workflows);
  readonly activityTasks = new RemoteActivities(this.activities);
}

export class Worker {
  readonly type = 'worker';
  readonly polls = new WorkerPolls();
  private readonly workflowWorker: WorkflowWorker | undefined;
  private readonly activityWorker: ActivityWorker | undefined;
  private readonly keepAlive = setInterval(() => undefined, keepAliveMs);
  private shuttingDown: Promise<void> | undefined;
  private started = false;

  constructor(
    private client: Client,
    private readonly options: native.WorkerOptions,
  ) {
    if (options.taskTypes.enableNexus) throw new errors.UnexpectedError('Branchline has no Nexus services');
    const { taskTypes } = options;
    const buildId = buildIdOf(options);
    const rpc: Rpc = { call: (...args) => this.client.service.call(...args) };
    const coreLogger = client.runtime.logger;
    const onFatal = (error: unknown): void => {
      coreLogger.error('A poll failed for good', { error });
      this.initiateShutdown();
    };
    const shared = { buildId, rpc, coreLogger, onFatal };
    if (taskTypes.enableWorkflows) {
      this.workflowWorker = new WorkflowWorker({
        ...shared,
        options: workflowSettings(options),
        executors: this.polls.runs,
        core: coreOptions(options, client),
        activityExecutor: this.polls.activityTasks,
      });
    }
    if (taskTypes.enableRemoteActivities) {
      this.activityWorker = new ActivityWorker({
        ...shared,
        options: activitySettings(options),
        executor: this.polls.activityTasks,
        deploymentOptions: coreOptions(options).deploymentOptions,
        logger: coreLogger,
      });
    }
  }

  async validate(): Promise<Buffer> {
    const { namespace } = this.options;
    let limits: Limits | null | undefined;
    try {
      const found = await callWithRetry<temporal.api.workflowservice.v1.IDescribeNamespaceResponse>(
        this.client.service,
        'describeNamespace',
        { namespace },
      );
      limits = found.namespaceInfo?.limits;
    } catch (error) {
      clearInterval(this.keepAlive);
      throw new errors.TransportError(
        `Namespace ${namespace} was not found or otherwise could not be described: ${(error as Error).message}`,
      );
    }
    const { blobSizeLimitError, memoSizeLimitError } = limits ?? {};
    return Buffer.from(
      coresdk.NamespaceInfo.encode({
        limits: { blobSizeLimitError: blobSizeLimitError, memoSizeLimitError: memoSizeLimitError },
      }).finish(),
    );
  }

  pollWorkflows(): Promise<Buffer> {
    this.start();
    return this.polls.workflows.next();
  }

  pollActivities(): Promise<Buffer> {
    this.start();
    return this.polls.activities.next();
  }

  replaceClient(client: Client): void {
    this.client = client;
  }

  initiateShutdown(): void {
    this.shuttingDown ??= this.drain();
    // `finalizeShutdown` tells of errors.
    this.shuttingDown.catch(() => undefined);
  }

  async finalizeShutdown(): Promise<void> {
    this.initiateShutdown();
    await this.shuttingDown;
    clearInterval(this.keepAlive);
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    this.workflowWorker?.run();
    this.activityWorker?.run();
  }

  private async drain(): Promise<void> {
    // The native library answers from threads of its own, so never in the turn of the question.
    await new Promise(setImmediate);
    try {
      if (this.started) {
        await Promise.all([
          this.workflowWorker?.shutdown(),
          this.activityWorker?.shutdown(this.options.shutdownGraceTime),
        ]);
      }
    } finally {
      this.polls.workflows.close();
      this.polls.activities.close();
    }
  }
}

/** Custom suppliers are not asked: they count as having no limit worth the name. */
const unlimitedSlots = 1000;

function slots(supplier: native.SlotSupplierOptions): number {
  if (supplier.type === 'fixed-size') return supplier.numSlots;
  return supplier.type === 'resource-based' ? Math.min(supplier.maximumSlots, unlimitedSlots) : unlimitedSlots;
}

function settings({ namespace, taskQueue, identity, tuner, ...rest }: native.WorkerOptions) {
  const { nonStickyToStickyPollRatio: ratio } = rest;
  const workflowPolls = rest.workflowTaskPollerBehavior.maximum;
  const normal = Math.max(1, Math.round(workflowPolls * ratio));
  return {
    namespace,
    taskQueue,
    identity,
    slots: {
      workflowTasks: slots(tuner.workflowTaskSlotSupplier),
      activities: slots(tuner.activityTaskSlotSupplier),
      localActivities: slots(tuner.localActivityTaskSlotSupplier),
    },
    polls: {
      workflowTasks: { normal, sticky: Math.max(1, workflowPolls - normal) },
      activities: rest.activityTaskPollerBehavior.maximum,
    },
  };
}

function workflowSettings(options: native.WorkerOptions): WorkflowWorkerSettings {
  return {
    ...settings(options),
    maxCachedWorkflows: options.maxCachedWorkflows,
    maxCachedWorkflowBytes: Infinity,
    stickyQueueScheduleToStartTimeoutMs: options.stickyQueueScheduleToStartTimeout,
  };
}

function activitySettings(options: native.WorkerOptions): ActivityWorkerSettings {
  return {
    ...settings(options),
    maxActivitiesPerSecond: options.maxActivitiesPerSecond ?? undefined,
    maxTaskQueueActivitiesPerSecond: options.maxTaskQueueActivitiesPerSecond ?? undefined,
    maxHeartbeatThrottleIntervalMs: options.maxHeartbeatThrottleInterval,
    defaultHeartbeatThrottleIntervalMs: options.defaultHeartbeatThrottleInterval,
  };
}

export function coreOptions(options: native.WorkerOptions, client?: Client): CoreRunOptions {
  const { namespace, taskQueue, identity, workflowFailureErrors, workflowTypesToFailureErrors } = options;
  return {
    namespace,
    taskQueue,
    identity,
    buildId: buildIdOf(options),
    sdkName: client?.options.clientName ?? sdkStamp.name,
    sdkVersion: client?.options.clientVersion ?? sdkStamp.version,
    ...deploymentOf(options),
    nondeterminismFailsWorkflow: (workflowType) =>
      [...workflowFailureErrors, ...(workflowTypesToFailureErrors[workflowType] ?? [])].length > 0,
  };
}

/** A deployment's build goes before the option of that name. */
const buildIdOf = ({ workerDeploymentOptions, buildId }: native.WorkerOptions): string =>
  workerDeploymentOptions?.version.buildId ?? buildId;

function deploymentOf({ workerDeploymentOptions: given }: native.WorkerOptions): Partial<CoreRunOptions> {
  if (given === null) return {};
  const { version, useWorkerVersioning, defaultVersioningBehavior } = given;
  const { VERSIONING_BEHAVIOR_PINNED, VERSIONING_BEHAVIOR_AUTO_UPGRADE } = temporal.api.enums.v1.VersioningBehavior;
  const pinned = defaultVersioningBehavior?.type === 'pinned';
  return {
    deploymentOptions: { ...version, workerVersioningMode: useWorkerVersioning ? 2 : 1 },
    ...(defaultVersioningBehavior === null
      ? {}
      : { defaultVersioningBehavior: pinned ? VERSIONING_BEHAVIOR_PINNED : VERSIONING_BEHAVIOR_AUTO_UPGRADE }),
  };
}
