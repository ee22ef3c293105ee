/** What a workflow and its activity are told of themselves. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities';

/** Times and sizes as kinds: they differ from run to run. */
function plain(info: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(info).map(([name, value]) => [
      name,
      value instanceof Date ? 'a date' : typeof value === 'function' ? 'a function' : value,
    ]),
  );
}

/** Every field of workflowInfo, and what an activity reads in its own. */
export async function everyInfo(): Promise<unknown> {
  const { historySize, unsafe, typedSearchAttributes, ...info } = workflowInfo();
  const { everyActivityInfo } = proxyActivities<Activities>({
    startToCloseTimeout: '20s',
    heartbeatTimeout: '10s',
    retry: { maximumAttempts: 2, nonRetryableErrorTypes: ['None'] },
    priority: { priorityKey: 4 },
    summary: 'tells of itself',
  });
  const unsafeFields = Object.entries(unsafe).map(([name, value]) => [name, typeof value]);
  return {
    ...plain(info),
    historySize: typeof historySize,
    unsafe: unsafeFields.sort(),
    typed: typedSearchAttributes.getAll().map(({ key, value }) => [key.name, key.type, value]),
    activity: await everyActivityInfo(),
  };
}
