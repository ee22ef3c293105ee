/** Workflows of the worker's tests. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  isCancellation,
  log,
  patched,
  proxyActivities,
  proxyLocalActivities,
  proxySinks,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
  type Sinks,
} from '@temporalio/workflow';
import type * as activities from '../support/activities';

const { greet, flaky, completeLater, failWith, slow, echo, details } = proxyActivities<typeof activities>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '50ms', maximumAttempts: 5 },
});
const local = proxyLocalActivities<typeof activities>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '20ms', maximumAttempts: 5 },
});

export const goSignal = defineSignal<[string]>('go');
export const stateQuery = defineQuery<string>('state');
export const addUpdate = defineUpdate<number, [number]>('add');

export async function hello(name: string): Promise<string> {
  return greet(name);
}

export async function retried(failures: number): Promise<string> {
  return flaky(workflowInfo().workflowId, failures);
}

export async function waiting(): Promise<string> {
  let state = 'waiting';
  let sum = 0;
  setHandler(stateQuery, () => state);
  setHandler(goSignal, (value) => void (state = value));
  setHandler(
    addUpdate,
    (value) => {
      sum += value;
      return sum;
    },
    {
      validator: (value) => {
        if (value < 0) throw ApplicationFailure.nonRetryable('negative', 'Negative');
      },
    },
  );
  await condition(() => state !== 'waiting');
  return `${state}:${sum}`;
}

export async function timers(count: number): Promise<number> {
  for (let i = 0; i < count; i++) await sleep(5);
  return count;
}

export async function manyActivities(count: number): Promise<number> {
  const results = await Promise.all(Array.from({ length: count }, (_, i) => echo(i)));
  return results.reduce((sum, value) => sum + value, 0);
}

export async function parent(names: string[]): Promise<string[]> {
  return Promise.all(names.map((name) => executeChild(hello, { args: [name] })));
}

export async function locals(failures: number): Promise<string[]> {
  const first = await local.greet('local');
  const second = await local.flaky(workflowInfo().workflowId, failures);
  return [first, second];
}

/** Longer than a workflow task may take: the task is renewed by heartbeats. */
export async function longLocal(ms: number): Promise<string> {
  return local.slow(ms);
}

export async function cancelledActivity(): Promise<string> {
  try {
    await proxyActivities<typeof activities>({
      startToCloseTimeout: '30s',
      heartbeatTimeout: '2s',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    }).heartbeatUntilCancelled();
    return 'completed';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return CancellationScope.nonCancellable(() => greet('cleanup'));
  }
}

export async function heartbeatDetails(): Promise<unknown> {
  return proxyActivities<typeof activities>({
    startToCloseTimeout: '10s',
    heartbeatTimeout: '1s',
    retry: { initialInterval: '20ms' },
  }).resumeFromHeartbeat();
}

export async function asyncCompletion(): Promise<string> {
  return completeLater();
}

export async function failing(kind: string): Promise<void> {
  await failWith(kind);
}

export async function unknownActivity(): Promise<void> {
  const { missing } = proxyActivities<{ missing(): Promise<void> }>({
    startToCloseTimeout: '5s',
    retry: { maximumAttempts: 1 },
  });
  await missing();
}

export async function continuing(left: number): Promise<string> {
  if (left > 0) await continueAsNew<typeof continuing>(left - 1);
  return 'done';
}

export async function deterministic(): Promise<unknown[]> {
  const before = [Math.random(), uuid4(), Date.now()];
  await sleep(5);
  return [...before, patched('change'), Math.random()];
}

export interface TestSinks extends Sinks {
  recorder: { note(text: string): void; always(text: string): void; throws(): void };
}

const { recorder } = proxySinks<TestSinks>();

export async function sinking(): Promise<void> {
  recorder.note('before');
  recorder.always('before');
  log.info('from the workflow', { answer: 42 });
  await sleep(5);
  recorder.throws();
  recorder.note('after');
}

export async function activityDetails(): Promise<unknown> {
  return details('input');
}

export async function throwsPlainError(): Promise<void> {
  throw new TypeError('task failure');
}

export async function failsOnFirstTask(): Promise<string> {
  await sleep(5);
  throw new RangeError('configured to fail the workflow');
}

export async function info(): Promise<unknown> {
  const { workflowId, workflowType, taskQueue, namespace, attempt, startTime, historyLength } = workflowInfo();
  return { workflowId, workflowType, taskQueue, namespace, attempt, startTime: startTime.getTime(), historyLength };
}

export async function blocked(ms: number): Promise<string> {
  return slow(ms);
}

/** Never gives its thread back. */
export async function looping(): Promise<void> {
  for (;;);
}

/** Calls activities by name, all at once. */
export async function calling(calls: [name: string, ...args: unknown[]][], options: object = {}): Promise<unknown[]> {
  const proxied = proxyActivities<Record<string, (...args: unknown[]) => Promise<unknown>>>({
    startToCloseTimeout: '30s',
    retry: { initialInterval: 10, maximumAttempts: 3 },
    ...options,
  });
  return Promise.all(calls.map(([name, ...args]) => proxied[name]!(...args)));
}

/** A local activity whose result is lost once: the first workflow task fails after it. */
export async function callingLocally(name: string, ...args: unknown[]): Promise<unknown> {
  const proxied = proxyLocalActivities<Record<string, (...args: unknown[]) => Promise<unknown>>>({
    startToCloseTimeout: '30s',
  });
  const result = await proxied[name]!(...args);
  if (await proxied['firstTime']!()) throw new Error('once more');
  return result;
}

/** An activity of its own asks it, by a signal or a start of it from outside, for another one. */
export async function asked(): Promise<void> {
  let isAsked = false;
  setHandler(goSignal, () => void (isAsked = true));
  const asking = echo(0);
  await condition(() => isAsked);
  await greet('asked');
  await asking;
}
