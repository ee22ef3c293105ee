/** Workflows of the router's tests, of both engines. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { cancelElsewhere, executeElsewhere, signalElsewhere } from '../../shim/router/workflow';
import type * as activities from './activities';

const { waitOutside } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export async function counter(start: number): Promise<number> {
  let value = start;
  let finished = false;
  setHandler(defineQuery<number>('value'), () => value);
  setHandler(defineSignal<[number]>('add'), (by) => void (value += by));
  setHandler(defineUpdate<number, [number]>('addAndGet'), (by) => (value += by));
  setHandler(defineSignal('finish'), () => void (finished = true));
  await condition(() => finished);
  return value;
}

export async function chain(left: number): Promise<string> {
  if (left > 0) await continueAsNew<typeof chain>(left - 1);
  return 'end of chain';
}

export async function outside(): Promise<string> {
  return waitOutside();
}

export async function reaching(verb: 'signal' | 'cancel', workflowId: string): Promise<void> {
  if (verb === 'signal') await signalElsewhere(workflowId, 'add', 10);
  else await cancelElsewhere(workflowId);
}

export async function calling(workflowId: string, type: string, args: unknown[]): Promise<unknown> {
  return executeElsewhere(type, { workflowId, args });
}

export async function failing(message: string): Promise<void> {
  throw ApplicationFailure.create({ message, type: 'Luck', details: [7], nonRetryable: true });
}

export async function parentOf(type: string, workflowId: string, args: unknown[]): Promise<unknown> {
  return executeChild(type, { workflowId, args, memo: { made: 'by a parent' } });
}

/** Signals its child, in this order, and waits for it. */
export async function family(workflowId: string, adds: number[]): Promise<number> {
  const child = await startChild(counter, { workflowId, args: [0] });
  for (const by of adds) await child.signal('add', by);
  await child.signal('finish');
  return child.result();
}

export async function outreach(workflowId: string, by: number): Promise<void> {
  await getExternalWorkflowHandle(workflowId).signal('add', by);
}

export async function described(): Promise<unknown> {
  const { parent, memo } = workflowInfo();
  return { parent: parent?.workflowId ?? null, memo };
}

/** Takes no cancellation. */
export async function stubborn(): Promise<string> {
  return CancellationScope.nonCancellable(async () => {
    await condition(() => CancellationScope.current().consideredCancelled, '1 second');
    return 'all the same';
  });
}
