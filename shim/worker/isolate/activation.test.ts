/** The host's activation algorithm: what Temporal's own host does with the same jobs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleOf, decoded, DrivenRun, payload, resultOf, signalJob } from '../../../test/support/activations';
import { createInProcess } from './in-process';
import type { WorkflowHost } from './types';

const source = `
import * as wf from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';

const { greet } = wf.proxyActivities<{ greet(name: string): Promise<string> }>({ startToCloseTimeout: '90s' });
const { local } = wf.proxyLocalActivities<{ local(): Promise<string> }>({ startToCloseTimeout: '10s' });

export async function activity(name: string): Promise<string> {
  return 'got ' + (await greet(name));
}
export async function localActivity(): Promise<string> {
  return await local();
}
export async function timers(): Promise<number> {
  await wf.sleep('1 minute');
  await wf.sleep(1500);
  return Date.now();
}
const poke = wf.defineSignal<[string]>('poke');
const seen = wf.defineQuery<string[]>('seen');
const set = wf.defineUpdate<string, [string]>('set');
export async function messages(): Promise<string[]> {
  const list: string[] = [];
  wf.setHandler(poke, (text) => void list.push(text));
  wf.setHandler(seen, () => list);
  wf.setHandler(set, async (text) => { list.push('update ' + text); await wf.sleep(10); return 'was ' + text; },
    { validator: (text) => { if (text === 'bad') throw new Error('no bad'); } });
  await wf.condition(() => list.includes('end'));
  return list;
}
export async function order(): Promise<string[]> {
  const list: string[] = [];
  wf.setHandler(poke, async () => {
    for (let i = 0; i < 20; i++) await null;
    list.push('signal');
  });
  await wf.sleep(1);
  list.push('timer');
  await wf.condition(() => list.length === 2);
  return list;
}
export async function patches(): Promise<string> {
  return wf.patched('new-way') ? 'new' : 'old';
}
export async function random(): Promise<(number | string)[]> {
  const first = [Math.random(), wf.uuid4()];
  await wf.sleep(1);
  return [...first, Math.random()];
}
export class Unusual extends Error {}
export async function fails(kind: string): Promise<void> {
  if (kind === 'application') throw ApplicationFailure.nonRetryable('on purpose', 'Known', 1, 'two');
  if (kind === 'unusual') throw new Unusual('odd');
  throw new Error('a bug');
}
export async function forgetsRejection(): Promise<void> {
  void Promise.reject(new Error('nobody waits'));
  await wf.condition(() => false);
}
export async function waits(): Promise<void> {
  await Promise.race([greet('x'), wf.sleep(1000), wf.condition(() => false)]);
}
export async function logs(): Promise<void> {
  wf.log.info('hello', { extra: 1 });
}
export const notAFunction = 1;
`;

describe.each([true, false])('activations (reuseV8Context: %s)', (reuseV8Context) => {
  let host: WorkflowHost;
  let count = 0;
  const run = () => new DrivenRun(host, `run-${++count}`);

  beforeAll(async () => {
    host = createInProcess(await bundleOf(source), { reuseV8Context, registeredActivityNames: ['local'] });
  });
  afterAll(() => host.close());

  test('an activity is scheduled, its result reaches the workflow', async () => {
    const driven = run();
    const [command] = await driven.start('activity', ['ann']);
    expect(command?.scheduleActivity).toMatchObject({
      seq: 1,
      activityId: '1',
      activityType: 'greet',
      taskQueue: 'queue',
      startToCloseTimeout: { seconds: 90, nanos: 0 },
    });
    expect(decoded(command?.scheduleActivity?.arguments?.[0])).toBe('ann');
    const result = { completed: { result: payload('hi') } };
    expect(resultOf(await driven.activate({ resolveActivity: { seq: 1, result } }))).toBe('got hi');
  });

  test('completions hold plain numbers only', async () => {
    const { completion } = await (async () => {
      const driven = run();
      await driven.start('timers');
      return driven.lastResult!;
    })();
    const [command] = completion.successful?.commands ?? [];
    expect(command?.startTimer?.startToFireTimeout).toEqual({ seconds: 60, nanos: 0 });
    expect(structuredClone(completion)).toEqual(JSON.parse(JSON.stringify(completion)));
  });

  test('time is that of the activation', async () => {
    const driven = run();
    await driven.start('timers');
    driven.now += 60_000;
    const [second] = await driven.fireTimer(1);
    expect(second?.startTimer).toMatchObject({ seq: 2, startToFireTimeout: { seconds: 1, nanos: 500_000_000 } });
    driven.now += 1_500;
    expect(resultOf(await driven.fireTimer(2))).toBe(driven.now);
  });

  test('signals, queries and conditions', async () => {
    const driven = run();
    await driven.start('messages');
    await driven.signal('poke', 'one');
    expect(await driven.query('seen')).toEqual(['one']);
    await expect(driven.query('unknown')).rejects.toThrow(/did not register a handler for unknown/);
    expect(resultOf(await driven.signal('poke', 'end'))).toEqual(['one', 'end']);
    expect(await driven.query('seen')).toEqual(['one', 'end']);
  });

  test('a query among other jobs fails the activation', async () => {
    const driven = run();
    await driven.start('messages');
    const query = { queryWorkflow: { queryId: 'q', queryType: 'seen', arguments: [], headers: {} } };
    await expect(driven.activate(signalJob('poke', 'x'), query)).rejects.toThrow('Got both queries and other jobs');
  });

  test('updates are accepted and completed, or rejected by their validator', async () => {
    const driven = run();
    await driven.start('messages');
    const update = (id: string, text: string) => ({
      doUpdate: { id, protocolInstanceId: id, name: 'set', input: [payload(text)], headers: {}, runValidator: true },
    });
    const [rejected] = await driven.activate(update('u1', 'bad'));
    expect(rejected?.updateResponse?.rejected?.message).toBe('no bad');
    const [accepted, timer] = await driven.activate(update('u2', 'good'));
    expect(accepted?.updateResponse).toMatchObject({ protocolInstanceId: 'u2', accepted: {} });
    const [completed] = await driven.fireTimer(timer!.startTimer!.seq!);
    expect(decoded(completed?.updateResponse?.completed)).toBe('was good');
    expect(await driven.query('seen')).toEqual(['update good']);
  });

  test('signals and other jobs run as one batch; in replays without flag 2, signals come in a batch of their own', async () => {
    const afterBoth = async (isReplaying: boolean, flags: number[]) => {
      const driven = run();
      driven.isReplaying = isReplaying;
      driven.availableInternalFlags = flags;
      await driven.start('order');
      const commands = await driven.activate(signalJob('poke'), { fireTimer: { seq: 1 } });
      return { list: resultOf(commands), flags: driven.lastResult?.completion.successful?.usedInternalFlags };
    };
    expect(await afterBoth(false, [])).toEqual({ list: ['timer', 'signal'], flags: expect.arrayContaining([2]) });
    expect(await afterBoth(true, [2])).toMatchObject({ list: ['timer', 'signal'] });
    expect(await afterBoth(true, [])).toEqual({ list: ['signal', 'timer'], flags: [] });
  });

  test('patches', async () => {
    const fresh = await run().start('patches');
    expect(fresh[0]?.setPatchMarker).toMatchObject({ patchId: 'new-way', deprecated: false });
    expect(resultOf(fresh)).toBe('new');
    const replayed = run();
    replayed.isReplaying = true;
    expect(resultOf(await replayed.start('patches'))).toBe('old');
    const known = run();
    known.isReplaying = true;
    expect(resultOf(await known.start('patches', [], {}, [{ notifyHasPatch: { patchId: 'new-way' } }]))).toBe('new');
  });

  test('randomness comes from the seed, and a new seed changes it', async () => {
    const values = async (seed?: unknown) => {
      const driven = run();
      await driven.start('random');
      const job = seed === undefined ? [] : [{ updateRandomSeed: { randomnessSeed: seed as never } }];
      return resultOf(await driven.activate(...job, { fireTimer: { seq: 1 } })) as [number, string, number];
    };
    const [a, b, reseeded] = [await values(), await values(), await values('12345678901234567890')];
    expect(a).toEqual(b);
    expect(reseeded.slice(0, 2)).toEqual(a.slice(0, 2));
    expect(reseeded[2]).not.toBe(a[2]);
    // The same seed in the three forms it may arrive in.
    const long = {
      low: Number(12345678901234567890n & 0xffffffffn) | 0,
      high: Number(12345678901234567890n >> 32n) | 0,
      unsigned: true,
    };
    expect(await values(long)).toEqual(reseeded);
    expect(await values(12345678901234567890n)).toEqual(reseeded);
  });

  test('a Temporal failure fails the workflow, any other error its task', async () => {
    const [failed] = await run().start('fails', ['application']);
    expect(failed?.failWorkflowExecution?.failure).toMatchObject({
      message: 'on purpose',
      applicationFailureInfo: { type: 'Known', nonRetryable: true },
    });
    const driven = run();
    await expect(driven.start('fails', ['bug'])).rejects.toThrow('a bug');
    const { failure } = driven.lastResult!.completion.failed!;
    expect(failure?.source).toBe('TypeScriptSDK');
    expect(failure?.stackTrace).toMatch(/at fails \(.*workflows\.ts:\d+:\d+\)/);
    const [unusual] = await run().start('fails', ['unusual'], { failureExceptionTypeNames: ['Unusual'] });
    expect(unusual?.failWorkflowExecution?.failure).toMatchObject({
      message: 'odd',
      applicationFailureInfo: { type: 'Unusual' },
    });
  });

  test('an unhandled rejection fails the activation and those that follow', async () => {
    const driven = run();
    await expect(driven.start('forgetsRejection')).rejects.toThrow('Unhandled Promise rejection: Error: nobody waits');
    const { failure } = driven.lastResult!.completion.failed!;
    expect(failure?.cause?.message).toBe('nobody waits');
    await expect(driven.signal('poke')).rejects.toThrow('nobody waits');
    // Another run is not blamed for it.
    expect(resultOf(await run().start('patches'))).toBe('new');
  });

  test('an unknown workflow type is refused when the run is made', async () => {
    await expect(run().start('missing')).rejects.toThrow(
      "Failed to initialize workflow of type 'missing': no such function is exported by the workflow bundle",
    );
    await expect(run().start('notAFunction')).rejects.toThrow(/expected a function, but got: 'number'/);
  });

  test('a local activity that backs off waits on a timer', async () => {
    const driven = run();
    const [command] = await driven.start('localActivity');
    expect(command?.scheduleLocalActivity?.seq).toBe(1);
    const backoff = {
      attempt: 2,
      backoffDuration: { seconds: 70 as never, nanos: 0 },
      originalScheduleTime: { seconds: 1 as never, nanos: 0 },
    };
    const [timer] = await driven.activate({ resolveActivity: { seq: 1, result: { backoff }, isLocal: true } });
    expect(timer?.startTimer).toMatchObject({ startToFireTimeout: { seconds: 70, nanos: 0 } });
    const [again] = await driven.fireTimer(timer!.startTimer!.seq!);
    expect(again?.scheduleLocalActivity).toMatchObject({ attempt: 2, originalScheduleTime: { seconds: 1, nanos: 0 } });
  });

  test('log lines come out as sink calls with the run they belong to', async () => {
    const driven = run();
    await driven.start('logs');
    const call = driven.lastResult!.sinkCalls.find(({ fnName }) => fnName === 'info');
    expect(call).toMatchObject({ ifaceName: '__temporal_logger', args: ['hello', { extra: 1, runId: driven.runId }] });
    expect(call?.workflowInfo.workflowId).toBe(`id-of-${driven.runId}`);
  });

  test('without recorded stacks, the stack trace query says what the run waits on', async () => {
    const driven = run();
    await driven.start('waits');
    const text = (await driven.query('__stack_trace')) as string;
    expect(text).toMatch(/waiting on activity \(seq 1\)/);
    expect(text).toMatch(/waiting on timer \(seq 1\)/);
    expect(text).toMatch(/waiting on 1 condition/);
    expect(await driven.query('__enhanced_stack_trace')).toMatchObject({ stacks: [], sources: {} });
  });

  test('a run is unknown once disposed of', async () => {
    const driven = run();
    await driven.start('timers');
    await host.dispose(driven.runId);
    await expect(driven.fireTimer(1)).rejects.toThrow(/is not in the cache/);
  });
});

test('with recorded stacks, the stack trace queries show where the workflow waits', async () => {
  const host = createInProcess(await bundleOf(source), { stackTraces: true });
  try {
    const driven = new DrivenRun(host, 'stacks');
    await driven.start('timers', [], { showStackTraceSources: true });
    expect(await driven.query('__stack_trace')).toMatch(/at timers \(.*workflows\.ts:15:\d+\)/);
    const enhanced = (await driven.query('__enhanced_stack_trace')) as {
      stacks: { locations: { file_path: string; function_name: string; line: number }[] }[];
      sources: Record<string, { content: string }[]>;
    };
    const place = enhanced.stacks
      .flatMap(({ locations }) => locations)
      .find(({ function_name }) => function_name === 'timers');
    expect(place).toMatchObject({ line: 15 });
    expect(enhanced.sources[place!.file_path]?.[0]?.content).toBe(source);
  } finally {
    await host.close();
  }
});
