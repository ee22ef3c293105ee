/** What little of Nexus there is: no endpoints, and the polls that workers open for commands of the server. */
import type { temporal } from '@temporalio/proto';
import type { TaskMatching } from './matching/matching';
import type { Rpc } from './types';

export const pollNexusTaskQueue =
  (parts: { matching: TaskMatching }): Rpc<temporal.api.workflowservice.v1.IPollNexusTaskQueueRequest, object> =>
  (request, ctx) =>
    parts.matching.pollNothing(request, ctx);

export const listNexusEndpoints: Rpc<object, temporal.api.operatorservice.v1.IListNexusEndpointsResponse> = () =>
  Promise.resolve({ endpoints: [] });
