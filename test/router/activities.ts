/** Activities of the router's tests, of both engines. */
import { CompleteAsyncError, activityInfo } from '@temporalio/activity';

/** Activities that wait for somebody outside, by workflow id. */
export const waiting = new Map<string, { taskToken: Uint8Array; activityId: string }>();

export async function waitOutside(): Promise<string> {
  const { taskToken, activityId, workflowExecution } = activityInfo();
  waiting.set(workflowExecution!.workflowId, { taskToken, activityId });
  throw new CompleteAsyncError();
}

type Activity = (input: never) => Promise<unknown>;

/** Does it, and then fails in the first attempt. */
export const lostOnce =
  (activity: Activity): Activity =>
  async (input) => {
    await activity(input);
    if (activityInfo().attempt === 1) throw new Error('the answer is lost');
    return undefined;
  };

/** In the first attempt somebody starts what it starts and is gone. */
export const failsOnceAfterStart =
  (activity: Activity): Activity =>
  async (input) => {
    if (activityInfo().attempt > 1) return activity(input);
    const going = activity(input);
    going.catch(() => undefined);
    await Promise.race([going, new Promise((resolve) => setTimeout(resolve, 500))]);
    throw new Error('its worker is gone');
  };
