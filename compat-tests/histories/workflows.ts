/** The workflows whose histories are recorded here. Change none of them: their histories must go on replaying. */
import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { activities } from './activities';

const acts = proxyActivities<typeof activities>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '50ms', maximumAttempts: 3 },
});
const locals = proxyLocalActivities<typeof activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '20ms', maximumAttempts: 3 },
});

export const poke = defineSignal<[string]>('poke');
export const done = defineSignal('done');
export const state = defineQuery<string[]>('state');

async function outcome<T>(promise: Promise<T>): Promise<unknown> {
  try {
    return await promise;
  } catch (err) {
    const causes: string[] = [];
    for (let e: unknown = err; e instanceof Error; e = e.cause) causes.push(`${e.name}: ${e.message}`);
    return causes;
  }
}

export async function activitiesAndRetries(): Promise<unknown> {
  const first = await acts.echo('one');
  const flaky = await acts.failTwice(workflowInfo().workflowId);
  const failed = await outcome(acts.failAlways('boom'));
  const timedOut = await outcome(
    proxyActivities<typeof activities>({ startToCloseTimeout: '300ms', retry: { maximumAttempts: 1 } }).wait(3000),
  );
  const unscheduled = await outcome(
    proxyActivities<typeof activities>({ taskQueue: 'nobody-here', scheduleToStartTimeout: '200ms', scheduleToCloseTimeout: '5s' }).echo('x'),
  );
  const fan = await Promise.all(Array.from({ length: 6 }, (_, i) => acts.echo(`n${i}`)));
  return { first, flaky, failed, timedOut, unscheduled, fan };
}

export async function activityCancellations(): Promise<unknown> {
  const results: unknown[] = [];
  for (const cancellationType of [
    ActivityCancellationType.TRY_CANCEL,
    ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    ActivityCancellationType.ABANDON,
  ]) {
    const { heartbeating } = proxyActivities<typeof activities>({
      startToCloseTimeout: '20s',
      heartbeatTimeout: '500ms',
      cancellationType,
      retry: { maximumAttempts: 1 },
    });
    // Cancelled before it is sent, then while it runs.
    const withdrawn = new CancellationScope();
    const promise = withdrawn.run(() => heartbeating(2000));
    withdrawn.cancel();
    results.push(await outcome(promise));
    const running = new CancellationScope();
    const second = running.run(() => heartbeating(2000));
    await sleep(400);
    running.cancel();
    results.push(await outcome(second));
  }
  await sleep(2500);
  return results;
}

export async function timers(): Promise<unknown> {
  const log: string[] = [];
  await sleep(50);
  log.push('slept');
  const withdrawn = new CancellationScope();
  const never = withdrawn.run(() => sleep(100_000));
  withdrawn.cancel();
  log.push(String(await outcome(never)));
  const started = new CancellationScope();
  const cancelled = started.run(() => sleep(100_000));
  await sleep(50);
  started.cancel();
  log.push(String(await outcome(cancelled)));
  log.push(String(await condition(() => false, '100ms')));
  await Promise.all([sleep(60), sleep(60), sleep(120)]);
  await Promise.race([sleep(50), sleep(5000)]);
  return log;
}

export async function signalsAndQueries(expected: number): Promise<string[]> {
  const got: string[] = [];
  setHandler(poke, async (value) => {
    got.push(value);
    if (value.startsWith('act')) got.push(await acts.echo(value));
  });
  setHandler(state, () => got);
  await condition(() => got.length >= expected);
  await condition(allHandlersFinished);
  return got;
}

export async function children(): Promise<unknown> {
  const { workflowId } = workflowInfo();
  const ok = await executeChild(child, { args: ['ok'], workflowId: `${workflowId}/ok`, memo: { a: 1 } });
  const failed = await outcome(executeChild(child, { args: ['fail'], workflowId: `${workflowId}/fail` }));
  const timedOut = await outcome(
    executeChild(child, { args: ['hang'], workflowId: `${workflowId}/time`, workflowRunTimeout: '500ms' }),
  );
  const hanging = await startChild(child, { args: ['hang'], workflowId: `${workflowId}/hang` });
  const duplicate = await outcome(executeChild(child, { args: ['ok'], workflowId: `${workflowId}/hang` }));
  await hanging.signal(poke, 'from parent');
  const signalled = await hanging.result();
  const terminated = await outcome(
    Promise.all([
      executeChild(child, { args: ['hang'], workflowId: `${workflowId}/terminated` }),
      acts.terminate(`${workflowId}/terminated`),
    ]),
  );
  return { ok, failed, timedOut, duplicate, signalled, terminated };
}

