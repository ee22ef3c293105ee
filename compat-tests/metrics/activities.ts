/** Activities of these tests: one succeeds, one fails at its first attempt. */
import { activityInfo, metricMeter } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

export async function succeeds(): Promise<void> {
  metricMeter.createCounter('activity-counter').add(5);
}

export async function failsOnce(): Promise<void> {
  if (activityInfo().attempt === 1) throw ApplicationFailure.retryable('once');
}
