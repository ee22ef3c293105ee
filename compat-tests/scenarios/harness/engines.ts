/** The two engines behind one interface: what a scenario may use of them. */
import type { Client, ConnectionLike } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { WorkerOptions } from '@temporalio/worker';

/** A worker that is polling. */
export interface RunningWorker {
  /** Stops polling and waits for what it has in hand. */
  stop(): Promise<void>;
}

/** Options of a worker that mean the same on both engines. */
export type EngineWorkerOptions = Omit<Partial<WorkerOptions>, 'connection' | 'workflowBundle'> & { taskQueue: string };

export interface ClientParts {
  connection: ConnectionLike;
  dataConverter?: DataConverter;
}

export interface Engine {
  name: 'temporal' | 'branchline';
  /** Made by the engine's own package; the official `Connection` and the drop-in have the same surface. */
  connection: ConnectionLike;
  /** A client of the engine's package on `connection` (or one that wraps it). */
  client(parts: ClientParts): Client;
  /** A worker with the shared workflows and, unless the options say otherwise, the shared activities. */
  worker(options: EngineWorkerOptions): Promise<RunningWorker>;
  close(): Promise<void>;
}

export const NAMESPACE = 'default';
/** The queue of the worker that all scenarios share. */
export const SHARED_QUEUE = 'shared';

/** What both engines' workers have in common; the same identity, so that histories can be compared without hiding it. */
export const workerDefaults = {
  namespace: NAMESPACE,
  identity: 'worker',
  buildId: 'scenarios',
  shutdownGraceTime: '1s',
  shutdownForceTime: '5s',
  defaultHeartbeatThrottleInterval: '50ms',
  maxHeartbeatThrottleInterval: '50ms',
} as const;

export const clientDefaults = { namespace: NAMESPACE, identity: 'client' } as const;