export async function childCancellations(): Promise<unknown> {
  const { workflowId } = workflowInfo();
  const results: unknown[] = [];
  for (const cancellationType of [
    ChildWorkflowCancellationType.TRY_CANCEL,
    ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED,
    ChildWorkflowCancellationType.ABANDON,
  ]) {
    const options = {
      args: ['hang'] as [string],
      cancellationType,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      workflowId: `${workflowId}/${cancellationType}`,
    };
    const before = new CancellationScope();
    const never = before.run(() => executeChild(child, { ...options, workflowId: `${options.workflowId}/never` }));
    before.cancel();
    results.push(await outcome(never));
    const scope = new CancellationScope();
    const running = scope.run(() => executeChild(child, options));
    await sleep(300);
    scope.cancel();
    results.push(await outcome(running));
  }
  return results;
}

export async function child(what: string): Promise<string> {
  let poked = '';
  setHandler(poke, (value) => {
    poked = value;
  });
  if (what === 'fail') throw ApplicationFailure.nonRetryable('child failed', 'ChildError', 1, 'two');
  if (what === 'hang') {
    await condition(() => poked !== '');
    return `poked: ${poked}`;
  }
  await sleep(30);
  return `${what} ${String(workflowInfo().memo?.['a'])}`;
}

export async function externals(target: string): Promise<unknown> {
  const handle = getExternalWorkflowHandle(target);
  const signalled = await outcome(handle.signal(poke, 'hello'));
  const cancelled = await outcome(handle.cancel());
  const unknownSignal = await outcome(getExternalWorkflowHandle('no-such-workflow').signal(poke, 'x'));
  const unknownCancel = await outcome(getExternalWorkflowHandle('no-such-workflow').cancel());
  const scope = new CancellationScope();
  const withdrawn = scope.run(() => handle.signal(poke, 'never sent'));
  scope.cancel();
  return { signalled, cancelled, unknownSignal, unknownCancel, withdrawn: await outcome(withdrawn) };
}

export async function cancellable(): Promise<unknown> {
  const got: string[] = [];
  setHandler(poke, (value) => void got.push(value));
  try {
    await sleep('1 hour');
  } catch (err) {
    if (!isCancellation(err)) throw err;
    await CancellationScope.nonCancellable(() => acts.echo('cleanup'));
    got.push('cleaned up');
    if (got.includes('hello')) throw err;
  }
  return got;
}

export async function patches(): Promise<unknown> {
  const log: unknown[] = [];
  if (patched('first')) log.push(await acts.echo('patched first'));
  log.push(patched('second'), patched('first'));
  await sleep(50);
  log.push(patched('third'));
  deprecatePatch('fourth');
  await sleep(50);
  return log;
}

/** One workflow over the life of a patch: each history must replay with the code after it. */
export async function patchLife1(): Promise<string> {
  await sleep(50);
  return acts.echo('old');
}

export async function patchLife2(): Promise<string> {
  await sleep(50);
  if (patched('life')) return acts.echo('new');
  return acts.echo('old');
}

export async function patchLife3(): Promise<string> {
  await sleep(50);
  deprecatePatch('life');
  return acts.echo('new');
}

export async function patchLife4(): Promise<string> {
  await sleep(50);
  return acts.echo('new');
}

export async function localActivities(): Promise<unknown> {
  const results: unknown[] = [];
  results.push(await locals.echo('local'));
  results.push(Date.now() > 0);
  results.push(await Promise.all([locals.echo('a'), locals.wait(30), locals.echo('b')]));
  results.push(await locals.failTwice(`local-${workflowInfo().workflowId}`));
  results.push(await outcome(locals.failAlways('local boom')));
  const timer = sleep(60);
  results.push(await Promise.race([locals.echo('quick'), timer.then(() => 'timer')]));
  await timer;
  results.push(await acts.echo('normal'));
  return results;
}

export async function localActivityHeartbeat(): Promise<unknown> {
  const before = await locals.echo('before');
  // Longer than the workflow task timeout of its run.
  const slow = await Promise.all([locals.wait(2800), locals.echo('beside')]);
  return { before, slow, after: await locals.echo('after') };
}

