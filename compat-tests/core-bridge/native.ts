/** The functions of `@temporalio/core-bridge`'s native module, by their names. */
import type { native } from '@temporalio/core-bridge';
import type { Client } from './client';
import { errors } from './errors';
import type { ReplayWorker } from './replay-worker';
import { Worker } from './worker';

export * from './client';
export * from './metrics';
export { closeHistoryStream, newReplayWorker, pushHistory } from './replay-worker';
export { getTimeOfDay, newRuntime, runtimeShutdown } from './runtime';
export { ephemeralServerGetTarget, ephemeralServerShutdown, newEphemeralServer } from './servers';

type AnyWorker = Worker | ReplayWorker;

export function newWorker(client: Client, options: native.WorkerOptions): Worker {
  return new Worker(client, options);
}

export function workerValidate(worker: Worker): Promise<Buffer> {
  return worker.validate();
}

export function workerPollWorkflowActivation(worker: AnyWorker): Promise<Buffer> {
  return worker.pollWorkflows();
}

export function workerPollActivityTask(worker: AnyWorker): Promise<Buffer> {
  return worker.pollActivities();
}

export function workerPollNexusTask(_worker: AnyWorker): Promise<Buffer> {
  return Promise.reject(new errors.ShutdownError('There are no Nexus tasks'));
}

export async function workerCompleteWorkflowActivation(worker: AnyWorker, completion: Buffer): Promise<void> {
  worker.polls.runs.complete(completion);
}

export async function workerCompleteActivityTask(worker: AnyWorker, completion: Buffer): Promise<void> {
  worker.polls.activityTasks.complete(completion);
}

export async function workerCompleteNexusTask(): Promise<void> {}

export function workerRecordActivityHeartbeat(worker: AnyWorker, heartbeat: Buffer): void {
  worker.polls.activityTasks.heartbeat(heartbeat);
}

export function workerInitiateShutdown(worker: AnyWorker): void {
  worker.initiateShutdown();
}

export function workerFinalizeShutdown(worker: AnyWorker): Promise<void> {
  return worker.finalizeShutdown();
}

export function workerReplaceClient(worker: Worker, client: Client): void {
  worker.replaceClient(client);
}

/** Resource-based slots are a fixed number here. */
export function newResourceBasedController(_options: native.ResourceBasedTunerOptions): object {
  return { type: 'resource-based-controller' };
}
