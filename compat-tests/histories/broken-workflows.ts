/** Code that fails its second workflow task, to record a history with WorkflowTaskFailed. */
import { sleep } from '@temporalio/workflow';

export async function taskFailures(): Promise<string> {
  await sleep(30);
  throw new TypeError('broken code');
}
