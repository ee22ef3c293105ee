/** Chains of runs: continue-as-new, retry and cron. */
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  makeContinueAsNewFunc,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
  type ContinueAsNewOptions,
} from '@temporalio/workflow';
import type { echo } from './basics';

/** What a run knows of its chain; ids are compared as references. */
export async function chainInfo(left: number): Promise<unknown> {
  const { runId, firstExecutionRunId, continuedFromExecutionRunId, attempt, memo, taskTimeoutMs, runTimeoutMs } =
    workflowInfo();
  if (left > 0) await continueAsNew<typeof chainInfo>(left - 1);
  return { runId, firstExecutionRunId, continuedFromExecutionRunId, attempt, memo, taskTimeoutMs, runTimeoutMs };
}

export async function continueWith(options: ContinueAsNewOptions): Promise<string> {
  await makeContinueAsNewFunc<typeof echo>({ workflowType: 'echo', ...options })('continued' as never);
  return 'not reached';
}

/** Changes memo and search attributes, then continues: the changes go along. */
export async function continueChanged(): Promise<unknown> {
  const info = workflowInfo();
  if (info.continuedFromExecutionRunId !== undefined)
    return { note: info.memo?.note, gone: info.memo?.gone, attributes: info.searchAttributes };
  upsertMemo({ note: 'changed', gone: null });
  upsertSearchAttributes({ ScenarioKeyword: ['changed'], ScenarioInt: [] });
  await continueAsNew<typeof continueChanged>();
  return undefined;
}

export const toNext = defineSignal<[string]>('toNext');

/** Continues as new after each signal until told `last`; gathers what the runs were told. */
export async function relay(told: string[]): Promise<string[]> {
  const got: string[] = [];
  setHandler(toNext, (value) => void got.push(value));
  await condition(() => got.length > 0);
  const all = [...told, ...got];
  if (all.includes('last')) return all;
  return continueAsNew<typeof relay>(all);
}

export async function retriedWorkflow(
  failures: number,
  options: { nonRetryable?: boolean; delay?: string } = {},
): Promise<unknown> {
  const { attempt, lastFailure, lastResult } = workflowInfo();
  if (attempt <= failures) {
    throw ApplicationFailure.create({
      message: `attempt ${attempt}`,
      type: 'Flaky',
      nonRetryable: options.nonRetryable,
      ...(options.delay === undefined ? {} : { nextRetryDelay: options.delay as '1s' }),
    });
  }
  return { attempt, lastFailure: lastFailure?.message, lastResult };
}

/** One run of a cron schedule. */
export async function cronRun(fail: boolean): Promise<unknown> {
  const { lastResult, lastFailure } = workflowInfo();
  if (fail && lastFailure === undefined) throw ApplicationFailure.create({ message: 'cron fails', type: 'Cron' });
  return { last: lastResult, failed: lastFailure?.message };
}

export async function longSleep(): Promise<void> {
  await sleep('1 hour');
}
