/** What a schedule starts, as routes see it. */
import type { temporal } from '@temporalio/proto';
import type { StartRequest } from './routes/facts';

/** The workflow id is the schedule's own: its runs have ids that begin with the action's, and go where the schedule is. */
export function scheduleStart(request: object): StartRequest {
  const { namespace, scheduleId, schedule } = request as temporal.api.workflowservice.v1.ICreateScheduleRequest;
  const { workflowType, taskQueue, searchAttributes, memo, header } = schedule?.action?.startWorkflow ?? {};
  return { namespace, workflowId: scheduleId, workflowType, taskQueue, searchAttributes, memo, header };
}
