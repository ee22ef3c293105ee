/** Workflows that make every metric of a worker's move. */
import {
  ApplicationFailure,
  CancelledFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  metricMeter,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities';

const remote = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3, initialInterval: 10 },
});
const local = proxyLocalActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3, initialInterval: 10 },
});

export const ping = defineQuery<string>('ping');
export const go = defineSignal('go');

/** Activities of both kinds, some of whose attempts fail, and metrics of its own. */
export async function working(): Promise<string> {
  metricMeter.createCounter('workflow-counter', 'things', 'Counted in a workflow').add(2, { colour: 'red' });
  metricMeter.createHistogram('workflow-histogram', 'float', 'parts').record(0.3);
  metricMeter.createGauge('workflow-gauge').set(7);
  await remote.succeeds();
  await remote.failsOnce();
  await local.succeeds();
  await local.failsOnce();
  await sleep(1);
  return 'done';
}

/** Answers a query while it waits. */
export async function waiting(): Promise<void> {
  let gone = false;
  setHandler(ping, () => 'pong');
  setHandler(go, () => void (gone = true));
  await condition(() => gone);
}

/** Its first task fails; that event makes the history of the second longer. */
export async function stumbling(): Promise<void> {
  if (workflowInfo().historyLength < 5) throw new Error('not yet');
}

export async function failing(): Promise<void> {
  throw ApplicationFailure.nonRetryable('on purpose');
}

export async function continuing(again = true): Promise<void> {
  if (again) await continueAsNew<typeof continuing>(false);
}

export async function cancelled(): Promise<void> {
  try {
    await sleep('1 hour');
  } catch (error) {
    if (error instanceof CancelledFailure) await local.succeeds().catch(() => undefined);
    throw error;
  }
}
