/** Workflows in worker threads: what crosses, and what happens when a thread is lost. Needs the built package (`npm run build`). */
import { afterEach, describe, expect, test } from 'vitest';
import { bundleOf, decoded, DrivenRun, payload, resultOf } from '../../../test/support/activations';
import { createThreadPool, type ThreadPool, type ThreadPoolOptions } from './thread-pool';

const source = `
import * as wf from '@temporalio/workflow';
const { greet } = wf.proxyActivities<{ greet(name: string): Promise<string> }>({ startToCloseTimeout: '90s' });
export async function activity(name: string): Promise<string> {
  return 'got ' + (await greet(name));
}
export async function blocks(): Promise<void> {
  for (;;) {}
}
export async function ends(): Promise<void> {
  // What an exhausted heap does to the thread, without the wait.
  const hostProcess = (URL as any).constructor('return process')();
  hostProcess.exit(7);
}
export async function logs(what: string): Promise<void> {
  const { tell } = wf.proxySinks<{ tell: { it(value: unknown): void; never(value: unknown): void } }>();
  tell.it(what === 'function' ? () => 1 : what);
  tell.never('x');
}
export async function patched(): Promise<boolean> {
  return wf.patched('p');
}
export async function rejects(): Promise<void> {
  void Promise.reject(new Error('of ' + wf.workflowInfo().runId));
  await wf.sleep(1000);
}
export async function rejectsOutside(): Promise<void> {
  const HostPromise = (URL as any).constructor('return Promise')();
  HostPromise.reject(new Error('of the thread'));
  await wf.sleep(1000);
}
if (wf.workflowInfo().workflowType === 'leavesRejection') {
  void Promise.reject(new Error('left behind'));
  throw new Error('does not load');
}
export async function sleeps(): Promise<void> {
  await wf.sleep(1000);
}
`;

let pool: ThreadPool;
async function start(options: Partial<ThreadPoolOptions> = {}): Promise<ThreadPool> {
  pool = await createThreadPool(await bundleOf(source), { threads: 1, ...options });
  return pool;
}
afterEach(() => pool.close());

const resolved = { resolveActivity: { seq: 1, result: { completed: { result: payload('hi') } } } };

test.each([true, false])('runs go to the end, many beside one another (reuseV8Context: %s)', async (reuseV8Context) => {
  await start({ threads: 2, reuseV8Context });
  expect(pool.workflowTypes).toEqual(expect.arrayContaining(['activity', 'blocks']));
  const runs = Array.from({ length: reuseV8Context ? 50 : 8 }, (_, i) => new DrivenRun(pool, `run-${i}`));
  const commands = await Promise.all(runs.map((run, i) => run.start('activity', [`name ${i}`])));
  expect(commands.map(([command]) => decoded(command?.scheduleActivity?.arguments?.[0]))).toEqual(
    runs.map((_, i) => `name ${i}`),
  );
  expect(commands[0]![0]!.scheduleActivity!.startToCloseTimeout).toEqual({ seconds: 90, nanos: 0 });
  for (const done of await Promise.all(runs.map((run) => run.activate(resolved))))
    expect(resultOf(done)).toBe('got hi');
  await Promise.all(runs.map((run) => pool.dispose(run.runId)));
  await expect(runs[0]!.fireTimer(1)).rejects.toThrow('is not in the cache');
});

test('creation and the first activation may be sent at once; the error of the creation is kept', async () => {
  await start();
  const run = new DrivenRun(pool, 'unknown-type');
  await expect(run.start('missing')).rejects.toThrow("Failed to initialize workflow of type 'missing'");
  await expect(run.fireTimer(1)).rejects.toMatchObject({ code: 'BRANCHLINE_RUN_UNKNOWN' });
});

test('an unhandled rejection is blamed on its own run, though others run in the same turn', async () => {
  await start();
  const runs = Array.from({ length: 6 }, (_, i) => new DrivenRun(pool, `run-${i}`));
  const outcomes = await Promise.allSettled(runs.map((run, i) => run.start(i % 2 === 0 ? 'rejects' : 'sleeps')));
  expect(outcomes.map(({ status }) => status)).toEqual(runs.map((_, i) => (i % 2 === 0 ? 'rejected' : 'fulfilled')));
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 0) expect(run.lastResult?.completion.failed?.failure?.message).toContain(`of run-${i}`);
  }
});

test('an unhandled rejection of the thread itself is nobody’s, and fatal', async () => {
  const stray: { error: Error; fatal: boolean }[] = [];
  await start({ onStrayError: (error, fatal) => stray.push({ error, fatal }) });
  await new DrivenRun(pool, 'outside').start('rejectsOutside');
  // The thread's messages come in order: what it told before this answer is here.
  await new DrivenRun(pool, 'other').start('sleeps');
  expect(stray.map(({ error, fatal }) => [String(error), fatal])).toEqual([
    [
      "UnhandledRejectionError: Unhandled Promise rejection for unknown Workflow Run id='undefined': Error: of the thread",
      true,
    ],
  ]);
});

