/** Activities of the router's tests, of both engines. */
import { CompleteAsyncError, activityInfo } from '@temporalio/activity';

/** Activities that wait for somebody outside, by workflow id. */
export const waiting = new Map<string, { taskToken: Uint8Array; activityId: string }>();

export async function waitOutside(): Promise<string> {
  const { taskToken, activityId, workflowExecution } = activityInfo();
  waiting.set(workflowExecution!.workflowId, { taskToken, activityId });
  throw new CompleteAsyncError();
}
