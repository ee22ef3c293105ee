/** A workflow that makes a span of each kind of call. */
import {
  condition,
  defineQuery,
  defineSignal,
  executeChild,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import type * as activities from '../metrics/activities';

const { succeeds } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });
const local = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '1 minute' });
const go = defineSignal('go');

export async function traced(): Promise<void> {
  let gone = false;
  setHandler(go, () => void (gone = true));
  setHandler(defineQuery<string>('ping'), () => 'pong');
  await succeeds();
  await local.succeeds();
  const child = await startChild(tracedChild);
  await child.signal(go);
  await child.result();
  await executeChild(tracedGrandchild);
  await condition(() => gone);
}

export async function tracedChild(): Promise<void> {
  let gone = false;
  setHandler(go, () => void (gone = true));
  await condition(() => gone);
}

export async function tracedGrandchild(): Promise<void> {
  await succeeds();
}