test('sink calls: only those listened to, values that cannot be copied as text, functions of the info back in place', async () => {
  await start({
    sinks: { tell: { it: { callDuringReplay: false }, never: 'dropped' }, __temporal_logger: { debug: 'dropped' } },
  });
  const run = new DrivenRun(pool, 'sinks');
  await run.start('logs', ['text']);
  const [call, ...more] = run.lastResult!.sinkCalls;
  expect(more).toEqual([]);
  expect(call).toMatchObject({ ifaceName: 'tell', fnName: 'it', args: ['text'], workflowInfo: { runId: 'sinks' } });
  expect(call!.workflowInfo.unsafe.now()).toBeGreaterThan(1_600_000_000_000);
  const replayed = new DrivenRun(pool, 'replayed');
  replayed.isReplaying = true;
  await replayed.start('logs', ['text']);
  expect(replayed.lastResult!.sinkCalls).toEqual([]);
  const odd = new DrivenRun(pool, 'odd');
  await odd.start('logs', ['function']);
  expect(odd.lastResult!.sinkCalls[0]?.args).toEqual(['() => 1']);
});

test('workflow code that does not yield fails its task, and the thread is replaced', async () => {
  const lost: string[][] = [];
  await start({ executionTimeoutMs: 300, onThreadLost: (_, runIds) => lost.push(runIds) });
  const [other, blocking] = [new DrivenRun(pool, 'other'), new DrivenRun(pool, 'blocking')];
  await other.start('sleeps');
  await expect(blocking.start('blocks')).rejects.toThrow('Script execution timed out after 300ms');
  expect(lost).toEqual([['other', 'blocking']]);
  await expect(other.fireTimer(1)).rejects.toMatchObject({ code: 'BRANCHLINE_RUN_UNKNOWN' });
  // Again, in the new thread: the same run is now timed, and takes nobody with it.
  const again = new DrivenRun(pool, 'other');
  await again.start('sleeps');
  await expect(new DrivenRun(pool, 'blocking').start('blocks')).rejects.toThrow(
    'Script execution timed out after 300ms',
  );
  expect(lost).toHaveLength(1);
  expect(resultOf(await again.fireTimer(1))).toBeUndefined();
});

test('a thread that dies rejects what it had in work and is replaced', async () => {
  const lost: { error: Error; runIds: string[] }[] = [];
  await start({ onThreadLost: (error, runIds) => lost.push({ error, runIds }) });
  const other = new DrivenRun(pool, 'other');
  await other.start('sleeps');
  await expect(new DrivenRun(pool, 'hungry').start('ends')).rejects.toMatchObject({
    code: 'BRANCHLINE_WORKFLOW_THREAD_ENDED',
    message: expect.stringContaining('exited with code 7'),
  });
  expect(lost.map(({ runIds }) => runIds)).toEqual([['other', 'hungry']]);
  const next = new DrivenRun(pool, 'next');
  await next.start('activity', ['x']);
  expect(resultOf(await next.activate(resolved))).toBe('got hi');
});

describe('patchActivationCallback', () => {
  test('is asked in the main thread, once per patch', async () => {
    const asked: unknown[] = [];
    await start({
      patchActivationCallback: ({ workflowInfo, patchId }) => {
        asked.push([workflowInfo.workflowId, patchId]);
        return workflowInfo.workflowId === 'id-of-yes';
      },
    });
    const [yes, no] = [new DrivenRun(pool, 'yes'), new DrivenRun(pool, 'no')];
    expect(resultOf(await yes.start('patched'))).toBe(true);
    const commands = await no.start('patched');
    expect(resultOf(commands)).toBe(false);
    expect(commands.some(({ setPatchMarker }) => setPatchMarker != null)).toBe(false);
    expect(asked).toEqual([
      ['id-of-yes', 'p'],
      ['id-of-no', 'p'],
    ]);
  });

  test('its error fails the workflow task', async () => {
    await start({
      patchActivationCallback: () => {
        throw new RangeError('cannot tell');
      },
    });
    await expect(new DrivenRun(pool, 'run').start('patched')).rejects.toThrow('RangeError: cannot tell');
  });
});

test('stacks are recorded when asked for', async () => {
  await start({ stackTraces: true });
  const run = new DrivenRun(pool, 'run');
  await run.start('sleeps');
  expect(await run.query('__stack_trace')).toMatch(/at sleeps \(.*workflows\.ts:\d+:\d+\)/);
});

test('a rejection left behind by code that failed to load is reported, and no run is blamed', async () => {
  const stray: Error[] = [];
  await start({ onStrayError: (error) => stray.push(error) });
  const other = new DrivenRun(pool, 'other');
  const [first, second] = await Promise.allSettled([
    new DrivenRun(pool, 'odd').start('leavesRejection'),
    other.start('sleeps'),
  ]);
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  expect(stray.map(({ message }) => message)).toEqual(['left behind']);
});

test('bytesPerRun is measured once enough runs are alive', async () => {
  await start({ sinks: { __temporal_logger: { debug: 'dropped' } } });
  const assumed = pool.bytesPerRun();
  const runs = Array.from({ length: 200 }, (_, i) => new DrivenRun(pool, `run-${i}`));
  await Promise.all(runs.map((run) => run.start('sleeps')));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await new DrivenRun(pool, 'one-more').start('sleeps');
  expect(pool.bytesPerRun()).not.toBe(assumed);
  expect(pool.bytesPerRun()).toBeGreaterThan(1024);
  expect(pool.bytesPerRun()).toBeLessThan(400 * 1024);
});