export async function localActivityBackoff(): Promise<unknown> {
  const patient = proxyLocalActivities<typeof activities>({
    startToCloseTimeout: '5s',
    localRetryThreshold: '100ms',
    retry: { initialInterval: '300ms', backoffCoefficient: 1, maximumAttempts: 3 },
  });
  return patient.failTwice(`backoff-${workflowInfo().workflowId}`);
}

export async function localActivityCancellations(): Promise<unknown> {
  const results: unknown[] = [];
  for (const cancellationType of [
    ActivityCancellationType.TRY_CANCEL,
    ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    ActivityCancellationType.ABANDON,
  ]) {
    const { cancellableWait } = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '5s', cancellationType });
    const withdrawn = new CancellationScope();
    const never = withdrawn.run(() => cancellableWait(500));
    withdrawn.cancel();
    results.push(await outcome(never));
    const scope = new CancellationScope();
    const running = scope.run(() => cancellableWait(500));
    await locals.echo(`beside ${cancellationType}`);
    scope.cancel();
    results.push(await outcome(running));
  }
  return results;
}

export const add = defineUpdate<number, [number]>('add');
export const slowAdd = defineUpdate<number, [number, string]>('slowAdd');

export async function updates(limit: number): Promise<number> {
  let total = 0;
  setHandler(
    add,
    (n) => {
      total += n;
      return total;
    },
    {
      validator: (n) => {
        if (n < 0) throw new Error('negative');
      },
    },
  );
  setHandler(slowAdd, async (n, how) => {
    if (how === 'activity') await acts.echo('add');
    else if (how === 'local') await locals.echo('add');
    else if (how === 'timer') await sleep(80);
    else throw ApplicationFailure.nonRetryable(`no way ${how}`);
    total += n;
    return total;
  });
  await condition(() => total >= limit);
  await condition(allHandlersFinished);
  return total;
}

export async function continuing(left: number): Promise<unknown> {
  upsertSearchAttributes({ CustomTag: [`left ${left}`] });
  upsertMemo({ left });
  await sleep(30);
  if (left > 0) return continueAsNew<typeof continuing>(left - 1);
  return { memo: workflowInfo().memo, tags: workflowInfo().searchAttributes };
}

export async function randomness(): Promise<unknown> {
  const before = [Math.random(), uuid4(), Date.now()];
  await sleep(50);
  return { before, after: [Math.random(), uuid4(), Date.now()] };
}

/** Its second workflow task failed when it was recorded: a worker with broken code had it (see `broken-workflows.ts`). */
export async function taskFailures(): Promise<string> {
  await sleep(30);
  return acts.echo('went on');
}

export async function handlersAtEnd(): Promise<string> {
  setHandler(add, (n) => n + 1);
  await condition(() => false, '300ms');
  void acts.echo('never awaited');
  return 'end';
}

export async function failing(): Promise<void> {
  await acts.echo('before');
  throw ApplicationFailure.create({ message: 'workflow failed', type: 'Bad', details: [{ a: 1 }], nonRetryable: true });
}

/** Handlers of all kinds at once: what they do, and in which order it ends, is left to chance when it is recorded. */
export async function storm(expected: number): Promise<unknown> {
  const log: string[] = [];
  const what: Record<string, (value: string) => Promise<unknown>> = {
    local: (value) => locals.echo(value),
    slow: () => locals.wait(40),
    activity: (value) => acts.echo(value),
    timer: (value) => sleep(20 + value.length),
    race: (value) => Promise.race([locals.wait(30), acts.echo(value), sleep(25)]),
    child: (value) => executeChild(child, { args: [value], workflowId: `${workflowInfo().workflowId}/${value}` }),
    patch: (value) => (patched(value) ? locals.echo(value) : sleep(10)),
    cancel: async (value) => {
      const scope = new CancellationScope();
      const promise = scope.run(() => Promise.all([locals.cancellableWait(500), acts.echo(value), sleep(5000)]));
      await locals.echo('then');
      scope.cancel();
      return outcome(promise);
    },
  };
  const handle = async (value: string): Promise<void> => {
    const [kind = 'local'] = value.split('-');
    await what[kind]?.(value);
    log.push(value);
  };
  setHandler(poke, handle);
  setHandler(
    slowAdd,
    async (n: number, value: string) => {
      await handle(value);
      return n;
    },
    {
      validator: (n: number, _value: string) => {
        if (n % 5 === 4) throw new Error('no');
      },
    },
  );
  await condition(() => log.length >= expected);
  await condition(allHandlersFinished);
  return log;
}
