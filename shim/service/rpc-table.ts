/** Every RPC by its lower-camel name. */
import { activityControlRpcs } from './activity-controls';
import { activityTaskRpcs } from './activity-tasks';
import { batchRpcs } from './batch/rpcs';
import { clientRpcs } from './client-rpcs';
import type { Deployments } from './deployments/deployments';
import { deploymentRpcs } from './deployments/rpcs';
import { listNexusEndpoints, pollNexusTaskQueue } from './nexus';
import { scheduleRpcs } from './schedules/rpcs';
import type { Schedules } from './schedules/schedules';
import { CurrentRuns } from './target';
import type { CallContext } from './types';
import { type WorkerParts, workflowTaskRpcs } from './workflow-tasks';
import { updateWorkflowExecutionOptions } from './workflow-options';
import { Workers } from './workers/registry';
import { workerRpcs } from './workers/rpcs';

export type RpcHandler = (request: object, ctx: CallContext) => Promise<object>;

export function rpcTable(
  parts: WorkerParts,
  {
    schedules,
    deployments,
    batchStarted,
  }: { schedules: Schedules; deployments: Deployments; batchStarted: () => void },
): Map<string, RpcHandler> {
  const current = new CurrentRuns(parts);
  const workers = new Workers(parts.store);
  const families = {
    ...clientRpcs(parts, deployments),
    ...workflowTaskRpcs(parts, current, workers),
    ...workerRpcs(parts, workers),
    pollNexusTaskQueue: pollNexusTaskQueue(parts),
    listNexusEndpoints,
    ...activityTaskRpcs(parts, current),
    ...activityControlRpcs(parts, current),
    ...scheduleRpcs(parts, schedules),
    ...batchRpcs(parts, batchStarted),
    ...deploymentRpcs(parts, deployments),
    updateWorkflowExecutionOptions: updateWorkflowExecutionOptions(parts, current),
  };
  return new Map(Object.entries(families) as unknown as [string, RpcHandler][]);
}
