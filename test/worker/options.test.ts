/** What the options of a worker do, end to end. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { bundleWorkflowCode as officialBundle } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, log, metricMeter } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { harness, logged, workflowsPath } from './harness';

/** Turns bytes around, so that what is stored is not what was written. */
class Reversing implements PayloadCodec {
  private readonly reverse = (payloads: Payload[]): Promise<Payload[]> =>
    Promise.resolve(
      payloads.map((payload) => ({ ...payload, data: payload.data && Uint8Array.from(payload.data).reverse() })),
    );
  encode = this.reverse;
  decode = this.reverse;
}

describe('worker options', () => {
  it('payload codecs keep plain data out of the database', async () => {
    const { run } = await harness({ dataConverter: { payloadCodecs: [new Reversing()] } });
    await run(async ({ client, taskQueue, execute }) => {
      const handle = await client.workflow.start('waiting', { taskQueue, workflowId: randomUUID() });
      await handle.executeUpdate('add', { args: [4] });
      await handle.signal('go', 'secret');
      expect(await handle.query('state')).toBe('secret');
      expect(await handle.result()).toBe('secret:4');
      const { events } = await handle.fetchHistory();
      const signal = events!.find((event) => event.workflowExecutionSignaledEventAttributes != null);
      const stored = signal!.workflowExecutionSignaledEventAttributes!.input!.payloads![0]!.data!;
      expect(new TextDecoder().decode(stored)).toBe('"terces"');
      expect(await execute('locals', 1)).toEqual(['Hello, local!', 'attempt 2, info 2']);
      expect(await execute('parent', ['a'])).toEqual(['Hello, a!']);
      expect(await execute('heartbeatDetails')).toEqual({ progress: 2 });
      await expect(execute('failing', 'nonRetryable')).rejects.toMatchObject({
        cause: { cause: { details: [1, 'two'] } },
      });
    });
  });

  it('a payload converter of its own is used inside and outside of workflows', async () => {
    const payloadConverterPath = join(__dirname, '../workflows/payload-converter.cjs');
    const { run } = await harness({
      workflowsPath,
      dataConverter: { payloadConverterPath },
      activities: { greet: async (name: string) => `hello ${name}` },
    });
    expect(await run((h) => h.execute('hello', 'world'))).toBe('HELLO WORLD');
  });

  it('interceptors of workflows and activities are called, the first outermost', async () => {
    const calls: string[] = [];
    const activity = (name: string) => () => ({
      inbound: {
        execute: async (input: { args: unknown[]; headers: object }, next: (i: never) => Promise<unknown>) => {
          calls.push(`${name} in ${activityInfo().activityType}`);
          return next(input as never);
        },
      },
      outbound: {
        getLogAttributes: (attributes: Record<string, unknown>, next: (a: never) => Record<string, unknown>) => ({
          ...next(attributes as never),
          [name]: true,
        }),
      },
    });
    const { run } = await harness({
      workflowsPath,
      interceptors: {
        workflowModules: [join(__dirname, '../workflows/interceptors.ts')],
        activity: [activity('first'), activity('second')],
        activityInbound: [
          () => ({
            execute: (input, next) => {
              calls.push('legacy');
              return next(input);
            },
          }),
        ],
      },
      activities: {
        greet: async (name: string) => {
          log.info('greeting', { name });
          metricMeter.createCounter('greetings').add(1);
          return `Hello, ${name}`;
        },
      },
    });
    expect(await run((h) => h.execute('hello', 'World'))).toBe('intercepted(Hello, World!)');
    expect(calls).toEqual(['legacy', 'first in greet', 'second in greet']);
    const line = logged.find(({ message }) => message === 'greeting');
    expect(line!.meta).toMatchObject({
      first: true,
      second: true,
      sdkComponent: 'activity',
      activityType: 'greet',
      name: 'World!',
    });
  });

  it.each([
    ['debugMode', { debugMode: true }],
    ['a context per run', { reuseV8Context: false }],
    ['several threads', { workflowThreadPoolSize: 3 }],
    ['few polls', { maxConcurrentWorkflowTaskPolls: 2, maxConcurrentActivityTaskPolls: 1 }],
    ['few slots', { maxConcurrentWorkflowTaskExecutions: 2, maxConcurrentActivityTaskExecutions: 1 }],
  ])('%s works', async (_, options) => {
    const { run } = await harness(options);
    await run(async (h) => {
      const names = Array.from({ length: 8 }, (_unused, i) => `name ${i}`);
      expect(await Promise.all(names.map((name) => h.execute('hello', name)))).toEqual(
        names.map((name) => `Hello, ${name}!`),
      );
    });
  });

  it('a bundle made by the official bundler runs', async () => {
    const { code } = await officialBundle({ workflowsPath });
    const { run } = await harness({ workflowBundle: { code } });
    expect(await run((h) => h.execute('hello', 'webpack'))).toBe('Hello, webpack!');
  });

  it('limits hold: activities at once, and per second', async () => {
    let running = 0;
    let most = 0;
    const starts: number[] = [];
    const echo = async (value: number): Promise<number> => {
      starts.push(performance.now());
      most = Math.max(most, ++running);
      await sleep(20);
      running--;
      return value;
    };
    const narrow = await harness({ maxConcurrentActivityTaskExecutions: 3, activities: { echo } });
    expect(await narrow.run((h) => h.execute('manyActivities', 12))).toBe(66);
    expect(most).toBeLessThanOrEqual(3);

    starts.length = 0;
    const slow = await harness({ maxActivitiesPerSecond: 10, activities: { echo } });
    expect(await slow.run((h) => h.execute('manyActivities', 16))).toBe(120);
    // Ten at once from a full bucket, the others a tenth of a second apart.
    expect(starts.at(-1)! - starts[0]!).toBeGreaterThan(450);
  });

  it('a default activity stands in for those that are missing', async () => {
    const { run } = await harness({
      activities: { default: async (...args: unknown[]) => [activityInfo().activityType, ...args] },
    });
    expect(await run((h) => h.execute('hello', 'x'))).toEqual(['greet', 'x']);
  });

  it('workflow code that never yields fails its task and spoils nothing else', async () => {
    const { run } = await harness({ workflowThreadPoolSize: 1 });
    await run(async ({ client, taskQueue, execute }) => {
      const waiting = await client.workflow.start('waiting', { taskQueue, workflowId: randomUUID() });
      await waiting.query('state');
      const looping = await client.workflow.start('looping', {
        taskQueue,
        workflowId: randomUUID(),
        workflowTaskTimeout: '20s',
      });
      for (;;) {
        const { events } = await looping.fetchHistory();
        const failed = events!.find((event) => event.workflowTaskFailedEventAttributes != null);
        if (failed !== undefined) {
          expect(failed.workflowTaskFailedEventAttributes!.failure!.message).toMatch(/timed out/);
          break;
        }
        await sleep(200);
      }
      await looping.terminate();
      await waiting.signal('go', 'on');
      expect(await waiting.result()).toBe('on:0');
      expect(await execute('hello', 'after')).toBe('Hello, after!');
    });
  }, 60_000);
});
