/** A worker deployment with its versions: one row, JSON. What Temporal keeps in workflows of its own (service/worker/workerdeployment). */
import type { Payload } from '../types';
import type { QueueKind } from '../versioning/routing';

/** temporal.api.enums.v1.WorkerDeploymentVersionStatus */
export enum VersionStatus {
  Inactive = 1,
  Current = 2,
  Ramping = 3,
  Draining = 4,
  Drained = 5,
}

/** temporal.api.enums.v1.VersionDrainageStatus */
export enum DrainageStatus {
  Unspecified = 0,
  Draining = 1,
  Drained = 2,
}

/** Times are epoch ms, 0 = never. */
export interface VersionState {
  buildId: string;
  createdMs: number;
  status: VersionStatus;
  /** Became or ceased to be current or ramping. */
  routingUpdatedMs: number;
  currentSinceMs: number;
  rampingSinceMs: number;
  rampPercentage: number;
  firstActivatedMs: number;
  lastDeactivatedMs: number;
  drainage: { status: DrainageStatus; changedMs: number; checkedMs: number } | null;
  /** Where its workers have polled. */
  taskQueues: { name: string; kind: QueueKind }[];
  /** Null = none were ever set. */
  metadata: Record<string, Payload> | null;
}

/** A build id; null = workers without versioning. */
export type Target = string | null;

export interface DeploymentState {
  name: string;
  createdMs: number;
  lastModifier: string;
  manager: string;
  current: Target;
  currentChangedMs: number;
  /** Undefined = nothing ramps. */
  ramping?: Target;
  rampPercentage: number;
  rampingChangedMs: number;
  rampPercentageChangedMs: number;
  /** Counts the changes that conflict tokens are about. */
  revision: number;
  versions: VersionState[];
}
