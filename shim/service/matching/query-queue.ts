/** Which workers can answer a query about a run. */
import type { ExecutionRow } from '../../store/types';
import type { RunState } from '../engine/types';
import { closedVersioning } from '../engine/versioning/closed';
import { type Routing, workflowTaskVersion } from '../engine/versioning/routing';
import { pinnedVersion } from '../engine/versioning/run-versioning';
import type { DeploymentVersion } from '../engine/versioning/version';
import { physicalName } from './physical-queue';

type Run = Pick<RunState, 'workflowId' | 'taskQueue' | 'deployment'>;

export interface QueryQueue {
  name: string;
  /** The version that the run is pinned to. */
  pinned: DeploymentVersion | null;
}

export function queryQueue(run: Run, routing: Routing | null): QueryQueue {
  return { name: physicalName(run.taskQueue, workflowTaskVersion(run, routing)), pinned: pinnedVersion(run) };
}

export function closedRun(row: ExecutionRow): Run {
  return { workflowId: row.workflowId, taskQueue: row.taskQueue, deployment: closedVersioning(row) };
}
