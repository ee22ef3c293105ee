/** Every RPC by its lower-camel name. */
import { activityControlRpcs } from './activity-controls';
import { activityTaskRpcs } from './activity-tasks';
import { batchRpcs } from './batch/rpcs';
import { clientRpcs } from './client-rpcs';
import { listNexusEndpoints, pollNexusTaskQueue } from './nexus';
import { scheduleRpcs } from './schedules/rpcs';
import type { Schedules } from './schedules/schedules';
import { CurrentRuns } from './target';
import type { CallContext } from './types';
import { type WorkerParts, workflowTaskRpcs } from './workflow-tasks';
import { Workers } from './workers/registry';
import { workerRpcs } from './workers/rpcs';

export type RpcHandler = (request: object, ctx: CallContext) => Promise<object>;

export function rpcTable(parts: WorkerParts, schedules: Schedules, batchStarted: () => void): Map<string, RpcHandler> {
  const current = new CurrentRuns(parts);
  const workers = new Workers(parts.store);
  const families = {
    ...clientRpcs(parts),
    ...workflowTaskRpcs(parts, current, workers),
    ...workerRpcs(parts, workers),
    pollNexusTaskQueue: pollNexusTaskQueue(parts),
    listNexusEndpoints,
    ...activityTaskRpcs(parts, current),
    ...activityControlRpcs(parts, current),
    ...scheduleRpcs(parts, schedules),
    ...batchRpcs(parts, batchStarted),
  };
  return new Map(Object.entries(families) as unknown as [string, RpcHandler][]);
}
